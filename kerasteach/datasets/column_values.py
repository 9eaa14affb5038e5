"""Values of a table's column: numbers, with NaN for a missing one, or words, with None."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.validation import is_number, shown

# A missing number, as spreadsheets, R, SQL and data archives write it.
_MISSING = frozenset(
    {"", "?", "-", "--", ".", "*", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nil", "missing"}
    | {"#div/0!", "#value!", "#null!", "#ref!"}
)
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?i:inf|infinity)"
_TRUTH = {"true": 1.0, "false": 0.0}
_NO_WORDS = ("", "?", "nan", "NaN", "<NA>", "#N/A")  # "None", "NA" and "null" may be the name of a class


def numbers(column: pd.Series) -> np.ndarray | str:
    """Return a column's numbers as float64, or a few words on what it holds instead.

    Truth values are 0 and 1. Numbers written as text are read, and so are the usual words for a missing value.
    """
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        column = column.astype(object)
    elif pd.api.types.is_complex_dtype(kind):
        return "complex numbers"
    elif pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
        return column.to_numpy("float64", na_value=np.nan)
    elif not pd.api.types.is_object_dtype(kind):
        is_text = pd.api.types.is_string_dtype(kind)
        return _of_text(column) if is_text else f"{kind}, {str(next(iter(column.dropna()), None))!r}"
    values = column.map(_of_object)
    text = values.map(lambda value: isinstance(value, str))
    if not text.all() and text.any():
        read = _of_text(values[text])
        if isinstance(read, str):
            return read
        values[text] = read
    elif text.any():
        return _of_text(values)
    bad = values[~values.map(is_number)]
    return values.to_numpy("float64") if bad.empty else f"{type(bad.iloc[0]).__name__}, {shown(bad.iloc[0])}"


def words(column: pd.Series) -> pd.Series:
    """Return a column of text without surrounding spaces, with None for a missing word."""
    text = column.astype(object).map(stripped)
    return text.mask(text.isin(_NO_WORDS), None)


def stripped(value: Any) -> Any:
    """Return text without surrounding spaces, bytes as text, and other values unchanged."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip() if isinstance(value, str) else value


def like_a_number(word: str) -> bool:
    """Return whether a word begins as a number does: 5, 1,234.5, 12 %, $5, 2020-01-31."""
    return re.match(r"[-+]?\W?[.,]?\d", word) is not None


def _of_object(value: Any) -> Any:
    """Return an entry as Python's float, as text, or unchanged."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str) or np.ndim(value) > 0:
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf
    except (TypeError, ValueError):
        return value


def _of_text(column: pd.Series) -> np.ndarray | str:
    """Return the numbers that are written as text."""
    try:
        if not column.str.contains("_", regex=False).any():  # which Python allows between digits
            return column.astype(object).to_numpy("float64")
    except (ValueError, TypeError):
        pass
    text = column.astype(object).fillna("").str.strip()
    missing = text.str.lower().isin(_MISSING)
    present = text[~missing]
    values = np.full(len(text), np.nan)
    if present.str.fullmatch(_NUMBER).all():
        values[~missing.to_numpy(bool)] = present.to_numpy("float64")
    elif present.str.lower().isin(_TRUTH).all():
        values[~missing.to_numpy(bool)] = present.str.lower().map(_TRUTH).to_numpy("float64")
    else:
        return f"text, {_some(present[~present.str.fullmatch(_NUMBER)].unique())}"
    return values


def _some(values: Any) -> str:
    """Return up to three values, each shortened."""
    listed = ", ".join(repr(value if len(value) < 20 else f"{value[:17]}...") for value in list(values)[:3])
    return listed if len(values) <= 3 else f"{listed}, ..."
