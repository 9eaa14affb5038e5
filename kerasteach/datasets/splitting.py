"""Training and test part of examples, both standardized by the training part, in float64."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from kerasteach.datasets.dataset import Dataset, check
from kerasteach.datasets.sources import Raw
from kerasteach.validation import finite, flag, received, whole

_FACTS = ("classes", "source", "license", "features", "guess", "notes", "doubts")
_LARGEST_SEED = 2**32 - 1  # of NumPy's and scikit-learn's generators


def checked_seed(split_seed: Any) -> int:
    """Return the seed of a split, or raise ValueError."""
    return whole("split_seed", split_seed, least=0, most=_LARGEST_SEED)


def checked_fraction(test_fraction: Any) -> float:
    """Return the share of the test part, or raise ValueError or TypeError."""
    fraction = finite("test_fraction", test_fraction)
    if not 0 < fraction < 1:
        raise ValueError(f"`test_fraction` must be between 0 and 1. {received('test_fraction', test_fraction)}")
    return fraction


def split(name: str, raw: Raw, split_seed: int, test_fraction: float, standardize: Any) -> Dataset:
    """Return the data set of some examples, checked, with the classes in proportion in both parts.

    Args:
        name: Its name.
        raw: The examples; their own test part is used, where they have one.
        split_seed: Fixes the split.
        test_fraction: The share of the test part.
        standardize: Whether to bring features, and a regression's targets, to mean 0 and standard deviation 1.
    """
    standardize = flag("standardize", standardize)
    check(raw.x, raw.y, name, len(raw.classes))
    if raw.train is None:
        _check_split(raw, test_fraction)
        from sklearn.model_selection import train_test_split  # takes a second or two

        train, test = train_test_split(
            np.arange(len(raw.x)),
            test_size=test_fraction,
            random_state=split_seed,
            stratify=raw.y if raw.classes else None,
        )
    else:
        train, test = np.arange(raw.train), np.arange(raw.train, len(raw.x))
        _check_parts(raw)
    x, shift, scale = _scaled(raw.x, train) if standardize else (raw.x, None, None)
    y = raw.y
    if standardize and not raw.classes:
        y = _scaled(raw.y, train)[0]
    x = _single("x", x, raw.x)
    y = y.astype("int32") if raw.classes else _single("y", y, raw.y)
    facts = {fact: getattr(raw, fact) for fact in _FACTS}
    parts = x[train], y[train], x[test], y[test]
    return Dataset(name, *parts, standardized=standardize, shift=shift, scale=scale, **facts)


def _check_split(raw: Raw, test_fraction: float) -> None:
    """Raise ValueError unless both parts have an example of each class."""
    if raw.classes:
        counts = np.bincount(raw.y, minlength=len(raw.classes))
        if counts.min() < 2:
            raise ValueError(
                "Each class needs 2 examples or more, one for training and one for testing. "
                f"Received: {counts.min()} of class {raw.classes[int(counts.argmin())]!r}; {len(raw.classes)} classes "
                f'among {len(raw.x)} examples (task="regression" predicts numbers as values).'
            )
    test = math.ceil(test_fraction * len(raw.x))
    needed = len(raw.classes) or 1
    if min(test, len(raw.x) - test) < needed:
        raise ValueError(
            f"`test_fraction` must leave {needed} examples or more, one of each class, on both sides. "
            f"Received: test_fraction={test_fraction}, {test} of {len(raw.x)} examples for testing."
        )


def _check_parts(raw: Raw) -> None:
    """Raise ValueError where a class occurs in the test part alone."""
    counts = np.bincount(raw.y[: raw.train], minlength=len(raw.classes)) if raw.classes else np.ones(1)
    if counts.min() == 0:
        raise ValueError(
            "Each class needs an example to train on. "
            f"Received: none of class {raw.classes[int(counts.argmin())]!r} in the training part."
        )


def _scaled(values: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values with mean 0 and standard deviation 1 in the training part, their mean, and their deviation.

    A feature is scaled to the range from 0 to 1 first, so that neither a large offset nor a small scale costs digits. A
    feature that is constant in training is only shifted.
    """
    low, high = values[train].min(axis=0), values[train].max(axis=0)
    constant = low == high
    span = np.where(constant, 1.0, high - low)
    unit = (values - low) / span
    mean, deviation = unit[train].mean(axis=0), unit[train].std(axis=0)
    mean, deviation = np.where(constant, 0.0, mean), np.where(constant, 1.0, deviation)
    return (unit - mean) / deviation, low + span * mean, span * deviation


def _single(argument: str, values: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return values as float32, and warn where that rounds their differences away."""
    with np.errstate(over="ignore"):
        single = values.astype("float32")
    if not np.isfinite(single).all():
        raise ValueError(
            f"`{argument}` must have values below 3.4e38, which float32 holds; standardize=True scales them. "
            f"Received: up to {np.abs(values).max():.3g}."
        )
    if values is given:
        largest, span = np.abs(values).max(axis=0), values.max(axis=0) - values.min(axis=0)
        if ((span > 0) & (np.spacing(largest.astype("float32")) * 256.0 > span)).any():
            warnings.warn(
                f"`{argument}` has large numbers with small differences, which float32 rounds away; standardize=True "
                "subtracts the mean first.",
                stacklevel=5,
            )
    return single
