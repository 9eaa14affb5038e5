"""Classes of examples, given as names, numbers, one-hot rows or probabilities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasteach.validation import array, entries, received, several

MISSING = -1  # in place of a class number, where the probabilities are not finite


class Labeled(NamedTuple):
    """Classes of examples.

    Attributes:
        true: The number of each example's own class, `(examples,)`.
        predicted: That of the class which a network gives it; `MISSING` where its output is not finite.
        names: The classes' names, by number.
        shares: The probability of the predicted class, where probabilities were given; else `None`.
    """

    true: np.ndarray
    predicted: np.ndarray
    names: list[str]
    shares: np.ndarray | None


class _Given(NamedTuple):
    """One argument: names or numbers of classes, how many columns it had, and the probabilities."""

    classes: np.ndarray
    columns: int = 0
    shares: np.ndarray | None = None


def labeled(y_true: Any, y_pred: Any, labels: Any = None) -> Labeled:
    """Return the true and the predicted class of each example as numbers, and the classes' names.

    Args:
        y_true: Names or numbers of classes, `(examples,)` or `(examples, 1)`, or one-hot rows `(examples, classes)`.
        y_pred: The same, or probabilities: `(examples, classes)`, or of the second of two classes `(examples, 1)`.
        labels: The classes' names, in the order of the columns. Defaults to `None`: those that occur, in order.

    Raises:
        TypeError: If an argument holds neither numbers nor names.
        ValueError: If they do not fit each other.
    """
    true, predicted = _given("y_true", y_true), _given("y_pred", y_pred)
    if len(true.classes) != len(predicted.classes) or not len(true.classes):
        raise ValueError(
            "`y_true` and `y_pred` must have a class for each of the same examples, one at least. "
            f"Received: {len(true.classes)} and {len(predicted.classes)}."
        )
    if (true.classes == MISSING).any() and true.columns:
        raise ValueError("`y_true` must be finite. Received: rows with NaN or infinity.")
    names = _names(true, predicted, labels)
    numbers = (_numbers("y_true", true, names), _numbers("y_pred", predicted, names))
    return Labeled(*numbers, [str(name) for name in names], predicted.shares)


def class_numbers(argument: str, y: Any, names: Sequence[str]) -> np.ndarray:
    """Return the class of each example as a number from 0, given the classes' names.

    Args:
        argument: What to call the classes in an error.
        y: Names of classes, their numbers from 0, or one-hot rows.
        names: The names.

    Raises:
        TypeError: If they are neither numbers nor names.
        ValueError: If they are other classes.
    """
    return _numbers(argument, _given(argument, y), list(names))


def is_text(values: np.ndarray) -> bool:
    """Say whether an array holds names."""
    texts = values.dtype == object and all(isinstance(entry, str | bytes) for entry in values.flat)
    return values.dtype.kind in "SUT" or texts


def _given(argument: str, y: Any) -> _Given:
    values = entries(argument, y)
    values = values.astype("int64") if values.dtype == bool else values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise ValueError(
            f"`{argument}` must be (examples,), a class for each, or (examples, classes). "
            f"Received: {argument} of shape {values.shape}."
        )
    if is_text(values) and values.ndim == 1:
        return _Given(np.array([str(entry) for entry in values.tolist()], dtype=object))
    numbers = array(argument, values, of="class numbers, class names or probabilities")
    if numbers.ndim == 2:
        finite = np.isfinite(numbers).all(axis=1)
        known = np.where(finite[:, None], numbers, 0.0)
        classes = np.where(finite, known.argmax(axis=1), MISSING)
        return _Given(classes, numbers.shape[1], _shares(known.max(axis=1), numbers[finite]))
    if np.isfinite(numbers).all() and (numbers == np.round(numbers)).all():
        return _Given(numbers.astype("int64"))
    return _binary(argument, numbers)


def _shares(shares: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """Return the largest of each row where the rows are probabilities, and not merely zeros and ones."""
    near = len(rows) and (rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3)
    return shares if near and not np.isin(rows, (0, 1)).all() else None


def _binary(argument: str, numbers: np.ndarray) -> _Given:
    """Return the classes 0 and 1 of probabilities of the class 1."""
    finite = np.isfinite(numbers)
    if not ((numbers[finite] >= 0) & (numbers[finite] <= 1)).all():
        raise ValueError(
            f"`{argument}` must hold class numbers, names, or probabilities from 0 to 1; of logits take the softmax, "
            f"or the sigmoid. Received: from {numbers[finite].min():g} to {numbers[finite].max():g}."
        )
    ones = np.where(finite, numbers, 0.0)
    classes = np.where(finite, (ones > 0.5).astype("int64"), MISSING)
    return _Given(classes, 2, np.maximum(ones, 1 - ones))


def _names(true: _Given, predicted: _Given, labels: Any) -> list[Any]:
    """Return the names of the classes: those given, or those that occur."""
    if labels is not None:
        names = [str(name) for name in several("labels", labels, "names of classes")]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"`labels` must name each class once. {received('labels', labels)}")
        return names
    are_names = {given.classes.dtype == object for given in (true, predicted)}
    if len(are_names) > 1:
        raise ValueError(
            "`labels` must name the classes in the order of their numbers, where one of `y_true` and `y_pred` has "
            "names and the other has numbers. Received: labels=None."
        )
    columns = max(true.columns, predicted.columns)
    found = set(true.classes.tolist()) | set(predicted.classes.tolist()) - {MISSING}
    return sorted(found | set(range(columns)) if columns else found, key=_in_order)


def _in_order(name: Any) -> Any:
    """Return what names are sorted by: numbers in them by their size, so that `class 10` comes after `class 9`."""
    if not isinstance(name, str):
        return name
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", name))]


def _numbers(argument: str, given: _Given, names: list[Any]) -> np.ndarray:
    """Return the numbers of the classes: by name where all are names, else by number."""
    if given.columns > len(names):
        raise ValueError(
            f"`{argument}` must have a column for each of the {len(names)} classes. Received: {given.columns} columns."
        )
    places = {name: number for number, name in enumerate(names)} | {str(name): n for n, name in enumerate(names)}
    by_name = not given.columns and all(str(value) in places for value in set(given.classes.tolist()))
    if by_name:
        return np.array([places[str(value)] for value in given.classes.tolist()], dtype="int64")
    allowed = (*range(len(names)), *([MISSING] if given.columns else []))
    if given.classes.dtype == object or not np.isin(given.classes, allowed).all():
        shown = ", ".join(sorted({str(value) for value in given.classes.tolist()})[:5])
        raise ValueError(
            f"`{argument}` must hold classes out of {', '.join(map(str, names))}, or their numbers from 0 to "
            f"{len(names) - 1}. Received: {shown}."
        )
    return given.classes.astype("int64")
