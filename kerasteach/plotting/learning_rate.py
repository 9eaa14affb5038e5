"""The learning-rate range test: the loss against the rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.style import new_axes

_NEEDS = ("learning_rate", "loss", "smoothed")
_CURVE, _MARK = "#004488", "#BB5566"


def learning_rate_test(table: pd.DataFrame, suggestion: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw the loss of a range test against the learning rate, on a logarithmic axis.

    The dots are the batches' own losses, the line the smoothed one; a vertical line marks the suggested rate. The axis
    of the loss ends somewhat above the first losses, as an explosion would press all else flat.

    Args:
        table: `RangeTest.table`: `learning_rate, loss, smoothed` are drawn.
        suggestion: `RangeTest.suggestion`. Defaults to `None`: mark nothing.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        TypeError: If the table is no data frame, or the suggestion no number.
        ValueError: If a column is missing, the table has no row, or the suggestion is not positive.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"learning_rate": [0.1, 1.0], "loss": [2.0, 1.0], "smoothed": [2.0, 1.5]})
        >>> kt.plotting.learning_rate_test(table, 0.1).get_xscale()
        'log'
    """
    _check(table, suggestion)
    ax = new_axes(ax)
    rates = table["learning_rate"].to_numpy(dtype="float64")
    losses, smoothed = table["loss"].to_numpy(dtype="float64"), table["smoothed"].to_numpy(dtype="float64")
    lost = rates[~np.isfinite(losses)]
    note = f" (not finite from {lost[0]:.2g} on)" if len(lost) else ""
    ax.plot(rates, losses, ls="", marker="o", mew=0, color=_CURVE, alpha=0.35, label="each batch's own loss")
    ax.plot(rates, smoothed, color=_CURVE, label="smoothed" + note)
    if suggestion is not None:
        ax.axvline(suggestion, color=_MARK, ls="--", label=f"suggested rate: {suggestion:.2g}")
    ax.set(xscale="log", xlabel="learning rate (one step at each)", ylabel="training loss of the batch")
    if np.isfinite(smoothed).any():
        ax.set_ylim(*_limits(losses[np.isfinite(losses)], smoothed[np.isfinite(smoothed)]))
    else:
        ax.text(0.5, 0.5, "not finite", transform=ax.transAxes, ha="center")
    ax.legend(frameon=False)
    return ax


def _limits(losses: np.ndarray, smoothed: np.ndarray) -> tuple[float, float]:
    """Return the ends of the losses' axis: an explosion would press flat what comes before it."""
    fall = smoothed[0] - smoothed.min()
    usual = losses[losses <= smoothed[0] + fall] if fall > 0 else losses
    low, high = float(usual.min()), float(max(usual.max(), smoothed[0] + fall / 2))
    margin = 0.05 * (high - low or 1.0)
    return low - margin, high + margin


def _check(table: Any, suggestion: Any) -> None:
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            "`table` must be what kerasteach.find_learning_rate made: its result's `table`. "
            f"Received: table={type(table).__name__}."
        )
    missing = [column for column in _NEEDS if column not in table]
    if missing or table.empty:
        raise ValueError(
            f"`table` must have the columns {', '.join(_NEEDS)}, and a row. "
            f"Received: {len(table)} rows with the columns {', '.join(map(str, table)) or 'none'}."
        )
    if suggestion is None:
        return
    if not isinstance(suggestion, (int, float, np.number)):
        raise TypeError(f"`suggestion` must be a number or None. Received: suggestion={suggestion!r}.")
    if not 0 < suggestion < math.inf:
        raise ValueError(f"`suggestion` must be finite and more than 0. Received: suggestion={suggestion!r}.")
