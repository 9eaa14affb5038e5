"""Activation functions and their derivatives."""

from __future__ import annotations

from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from kerasteach.activations.lookup import ACTIVATIONS
from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.equal_curves import show_covered
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.pages import composed, headline, on_page, panels
from kerasteach.plotting.style import Look, inks, looks, new_axes, plain
from kerasteach.plotting.wording import N_, gettext
from kerasteach.tables.checks import Kind, Table, checked
from kerasteach.validation import choice

_HEIGHT = (-1.25, 2.25)  # one scale for all panels, so that the slopes can be compared
_COLUMNS = 4
_ALL = N_("all derivatives")
_PANELS = 8  # on a page
_TOGETHER = 4  # functions whose derivatives can be distinguished in one panel
_NEEDS: dict[str, Kind] = {"activation": "name", "x": "number", "value": "number", "derivative": "number"}
_THICK, _THIN = 2.2, 0.7  # times a line's width: a function, and the derivative on top of it
_ROUNDING = 1e-9  # of the points of a grid


def activations_figure(table: Table, *, page: int = 1, title: str | None = AUTO) -> Figure:
    """Draw each function with its derivative in a panel of its own, on one scale.

    The derivative is dashed and lies on top, so that it is seen where it is the function itself. Of two to four
    functions a last panel has all derivatives together.

    Args:
        table: What `kerasteach.activations.table()` returns: `activation, x, value, derivative`.
        page: Which eight of more panels. Defaults to `1`.
        title: A line above the panels: a text, or `None` or `"auto"` for none. Defaults to `"auto"`.

    Returns:
        The figure.

    Raises:
        TypeError: If `table` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing or the table has no row, or there is no such page.

    Example:
        >>> import kerasteach as kt
        >>> figure = kt.plotting.activations_figure(kt.activations.table(["sigmoid", "relu"]))
    """
    check_title(title)
    table = _checked(table)
    names = list(table["activation"].unique())
    shown, note = on_page(names + [_ALL] * (1 < len(names) <= _TOGETHER), page, _PANELS, N_("panels"))
    look_of = looks(names)
    with composed():
        figure, axes = panels(len(shown), _COLUMNS, width=3.1, height=2.7, note=headline(title, "", note), sharex=True)
        for ax, name in zip(axes, shown, strict=True):
            if name == _ALL:
                _together(ax, table)
            else:
                _panel(ax, name, table[table["activation"] == name], look_of[name])
        ink, thick = inks(), plt.rcParams["lines.linewidth"]
        handles = [
            Line2D([], [], color=ink.muted, lw=_THICK * thick),
            Line2D([], [], color=ink.text, ls="--", lw=_THIN * thick),
        ]
        figure.legend(
            handles, [gettext("function"), gettext("derivative")], loc="outside lower center", ncols=2, frameon=False
        )
    return figure


def activation_curves(
    table: Table,
    column: Literal["value", "derivative"] = "value",
    ax: Axes | None = None,
    *,
    title: str | None = AUTO,
) -> Axes:
    """Draw several functions, or their derivatives, on one axis.

    Args:
        table: What `kerasteach.activations.table()` returns.
        column: `"value"` or `"derivative"`. Defaults to `"value"`.
        ax: Where to draw. Defaults to a new figure.
        title: A text; or `None` or `"auto"` for none, because the axis says what is drawn. Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If `table` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing or the table has no row.
    """
    check_title(title)
    table = _checked(table)
    choice("column", column, ("value", "derivative"))
    ax = new_axes(ax)
    _draw(ax, table, column)
    ax.set(xlabel="x", ylabel="f'(x)" if column == "derivative" else "f(x)")
    legend_outside(ax)
    caption(
        ax, None if title == AUTO else title, gettext("activation functions") if column == "value" else gettext(_ALL)
    )
    return ax


def _draw(ax: Axes, table: pd.DataFrame, column: str) -> None:
    names = list(table["activation"].unique())
    for name, look in looks(names).items():
        rows = table[table["activation"] == name]
        ax.plot(
            rows["x"],
            _points(rows, column),
            ls="--" if column == "derivative" else "-",
            color=look.color,
            marker=look.marker,
            markevery=(names.index(name) * 3, 25),
            label=plain(name),
        )
    ax.set_ylim(*_limits(table[column]))
    show_covered(ax.lines[-len(names) :])


def _together(ax: Axes, table: pd.DataFrame) -> None:
    _draw(ax, table, "derivative")  # the panels beside it name the colors by their functions
    caption(ax, gettext(_ALL), gettext("all derivatives, in the colors of the functions"))
    ax.set_xlabel("x")
    sns.despine(ax=ax)


def _panel(ax: Axes, name: str, rows: pd.DataFrame, look: Look) -> None:
    ink, thick = inks(), plt.rcParams["lines.linewidth"]
    ax.axhline(0, color=ink.faint, lw=1, zorder=0)
    ax.axvline(0, color=ink.faint, lw=1, zorder=0)
    ax.plot(rows["x"], _points(rows, "value"), color=look.color, lw=_THICK * thick)
    edge = [withStroke(linewidth=1.7 * _THIN * thick, foreground=ink.surface)]  # also where it lies on a dark function
    ax.plot(rows["x"], _points(rows, "derivative"), color=ink.text, ls="--", lw=_THIN * thick, path_effects=edge)
    known = ACTIVATIONS.get(name)
    heading = plain(name)
    if known is not None and known.axis:
        heading = gettext("{function} of (x, 0, 0)").format(function=name)
    caption(ax, heading, gettext("{function} and its derivative").format(function=heading))
    ax.set(ylim=_HEIGHT, xlabel="x")
    sns.despine(ax=ax)


def _points(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return a curve's heights, with a gap where the function jumps instead of a line that it does not have."""
    x, points = rows["x"].to_numpy(), rows[column].to_numpy(dtype="float64").copy()
    known = ACTIVATIONS.get(rows["activation"].iloc[0])
    for place in () if known is None else known.jumps if column == "value" else known.kinks:
        around = np.flatnonzero((x[:-1] <= place + _ROUNDING) & (x[1:] >= place - _ROUNDING))
        if len(around):  # the place itself may belong to either side
            with np.errstate(invalid="ignore"):  # between two infinite values
                points[max(around, key=lambda index: abs(points[index + 1] - points[index]))] = np.nan
    return points


def _limits(values: pd.Series) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if values.empty:
        return _HEIGHT
    low, high = max(values.min(), _HEIGHT[0]), min(values.max(), _HEIGHT[1])
    margin = 0.05 * (high - low or 1.0)
    return low - margin, high + margin


def _checked(table: Table) -> pd.DataFrame:
    """Return the table with the points of each function from left to right."""
    rows = checked("table", table, _NEEDS, "kerasteach.activations.table()")
    return rows.sort_values("x", kind="stable", ignore_index=True)
