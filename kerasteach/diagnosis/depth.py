"""Rules for the size of the gradient over the depth: vanishing and exploding."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kerasteach.diagnosis.network import Evidence, Network
from kerasteach.tables.names import times

VANISHED = 2.0  # decades over the depth
EXPLODED = 2.0  # decades over the depth
THROWN_OFF = 1.0  # likewise, where the loss is not finite or was far above a guess, which speaks for it already
GROWN = 3.0  # decades from the first step on
BEYOND = 10.0  # times the last layer's, in the median step of the first epoch
_FEWEST = 3  # layers: over two, a line fits anything


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
    """Find an error signal that grows towards the input or over the steps, in a network that does not learn."""
    if not network.problem or not network.epochs:
        return None
    return _grows_towards_the_input(network) or _grew(network)


def _grows_towards_the_input(network: Network) -> Evidence | None:
    """Find an error signal that is larger in front, in the steps of the first epoch in which it is finite."""
    wide = _by_step(network)
    values = wide.to_numpy("float64")
    usable = (np.isfinite(values) & (values > 0)).all(axis=1)
    if wide.shape[1] < _FEWEST or not usable.any():
        return None
    norms = pd.Series(values[usable].mean(axis=0), wide.columns)
    decades = -_decades(norms)
    threshold = THROWN_OFF if network.problem in ("diverged", "thrown off") else EXPLODED
    if decades < threshold:
        return None
    first, last = (int(depth) for depth in norms.index[[0, -1]])
    text = (
        f"in epoch {network.epochs[0] + 1} the first layer, {network.layer(first)}, gets "
        f"{times(float(norms.iloc[0] / norms.iloc[-1]))} times more gradient than the last, "
        f"{network.layer(last)}, and {network.symptom}"
    )
    return Evidence((network.layer(first),), (network.epochs[0],) * 2, text, decades, threshold)


def _grew(network: Network) -> Evidence | None:
    """Find an error signal that grew over the steps, beyond that of the last layer.

    One that had vanished and comes back grows as well, and does not go beyond.
    """
    wide = network.signal.pivot_table("norm", "step", "depth", aggfunc="mean", dropna=False)
    wide = wide.where(np.isfinite(wide))
    start, largest = wide.iloc[0], wide.max()
    usable = start.index[(start > 0) & (largest > BEYOND * _by_step(network).iloc[:, -1].dropna().median())]
    if usable.empty:
        return None
    growth = pd.Series(np.log10(largest[usable] / start[usable]))
    if not growth.max() >= GROWN:
        return None
    depth = int(growth.index[int(growth.argmax())])
    step = int(wide.index[int(wide[depth].argmax())])
    epoch = int(network.signal.loc[network.signal["step"] == step, "epoch"].iloc[0])
    text = (
        f"the gradient of {network.layer(depth)} is {times(10 ** float(growth.max()))} times as large in step {step:,} "
        f"(epoch {epoch + 1}) as in the first step, and {network.symptom}"
    )
    return Evidence((network.layer(depth),), (network.epochs[0], epoch), text, float(growth.max()), GROWN)


def _by_step(network: Network) -> pd.DataFrame:
    """Return the norms of the first epoch, a row a step and a column a depth."""
    rows = network.signal[network.signal["epoch"] == network.epochs[0]]
    return rows.pivot_table("norm", "step", "depth", aggfunc="mean", dropna=False)


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
