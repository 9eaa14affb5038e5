"""Training loop of the course: its four steps as plain code, to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasteach import devices
from kerasteach.lessons.batches import array_of
from kerasteach.lessons.model_checks import checked_model, fitting
from kerasteach.losses import HalfSquaredError
from kerasteach.optimizers import PlainSGD
from kerasteach.tables.history import history_table
from kerasteach.validation import finite, whole


def training_loop(
    model: keras.Model,
    x: Any,
    y: Any,
    learning_rate: float = 0.1,
    epochs: int = 100,
    error_below: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
) -> pd.DataFrame:
    """Train a model in the four steps of the course, written out: what `fit` does with PlainSGD and StopOnError.

    1. Start from the weights and biases that the model was initialized with, at random.
    2. Forward propagation: compute the network's output, and from it and the ground truth the error.
    3. Backpropagation: compute the gradient of the error, and update, `w <- w - learning_rate * dE/dw`.
    4. Repeat until the epochs are over or the error is below a threshold.

    Args:
        model: Any Keras model of one input and output; its weights are trained. The error is the loss that it was
            compiled with, or `HalfSquaredError` where it was not compiled. Its own optimizer is not used.
        x: The inputs, `(examples, ...)`.
        y: The ground truth, `(examples, ...)`.
        learning_rate: Defaults to `0.1`.
        epochs: How often to go through the examples, at most. Defaults to `100`.
        error_below: Stop after the first epoch whose mean error is below this. Defaults to `None`: train all epochs.
        batch_size: Examples of an update. Defaults to `None`, the full batch.
        seed: Fixes the order of the examples, a new one each epoch. Defaults to `None`: the given order.

    Returns:
        The table `epoch, metric, value` with the metric `loss`: the mean error over each epoch's examples, taken before
        each update, in the units of the loss.

    Raises:
        ValueError: If an argument is not valid; the message names it.
        TypeError: Likewise, for a value of the wrong kind.
        RuntimeError: If Keras runs on another backend than TensorFlow.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
        >>> x = np.linspace(-1, 1, 20)[:, None]
        >>> table = kt.training_loop(model, x, 2 * x, learning_rate=1.0, error_below=0.01)
        >>> float(table["value"].iloc[-1]) < 0.01 <= float(table["value"].iloc[-2])
        True
    """
    tf = devices.require_tensorflow()
    x, y, batch_size = _checked(model, x, y, epochs, error_below, batch_size, seed)
    error_of = model.compute_loss if getattr(model, "compiled", False) else _half_squared_error
    optimizer = PlainSGD(finite("learning_rate", learning_rate))
    errors: list[float] = []
    with fitting(model):
        for order in _orders(len(x), epochs, seed):  # 1. the weights are there
            total = 0.0
            for rows in np.split(order, range(batch_size, len(x), batch_size)):
                with tf.GradientTape() as tape:
                    outputs = model(x[rows], training=True)  # 2. forward propagation
                    error = error_of(x[rows], y[rows], outputs)  # and the error, the mean over the batch
                gradients = tape.gradient(error, model.trainable_variables)  # 3. backpropagation
                optimizer.apply(gradients, model.trainable_variables)  # and the update
                total += float(error) * len(rows)
            errors.append(total / len(x))
            if error_below is not None and errors[-1] < error_below:  # 4. until the error is small enough
                break
    return history_table({"loss": errors})


def _orders(examples: int, epochs: int, seed: int | None) -> Iterator[np.ndarray]:
    """Yield the order of the examples for each epoch."""
    random = None if seed is None else np.random.default_rng(seed)
    for _ in range(epochs):
        yield np.arange(examples) if random is None else random.permutation(examples)


def _half_squared_error(_: Any, y: Any, outputs: Any) -> Any:
    return HalfSquaredError()(y, outputs)


def _checked(
    model: Any, x: Any, y: Any, epochs: Any, error_below: Any, batch_size: Any, seed: Any
) -> tuple[np.ndarray, np.ndarray, int]:
    checked_model(model)
    x, y = _array("x", x), _array("y", y)
    if not x.ndim or not len(x) or y.shape[:1] != x.shape[:1]:
        raise ValueError(
            "`x` and `y` must have a row for each example, and one example at least. "
            f"Received: x.shape={x.shape}, y.shape={y.shape}."
        )
    whole("epochs", epochs)
    if error_below is not None:
        finite("error_below", error_below)
    if seed is not None:
        whole("seed", seed, 0)
    if not model.built:
        with fitting(model):
            model(x[:1])
    return x, y, len(x) if batch_size is None else whole("batch_size", batch_size)


def _array(argument: str, value: Any) -> np.ndarray:
    """Return numbers or text as an array, in their own precision."""
    checked, given = array_of(argument, value), np.asarray(value)
    return checked if given.dtype == object else given
