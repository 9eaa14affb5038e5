"""The learning-rate range test: the loss against the rate."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from kerasteach.plotting import non_finite
from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import phrase, setting_of
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.style import inks, new_axes
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Kind, Table, checked, frame_of
from kerasteach.validation import finite, received

_NEEDS: dict[str, Kind] = {"learning_rate": "number", "loss": "number", "smoothed": "number"}
_SHOWN = 0.9  # of the losses, and of the smoothed ones, lie inside the axes
_FALLS = 2  # by so many times as much as the loss fell, the axis goes above where it began, at most


def learning_rate_test(
    table: Table, suggestion: float | None = None, ax: Axes | None = None, *, title: str | None = AUTO
) -> Axes:
    """Draw the loss of a range test against the learning rate, on a logarithmic axis.

    The dots are the batches' own losses, the line the smoothed one; a vertical line marks the suggested rate, and the
    legend says where there is none. An explosion at the end would press all else flat: the axis of the loss ends above
    nine tenths of the losses, and a triangle marks where the line leaves it at the top.

    Args:
        table: What `kerasteach.find_learning_rate` returns, or its table: `learning_rate, loss, smoothed` are drawn.
        suggestion: The suggested rate. Defaults to `None`: that of the test, and none where only the table is given.
        ax: Where to draw. Defaults to a new figure.
        title: `"auto"`, what is drawn, and above it at which rate the smoothed loss is lowest; a text; or `None` for no
            title. Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If the table is no data frame, a column holds no numbers, or the suggestion is none.
        ValueError: If a column is missing, the table has no row, or a learning rate is not positive.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"learning_rate": [0.1, 1.0], "loss": [2.0, 1.0], "smoothed": [2.0, 1.5]})
        >>> kt.plotting.learning_rate_test(table, 0.1).get_xscale()
        'log'
    """
    check_title(title)
    rates, losses, smoothed = _checked(table)
    suggestion = getattr(table, "suggestion", None) if suggestion is None else suggestion
    rate = None if suggestion is None else _positive("suggestion", suggestion)
    ax = new_axes(ax)
    ink = inks()
    lost = rates[~np.isfinite(losses)]
    smooth = gettext("smoothed")
    if len(lost):
        smooth = gettext("smoothed (not finite from {rate} on)").format(rate=f"{lost[0]:.2g}")
    ax.plot(
        rates, losses, ls="", marker="o", mew=0, color=ink.forward, alpha=0.35, label=gettext("each batch's own loss")
    )
    ax.plot(rates, smoothed, color=ink.forward, label=smooth)
    if rate is not None:
        ax.axvline(
            rate, color=ink.backward, ls="--", label=gettext("suggested rate: {rate}").format(rate=f"{rate:.2g}")
        )
    ax.set(xscale="log", xlabel=gettext("learning rate (one step at each)"))
    ax.set_ylabel(gettext("training loss of the batch"))
    if np.isfinite(smoothed).any():
        _set_limits(ax, rates, losses, smoothed)
    else:
        ax.set_xlim(rates[0] / 2, rates[-1] * 2)
        non_finite.nothing_finite(ax)
    none = [] if rate is not None else [Line2D([], [], ls="", label=gettext("no rate suggested"))]
    legend_outside(ax, [*ax.get_legend_handles_labels()[0], *none])
    what = phrase(gettext("learning-rate range test"), setting_of(frame_of("table", table)))
    caption(ax, title, what, _finding(rates, smoothed, float(lost[0]) if len(lost) else None))
    return ax


def _finding(rates: np.ndarray, smoothed: np.ndarray, lost: float | None) -> str:
    """Say where the smoothed loss is lowest, if that is inside the range, and from where on it is not finite."""
    finite_ones = np.where(np.isfinite(smoothed), smoothed, np.inf)
    lowest = int(finite_ones.argmin())
    parts = []
    if 0 < lowest < len(rates) - 1 and np.isfinite(smoothed[lowest]):
        message = gettext("the smoothed loss is lowest at a learning rate of {rate}")
        parts.append(message.format(rate=f"{rates[lowest]:.2g}"))
    if lost is not None and not np.isfinite(smoothed[rates > lost]).any():
        message = gettext("not finite from {rate} on") if parts else gettext("the loss is not finite from {rate} on")
        parts.append(message.format(rate=f"{lost:.2g}"))
    return ", ".join(parts)


def _set_limits(ax: Axes, rates: np.ndarray, losses: np.ndarray, smoothed: np.ndarray) -> None:
    """End the axis above most of the losses, and mark where the line leaves it."""
    single, line = losses[np.isfinite(losses)], smoothed[np.isfinite(smoothed)]
    single = single if single.size else line
    low, fall = min(single.min(), line.min()), line[0] - line.min()
    high = max(*(np.quantile(values, _SHOWN, method="lower") for values in (single, line)), line[0] + fall / 2)
    high = min(high, line[0] + _FALLS * fall) if fall else high  # an explosion would flatten the fall
    margin = 0.05 * (high - low or 1.0)
    ax.set_ylim(low - margin, high + margin)
    above = np.flatnonzero(smoothed > high + margin)
    if above.size:
        size = 1.6 * plt.rcParams["lines.markersize"]
        place = rates[max(above[0] - 1, 0)]
        ax.scatter(
            place, 1, s=size**2, marker="^", color=inks().forward, transform=ax.get_xaxis_transform(), clip_on=False
        )


def _checked(table: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rates, losses and smoothed losses in the order of the rates."""
    frame = checked("table", table, _NEEDS, "kerasteach.find_learning_rate(...)")
    frame = frame.sort_values("learning_rate", kind="stable")
    rates = frame["learning_rate"].to_numpy()
    if not ((rates > 0) & np.isfinite(rates)).all():
        raise ValueError(f"`table` must hold learning rates above 0. Received: {rates.min():g} to {rates.max():g}.")
    return rates, frame["loss"].to_numpy(), frame["smoothed"].to_numpy()


def _positive(argument: str, value: Any) -> float:
    number = finite(argument, value)
    if number <= 0:
        raise ValueError(f"`{argument}` must be finite and more than 0. {received(argument, value)}")
    return number
