"""Targets out of columns of any kind: classes, or values to predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kerasteach.datasets.column_values import numbers, stripped
from kerasteach.datasets.dataset import Task
from kerasteach.datasets.tables import frame_of, in_simplest_type, plain, shortened
from kerasteach.validation import choice, several

_MOST_CLASSES = 20  # more different whole numbers than this are taken for values to predict


class Targets(NamedTuple):
    """Class numbers `(examples,)` with the classes' names, or values `(examples, values)` without."""

    y: np.ndarray  # the class numbers from 0, int64; or the values, float64
    classes: tuple[str, ...]  # the classes' names; empty for a regression
    guess: str = ""  # how the task was guessed, where the data leave a doubt; else empty
    doubtful: bool = False  # whether the guess may well be wrong, and needs a warning


def checked_task(task: Any) -> Task | None:
    """Return the task, or None where the targets decide it."""
    checked = "auto" if task is None else choice("task", task, ("auto", "classification", "regression"))
    return None if checked == "auto" else checked  # type: ignore[return-value]


def checked_classes(classes: Any) -> tuple[str, ...]:
    """Return the names of classes, which must differ."""
    names = tuple(str(name) for name in several("classes", classes, "names"))
    if len(set(names)) < len(names):
        raise ValueError(f"`classes` must have a name for each class. Received: {shortened(names, 12)}.")
    return names


