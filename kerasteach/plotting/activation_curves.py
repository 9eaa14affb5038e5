"""Activation functions and their derivatives."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kerasteach.activations.lookup import ACTIVATIONS
from kerasteach.plotting.pages import composed, on_page, panels
from kerasteach.plotting.style import Look, looks, new_axes, plain
from kerasteach.plotting.table_checks import Kind, Table, checked
from kerasteach.plotting.text_fitting import legend
from kerasteach.validation import choice

_HEIGHT = (-1.25, 2.25)  # one scale for all panels, so that the slopes can be compared
_COLUMNS = 4
_ALL = "all derivatives"
_PANELS = 8  # on a page
_NEEDS: dict[str, Kind] = {"activation": "name", "x": "number", "value": "number", "derivative": "number"}
_ROUNDING = 1e-9  # of the points of a grid


def activations_figure(table: Table, *, page: int = 1) -> Figure:
    """Draw each function with its derivative in a panel of its own, and all derivatives together in the last.

    Args:
        table: What `kerasteach.activations.table()` returns: `activation, x, value, derivative`.
        page: Which eight of more panels. Defaults to `1`.

    Returns:
        The figure.

    Raises:
        TypeError: If `table` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing or the table has no row, or there is no such page.

    Example:
        >>> import kerasteach as kt
        >>> figure = kt.plotting.activations_figure(kt.activations.table(["sigmoid", "relu"]))
    """
    table = _checked(table)
    names = list(table["activation"].unique())
    shown, note = on_page(names + [_ALL] * (len(names) > 1), page, _PANELS, "panels")
    look_of = looks(names)
    with composed():
        figure, axes = panels(len(shown), _COLUMNS, width=3.1, height=2.7, note=note, sharex=True)
        for ax, name in zip(axes, shown, strict=True):
            if name == _ALL:
                _together(ax, table)
            else:
                _panel(ax, name, table[table["activation"] == name], look_of[name])
        handles = [Line2D([], [], color="0.3", ls=style) for style in ("-", "--")]
        figure.legend(handles, ["function", "derivative"], loc="outside lower center", ncols=2, frameon=False)
    return figure


def activation_curves(table: Table, column: Literal["value", "derivative"] = "value", ax: Axes | None = None) -> Axes:
    """Draw several functions, or their derivatives, on one axis.

    Args:
        table: What `kerasteach.activations.table()` returns.
        column: `"value"` or `"derivative"`. Defaults to `"value"`.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        TypeError: If `table` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing or the table has no row.
    """
    table = _checked(table)
    choice("column", column, ("value", "derivative"))
    ax = new_axes(ax)
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
    ax.set(xlabel="x", ylabel="f'(x)" if column == "derivative" else "f(x)")
    ax.set_ylim(*_limits(table[column]))
    legend(ax)
    return ax


def _together(ax: Axes, table: pd.DataFrame) -> None:
    activation_curves(table, "derivative", ax=ax)
    ax.set(title=_ALL, ylabel="")
    legend = ax.get_legend()
    assert legend is not None
    legend.remove()  # the panels' titles name the colors


def _panel(ax: Axes, name: str, rows: pd.DataFrame, look: Look) -> None:
    ax.axhline(0, color="0.85", lw=1, zorder=0)
    ax.axvline(0, color="0.85", lw=1, zorder=0)
    ax.plot(rows["x"], _points(rows, "value"), color=look.color)
    ax.plot(rows["x"], _points(rows, "derivative"), color=look.color, ls="--")
    known = ACTIVATIONS.get(name)
    title = f"{name} of (x, 0, 0)" if known is not None and known.axis else plain(name)
    ax.set(title=title, ylim=_HEIGHT, xlabel="x")
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
