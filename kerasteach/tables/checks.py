"""Entry of every figure: take the table of a result, check it, and cast the columns that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from kerasteach.validation import table

Kind: TypeAlias = Literal["number", "whole", "name", "place", "label"]
Table: TypeAlias = Any  # a data frame, or a result that has one: see `frame_of`
_LARGEST = 2**53  # whole numbers up to here are exact in float64
_INDEX = ("Unnamed: ", "index", "level_0")
_FARTHEST = 1e290  # beyond it a drawing library has no number for an axis's end
_NO_NUMBERS = "mMc"  # NumPy's kinds of time spans, times and complex numbers


def frame_of(argument: str, value: Table) -> Any:
    """Return the table of a result; anything else as it is.

    Args:
        argument: What the figure calls the table: `"history"`, `"gradients"` or `"predictions"` of a comparison. Other
            results have one table, `frame`.
        value: A data frame, or a result such as a `Comparison`, a `GradientCapture` or a `TracedStep`.

    Example:
        >>> import kerasteach as kt
        >>> from kerasteach.tables.checks import frame_of
        >>> step = kt.trace_step(kt.models.mlp("tanh", (2,), inputs=1, outputs=3), [[1.0]], [[0.5, 0.0, 0.5]])
        >>> frame_of("table", step) is step.frame
        True
    """
    if isinstance(value, pd.DataFrame):
        return value
    tables = (getattr(value, name, None) for name in (argument, "frame"))
    return next((table for table in tables if isinstance(table, pd.DataFrame)), value)


def checked(
    argument: str,
    value: object,
    columns: Mapping[str, Kind],
    made_by: str,
    optional: Mapping[str, Kind] | None = None,
    empty: str = "",
) -> pd.DataFrame:
    """Return the columns of a table that a figure draws, as plain float64, int64 and text.

    Args:
        argument: What to call the table in an error.
        value: The table, or a result that has it.
        columns: What each needed column holds: `"number"` (missing becomes NaN), `"whole"` or `"name"`; `"place"` and
            `"label"` are the same two where some may be missing.
        made_by: What returns such a table, for the message.
        optional: The same for columns that a table need not have. Defaults to none.
        empty: What to add to the error for a table without a row. Defaults to nothing.

    Returns:
        The rows in their order, numbered from 0; other columns are left out.

    Raises:
        TypeError: If it is no data frame, or a column holds values of another kind.
        ValueError: If a column is missing, is there twice, or has a value that cannot be drawn, or no row is there.
    """
    frame = table(argument, named_columns(frame_of(argument, value)), columns, made_by)
    kinds = dict(columns) | {name: kind for name, kind in (optional or {}).items() if name in frame.columns}
    frame = table(argument, frame, kinds, made_by)  # none of the optional ones twice
    if frame.empty:
        raise ValueError(f"`{argument}` has no row{f': {empty}' if empty else ''}. Received: 0 rows.")
    cast = {"number": _numbers, "whole": _whole, "name": _text, "place": _places, "label": _labels}
    return pd.DataFrame({name: cast[kind](argument, name, frame[name]) for name, kind in kinds.items()})


def named_columns(value: object) -> pd.DataFrame:
    """Return a data frame with text for column names and rows numbered from 0; anything else as it is."""
    if not isinstance(value, pd.DataFrame):
        return value  # type: ignore[return-value]  # `table` refuses it, by its argument's name
    frame = value.reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in value.columns])
    return frame


def columns_before(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the columns in front of a named one, without an index that pandas wrote or reset."""
    names = [str(column) for column in frame]
    return [column for column in names[: names.index(name)] if not column.startswith(_INDEX)]


def _numbers(argument: str, name: str, column: pd.Series) -> np.ndarray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    try:
        if column.dtype.kind in _NO_NUMBERS:
            raise TypeError("not a number")
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        return np.where(np.isfinite(numbers), np.clip(numbers, -_FARTHEST, _FARTHEST), numbers)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(
            f"`{argument}` must hold numbers in the column {name}. Received: {_example(column)}, dtype {column.dtype}."
        ) from error


def _whole(argument: str, name: str, column: pd.Series) -> np.ndarray:
    numbers = _numbers(argument, name, column)
    bad = ~np.isfinite(numbers) | (np.abs(numbers) > _LARGEST) | (numbers != np.round(numbers))
    if bad.any():
        raise ValueError(
            f"`{argument}` must hold whole numbers in the column {name}. Received: {numbers[bad.argmax()]:g}."
        )
    return numbers.astype("int64")


def _places(argument: str, name: str, column: pd.Series) -> pd.Series:
    present = column.notna()
    places = pd.Series(pd.NA, index=column.index, dtype="Int64")
    places[present] = _whole(argument, name, column[present])
    return places


def _labels(argument: str, name: str, column: pd.Series) -> pd.Series:
    labels = pd.Series(None, index=column.index, dtype="str")
    labels[column.notna()] = _text(argument, name, column[column.notna()])
    return labels


def _text(argument: str, name: str, column: pd.Series) -> pd.Series:
    return renamed(argument, column.rename(name), str)


def renamed(argument: str, column: pd.Series, call: Callable[[Any], str]) -> pd.Series:
    """Return the names in a column as a function writes them, which is called once for each different value.

    Raises:
        TypeError: If a cell holds a list, an array or the like.
        ValueError: If a name is missing.
    """
    missing = int(column.isna().sum())
    if missing:
        raise ValueError(
            f"`{argument}` must have a name in each row of the column {column.name}. "
            f"Received: {missing} of {len(column)} missing."
        )
    try:
        codes, different = pd.factorize(column)
    except TypeError as error:
        raise TypeError(
            f"`{argument}` must hold names in the column {column.name}. Received: {_example(column)}."
        ) from error
    names = np.array([call(value) for value in different], dtype=object)
    return pd.Series(names[codes] if len(names) else [], index=column.index, dtype="str")


def _example(column: pd.Series) -> str:
    """Return the first value, shortened, for an error message."""
    present = column.dropna()
    return repr(present.iloc[0])[:40] if len(present) else "none"
