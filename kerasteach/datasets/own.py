"""User's data: a file, a table or arrays, as examples and targets without a missing value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.datasets.column_values import numbers, words
from kerasteach.datasets.csv_file import read_table
from kerasteach.datasets.dataset import check_lengths
from kerasteach.datasets.examples import Examples, of_array, of_table
from kerasteach.datasets.row_numbers import chosen
from kerasteach.datasets.sources import Raw
from kerasteach.datasets.tables import column_of, frame_of, plain, shortened
from kerasteach.datasets.targets import checked_classes, checked_task, labels, targets
from kerasteach.validation import choice, received


def read_csv(
    path: Path,
    target: str | None = None,
    features: Any = None,
    task: Any = None,
    missing: Any = "error",
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> Raw:
    """Read a CSV file with a header line; the arguments are those of `load`."""
    task, missing = checked_task(task), choice("missing", missing, ("error", "drop"))
    frame = read_table(path, sep, decimal, encoding)
    name = column_of(frame, "target" if target is None else target, path.name)
    y = labels(_typed(frame[name]))
    frame, doubts = chosen(frame.drop(columns=name), features)
    return _raw(of_table(frame, path.name), y, doubts, task=task, missing=missing, file=path.name, target=name)


def _typed(column: pd.Series) -> pd.Series:
    """Return a column of text as numbers where it holds nothing else; else as words."""
    values = numbers(column)
    truth = column.str.strip().str.lower().isin(("true", "false"))
    return words(column) if isinstance(values, str) or np.isnan(values).all() or truth.any() else pd.Series(values)


def from_columns(
    x: Any,
    y: Any,
    test: Any = None,
    classes: Any = None,
    features: Any = None,
    task: Any = None,
    missing: Any = "error",
) -> Raw:
    """Return the examples and targets of arrays or tables; the arguments are those of `from_arrays`."""
    task, missing = checked_task(task), choice("missing", missing, ("error", "drop"))
    names = None if classes is None else checked_classes(classes)
    x, y, target = _pair(x, y)
    doubts: tuple[str, ...] = ()
    if isinstance(x, pd.DataFrame):
        x, doubts = chosen(x, features)
    elif features is not None:
        raise ValueError(f"`features` names columns of a table, and `x` has no names. {received('features', features)}")
    train = None if test is None else len(y)
    if test is not None:
        x, y = _with_test(x, y, test)
    examples = of_table(x) if isinstance(x, pd.DataFrame) else of_array(x)
    return _raw(examples, y, doubts, task=task, missing=missing, classes=names, train=train, target=target)


def _pair(x: Any, y: Any) -> tuple[pd.DataFrame | np.ndarray, pd.DataFrame, str]:
    """Return a table or an array, its targets, which may be one of its columns, and their name in errors."""
    frame = frame_of("x", x)
    if not isinstance(y, str):
        return (plain("x", x) if frame is None else frame), labels(y), "`y`"
    if frame is None:
        raise TypeError(f"`y` must hold the targets: `x` is no table with such a column. {received('y', y)}")
    name = column_of(frame, y, "the table", "y")
    return frame.drop(columns=name), labels(frame[name]), name


def _with_test(
    x: pd.DataFrame | np.ndarray, y: pd.DataFrame, test: Any
) -> tuple[pd.DataFrame | np.ndarray, pd.DataFrame]:
    """Return examples and targets followed by those of the test part, matched by the columns' names."""
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise ValueError(f"`test` must be a pair, (x_test, y_test). {received('test', test)}")
    x_test, y_test, _ = _pair(*test)
    if isinstance(x_test, pd.DataFrame):
        x_test = _same_columns(x, x_test, "x") if isinstance(x, pd.DataFrame) else x_test.to_numpy()
    check_lengths(x, y, "train")
    check_lengths(x_test, y_test, "`test`")
    if x.shape[1:] != x_test.shape[1:] or y.shape[1:] != y_test.shape[1:]:
        raise ValueError(
            "`test` must have examples and targets in the form of `x` and `y`. "
            f"Received: x of shapes {x.shape} and {x_test.shape}, y of shapes {y.shape} and {y_test.shape}."
        )
    y_test = y_test.set_axis(y.columns, axis=1) if len(y.columns) == 1 else _same_columns(y, y_test, "y")
    y = pd.concat([y, y_test], ignore_index=True)
    if isinstance(x, pd.DataFrame):
        x_test = pd.DataFrame(x_test, columns=x.columns)
        return pd.concat([x, x_test], ignore_index=True), y
    return np.concatenate([x, x_test]), y


