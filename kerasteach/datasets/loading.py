"""Loading of data by name, from a CSV file or from arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from kerasteach.datasets.dataset import Dataset, Task
from kerasteach.datasets.own import from_columns, read_csv
from kerasteach.datasets.sources import SETS
from kerasteach.datasets.splitting import checked_fraction, checked_seed, split
from kerasteach.datasets.targets import checked_task
from kerasteach.validation import choice, did_you_mean, path, received, text

_FILES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")


def names() -> tuple[str, ...]:
    """Return the names that `load` knows."""
    return tuple(SETS)


def load(
    name: str | Path,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    task: Task | Literal["auto"] | None = None,
    missing: Literal["error", "drop"] = "error",
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    split_seed: int = 0,
    test_fraction: float = 0.2,
    standardize: bool = True,
) -> Dataset:
    r"""Load a data set by its name, or a CSV file.

    Of a file, a saved index (a first column without a name, or one that numbers the rows) is left out, with a warning.

    Args:
        name: One of `names()`, or the path of a CSV file with a header line.
        target: The file's column to predict. Defaults to `None`: `"target"`.
        features: The file's columns to learn from. Defaults to `None`: all but the target and a saved index.
        task: `"classification"` or `"regression"`. Defaults to `None`: text, truth values, and up to 20 different
            whole numbers that recur are classes, other numbers are values; a doubtful guess warns.
        missing: `"drop"` leaves out rows with a missing value. Defaults to `"error"`.
        sep: What separates the file's columns: `";"`, or `r"\s+"` for any number of spaces. Defaults to `None`: what
            fits the header and the rows.
        decimal: `","` for decimal commas, or `"."`. Defaults to `None`: what fits whole columns.
        encoding: The file's encoding. Defaults to `None`: by its byte order mark, else UTF-8, else Windows-1252.
        split_seed: Fixes which examples are for testing (and computed data themselves). Defaults to `0`.
        test_fraction: The share of examples kept for testing, classes in proportion. Defaults to `0.2`.
        standardize: Whether to bring each feature (and a regression's targets) to mean 0 and standard deviation 1,
            measured on the training part. Otherwise features stay as they are (pixels from 0 to 1).

    Raises:
        ValueError: If no data set has this name, or an argument or the file's content is not valid.
        TypeError: If an argument is of another kind.
        FileNotFoundError: If the CSV file does not exist.
        ImportError: If the data need the extra `kerasteach[mnist]` and it is not installed.

    Example:
        >>> import kerasteach as kt
        >>> kt.datasets.load("iris").facts()["classes"]
        3
    """
    reading = {"target": target, "features": features, "task": task, "missing": missing}
    reading |= {"sep": sep, "decimal": decimal, "encoding": encoding}
    return _warned(loaded(name, split_seed, test_fraction, standardize, **reading))


def from_arrays(
    x: Any,
    y: Any,
    *,
    test: tuple[Any, Any] | None = None,
    name: str = "yours",
    classes: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    task: Task | Literal["auto"] | None = None,
    missing: Literal["error", "drop"] = "error",
    split_seed: int = 0,
    test_fraction: float = 0.2,
    standardize: bool = True,
) -> Dataset:
    """Make a data set of arrays or a table of your own.

    Args:
        x: The examples, `(examples, ...)`: an array, a tensor, lists; or a table with named columns (pandas, polars,
            Arrow, a dictionary), of which a saved index is left out, with a warning.
        y: Classes, `(examples,)`: text, categories, truth values, one-hot rows, or up to 20 different whole numbers.
            Or numbers to predict, `(examples,)` or `(examples, values)`. Or the name of a column of `x`.
        test: Examples and targets to test on, `(x_test, y_test)`. Defaults to `None`: a share of `x` and `y`.
        name: Its name in tables and figures.
        classes: The classes' names, where `y` holds class numbers from 0. Defaults to what occurs in `y`.
        features: The table's columns to learn from. Defaults to `None`: all but the target and a saved index.
        task: As in `load`.
        missing: As in `load`.
        split_seed: As in `load`.
        test_fraction: As in `load`; not used with `test`.
        standardize: As in `load`.

    Raises:
        ValueError: If the arrays are empty, hold NaN, differ in length or hold labels that are no class number.
        TypeError: If an argument is of another kind.

    Example:
        >>> import kerasteach as kt
        >>> kt.datasets.from_arrays([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1], test_fraction=0.5).outputs
        2
    """
    reading = {"name": name, "classes": classes, "features": features, "task": task, "missing": missing}
    return _warned(arranged(x, y, test, split_seed, test_fraction, standardize, **reading))


def loaded(
    name: Any,
    split_seed: Any = 0,
    test_fraction: Any = 0.2,
    standardize: Any = True,
    **reading: Any,
) -> Dataset:
    """Load as `load` does, without its warnings, which `Dataset.doubts` has."""
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"`data` must be a name or a path. {received('data', name)}")
    split_seed, test_fraction = checked_seed(split_seed), checked_fraction(test_fraction)
    known = str(name)
    if known in SETS:
        _check_none_given(known, reading)
        return split(known, SETS[known](split_seed), split_seed, test_fraction, standardize)
    if "://" in known:
        raise ValueError(f"`data` must be a file on this computer: download it first. {received('data', known)}")
    if not known.lower().endswith(_FILES):
        raise ValueError(
            f"`data` must be one of {', '.join(SETS)}, or a .csv file. {received('data', known)}"
            f"{did_you_mean(known, SETS)}"
        )
    file = path("data", name)
    return split(file.stem, read_csv(file, **reading), split_seed, test_fraction, standardize)


def _check_none_given(name: str, reading: dict[str, Any]) -> None:
    """Raise ValueError where an argument for files is given with the name of a data set."""
    task = checked_task(reading.pop("task", None))
    missing = choice("missing", reading.pop("missing", "error"), ("error", "drop"))
    given = [argument for argument, value in reading.items() if value is not None]
    given += ["task"] if task not in (None, "regression" if name == "line" else "classification") else []
    given += ["missing"] if missing == "drop" else []
    if given:
        value = {**reading, "task": task, "missing": missing}[given[0]]
        raise ValueError(
            f"`{given[0]}` is for data of your own; those of {name!r} are what they are. {received(given[0], value)}"
        )


def arranged(
    x: Any,
    y: Any,
    test: Any = None,
    split_seed: Any = 0,
    test_fraction: Any = 0.2,
    standardize: Any = True,
    *,
    name: Any = "yours",
    **reading: Any,
) -> Dataset:
    """Arrange data as `from_arrays` does, without its warnings, which `Dataset.doubts` has."""
    split_seed, test_fraction = checked_seed(split_seed), checked_fraction(test_fraction)
    raw = from_columns(x, y, test, **reading)
    return split(text("name", name), raw, split_seed, test_fraction, standardize)


def _warned(dataset: Dataset) -> Dataset:
    """Warn of each doubt, and return the data set."""
    for doubt in dataset.doubts:
        warnings.warn(f"{dataset.name}: {doubt}.", stacklevel=3)
    return dataset
