"""Columns that number a table's rows, such as a saved index: a network would learn the file's order."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.datasets.column_values import numbers
from kerasteach.datasets.tables import column_of, names_of
from kerasteach.validation import several

_NAMELESS = re.compile(r"Unnamed: \d+(\.\d+)?|")  # what pandas calls a column without a name, such as a saved index
_OF_ROWS = re.compile(r"(?i:(.*[ ._-])?id|index|level_0|row|rowid|rownames|row_names)|.*[a-z](Id|ID)")


def chosen(frame: pd.DataFrame, features: Any) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the columns to learn from, and a note on those that were left out because they number the rows."""
    if features is not None:
        names = [column_of(frame, name, "the table", "features") for name in several("features", features, "columns")]
        return frame[list(dict.fromkeys(names))], ()
    left: list[str] = []
    for place, name in enumerate(names_of(frame)):
        first = place == len(left)
        if _NAMELESS.fullmatch(name) and (first or _identifies(frame[name])):
            left.append(name)
        elif _NAMELESS.fullmatch(name):
            raise ValueError(f"The table must have a name for each column. Received: none for column {place + 1}.")
        elif first and len(frame.columns) > len(left) + 1 and _numbers_rows(name, frame[name]):
            left.append(name)
    if not left:
        return frame, ()
    note = f"left out {', '.join(map(repr, left))}, only numbers or names of the rows (`features` keeps them)"
    return frame.drop(columns=left), (note,)


def _numbers_rows(name: str, column: pd.Series) -> bool:
    """Return whether a column is 0 to n-1 or 1 to n in order, or is called as an identifier and is one."""
    values = numbers(column)
    if isinstance(values, str) or len(values) < 3:
        return False
    counts = any(np.array_equal(values, np.arange(start, start + len(values))) for start in (0, 1))
    return counts or (bool(_OF_ROWS.fullmatch(name)) and _identifies(column))


def _identifies(column: pd.Series) -> bool:
    """Return whether a column has a different whole number in each row."""
    values = numbers(column)
    return (
        not isinstance(values, str)
        and bool(np.isfinite(values).all() and (values == np.floor(values)).all())
        and len(np.unique(values)) == len(values)
    )
