"""Rules for the units of hidden layers: dead, and saturated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kerasteach.diagnosis.network import Evidence, Network

DEAD = 0.5  # of a layer's units
SATURATED = 0.5  # of a layer's outputs
_SMALL = 0.1  # of the last layer's gradient


def dead(network: Network) -> Evidence | None:
    """Find hidden layers with units that are 0 for every example, in a network that does not learn."""
    rows = _hidden(network, "dead_fraction")
    if not network.problem or rows is None:
        return None
    shares = rows.groupby("layer", sort=False)["dead_fraction"].min()  # of each window, the most lively one
    found = shares[shares >= DEAD]
    if found.empty:
        return None
    epoch = int(rows["epoch"].iloc[0])
    worst = str(found.idxmax())
    size = int(rows.loc[rows["layer"] == worst, "size"].iloc[0])
    text = (
        f"{found.max() * 100:.0f} % of the units of {worst} ({size} outputs) are 0 for every example of epoch "
        f"{epoch + 1}, and {network.symptom}"
    )
    return Evidence(tuple(map(str, found.index)), (epoch, epoch), text, float(found.max()), DEAD)


def saturated(network: Network) -> Evidence | None:
    """Find hidden layers at the limits of their function with a small gradient in front of them."""
    rows = _hidden(network, "saturated_fraction")
    if not network.problem or rows is None or not network.epochs:
        return None
    shares = rows.groupby("layer", sort=False)["saturated_fraction"].mean()
    found = shares[shares >= SATURATED]
    norms = network.by_depth(network.epochs[-1])
    if found.empty or len(norms) < 2 or not np.isfinite(norms).all() or norms.iloc[0] > _SMALL * norms.iloc[-1]:
        return None
    epoch, worst = int(rows["epoch"].iloc[0]), str(found.idxmax())
    text = (
        f"{found.max() * 100:.0f} % of the outputs of {worst} lie at a limit of its function in epoch {epoch + 1}, and "
        f"{network.symptom}"
    )
    return Evidence(tuple(map(str, found.index)), (epoch, epoch), text, float(found.max()), SATURATED)


def _hidden(network: Network, statistic: str) -> pd.DataFrame | None:
    """Return the rows of the last epoch of all layers but the last, where the statistic was captured."""
    frame = network.activations
    if frame is None or frame.empty or statistic not in frame:
        return None
    rows = frame[(frame["epoch"] == frame["epoch"].max()) & (frame["depth"] < frame["depth"].max())]
    rows = rows[rows[statistic].notna()]
    return None if rows.empty else rows
