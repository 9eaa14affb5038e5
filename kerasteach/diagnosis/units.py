"""Rule for units of hidden layers that are dead."""

from __future__ import annotations

import pandas as pd

from kerasteach.diagnosis.network import Evidence, Network

DEAD = 0.5  # of a layer's units


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


def _hidden(network: Network, statistic: str) -> pd.DataFrame | None:
    """Return the rows of the last epoch of all layers but the last, where the statistic was captured."""
    frame = network.activations
    if frame is None or frame.empty or statistic not in frame:
        return None
    rows = frame[(frame["epoch"] == frame["epoch"].max()) & (frame["depth"] < frame["depth"].max())]
    rows = rows[rows[statistic].notna()]
    return None if rows.empty else rows
