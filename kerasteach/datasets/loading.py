"""Load data by name, from a CSV file or from arrays; split and standardise them."""

from __future__ import annotations

import math
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from kerasteach.datasets.dataset import Dataset, check
from kerasteach.datasets.sources import SETS, Raw, read_csv, targets


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
        y: Classes, `(examples,)`: text, truth values, or up to 20 different whole numbers. Or numbers to predict,
            `(examples,)` or `(examples, values)`.
        name: What it is called in tables and figures.
        classes: The classes' names, where `y` holds class numbers from 0. Defaults to what occurs in `y`.
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
    x, y = np.asarray(x, dtype="float64"), np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1 and not np.issubdtype(y.dtype, np.floating):
        y = y[:, 0]
    if classes is None and y.ndim == 1:
        y, classes = targets(pd.Series(y))
    return _split(name, Raw(x, y, tuple(classes or ()), "yours", "yours"), split_seed, test_fraction, standardise)


def _split(name: str, raw: Raw, split_seed: int, test_fraction: float, standardise: bool) -> Dataset:
    check(raw.x, raw.y, name, len(raw.classes))
    _check_split(raw, split_seed, test_fraction)
    y = raw.y.astype("int32" if raw.classes else "float32")
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


def _check_split(raw: Raw, split_seed: Any, test_fraction: Any) -> None:
    """Raise ValueError unless both parts get an example of each class, and the split can be repeated."""
    if not isinstance(test_fraction, Real) or not 0 < float(test_fraction) < 1:
        raise ValueError(f"`test_fraction` must be between 0 and 1. Received: test_fraction={test_fraction!r}.")
    if isinstance(split_seed, bool) or not isinstance(split_seed, Integral) or not 0 <= int(split_seed) < 2**32:
        raise ValueError(f"`split_seed` must be a whole number from 0. Received: split_seed={split_seed!r}.")
    if raw.classes:
        counts = np.bincount(raw.y, minlength=len(raw.classes))
        if counts.min() < 2:
            raise ValueError(
                "Each class needs 2 examples or more, one for training and one for testing. "
                f"Received: {counts.min()} of class {raw.classes[int(counts.argmin())]!r}."
            )
    test = math.ceil(float(test_fraction) * len(raw.x))
    needed = len(raw.classes) or 1
    if min(test, len(raw.x) - test) < needed:
        raise ValueError(
            f"`test_fraction` must leave {needed} examples or more, one of each class, on both sides. "
            f"Received: test_fraction={test_fraction}, {test} of {len(raw.x)} examples for testing."
        )


def _standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale both by the training part's mean and deviation; a constant feature is only shifted."""
    mean = train.mean(axis=0, dtype="float64")
    deviation = train.std(axis=0, dtype="float64")
    deviation[deviation < 1e-12] = 1.0
    return ((train - mean) / deviation).astype("float32"), ((test - mean) / deviation).astype("float32")
