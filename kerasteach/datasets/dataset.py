"""Training and test data, checked, with their facts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

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
            check(getattr(self, f"x_{part}"), getattr(self, f"y_{part}"), part, len(self.classes))
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            shapes = f"{self.x_train.shape} and {self.x_test.shape}"
            raise ValueError(f"`x_train` and `x_test` must have examples of one shape. Received: {shapes}.")

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

    def fingerprint(self) -> str:
        """Return a short text that differs where a number of the data does (SHA-256, 16 hexadecimal digits)."""
        found = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            found.update(f"{array.dtype.str}{array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:16]

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


def check(x: np.ndarray, y: np.ndarray, part: str, classes: int) -> None:
    """Raise ValueError unless examples and targets fit each other and can be trained on."""
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        raise ValueError(
            f"`x` and `y` must be NumPy arrays ({part}). Received: {type(x).__name__}, {type(y).__name__}."
        )
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
    if not classes and y.ndim < 2:
        raise ValueError(
            f"A regression's targets must be (examples, values); y[:, None] makes them so ({part}). "
            f"Received: y of shape {y.shape}."
        )
    if classes == 1:
        raise ValueError("A classification needs two classes at least. Received: one.")
    if classes and (not np.issubdtype(y.dtype, np.integer) or y.ndim != 1 or y.min() < 0 or y.max() >= classes):
        raise ValueError(
            f"Labels must be whole numbers from 0 to {classes - 1}, one an example, for {classes} output units "
            f"({part}). Received: {y.dtype} of shape {y.shape}, from {y.min()} to {y.max()}."
        )