def labels(y: Any) -> pd.DataFrame:
    """Return targets of any library as a table of one column, or of several where each example has several.

    Text loses surrounding spaces, and an empty text is a missing value.

    Raises:
        ValueError: If they have more than two dimensions, or are no labels at all.
    """
    frame = frame_of("y", y)
    if frame is None and isinstance(y, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        frame = pd.DataFrame({0: pd.Series(y).reset_index(drop=True)})
    if frame is None and hasattr(y, "to_pandas"):  # a polars or Arrow column
        frame = pd.DataFrame({0: pd.Series(y.to_pandas())})
    if frame is None:
        values = np.asarray(y, dtype=object) if _mixed(y) else plain("y", y)
        if values.ndim > 2 and values.size == len(values):
            values = values.ravel()
        if values.ndim > 2 or (len(values) and not values.size):
            raise ValueError(f"`y` must be (examples,) or (examples, values). Received: y of shape {values.shape}.")
        columns = values[:, None] if values.ndim == 1 else values
        frame = pd.DataFrame({number: in_simplest_type(column) for number, column in enumerate(columns.T)})
    return pd.DataFrame({name: _tidy(frame[name]) for name in frame})


def _mixed(y: Any) -> bool:
    """Return whether a list has entries that NumPy would turn into text."""
    return isinstance(y, (list, tuple)) and len({type(value) for value in y if np.ndim(value) == 0}) > 1


def _tidy(column: pd.Series) -> pd.Series:
    """Return a column in its simplest type, its text without surrounding spaces."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = [stripped(name) for name in column.cat.categories]
        order = list(dict.fromkeys(names))
        values = column.map(dict(zip(column.cat.categories, names, strict=True))).astype(object)
        return pd.Series(pd.Categorical(values, categories=order, ordered=True))
    if pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype):
        texts = [None if value == "" else value for value in map(stripped, column.astype(object))]
        return in_simplest_type(np.array(texts, dtype=object))
    return column


def targets(table: pd.DataFrame, task: Task | None = None, classes: tuple[str, ...] | None = None) -> Targets:
    """Return class numbers or values of complete targets.

    Text, categories, truth values and one-hot rows are classes, and so are up to 20 different whole numbers, as floats
    too, if each occurs twice or more on average. Other numbers are values.

    Args:
        table: What `labels` returned.
        task: The task. Defaults to `None`: the rule above.
        classes: The classes' names, where `y` holds class numbers or these names. Defaults to `None`: those that occur.

    Raises:
        ValueError: If they do not fit the task.
    """
    if len(table.columns) > 1:
        return _of_rows(table, task, classes)
    y = in_simplest_type(table.iloc[:, 0])
    if task == "regression":
        return Targets(_values({"y": y}), ())
    if not _is_numbers(y):
        return _of_names(y, classes)
    values = y.to_numpy("float64", na_value=np.nan) if pd.api.types.is_numeric_dtype(y) else _values({"y": y})[:, 0]
    if classes is not None:
        return Targets(_numbered(values), classes)
    return _guessed(values) if task is None else _of_numbers(values)


def _is_numbers(y: pd.Series) -> bool:
    """Return whether a column holds numbers, rather than names or truth values."""
    kind = y.dtype
    if isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(kind) or isinstance(kind, pd.StringDtype):
        return False
    if pd.api.types.is_object_dtype(kind):
        return not any(isinstance(value, (str, bool)) for value in y) and not _is_listed(y)
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return True
    raise ValueError(f"`y` must hold classes or numbers to predict. Received: {kind}.")


def _is_listed(y: pd.Series) -> bool:
    """Return whether entries are no numbers, or raise ValueError where they are lists."""
    if any(np.ndim(value) > 0 for value in y):
        raise ValueError("`y` must have one label an example, or rows of one length. Received: lists in a column.")
    return isinstance(numbers(y), str)


def _values(columns: Mapping[Any, pd.Series]) -> np.ndarray:
    """Return the values of a regression, float64 `(examples, values)`."""
    values = {name: numbers(column) for name, column in columns.items()}
    for name, read in values.items():
        if isinstance(read, str):
            where = "`y`" if len(values) == 1 else f"`y`, column {name},"
            raise ValueError(f"{where} must hold numbers for a regression. Received: {read}.")
    return np.stack(list(values.values()), axis=1)


def _of_names(y: pd.Series, classes: tuple[str, ...] | None) -> Targets:
    """Number names in the order of the given classes, of their categories, or of the alphabet."""
    is_ordered = isinstance(y.dtype, pd.CategoricalDtype)
    categories = [str(name) for name in y.cat.remove_unused_categories().cat.categories] if is_ordered else []
    if classes is not None and pd.api.types.is_bool_dtype(y.dtype):
        return Targets(y.to_numpy("int64"), classes)
    y = y.astype(object).map(str)
    known = classes or categories or sorted(set(y))
    unknown = sorted(set(y) - set(known))
    if unknown:
        raise ValueError(
            f"`classes` must name every class of `y`. Received: {shortened(known, 12)}; in `y` also "
            f"{shortened(unknown, 5)}."
        )
    return Targets(y.map({name: number for number, name in enumerate(known)}).to_numpy("int64"), tuple(known))


def _of_rows(y: pd.DataFrame, task: Task | None, classes: tuple[str, ...] | None) -> Targets:
    """Number the columns of one-hot rows; other rows are values to predict."""
    values = _values({name: y[name] for name in y})
    binary = bool(np.isin(values, (0, 1)).all())
    one_hot = binary and bool((values.sum(axis=1) == 1).all())
    if one_hot and task != "regression":
        if classes is not None and len(classes) != values.shape[1]:
            raise ValueError(
                f"`classes` must have a name for each column of `y`. Received: {len(classes)} for {values.shape[1]}."
            )
        return Targets(values.argmax(axis=1), classes or tuple(str(name) for name in y))
    if task == "classification" or classes is not None:
        raise ValueError(
            "`y` must have one class an example for a classification: one-hot rows, or one column; y.argmax(axis=1) "
            f"takes the largest entry of each row. Received: y of shape {values.shape}, rows that are not one-hot."
        )
    doubt = task is None and binary
    guess = f"rows of 0 and 1 with other sums than 1 are taken for {values.shape[1]} values each" if doubt else ""
    return Targets(values, (), guess, doubt)


def _of_numbers(values: np.ndarray) -> Targets:
    """Number different values as classes, in their order."""
    known, codes = np.unique(values, return_inverse=True)
    names = tuple(str(int(value)) if value == np.floor(value) else str(float(value)) for value in known)
    return Targets(codes, names)


def _numbered(values: np.ndarray) -> np.ndarray:
    """Return class numbers, which must be whole, as int64."""
    if not np.array_equal(values, np.floor(values)):
        raise ValueError("`y` must hold class numbers, which are whole, where `classes` names them. Received: others.")
    return values.astype("int64")


def _guessed(values: np.ndarray) -> Targets:
    """Take few whole numbers that recur for classes, and other numbers for values."""
    known = np.unique(values)
    if not np.isfinite(values).all() or not np.array_equal(known, np.floor(known)):
        return Targets(values[:, None], ())
    counted = np.array_equal(known, np.arange(len(known)))  # as class numbers are
    again = 2 * len(known) <= len(values)
    if len(known) <= 2 or (len(known) <= _MOST_CLASSES and again):
        words = 'whole numbers are taken for classes, task="regression" predicts them as values'
        more = len(known) > 2
        return _of_numbers(values)._replace(guess=words if more else "", doubtful=more and not counted)
    words = f'{len(known)} different whole numbers are taken for values, task="classification" makes them classes'
    return Targets(values[:, None], (), words, counted and again)
