"""Rules for the size of the updates: a learning rate that is too high or too low, and a front that stands still."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kerasteach.diagnosis.depth import vanishing
from kerasteach.diagnosis.network import Evidence, Network
from kerasteach.tables.names import percent, times

HIGH = 0.1  # of the weights, in a step
LOW = 1e-4  # likewise
NEVER = 1e-6  # likewise, where no accuracy says that there is something left to learn
STANDS = 1e-2  # of the last layer's ratio
_STEADY = 0.8  # of the epochs lower the loss


def rate_too_high(network: Network) -> Evidence | None:
    """Find steps that change the weights by a tenth or more, in a network that does not learn."""
    ratios = _ratios(network)
    if network.problem in ("", "thrown off") or ratios is None:
        return None
    largest = float(ratios.max())
    if not largest >= HIGH:
        return None
    layer = str(ratios.idxmax())
    text = f"a step changes the weights of {layer} by {percent(largest)} (median of the steps), and {network.symptom}"
    return Evidence((layer,), _span(network), text, largest, HIGH)


def rate_too_low(network: Network) -> Evidence | None:
    """Find a loss that falls steadily and slowly, with steps that hardly change the weights."""
    ratios, loss = _ratios(network), network.metric("loss")
    if network.problem != "stuck" or ratios is None or loss is None or vanishing(network) is not None:
        return None
    falls = float((np.diff(loss) < 0).mean())
    largest = float(ratios.max())
    low = LOW if network.accuracy is not None else NEVER
    if falls < _STEADY or not 0 < largest <= low:
        return None
    layer = str(ratios.idxmax())
    most = f"{percent(largest)} (median of the steps, {layer})"
    text = f"a step changes the weights of no layer by more than {most}, and {network.symptom}"
    return Evidence((layer,), _span(network), text, largest, low)


def front_stands_still(network: Network) -> Evidence | None:
    """Find a first layer whose weights move far less than those of the last, in a network that does not learn."""
    ratios = _ratios(network)
    if network.problem not in ("stuck", "risen") or ratios is None or len(ratios) < 2 or not (ratios > 0).all():
        return None
    share = float(ratios.iloc[0] / ratios.iloc[-1])
    if share > STANDS:
        return None
    first, last = str(ratios.index[0]), str(ratios.index[-1])
    text = (
        f"the weights of the first layer, {first}, change {times(1 / share)} times less in a step than those of the "
        f"last, {last} (share of the weights, median of the steps), and {network.symptom}"
    )
    return Evidence((first,), _span(network), text, share, STANDS)


def _ratios(network: Network) -> pd.Series | None:
    """Return each kernel's median update ratio over the steps of the first epoch, by layer from the input on."""
    frame = network.gradients
    if frame is None or "update_ratio" not in frame or not network.epochs:
        return None
    rows = frame[(frame["epoch"] == network.epochs[0]) & (frame["parameter"] == "kernel")]
    ratios = rows.groupby(["depth", "layer"])["update_ratio"].median().droplevel("depth")
    return ratios if len(ratios) and bool(np.isfinite(ratios).all()) else None


def _span(network: Network) -> tuple[int, int]:
    return network.epochs[0], network.epochs[0]
