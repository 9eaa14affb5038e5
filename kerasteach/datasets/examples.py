"""Examples out of arrays and tables of any kind, as one float64 array with the features' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kerasteach.datasets.column_values import like_a_number, numbers, words
from kerasteach.datasets.tables import in_simplest_type, names_of, plain, shortened
from kerasteach.validation import array

_MOST_WORDS = 20  # of a column with more different words, each row has its own, such as a name


class Examples(NamedTuple):
    """Examples `(examples, ...)` as float64 with NaN for a missing value."""

    x: np.ndarray
    features: tuple[str, ...] = ()  # the features' names; empty where there are none
    notes: tuple[str, ...] = ()  # how columns of words were encoded, and which features are constant
    columns: tuple[str, ...] = ()  # the column that each feature comes from; empty where there are no names


def of_array(x: Any, what: str = "`x`") -> Examples:
    """Return examples out of an array, a tensor or nested lists.

    Raises:
        ValueError: If a column holds no numbers; the message names it, and a remedy.
        TypeError: If they are no numbers at all.
    """
    values = plain("x", x)
    if values.dtype.kind in "biuf":
        return Examples(values.astype("float64"))
    if values.ndim != 2:
        return Examples(array("x", values))
    frame = pd.DataFrame({f"column {number}": in_simplest_type(column) for number, column in enumerate(values.T)})
    columns = {name: numbers(frame[name]) for name in names_of(frame)}
    refused = {name: read for name, read in columns.items() if isinstance(read, str)}
    if refused:
        raise ValueError(_refusal(what, frame, refused))
    return Examples(np.stack(list(columns.values()), axis=1))


def of_table(frame: pd.DataFrame, what: str = "`x`") -> Examples:
    """Return examples out of a table: numbers as they are, and for each word of a column of few words a 0 or 1.

    Args:
        frame: The columns to learn from.
        what: What to call the table in an error. Defaults to "`x`".

    Raises:
        ValueError: If a column holds neither; the message names it, and a remedy.
    """
    columns: dict[str, np.ndarray] = {}
    refused: dict[str, str] = {}
    origins: list[str] = []
    encoded: list[str] = []
    for name in names_of(frame):
        read = numbers(frame[name])
        one_hot = _one_hot(name, frame[name]) if isinstance(read, str) else None
        if one_hot is not None:
            columns |= one_hot
            encoded.append(name)
        elif isinstance(read, str):
            refused[name] = read
        else:
            columns[name] = read
        origins += [name] * (len(columns) - len(origins))
    if refused or frame.empty:
        raise ValueError(_refusal(what, frame, refused))
    notes = [f"a feature of 0 or 1 for each word in {shortened(encoded, 6)}"] if encoded else []
    same = [name for name, column in columns.items() if len(column) > 1 and (column == column[0]).all()]
    if same:
        notes.append(f"nothing to learn from {shortened(same, 6)}, the same in every row")
    return Examples(np.stack(list(columns.values()), axis=1), tuple(columns), tuple(notes), tuple(origins))


def _one_hot(name: str, column: pd.Series) -> dict[str, np.ndarray] | None:
    """Return a 0 or 1 for each word, where a column has few words that recur; else None."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return None
    if not column.dropna().map(lambda value: isinstance(value, (str, bytes))).all():
        return None
    entries = words(column)
    known = entries.dropna().unique()
    few = len(known) <= _MOST_WORDS and 2 * len(known) <= entries.notna().sum()
    if not few or any(like_a_number(word) for word in known):
        return None
    gaps = entries.isna().to_numpy()
    return {f"{name}={word}": np.where(gaps, np.nan, (entries == word).to_numpy("float64")) for word in sorted(known)}


def _refusal(what: str, frame: pd.DataFrame, refused: Mapping[str, str]) -> str:
    """Return the error for columns without numbers, or for no column at all."""
    if not len(frame.columns):
        return f"{what} must have a column to learn from, beside the target. Received: none."
    listed: dict[str, list[str]] = {}
    for name, content in refused.items():
        kind, _, values = content.partition(", ")
        listed.setdefault(kind, []).append(f"{name} ({values})" if values else name)
    reasons = "".join(f", {kind} in {shortened(columns, 6)}" for kind, columns in listed.items())
    return (
        f"{what} must have numbers in every column but the target, or a few words that come again. "
        f"Received: {len(frame)} rows{reasons}. Name the columns to learn from in `features` (--features), or make "
        "numbers of the others first (of dates, the days since one of them)."
    )
