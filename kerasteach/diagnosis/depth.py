"""Rules for the size of the gradient over the depth: vanishing and exploding."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kerasteach.diagnosis.network import Evidence, Network
from kerasteach.tables.names import times

VANISHED = 2.0  # decades over the depth
EXPLODED = 2.0  # decades over the depth
GROWN = 3.0  # decades from the first steps on
_FEWEST = 3  # layers: over two, a line fits anything
_FIRST_STEPS = 5


def vanishing(network: Network) -> Evidence | None:
    """Find an error signal that falls towards the input, in a network that does not learn."""
    if network.problem not in ("stuck", "risen"):
        return None
    norms = _norms(network)
    if norms is None:
        return None
    decades = _decades(norms)
    if decades < VANISHED:
        return None
    first, last = (int(depth) for depth in norms.index[[0, -1]])
    text = (
        f"in epoch {network.epochs[0] + 1} the first layer, {network.layer(first)}, gets "
        f"{times(float(norms.iloc[-1] / norms.iloc[0]))} times less gradient than the last, "
        f"{network.layer(last)}, and {network.symptom}"
    )
    return Evidence((network.layer(first),), (network.epochs[0],) * 2, text, decades, VANISHED)


def exploding(network: Network) -> Evidence | None:
    """Find an error signal that grows towards the input or over time, in a network that does not learn."""
    if not network.problem:
        return None
    norms = _norms(network)
    decades = -_decades(norms) if norms is not None else -np.inf
    if norms is not None and decades >= EXPLODED:
        first, last = (int(depth) for depth in norms.index[[0, -1]])
        text = (
            f"in epoch {network.epochs[0] + 1} the first layer, {network.layer(first)}, gets "
            f"{times(float(norms.iloc[0] / norms.iloc[-1]))} times more gradient than the last, "
            f"{network.layer(last)}, and {network.symptom}"
        )
        return Evidence((network.layer(first),), (network.epochs[0],) * 2, text, decades, EXPLODED)
    return _grown(network)


def _grown(network: Network) -> Evidence | None:
    """Find an error signal that grew over the steps."""
    wide = network.signal.pivot_table("norm", "step", "depth", aggfunc="mean", dropna=False)
    start = wide.iloc[:_FIRST_STEPS].median()
    finite = wide.where(np.isfinite(wide))
    usable = start.index[(start > 0) & np.isfinite(start)]
    if usable.empty:
        return None
    growth = np.log10(finite[usable].max() / start[usable])
    if not growth.max() >= GROWN:
        return None
    depth = int(growth.index[int(growth.argmax())])
    step = int(finite.index[int(finite[depth].argmax())])
    epoch = int(network.signal.loc[network.signal["step"] == step, "epoch"].iloc[0])
    text = (
        f"the gradient of {network.layer(depth)} is {times(10 ** float(growth.max()))} times as large in step {step:,} "
        f"(epoch {epoch + 1}) as in the first steps, and {network.symptom}"
    )
    return Evidence((network.layer(depth),), (network.epochs[0], epoch), text, float(growth.max()), GROWN)


def _norms(network: Network) -> pd.Series | None:
    """Return the norms of the first epoch by depth, where a line over the depth says something."""
    if not network.epochs:
        return None
    norms = network.by_depth(network.epochs[0])
    usable = len(norms) >= _FEWEST and bool(np.isfinite(norms).all()) and bool((norms > 0).all())
    return norms if usable else None


def _decades(norms: pd.Series) -> float:
    """Return by how many powers of ten the norm falls from the last layer to the first, along the line that fits."""
    depths = norms.index.to_numpy("float64")
    slope = np.polyfit(depths, np.log10(norms.to_numpy("float64")), 1)[0]
    return float(slope * (depths[-1] - depths[0]))
