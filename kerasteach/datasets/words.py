"""Words of a column, as classes or categories."""

from __future__ import annotations

from typing import Any

import pandas as pd

_NO_WORDS = ("", "?", "nan", "NaN", "<NA>", "#N/A")  # "None", "NA" and "null" may be the name of a class


def without_gaps(column: pd.Series) -> pd.Series:
    """Return a column of text without spaces around it, and with None where there is no word."""
    words = column.astype(object).map(stripped)
    return words.mask(words.isin(_NO_WORDS), None)


def stripped(value: Any) -> Any:
    """Return text without spaces around it, bytes as text, and anything else as it is."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip() if isinstance(value, str) else value
