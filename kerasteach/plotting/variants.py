"""The networks of a tidy table: which column tells them apart, their median over the seeds, and a line for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.measure.records import KEYS, OUTPUT_STATISTICS, STATISTICS
from kerasteach.plotting.style import Look

_ONE = "model"  # stands in the added column where a table is of one model
_GRID = "variant"  # the added column where several things vary
_KNOWN = {*KEYS, *STATISTICS, *OUTPUT_STATISTICS, "seed", "metric", "value", "index", "x_1", "x_2", "output"}
_ROW = (
    "seed",
    "epoch",
    "step",
    "metric",
    "depth",
    "parameter",
    "x_1",
    "x_2",
    "output",
)  # with the network, these make out one row


def with_variant(frame: pd.DataFrame, needs: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """Check a table and find the column that tells its networks apart.

    Args:
        frame: A table of a comparison, or of one model. A column that no table of one model has, such as
            `activation`, wherever it stands, tells the networks apart.
        needs: The columns that the figure draws.

    Returns:
        The table, with a column `seed` in any case, and the name of the column that tells the networks apart.
        For one model that column is added, and holds one empty name.

    Raises:
        TypeError: If it is no data frame.
        ValueError: If a column is missing, no row is there, or two rows stand for the same thing.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            "The figure needs a pandas DataFrame (kerasteach.measure.history_table makes one of Keras's history). "
            f"Received: {type(frame).__name__}."
        )
    missing = [column for column in needs if column not in frame]
    if missing:
        columns = ", ".join(map(str, frame)) or "none"
        raise ValueError(f"The table lacks {', '.join(missing)}. Received: the columns {columns}.")
    if frame.empty:
        raise ValueError("The table has no row: was the network trained, and its gradients captured?")
    if "seed" not in frame:
        frame = frame.assign(seed=0)
    keys = [_GRID] if _GRID in frame else [str(column) for column in frame if column not in _KNOWN]
    variant = keys[0] if len(keys) == 1 else _GRID if keys else _ONE
    # a grid has one name for each combination
    names = pd.concat([_names(frame[key]) for key in keys], axis=1).agg(", ".join, axis=1) if keys else ""
    frame = frame.assign(**{variant: names})
    row = [variant, *(column for column in _ROW if column in frame)]
    if frame.duplicated(row).any():
        raise ValueError(
            f"The table has several rows for one {', '.join(row[1:])}: several networks? Give each a name in a column "
            f'of its own, frame.assign(network="first"). Received: {len(frame)} rows.'
        )
    return frame, variant


def _names(column: pd.Series) -> pd.Series:
    """Return what a figure calls the networks: a number needs to be told of what it is."""
    numbers = pd.api.types.is_numeric_dtype(column)
    called = {one: f"{column.name} {one}".replace("_", " ") if numbers else str(one) for one in column.unique()}
    return column.map(called)


def median(rows: pd.DataFrame, value: str, by: str | list[str]) -> pd.Series:
    """Return the median over the seeds. One that diverged, NaN, counts as infinite instead of dropping out."""
    return rows.assign(**{value: rows[value].fillna(np.inf)}).groupby(by)[value].median().replace(np.inf, np.nan)


def spread_note(frame: pd.DataFrame) -> str:
    """Say in a few words what a line and its band show."""
    seeds = frame["seed"].nunique()
    return f"median of {seeds} seeds, band: lowest to highest" if seeds > 1 else "one seed"


def line_with_band(
    ax: Axes, rows: pd.DataFrame, x: str, y: str, look: Look, *, hollow: bool = False, **line: Any
) -> None:
    """Draw one network's median over its seeds as a line, and the lowest to the highest as a band."""
    middle = median(rows, y, x)
    style: dict[str, Any] = {"ls": "--", "markerfacecolor": "white"} if hollow else {"ls": "-"}
    ax.plot(middle.index, middle, color=look.colour, marker=look.marker, **style, **line)
    if rows["seed"].nunique() > 1:
        ends = rows.groupby(x)[y].agg(["min", "max"])
        alpha = 0.1 if hollow else 0.25
        ax.fill_between(ends.index, ends["min"], ends["max"], color=look.colour, alpha=alpha, lw=0)
