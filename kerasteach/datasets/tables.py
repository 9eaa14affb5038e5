"""Tables and arrays of any library, as pandas frames and NumPy arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.validation import did_you_mean, received

_USUAL_TARGETS = ("target", "class", "label", "species", "y", "outcome", "diagnosis", "category", "quality", "output")


def frame_of(argument: str, value: Any) -> pd.DataFrame | None:
    """Return a table of pandas, polars, Arrow, NumPy or a dictionary as a pandas frame; None for anything else."""
    if isinstance(value, Mapping):
        if "target" in value and getattr(value.get("data"), "ndim", 1) > 1:  # a Bunch of scikit-learn's loaders
            raise ValueError(
                f"`{argument}` must be a table, or examples and targets: of a data set of scikit-learn these are "
                f"(bunch.data, bunch.target). Received: {type(value).__name__} of {shortened(value, 6)}."
            )
        value = {name: plain(f"{argument}[{name!r}]", column) for name, column in value.items()}
        if not value or any(column.ndim != 1 for column in value.values()):
            raise ValueError(f"`{argument}` must have a list of values for each column. {received(argument, value)}")
        lengths = {str(name): len(column) for name, column in value.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"`{argument}` must have columns of one length. Received: {lengths}.")
        value = pd.DataFrame({name: in_simplest_type(column) for name, column in value.items()})
    elif isinstance(value, np.ndarray) and value.dtype.names:
        value = pd.DataFrame(value)
    elif hasattr(value, "to_pandas"):
        value = value.to_pandas()
    elif hasattr(value, "__dataframe__") and not isinstance(value, pd.DataFrame):
        value = pd.api.interchange.from_dataframe(value)
    if not isinstance(value, pd.DataFrame):
        return None
    names = [str(name).strip() for name in value.columns.to_flat_index()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"`{argument}` must have columns of different names. Received: twice {', '.join(twice)}.")
    return value.set_axis(pd.Index(names, dtype=object), axis=1).reset_index(drop=True)


def plain(argument: str, value: Any) -> np.ndarray:
    """Return an array, a tensor of any library or nested lists as a NumPy array."""
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype("float64"), np.nan)
    elif hasattr(value, "toarray"):  # SciPy's sparse matrices
        value = value.toarray()
    elif hasattr(value, "detach"):  # PyTorch's tensors
        value = value.detach().cpu()
    try:
        values = np.asarray(value)
    except Exception as error:  # anything that the user's object raises while it is converted
        reason = "rows of one length" if "inhomogeneous" in str(error) else "numbers, as an array or a table"
        raise ValueError(f"`{argument}` must have {reason}. {received(argument, value)}") from error
    if values.ndim == 0:
        raise TypeError(f"`{argument}` must be an array, a table or a list. {received(argument, value)}")
    return values


def column_of(frame: pd.DataFrame, target: Any, file: str, argument: str = "target") -> str:
    """Return the name of a table's column, or raise ValueError with its columns."""
    if isinstance(target, str) and target in frame:
        return target
    names = names_of(frame)
    usual = [name for name in names if name.lower() in _USUAL_TARGETS]
    near = did_you_mean(target, names) or (f" Did you mean {usual[0]!r}?" if usual else "")
    way = f" `{argument}=` names another (in the command, --{argument})." if argument == "target" else ""
    raise ValueError(
        f"`{argument}` must be a column of {file}: {shortened(names, 12)}. "
        f"{received(argument, target)}{near}{no_header(names)}{way}"
    )


def names_of(frame: pd.DataFrame) -> list[str]:
    """Return the names of a table's columns, as text."""
    return [str(name) for name in frame.columns]


def no_header(names: list[str]) -> str:
    """Return a question for an error, where most columns' names are numbers."""
    numerals = [name for name in names if re.fullmatch(r"[+-]?\d*\.?\d+", name)]
    return " Is there a header line with the columns' names?" if len(numerals) > len(names) / 2 else ""


def shortened(names: Iterable[Any], most: int) -> str:
    """Return names in one line, of many the first only."""
    names = [" ".join(str(name).split()) for name in names]
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def plural(count: int, word: str) -> str:
    """Return `"1 feature"` or `"2 features"`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def in_simplest_type(values: np.ndarray | pd.Series) -> pd.Series:
    """Return a column, its objects as numbers where all are; pandas 2 fails where one is beyond float64."""
    column = values if isinstance(values, pd.Series) else pd.Series(values, dtype=values.dtype)
    try:
        return column.infer_objects()
    except OverflowError:
        return column
