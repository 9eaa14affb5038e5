"""Load data by name, from a CSV file or from arrays; split and standardise them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from kerasteach.datasets.dataset import Dataset, check
from kerasteach.datasets.sources import SETS, Raw, read_csv


def names() -> tuple[str, ...]:
    """Return the names that `load` knows."""
    return tuple(SETS)


def load(
    name: str | Path,
    *,
    target: str = "target",
    split_seed: int = 0,
    test_fraction: float = 0.2,
    standardise: bool = True,
) -> Dataset:
    """Load a data set by its name, or a CSV file.

    Args:
        name: One of `names()`, or the path of a CSV file with a header line.
        target: The CSV file's column to predict. Text, truth values, and up to 20 different whole numbers are
            classes; other numbers make a regression. Defaults to `"target"`.
        split_seed: Fixes which examples are for testing (and made data themselves). Defaults to `0`.
        test_fraction: The share of examples kept for testing, classes in proportion. Defaults to `0.2`.
        standardise: Whether to bring each feature (and a regression's targets) to mean 0 and standard deviation 1,
            measured on the training part. Otherwise features stay as they are (pixels from 0 to 1).

    Raises:
        ValueError: If no data set has this name, or the file's content will not do; the message says why.
        FileNotFoundError: If the CSV file is not there.
        ImportError: If the data need the extra `kerasteach[mnist]` and it is not installed.

    Example:
        >>> import kerasteach as kt
        >>> kt.datasets.load("iris").facts()["classes"]
        3
    """
    if str(name) in SETS:
        raw = SETS[str(name)](split_seed)
    elif str(name).lower().endswith(".csv"):
        raw = read_csv(Path(name), target)
    else:
        raise ValueError(f"`data` must be one of {', '.join(SETS)}, or a .csv file. Received: data={str(name)!r}.")
    return _split(Path(name).stem, raw, split_seed, test_fraction, standardise)


def from_arrays(
    x: Any,
    y: Any,
    *,
    name: str = "yours",
    classes: tuple[str, ...] | None = None,
    split_seed: int = 0,
    test_fraction: float = 0.2,
    standardise: bool = True,
) -> Dataset:
    """Make a data set of arrays of your own.

    Args:
        x: The examples, `(examples, ...)`.
        y: Whole numbers from 0, `(examples,)`, which are classes; or numbers to predict, `(examples,)` or
            `(examples, values)`.
        name: What it is called in tables and figures.
        classes: The classes' names, by class number. Defaults to the numbers that occur.
        split_seed: As in `load`.
        test_fraction: As in `load`.
        standardise: As in `load`.

    Raises:
        ValueError: If the arrays are empty, hold NaN, differ in length or hold labels that are no class number.

    Example:
        >>> import kerasteach as kt
        >>> kt.datasets.from_arrays([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1], test_fraction=0.5).outputs
        2
    """
    x, y = np.asarray(x, dtype="float32"), np.asarray(y)
    if classes is None and y.ndim == 1 and y.size and np.issubdtype(y.dtype, np.integer):
        classes = tuple(str(number) for number in range(int(y.max()) + 1))
    check(x, y, "all", len(classes or ()))
    return _split(name, Raw(x, y, tuple(classes or ()), "yours", "yours"), split_seed, test_fraction, standardise)


def _split(name: str, raw: Raw, split_seed: int, test_fraction: float, standardise: bool) -> Dataset:
    if not 0 < test_fraction < 1:
        raise ValueError(f"`test_fraction` must be between 0 and 1. Received: test_fraction={test_fraction}.")
    rare = raw.classes and np.bincount(raw.y).min(initial=2, where=np.bincount(raw.y) > 0) < 2
    if len(raw.x) < 4 or rare:
        raise ValueError(f"Splitting needs 4 examples, and 2 of each class. Received: {len(raw.x)} examples.")
    y = raw.y.astype("int32") if raw.classes else raw.y.astype("float32").reshape(len(raw.y), -1)
    x_train, x_test, y_train, y_test = train_test_split(
        raw.x.astype("float32"),
        y,
        test_size=test_fraction,
        random_state=split_seed,
        stratify=raw.y if raw.classes else None,
    )
    if standardise:
        x_train, x_test = _standardised(x_train, x_test)
    if standardise and not raw.classes:
        y_train, y_test = _standardised(y_train, y_test)
    return Dataset(name, x_train, y_train, x_test, y_test, raw.classes, raw.source, raw.licence)


def _standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale both by the training part's mean and deviation; a constant feature is only shifted."""
    mean = train.mean(axis=0, dtype="float64")
    deviation = train.std(axis=0, dtype="float64")
    deviation[deviation < 1e-12] = 1.0
    return ((train - mean) / deviation).astype("float32"), ((test - mean) / deviation).astype("float32")
