"""Data set: training and test data, checked, with their facts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from kerasteach.datasets.tables import plural, shortened
from kerasteach.validation import several

_SHOWN = 6  # names in a description

Task = Literal["classification", "regression"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test data, with their facts.

    Attributes:
        name: Its name in tables and figures.
        x_train: The examples to train on, float32 `(train, features)`; an image set of your own may have more axes.
        y_train: Class numbers from 0, int32 `(train,)`; for a regression, targets, float32 `(train, values)`.
        x_test: The examples to test on.
        y_test: Their class numbers or targets.
        classes: The names of the classes, by class number; empty for a regression.
        source: The origin of the data; of a file its name.
        license: Their license.
        features: The features' names, where they have any; else empty.
        standardized: Whether each feature, and a regression's targets, have mean 0 and standard deviation 1 in the
            training part.
        shift: The training part's mean of each feature, where they are standardized: `x_train * scale + shift` is in
            the units in which the data were given. Else `None`.
        scale: Its standard deviation likewise, 1 for a constant feature.
        guess: How the task was guessed from the targets, and how to change it; empty where it was given or is clear.
        notes: What was left out of the data on request.
        doubts: What was left out or guessed without a request, each with a way to change it.

    Raises:
        ValueError: If data are empty, not finite, of unequal length, or have a label that is no class number.
        TypeError: If `classes` or `features` is no list of names.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...] = ()
    source: str = "yours"
    license: str = "yours"
    features: tuple[str, ...] = ()
    standardized: bool = False
    shift: np.ndarray | None = None
    scale: np.ndarray | None = None
    guess: str = ""
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for argument in ("classes", "features"):
            names = tuple(str(name) for name in several(argument, getattr(self, argument), "names"))
            object.__setattr__(self, argument, names)
        for part in ("train", "test"):
            check(getattr(self, f"x_{part}"), getattr(self, f"y_{part}"), part, len(self.classes))
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            shapes = f"{self.x_train.shape} and {self.x_test.shape}"
            raise ValueError(f"`x_train` and `x_test` must have examples of one shape. Received: {shapes}.")
        if self.features and self.inputs != (len(self.features),):
            raise ValueError(
                "`features` must name each feature. "
                f"Received: {len(self.features)} names, examples of shape {self.inputs}."
            )

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
        """The number of output units of a network for these data: one for each class, or for each value."""
        return len(self.classes) or int(self.y_train.shape[-1])

    def fingerprint(self) -> str:
        """Return a short text that differs where a number of the data does (SHA-256, 16 hexadecimal digits)."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def facts(self) -> dict[str, Any]:
        """Return the facts of the data, as JSON can hold them.

        Returns:
            `name`, `task`, the numbers `train` and `test` of examples, `features` and `classes`, then `feature_names`,
            `class_names`, `standardized`, `task_guess`, `notes` (doubts too), `source` and `license`.
        """
        return {
            "name": self.name,
            "task": self.task,
            "train": len(self.x_train),
            "test": len(self.x_test),
            "features": int(np.prod(self.inputs)),
            "classes": len(self.classes),
            "feature_names": list(self.features),
            "class_names": list(self.classes),
            "standardized": self.standardized,
            "task_guess": self.guess,
            "notes": [*self.notes, *self.doubts],
            "source": self.source,
            "license": self.license,
        }

    def describe(self) -> str:
        """Return one line on the examples, features and targets.

        Example:
            >>> import kerasteach as kt
            >>> kt.datasets.load("line").describe()
            'line: 320 rows to train on, 80 to test; 1 feature, standardized; regression, 1 value, standardized'
        """
        count = int(np.prod(self.inputs))
        shape = "" if len(self.inputs) == 1 else f" ({' x '.join(map(str, self.inputs))})"
        names = f" ({shortened(self.features, _SHOWN)})" if self.features else shape
        scaled = "standardized" if self.standardized else "not standardized"
        classes = f"{len(self.classes)} classes ({shortened(self.classes, _SHOWN)})"
        what = classes if self.classes else f"{plural(self.outputs, 'value')}, {scaled}"
        doubts = [doubt for doubt in self.doubts if doubt != self.guess]
        return "; ".join(
            [
                f"{self.name}: {len(self.x_train)} rows to train on, {len(self.x_test)} to test",
                f"{plural(count, 'feature')}{names}, {scaled}",
                f"{self.task}, {what}" + (f" (a guess: {self.guess})" if self.guess else ""),
                *self.notes,
                *doubts,
            ]
        )


def in_given_units(dataset: Dataset, x: np.ndarray) -> np.ndarray:
    """Return examples in the units in which the data were given, where these are known; else unchanged."""
    return x if dataset.scale is None else x * dataset.scale + dataset.shift


def check_lengths(x: Any, y: Any, part: str) -> None:
    """Raise ValueError unless there are examples with features, and as many targets."""
    if not len(x):
        raise ValueError(f"`x` must hold an example at least ({part}). Received: x of shape {x.shape}.")
    if len(x) != len(y):
        raise ValueError(f"`x` and `y` must have the same length ({part}). Received: {len(x)} and {len(y)}.")
    if x.ndim < 2:
        raise ValueError(f"`x` must be (examples, features); x[:, None] makes it so. Received: x of shape {x.shape}.")
    if not x.size:
        raise ValueError(f"`x` must hold a feature at least ({part}). Received: x of shape {x.shape}.")


def check(x: np.ndarray, y: np.ndarray, part: str, classes: int) -> None:
    """Raise ValueError unless a network can be trained on the examples and targets."""
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        raise ValueError(
            f"`x` and `y` must be NumPy arrays ({part}). Received: {type(x).__name__}, {type(y).__name__}."
        )
    if not x.ndim or not y.ndim:
        raise ValueError(f"`x` and `y` must be arrays of examples ({part}). Received: {x.shape}, {y.shape}.")
    check_lengths(x, y, part)
    for argument, array in (("x", x), ("y", y)):
        if not np.issubdtype(array.dtype, np.number):
            raise ValueError(f"`{argument}` must hold numbers ({part}). Received: dtype {array.dtype}.")
        bad = int(array.size - np.isfinite(array).sum())
        if bad:
            raise ValueError(
                f"`{argument}` must be finite: drop or fill what is missing. "
                f"Received: {bad} NaN or infinite of {array.size} ({part})."
            )
    if not classes and y.ndim < 2:
        raise ValueError(
            f"A regression's targets must be (examples, values); y[:, None] makes them so; a classification names "
            f"its `classes` ({part}). "
            f"Received: y of shape {y.shape}."
        )
    if classes == 1:
        raise ValueError("`y` must hold two classes at least, and `classes` name them all. Received: one class.")
    if classes and (not np.issubdtype(y.dtype, np.integer) or y.ndim != 1 or y.min() < 0 or y.max() >= classes):
        raise ValueError(
            f"`y` must hold whole numbers from 0 to {classes - 1}, one an example, for {classes} output units "
            f"({part}). Received: {y.dtype} of shape {y.shape}, from {y.min()} to {y.max()}."
        )
