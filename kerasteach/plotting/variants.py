"""The networks of a tidy table: which column tells them apart, and a line with a band for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.style import Look

_ONE = "model"  # stands in the added column where a table is of one model


def with_variant(frame: pd.DataFrame, needs: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """Check a table and find the column that tells its networks apart.

    Args:
        frame: A table of a comparison, or of one model.
        needs: The columns that the figure draws.

    Returns:
        The table, with a column `seed` in any case, and the name of the column that tells the networks apart.
        For one model that column is added, and holds one empty name.

    Raises:
        TypeError: If it is no data frame.
        ValueError: If a column is missing, or no row is there.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"The figure needs a pandas DataFrame. Received: {type(frame).__name__}.")
    missing = [column for column in needs if column not in frame]
    if missing:
        raise ValueError(
            f"The table lacks {', '.join(missing)}. Received: the columns {', '.join(map(str, frame)) or 'none'}."
        )
    if frame.empty:
        raise ValueError("The table has no row: was the network trained, and its gradients captured?")
    if "seed" not in frame:
        frame = frame.assign(seed=0)
    keys = [column for column in frame.columns[: frame.columns.get_loc("epoch")] if column != "seed"]
    if not keys:
        return frame.assign(**{_ONE: ""}), _ONE
    if len(keys) > 1:  # a grid: one name for each combination
        return frame.assign(variant=frame[keys].astype(str).agg(", ".join, axis=1)), "variant"
    return frame.assign(**{keys[0]: frame[keys[0]].astype(str)}), keys[0]


def spread_note(frame: pd.DataFrame) -> str:
    """Say in a few words what a line and its band show."""
    seeds = frame["seed"].nunique()
    return f"median of {seeds} seeds, band: lowest to highest" if seeds > 1 else "one seed"


def line_with_band(
    ax: Axes, rows: pd.DataFrame, x: str, y: str, look: Look, *, hollow: bool = False, **line: Any
) -> None:
    """Draw one network's median over its seeds as a line, and the lowest to the highest as a band.

    A seed that diverged counts as infinite: it moves the median instead of dropping out of it.
    """
    groups = rows[y].fillna(np.inf).groupby(rows[x])
    middle = groups.median().replace(np.inf, np.nan)
    style: dict[str, Any] = {"ls": "--", "markerfacecolor": "white"} if hollow else {"ls": "-"}
    ax.plot(middle.index, middle, color=look.colour, marker=look.marker, **style, **line)
    if rows["seed"].nunique() > 1:
        ax.fill_between(
            middle.index, groups.min(), groups.max(), color=look.colour, alpha=0.1 if hollow else 0.25, lw=0
        )
