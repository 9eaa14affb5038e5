"""Evidence against a cause: what the figures would show if it were the right one, and what they show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from kerasteach.diagnosis.network import Network
from kerasteach.tables.names import percent, times


def against(cause: str, network: Network) -> str:
    """Say in two sentences why a cause is not the right one.

    Args:
        cause: Its name, as in `FAULTS`.
        network: The tables of the network that does not learn.
    """
    return _AGAINST[cause](network)


def _norms(network: Network) -> pd.Series:
    """Return the median norm of each layer's error signal in the first epoch, over its finite steps."""
    rows = network.signal[(network.signal["epoch"] == network.epochs[0]) & network.signal["finite"].astype(bool)]
    return rows.groupby("depth")["norm"].median()


def _vanishing(network: Network) -> str:
    norms = _norms(network)
    if (norms.iloc[:-1] == 0).all():
        shown = "Here that of all hidden layers is exactly 0, so that it is cut off at one place"
    else:
        first, last = float(norms.iloc[0]), float(norms.iloc[-1])
        larger, smaller = max(first, last), min(first, last)
        way = "less" if first < last else "more"
        shown = f"Here the first layer gets {times(larger / smaller)} times {way} than the last"
    return f"A gradient that vanishes falls from layer to layer, towards the input, to a hundredth or less. {shown}."


def _dead(network: Network) -> str:
    frame = network.activations
    assert frame is not None
    rows = frame[(frame["depth"] < frame["depth"].max()) & frame["finite"].astype(bool)]
    share = float(rows["dead_fraction"].max()) if len(rows) else 0.0
    share = 0.0 if np.isnan(share) else share
    return (
        "With dead units, most units of a hidden layer are 0 for every example. Here it is "
        f"{percent(share)} of a layer's units at most."
    )


def _no_slope(network: Network) -> str:
    norms = _norms(network)
    if (norms.iloc[:-1] == 0).any():
        shown = "Here the gradient is 0 too, and so is each output: the units are what stops it"
    else:
        shown = f"Here it is {float(norms.iloc[:-1].min()):.2g} or more in every hidden layer"
    return (
        f"Where a function has no slope, the gradient of the hidden layers is exactly 0 while they do react. {shown}."
    )


def _largest_step(network: Network) -> str:
    frame = network.gradients
    assert frame is not None
    rows = frame[(frame["parameter"] == "kernel") & (frame["epoch"] == network.epochs[0])]
    ratios = rows[np.isfinite(rows["update_ratio"])].groupby("layer", sort=False)["update_ratio"].median()
    largest = float(ratios.max())
    share = "less than 0.001 %" if largest < 1e-5 else percent(largest)
    return f"Here it changes those of {ratios.idxmax()} by {share}, and no other layer's more"


def _too_high(network: Network) -> str:
    usual = "With a learning rate that is too high, a step changes the weights by a tenth or more; 0.1 % is usual."
    return f"{usual} {_largest_step(network)}."


def _too_low(network: Network) -> str:
    usual = "With a learning rate that is too low, a step changes no layer's weights by more than 0.01 %."
    if (_norms(network).iloc[:-1] == 0).all():
        return f"{usual} Here the hidden layers have a gradient of exactly 0, with which no rate moves them."
    return f"{usual} {_largest_step(network)}."


def _missing(network: Network) -> str:
    return "A value that is no number makes loss and gradient NaN. Here both are finite in every step."


def _labels(network: Network) -> str:
    return (
        "With labels that were shuffled, the images stand above digits that they do not show, and gradients and steps "
        "are those of a healthy network. Here each image has the digit that it shows."
    )


_AGAINST: dict[str, Callable[[Network], str]] = {
    "vanishing": _vanishing,
    "dead units": _dead,
    "no slope": _no_slope,
    "rate too high": _too_high,
    "rate too low": _too_low,
    "missing value": _missing,
    "labels": _labels,
}