def _same_columns(train: pd.DataFrame, test: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the columns of a test part that the training part has, in its order."""
    lacking = [name for name in train if name not in test]
    if lacking:
        raise ValueError(
            f"`test` must have the columns of `{what}`. Received: {what}_test without {shortened(lacking, 12)}."
        )
    return test[list(train)]


def _raw(
    examples: Examples,
    y: pd.DataFrame,
    doubts: tuple[str, ...],
    *,
    task: Any,
    missing: str,
    target: str,
    classes: tuple[str, ...] | None = None,
    train: int | None = None,
    file: str = "",
) -> Raw:
    """Refuse or drop rows with a missing value, and number the classes."""
    check_lengths(examples.x, y, file or "yours")
    gaps = np.isnan(examples.x).reshape(len(y), -1)
    unlabeled = np.asarray(y.isna().any(axis=1))
    bad = gaps.any(axis=1) | unlabeled
    notes = examples.notes
    if bad.any():
        if missing == "error" or bad.all():
            raise ValueError(_missing(examples, gaps, unlabeled, file, target))
        notes = (*notes, f"left out {bad.sum()} of {len(bad)} rows, which have missing values")
        examples, y = examples._replace(x=examples.x[~bad]), y[~bad].reset_index(drop=True)
        train = None if train is None else train - int(bad[:train].sum())
    infinite = np.isinf(examples.x).reshape(len(y), -1)
    if infinite.any():
        raise ValueError(
            "`x` must be finite. "
            f"Received: {infinite.sum()} NaN or infinite of {infinite.size}{_where(examples, infinite)}."
        )
    decided = targets(y, task, classes)
    doubts = (*doubts, *([decided.guess] if decided.doubtful else []))
    source = (file, "that of the file") if file else ("yours", "yours")
    return Raw(examples.x, decided.y, decided.classes, *source, examples.features, notes, doubts, decided.guess, train)


def _missing(examples: Examples, gaps: np.ndarray, unlabeled: np.ndarray, file: str, target: str) -> str:
    """Return the error for missing values, with their counts by column."""
    how = 'fill what is missing, or leave its rows out with missing="drop" (--missing drop)'
    in_target = f"{target} ({unlabeled.sum()})" if unlabeled.any() else ""
    if file or examples.features:
        listed = ", ".join(part for part in (_where(examples, gaps, ""), in_target) if part)
        return f"{file or '`x`'} must have no missing value: {how}. Received: missing in {listed} of {len(gaps)} rows."
    if not gaps.any():
        return f"`y` must have no missing value: {how}. Received: {unlabeled.sum()} of {len(unlabeled)} missing."
    return f"`x` must be finite: {how}. Received: {gaps.sum()} NaN or infinite of {gaps.size}{_where(examples, gaps)}."


def _where(examples: Examples, bad: np.ndarray, start: str = ", in ") -> str:
    """Return which columns have how many bad entries."""
    names = examples.columns or [f"column {place}" for place in range(bad.shape[1])]
    counts = {name: int(count) for name, count in zip(names, bad.sum(axis=0), strict=True) if count}
    listed = [f"{name} ({count})" for name, count in counts.items()]
    more = f" and {len(listed) - 12} more columns" if len(listed) > 12 else ""
    return start + ", ".join(listed[:12]) + more if listed else ""
