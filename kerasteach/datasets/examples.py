"""Examples in any form in which people have them, as one array of float64 with the features' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kerasteach.datasets.numbers import like_a_number, numbers
from kerasteach.datasets.tables import names_of, plain, shortened
from kerasteach.datasets.words import without_gaps
from kerasteach.validation import array

_MOST_WORDS = 20  # more different ones than this are names or remarks


class Examples(NamedTuple):
    """Examples `(examples, ...)` as float64 with NaN for a missing value.

    Attributes:
        x: The examples.
        features: The features' names; empty where there are none.
        notes: What was made of columns of words, and which features say nothing.
        columns: The column that each feature comes from; empty where there are no names.
    """

    x: np.ndarray
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def of_array(x: Any, what: str = "`x`") -> Examples:
    """Return examples out of an array, a tensor or nested lists.

    Raises:
        ValueError: If a column holds no numbers; the message names it, and the way out.
        TypeError: If they are no numbers at all.
    """
    found = plain("x", x)
    if found.dtype.kind in "biuf":
        return Examples(found.astype("float64"))
    if found.ndim != 2:
        return Examples(array("x", found))
    frame = pd.DataFrame(found).infer_objects().add_prefix("column ")
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
        ValueError: If a column holds neither; the message names it, and the way out.
    """
    columns: dict[str, np.ndarray] = {}
    refused: dict[str, str] = {}
    origins: list[str] = []
    encoded: list[str] = []
    for name in names_of(frame):
        read = numbers(frame[name])
        words = _one_hot(name, frame[name]) if isinstance(read, str) else None
        if words is not None:
            columns |= words
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
    """Return 0 or 1 for each word, where a column has few words which come again; else None."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return None
    if not column.dropna().map(lambda value: isinstance(value, (str, bytes))).all():
        return None
    words = without_gaps(column)
    known = words.dropna().unique()
    if any(like_a_number(word) for word in known):
        return None
    if len(known) > _MOST_WORDS or 2 * len(known) > words.notna().sum():
        return None
    gaps = words.isna().to_numpy()
    return {f"{name}={word}": np.where(gaps, np.nan, (words == word).to_numpy("float64")) for word in sorted(known)}


def _refusal(what: str, frame: pd.DataFrame, refused: Mapping[str, str]) -> str:
    """Return the error for columns that hold no numbers, or for none at all."""
    if not len(frame.columns):
        return f"{what} must have a column to learn from, beside the target. Received: none."
    listed: dict[str, list[str]] = {}
    for name, found in refused.items():
        kind, _, values = found.partition(", ")
        listed.setdefault(kind, []).append(f"{name} ({values})" if values else name)
    reasons = "".join(f", {kind} in {shortened(columns, 6)}" for kind, columns in listed.items())
    return (
        f"{what} must have numbers in every column but the target, or a few words that come again. "
        f"Received: {len(frame)} rows{reasons}. Name the columns to learn from in `features` (--features), or make "
        "numbers of the others first (of dates, the days since one of them)."
    )
