"""Targets: classes in any form in which people store them, or values to predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kerasteach.datasets.dataset import Task
from kerasteach.datasets.numbers import numbers
from kerasteach.datasets.tables import frame_of, plain, shortened
from kerasteach.datasets.words import stripped
from kerasteach.validation import choice, several

_MOST_CLASSES = 20  # more different whole numbers than this are taken for values to predict


class Targets(NamedTuple):
    """Class numbers `(examples,)` with the classes' names, or values `(examples, values)` without.

    Attributes:
        y: The class numbers from 0, int64; or the values, float64.
        classes: The classes' names; empty for a regression.
        guess: Why it is this task, where the form of the data leaves a doubt; else empty.
        doubtful: Whether the guess is likely enough to be wrong for a warning.
    """

    y: np.ndarray
    classes: tuple[str, ...]
    guess: str = ""
    doubtful: bool = False


def checked_task(task: Any) -> Task | None:
    """Return the task, or None where the targets are to decide."""
    found = "auto" if task is None else choice("task", task, ("auto", "classification", "regression"))
    return None if found == "auto" else found  # type: ignore[return-value]


def checked_classes(classes: Any) -> tuple[str, ...]:
    """Return the names of classes, which must differ."""
    names = tuple(str(name) for name in several("classes", classes, "names"))
    if len(set(names)) < len(names):
        raise ValueError(f"`classes` must have a name for each class. Received: {shortened(names, 12)}.")
    return names


def labels(y: Any) -> pd.DataFrame:
    """Return targets of any library as a table of one column, or of several where each example has several.

    Text loses the spaces around it, and an empty text is a missing value.

    Raises:
        ValueError: If they have more than two dimensions, or are no labels at all.
    """
    frame = frame_of("y", y)
    if frame is None and isinstance(y, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        frame = pd.DataFrame({0: pd.Series(y).reset_index(drop=True)})
    if frame is None and hasattr(y, "to_pandas"):  # a polars or Arrow column
        frame = pd.DataFrame({0: pd.Series(y.to_pandas())})
    if frame is None:
        found = np.asarray(y, dtype=object) if _mixed(y) else plain("y", y)
        if found.ndim > 2 and found.size == len(found):
            found = found.ravel()
        if found.ndim > 2 or (len(found) and not found.size):
            raise ValueError(f"`y` must be (examples,) or (examples, values). Received: y of shape {found.shape}.")
        frame = pd.DataFrame(found)
    return pd.DataFrame({name: _tidy(frame[name]) for name in frame})


def _mixed(y: Any) -> bool:
    """Say whether a list has entries that NumPy would make text of."""
    return isinstance(y, (list, tuple)) and len({type(value) for value in y if np.ndim(value) == 0}) > 1


def _tidy(column: pd.Series) -> pd.Series:
    """Return a column in its plainest type, its text without spaces around it."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = [stripped(name) for name in column.cat.categories]
        order = list(dict.fromkeys(names))
        values = column.map(dict(zip(column.cat.categories, names, strict=True))).astype(object)
        return pd.Series(pd.Categorical(values, categories=order, ordered=True))
    if pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype):
        return column.astype(object).map(stripped).replace("", None).infer_objects()
    return column


def targets(table: pd.DataFrame, task: Task | None = None, classes: tuple[str, ...] | None = None) -> Targets:
    """Return class numbers or values, of targets without a missing one.

    Text, categories, truth values and one-hot rows are classes, and so are up to 20 different whole numbers, as floats
    too, of which each stands for two examples or more on average. Other numbers are values.

    Args:
        table: What `labels` returned.
        task: What they are for. Defaults to `None`: the rule above.
        classes: The classes' names, where `y` holds class numbers or these names. Defaults to `None`: what
            occurs.

    Raises:
        ValueError: If they do not fit the task.
    """
    if len(table.columns) > 1:
        return _of_rows(table, task, classes)
    y = table.iloc[:, 0].infer_objects()
    if task == "regression":
        return Targets(_values({"y": y}), ())
    if not _is_numbers(y):
        return _of_names(y, classes)
    found = y.to_numpy("float64", na_value=np.nan) if pd.api.types.is_numeric_dtype(y) else _values({"y": y})[:, 0]
    if classes is not None:
        return Targets(_numbered(found), classes)
    return _guessed(found) if task is None else _of_numbers(found)


def _is_numbers(y: pd.Series) -> bool:
    """Say whether a column holds numbers, rather than names or truth values."""
    kind = y.dtype
    if isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(kind) or isinstance(kind, pd.StringDtype):
        return False
    if pd.api.types.is_object_dtype(kind):
        return not any(isinstance(value, (str, bool)) for value in y) and not _is_listed(y)
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return True
    raise ValueError(f"`y` must hold classes or numbers to predict. Received: {kind}.")


def _is_listed(y: pd.Series) -> bool:
    """Say whether entries are no numbers, or raise ValueError where they are lists."""
    if any(np.ndim(value) > 0 for value in y):
        raise ValueError("`y` must have one label an example, or rows of one length. Received: lists in a column.")
    return isinstance(numbers(y), str)


def _values(columns: Mapping[Any, pd.Series]) -> np.ndarray:
    """Return the values of a regression, float64 `(examples, values)`."""
    found = {name: numbers(column) for name, column in columns.items()}
    for name, values in found.items():
        if isinstance(values, str):
            where = "`y`" if len(found) == 1 else f"`y`, column {name},"
            raise ValueError(f"{where} must hold numbers for a regression. Received: {values}.")
    return np.stack(list(found.values()), axis=1)


def _of_names(y: pd.Series, classes: tuple[str, ...] | None) -> Targets:
    """Number names in the order of their categories, or sorted; where the classes are given, in theirs."""
    is_ordered = isinstance(y.dtype, pd.CategoricalDtype)
    found = [str(name) for name in y.cat.remove_unused_categories().cat.categories] if is_ordered else []
    if classes is not None and pd.api.types.is_bool_dtype(y.dtype):
        return Targets(y.to_numpy("int64"), classes)
    y = y.astype(object).map(str)
    known = classes or found or sorted(set(y))
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


def _of_numbers(found: np.ndarray) -> Targets:
    """Number different values as classes, in their order."""
    known, codes = np.unique(found, return_inverse=True)
    names = tuple(str(int(value)) if value == np.floor(value) else str(float(value)) for value in known)
    return Targets(codes, names)


def _numbered(found: np.ndarray) -> np.ndarray:
    """Return class numbers that are whole, as such."""
    if not np.array_equal(found, np.floor(found)):
        raise ValueError("`y` must hold class numbers, which are whole, where `classes` names them. Received: others.")
    return found.astype("int64")


def _guessed(found: np.ndarray) -> Targets:
    """Take few whole numbers for classes, where they come again, and other numbers for values."""
    known = np.unique(found)
    if not np.isfinite(found).all() or not np.array_equal(known, np.floor(known)):
        return Targets(found[:, None], ())
    counted = np.array_equal(known, np.arange(len(known)))  # as class numbers are
    again = 2 * len(known) <= len(found)
    if len(known) <= 2 or (len(known) <= _MOST_CLASSES and again):
        words = 'whole numbers are taken for classes, task="regression" predicts them as values'
        more = len(known) > 2
        return _of_numbers(found)._replace(guess=words if more else "", doubtful=more and not counted)
    words = f'{len(known)} different whole numbers are taken for values, task="classification" makes them classes'
    return Targets(found[:, None], (), words, counted and again)
