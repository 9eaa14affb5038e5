"""Outputs of a model read as probabilities of classes, or as values: of softmax, sigmoid and logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasteach.tables.class_labels import class_numbers, is_text
from kerasteach.validation import choice, flag, several

_OF_CLASSES = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
    keras.losses.CategoricalCrossentropy,
    keras.losses.CategoricalFocalCrossentropy,
    keras.losses.SparseCategoricalCrossentropy,
)
_HINGES = (keras.losses.CategoricalHinge, keras.losses.Hinge, keras.losses.SquaredHinge)
_NEAR = 1e-3  # how far from 1 the sum of probabilities may be


def task_of(task: Any, loss: Any, values: np.ndarray, y: np.ndarray | None) -> str:
    """Return whether outputs are of classes or values: as is said, as the loss says, or as outputs and targets look.

    Args:
        task: `"classification"`, `"regression"` or `None`.
        loss: The compiled loss, or `None`.
        values: Outputs, `(points, outputs)`.
        y: Targets, or `None`.
    """
    if task is not None:
        return choice("task", task, ("classification", "regression"))
    binary = y is not None and (is_text(y) or set(np.unique(y).tolist()) <= {0, 1})
    known = values[np.isfinite(values).all(axis=1)]
    shares = known.size > 0 and bool(((known >= 0) & (known <= 1)).all())
    of_classes = _is_of(loss, (*_OF_CLASSES, *_HINGES)) or (y is not None and is_text(y))
    if of_classes or (shares and (binary or (values.shape[1] > 1 and _sum_to_1(known)))):
        return "classification"
    return "regression"


def loss_of_model(model: keras.Model) -> Any:
    """Return the one loss that a model is compiled with, or `None`."""
    given = model.loss if model.compiled else None
    if isinstance(given, dict) and "class_name" not in given:
        given = list(given.values())
    if isinstance(given, list | tuple):
        given = given[0] if len(given) == 1 else None
    try:
        return keras.losses.get(given)
    except (TypeError, ValueError):
        return None


def _is_of(loss: Any, kinds: Sequence[type]) -> bool:
    """Say whether a loss is of one of these kinds; one that was compiled by its name is a function."""
    functions = [keras.losses.get(kind.__name__) for kind in kinds]
    names = {getattr(function, "__name__", type(function).__name__) for function in functions}
    return isinstance(loss, tuple(kinds)) or getattr(loss, "__name__", "") in names


def probabilities(values: np.ndarray, from_logits: Any, loss: Any) -> np.ndarray:
    """Return the probability of each class, `(points, classes)`; of one output, of two classes.

    Args:
        values: Outputs, `(points, outputs)`.
        from_logits: Whether they are logits; `None` for what the loss says.
        loss: The compiled loss, or `None`.

    Raises:
        ValueError: If they are neither probabilities nor said to be logits.
    """
    said = getattr(loss, "from_logits", False) if from_logits is None else flag("from_logits", from_logits)
    known = values[np.isfinite(values).all(axis=1)]
    shares = ((known >= 0) & (known <= 1)).all()
    logits = bool(said) or (from_logits is None and _is_of(loss, _HINGES))
    if values.shape[1] > 1 and from_logits is None and shares and _sum_to_1(known):
        logits = False  # a softmax, which Keras does not apply again
    if not logits and not shares:
        raise ValueError(
            "`from_logits` must be True for a classifier whose outputs are no probabilities. Received: outputs from "
            f"{known.min():.4g} to {known.max():.4g}, and from_logits={from_logits!r}."
        )
    with np.errstate(over="ignore", invalid="ignore"):  # of exp(-x), which then is 0 or infinite as it should be
        if values.shape[1] == 1:
            second = 1 / (1 + np.exp(-values)) if logits else values
            return np.concatenate([1 - second, second], axis=1)
        if logits:
            values = np.exp(values - values.max(axis=1, keepdims=True))
        sums = values.sum(axis=1, keepdims=True)
        return np.where(sums == 0, 1 / values.shape[1], values / np.where(sums == 0, 1, sums))


def _sum_to_1(values: np.ndarray) -> bool:
    return bool(np.allclose(values.sum(axis=1), 1, atol=_NEAR))


def class_names(classes: Any, y: np.ndarray | None, count: int) -> list[str]:
    """Return the names of the classes: those given, those of the targets, or their numbers."""
    if classes is not None:
        names = [str(name) for name in several("classes", classes, "names")]
    elif y is not None and is_text(y):
        names = sorted({str(name) for name in y.ravel().tolist()})
    else:
        names = [str(number) for number in range(count)]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(
            f"`classes` must name each of the model's {count} classes, in the order of its outputs. "
            f"Received: {', '.join(names)}."
        )
    return names


def numbers_of(argument: str, y: np.ndarray | None, names: Sequence[str]) -> np.ndarray | None:
    """Return the number of each example's class, or `None` where there are no targets."""
    return None if y is None else class_numbers(argument, y, names)
