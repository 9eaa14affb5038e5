"""Data of one's own: a file, a table or arrays, as examples and targets without a missing value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.datasets.csv_file import read_table
from kerasteach.datasets.dataset import check_lengths
from kerasteach.datasets.examples import Examples, of_array, of_table
from kerasteach.datasets.numbers import numbers
from kerasteach.datasets.row_numbers import chosen
from kerasteach.datasets.sources import Raw
from kerasteach.datasets.tables import column_of, frame_of, plain, shortened
from kerasteach.datasets.targets import checked_classes, checked_task, labels, targets
from kerasteach.datasets.words import without_gaps
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
    """Return a column of text as numbers where it holds any and nothing else; else as words."""
    found = numbers(column)
    truth = column.str.strip().str.lower().isin(("true", "false"))
    if isinstance(found, str) or np.isnan(found).all() or truth.any():
        return without_gaps(column)
    return pd.Series(found)


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
    found = of_table(x) if isinstance(x, pd.DataFrame) else of_array(x)
    return _raw(found, y, doubts, task=task, missing=missing, classes=names, train=train, target=target)


def _pair(x: Any, y: Any) -> tuple[pd.DataFrame | np.ndarray, pd.DataFrame, str]:
    """Return a table or an array, its targets, which may be one of its columns, and what to call them."""
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
    """Return examples and targets with those of the test part behind them, by the columns' names."""
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise ValueError(f"`test` must be a pair, (x_test, y_test). {received('test', test)}")
    more, y_more, _ = _pair(*test)
    if isinstance(more, pd.DataFrame):
        more = _same_columns(x, more, "x") if isinstance(x, pd.DataFrame) else more.to_numpy()
    check_lengths(x, y, "train")
    check_lengths(more, y_more, "`test`")
    if x.shape[1:] != more.shape[1:] or y.shape[1:] != y_more.shape[1:]:
        raise ValueError(
            "`test` must have examples and targets in the form of `x` and `y`. "
            f"Received: x of shapes {x.shape} and {more.shape}, y of shapes {y.shape} and {y_more.shape}."
        )
    y_more = y_more.set_axis(y.columns, axis=1) if len(y.columns) == 1 else _same_columns(y, y_more, "y")
    y = pd.concat([y, y_more], ignore_index=True)
    if isinstance(x, pd.DataFrame):
        more = pd.DataFrame(more, columns=x.columns)
        return pd.concat([x, more], ignore_index=True), y
    return np.concatenate([x, more]), y


def _same_columns(train: pd.DataFrame, test: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the columns of a test part that the training part has, in its order."""
    lacking = [name for name in train if name not in test]
    if lacking:
        raise ValueError(
            f"`test` must have the columns of `{what}`. Received: {what}_test without {shortened(lacking, 12)}."
        )
    return test[list(train)]


def _raw(
    found: Examples,
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
    """Return what can be split: refuse or drop what is missing, and number the classes."""
    check_lengths(found.x, y, file or "yours")
    gaps = np.isnan(found.x).reshape(len(y), -1)
    untold = np.asarray(y.isna().any(axis=1))
    bad = gaps.any(axis=1) | untold
    notes = found.notes
    if bad.any():
        if missing == "error" or bad.all():
            raise ValueError(_missing(found, gaps, untold, file, target))
        notes = (*notes, f"left out {bad.sum()} of {len(bad)} rows, which have missing values")
        found, y = found._replace(x=found.x[~bad]), y[~bad].reset_index(drop=True)
        train = None if train is None else train - int(bad[:train].sum())
    infinite = np.isinf(found.x).reshape(len(y), -1)
    if infinite.any():
        raise ValueError(
            "`x` must be finite. "
            f"Received: {infinite.sum()} NaN or infinite of {infinite.size}{_where(found, infinite)}."
        )
    decided = targets(y, task, classes)
    doubts = (*doubts, *([decided.guess] if decided.doubtful else []))
    source = (file, "that of the file") if file else ("yours", "yours")
    return Raw(found.x, decided.y, decided.classes, *source, found.features, notes, doubts, decided.guess, train)


def _missing(found: Examples, gaps: np.ndarray, untold: np.ndarray, file: str, target: str) -> str:
    """Return the error for missing values, with their counts by column."""
    way = 'fill what is missing, or leave its rows out with missing="drop" (--missing drop)'
    in_target = f"{target} ({untold.sum()})" if untold.any() else ""
    if file or found.features:
        listed = ", ".join(part for part in (_where(found, gaps, ""), in_target) if part)
        return f"{file or '`x`'} must have no missing value: {way}. Received: missing in {listed} of {len(gaps)} rows."
    if not gaps.any():
        return f"`y` must have no missing value: {way}. Received: {untold.sum()} of {len(untold)} missing."
    return f"`x` must be finite: {way}. Received: {gaps.sum()} NaN or infinite of {gaps.size}{_where(found, gaps)}."


def _where(found: Examples, bad: np.ndarray, start: str = ", in ") -> str:
    """Return which columns have how many bad entries."""
    names = found.columns or [f"column {place}" for place in range(bad.shape[1])]
    counts = {name: int(count) for name, count in zip(names, bad.sum(axis=0), strict=True) if count}
    listed = [f"{name} ({count})" for name, count in counts.items()]
    more = f" and {len(listed) - 12} more columns" if len(listed) > 12 else ""
    return start + ", ".join(listed[:12]) + more if listed else ""
