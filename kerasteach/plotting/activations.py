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

from kerasteach import validation
from kerasteach.activation_names import ACTIVATIONS
from kerasteach.plotting.style import Look, looks, new_axes

_HEIGHT = (-1.25, 2.25)  # one scale for all panels, so that the slopes can be compared
_COLUMNS = 4
_ROUNDING = 1e-9  # of the points of a grid


def activation_functions(table: pd.DataFrame) -> Figure:
    """Draw each function with its derivative in a panel of its own, and all derivatives together in the last.

    Args:
        table: What `kerasteach.activations.table()` returns: `activation, x, value, derivative`.

    Returns:
        The figure.

    Raises:
        ValueError: If a column is missing or the table has no row.
        TypeError: If it is no table.

    Example:
        >>> import kerasteach as kt
        >>> figure = kt.plotting.activation_functions(kt.activations.table(["sigmoid", "relu"]))
    """
    _check(table)
    names = list(table["activation"].unique())
    panels = len(names) + (len(names) > 1)
    columns = min(_COLUMNS, panels)
    rows = -(-panels // columns)
    size = plt.rcParams["font.size"] / 10  # a lecture's larger text needs larger panels
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(3.1 * columns * size, 2.7 * rows * size),
        sharex=True,
        layout="constrained",
        squeeze=False,
    )
    for ax, (name, look) in zip(grid.flat, looks(names).items(), strict=False):
        _panel(ax, name, _rows(table, name), look)
    if len(names) > 1:
        activation_curves(table, "derivative", ax=grid.flat[len(names)])
        grid.flat[len(names)].set(title="all derivatives", ylabel="")
        grid.flat[len(names)].get_legend().remove()  # the panels' titles name the colours
    for ax in grid.flat[panels:]:
        ax.remove()
    handles = [Line2D([], [], color="0.3", ls=style) for style in ("-", "--")]
    figure.legend(handles, ["function", "derivative"], loc="outside lower center", ncols=2, frameon=False)
    return figure


def activation_curves(
    table: pd.DataFrame, column: Literal["value", "derivative"] = "value", ax: Axes | None = None
) -> Axes:
    """Draw several functions, or their derivatives, on one axis.

    Args:
        table: What `kerasteach.activations.table()` returns.
        column: `"value"` or `"derivative"`. Defaults to `"value"`.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If a column is missing or the table has no row.
        TypeError: If it is no table.
    """
    _check(table)
    validation.choice("column", column, ("value", "derivative"))
    ax = new_axes(ax)
    names = list(table["activation"].unique())
    for name, look in looks(names).items():
        rows = _rows(table, name)
        ax.plot(
            rows["x"],
            _points(rows, column),
            ls="--" if column == "derivative" else "-",
            color=look.colour,
            marker=look.marker,
            markevery=(names.index(name) * 3, 25),
            label=name,
        )
    ax.set(xlabel="x", ylabel="f'(x)" if column == "derivative" else "f(x)")
    ax.set_ylim(*_limits(table[column]))
    ax.legend(frameon=False)
    return ax


def _rows(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["activation"] == name].sort_values("x")


def _panel(ax: Axes, name: str, rows: pd.DataFrame, look: Look) -> None:
    ax.axhline(0, color="0.85", lw=1, zorder=0)
    ax.axvline(0, color="0.85", lw=1, zorder=0)
    ax.plot(rows["x"], _points(rows, "value"), color=look.colour)
    ax.plot(rows["x"], _points(rows, "derivative"), color=look.colour, ls="--")
    known = ACTIVATIONS.get(name)
    title = f"{name} of (x, 0, 0)" if known is not None and known.axis else name
    ax.set(title=title, ylim=_HEIGHT, xlabel="x")
    sns.despine(ax=ax)


def _points(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return a curve's heights, with a gap where the function jumps instead of a line that it does not have."""
    x, points = rows["x"].to_numpy(), rows[column].to_numpy(dtype="float64").copy()
    known = ACTIVATIONS.get(rows["activation"].iloc[0])
    for place in () if known is None else known.jumps if column == "value" else known.kinks:
        around = np.flatnonzero((x[:-1] <= place + _ROUNDING) & (x[1:] >= place - _ROUNDING))
        if len(around):  # the place itself may belong to either side
            points[max(around, key=lambda index: abs(points[index + 1] - points[index]))] = np.nan
    return points


def _limits(values: pd.Series) -> tuple[float, float]:
    low, high = max(values.min(), _HEIGHT[0]), min(values.max(), _HEIGHT[1])
    margin = 0.05 * (high - low or 1.0)
    return low - margin, high + margin


def _check(table: pd.DataFrame) -> None:
    made_by = "kerasteach.activations.table()"
    if validation.table("table", table, ("activation", "x", "value", "derivative"), made_by).empty:
        raise ValueError(f"`table` must have a row; {made_by} gives such a table. Received: a table without rows.")
