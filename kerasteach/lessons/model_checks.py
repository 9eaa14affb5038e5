"""Checks of a model, and of the batch, loss and optimizer of its training step."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach import optimizers
from kerasteach.activations import Tensor
from kerasteach.lessons.batches import check_finite
from kerasteach.losses import HalfSquaredError
from kerasteach.validation import array, received, said

_OF_DATA = (ValueError, TypeError, IndexError, KeyError, AttributeError)  # which Keras raises for data that do not fit


def checked_model(model: Any) -> keras.Model:
    """Return a Keras model, or raise TypeError."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. {received('model', model)}")
    return model


def own_methods(model: keras.Model, names: Iterable[str]) -> list[str]:
    """Return the methods among `names` that a model's class overrides."""
    return [name for name in names if not getattr(type(model), name).__module__.startswith("keras.")]


@contextmanager
def fitting(model: keras.Model) -> Iterator[None]:
    """Raise ValueError where Keras fails in the block because the data do not fit the model and its loss."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, _OF_DATA) and not type(error).__module__.startswith("tensorflow."):
            raise
        raise ValueError(
            f"`x` and `y` must fit the model and its loss. Received: the model {model.name!r}, and data for which "
            f"Keras says: {said(error)}"
        ) from error


def checked_batch(model: Any, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch as arrays, and build the model for it if necessary.

    Raises:
        TypeError: If x or y is no array of numbers.
        ValueError: If x or y is empty or holds NaN, or they do not fit each other or the model.
    """
    batch, targets = _numbers("x", x), _numbers("y", y)
    check_finite((batch, targets, None))
    if batch.ndim < 2 or not batch.size or not targets.ndim or len(batch) != len(targets):
        raise ValueError(
            "`x` must be a batch, (examples, features), and `y` must have a target for each example. "
            f"Received: x.shape={batch.shape}, y.shape={targets.shape}."
        )
    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *batch.shape[1:]))
    wanted = tuple(model.inputs[0].shape)[1:] if getattr(model, "inputs", None) else batch.shape[1:]
    fits = len(wanted) == batch.ndim - 1 and all(a in (b, None) for a, b in zip(wanted, batch.shape[1:], strict=True))
    if not fits:
        raise ValueError(f"`x` must fit the model's input, (examples, *{wanted}). Received: x.shape={batch.shape}.")
    return batch, targets


def _numbers(argument: str, values: Any) -> np.ndarray:
    checked, given = array(argument, values), np.asarray(values)
    return given if given.dtype != object else checked


def loss_of(model: Any) -> Any:
    """Return the loss that a model is compiled with, or `HalfSquaredError()`.

    Raises:
        ValueError: If it is compiled without a loss, with several, or with one that has no reduction.
    """
    if not model.compiled:
        return HalfSquaredError()
    given = model.loss
    if isinstance(given, dict) and "class_name" not in given:
        given = list(given.values())
    if isinstance(given, list | tuple):
        given = given[0] if len(given) == 1 else None
    loss = keras.losses.get(given)
    if loss is None or getattr(loss, "reduction", "") in (None, "none"):
        raise ValueError(f"`model` must be compiled with one loss, a single number. Received: loss={model.loss!r}.")
    return loss


def optimizer_of(model: Any, optimizer: Any) -> Any:
    """Return the given optimizer, or the compiled one, or `PlainSGD(0.1)`."""
    if optimizer is None:
        return (model.optimizer if model.compiled else None) or optimizers.get()
    if not isinstance(optimizer, str | keras.optimizers.Optimizer):
        raise TypeError(f"`optimizer` must be a Keras optimizer, or its name. {received('optimizer', optimizer)}")
    return optimizers.get(optimizer)


def keras_loss(model: Any, y: np.ndarray, outputs: Tensor) -> Tensor:
    """Return the loss that Keras minimizes, with the penalties on weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about softmax with from_logits=True, which Keras and trace_step understand
        return model.compute_loss(y=ops.convert_to_tensor(y), y_pred=outputs)


def check_loss(model: Any, y: np.ndarray, outputs: Tensor, error: float, name: str) -> None:
    """Raise ValueError where a compiled model minimizes something else than the error `name`."""
    if not model.compiled:
        return
    minimized = float(keras_loss(model, y, outputs))
    if not np.isclose(minimized, error, rtol=1e-3, atol=1e-5, equal_nan=True):
        raise ValueError(
            f"trace_step cannot explain this loss: {name} of the outputs is {error:.6g}, but Keras minimizes "
            f"{minimized:.6g}. Compile without loss_weights, and give softmax categorical_crossentropy, sigmoid "
            "binary_crossentropy."
        )
