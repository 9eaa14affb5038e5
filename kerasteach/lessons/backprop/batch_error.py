"""Error of a batch, and its derivative by the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.backprop.nonlinearity import Nonlinearity
from kerasteach.losses import HalfSquaredError

HALF_SQUARED, MEAN_SQUARED = "half_squared_error", "mean_squared_error"
CATEGORICAL, CATEGORICAL_LOGITS = "cross-entropy of softmax", "cross-entropy of logits"
BINARY, BINARY_LOGITS = "binary cross-entropy of sigmoid", "binary cross-entropy of logits"

_FORMULAS: dict[Any, str] = {
    HalfSquaredError: HALF_SQUARED,
    keras.losses.MeanSquaredError: MEAN_SQUARED,
    keras.losses.mean_squared_error: MEAN_SQUARED,
    keras.losses.CategoricalCrossentropy: CATEGORICAL,
    keras.losses.categorical_crossentropy: CATEGORICAL,
    keras.losses.SparseCategoricalCrossentropy: CATEGORICAL,
    keras.losses.sparse_categorical_crossentropy: CATEGORICAL,
    keras.losses.BinaryCrossentropy: BINARY,
    keras.losses.binary_crossentropy: BINARY,
}
_SPARSE = (keras.losses.SparseCategoricalCrossentropy, keras.losses.sparse_categorical_crossentropy)


@dataclass(frozen=True)
class BatchError:
    """The error E of a batch, without penalties on weights."""

    formula: str | None  # the name of its formula; `None` for a loss that is differentiated automatically
    name: str  # of the loss
    value: Tensor  # E, the mean over the batch (or the sum, where that is the loss's reduction)
    signal: Tensor  # dE/da, `(batch, units)`
    each: Tensor | None = None  # the error of each example, `(batch,)`; `None` without a formula
    targets: Tensor | None = None  # T, `(batch, units)`; class numbers as ones and zeros; `None` without a formula
    divisor: int = 1  # what dE/da is divided by: the batch's examples, times the units where the loss takes their mean
    # dE/dz where the loss and the nonlinearity before it cancel, `(a - T) / divisor`; else `None`
    fused: Tensor | None = None


def batch_error(
    loss: Any, automatic: Callable[[Tensor], Tensor], y: np.ndarray, z: Tensor, a: Tensor, last: Nonlinearity
) -> BatchError:
    """Return the error of a batch and its derivatives.

    Cross-entropy is `E = -sum T ln a`, and `dE/da = -T / a`. After softmax (or sigmoid, for the binary one) the
    derivative by z is `a - T`, which Keras computes, from z, also where a is rounded to 0 or 1.

    Args:
        loss: The loss, as `keras.losses.get` returns it.
        automatic: Returns the loss of outputs, for losses without a formula here.
        y: The targets, as the loss takes them.
        z: The last layer's pre-activation, `(batch, units)`.
        a: The outputs, `(batch, units)`.
        last: The nonlinearity between the two.
    """
    name = str(getattr(loss, "name", "") or getattr(loss, "__name__", type(loss).__name__))
    formula = _formula(loss, last)
    if formula is None:
        tf = require_tensorflow()
        a = tf.identity(a)  # of the outputs themselves, Keras would use its shortcut from z
        with tf.GradientTape() as tape:
            tape.watch(a)
            value = automatic(a)
        signal = tape.gradient(value, a, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return BatchError(None, name, value, signal)
    targets = _targets(loss, formula, y, a)
    each, signal = _each(formula, targets, z, a), _signal(formula, targets, a)
    divisor = a.shape[-1] if formula in (MEAN_SQUARED, BINARY, BINARY_LOGITS) else 1
    value = ops.mean(each)
    if getattr(loss, "reduction", "") == "sum":
        value = ops.sum(each)
    else:
        divisor *= len(a)
    fused = (a - targets) / divisor if formula in (CATEGORICAL, BINARY) else None
    return BatchError(formula, name, value, signal / divisor, each, targets, divisor, fused)


def _options(loss: Any) -> dict[str, Any]:
    return loss.get_config() if type(loss) in _FORMULAS else {}


def _formula(loss: Any, last: Nonlinearity) -> str | None:
    """Return the name of the loss's formula after this nonlinearity, or `None`."""
    formula = _FORMULAS.get(type(loss)) or _FORMULAS.get(loss)
    options = _options(loss)
    if options.get("axis", -1) not in (-1, 1) or options.get("ignore_class") is not None:
        return None
    if formula not in (CATEGORICAL, BINARY):
        return formula
    # Keras recognizes softmax and sigmoid, even with from_logits=True.
    if last.name == ("softmax" if formula == CATEGORICAL else "sigmoid"):
        return formula
    logits = CATEGORICAL_LOGITS if formula == CATEGORICAL else BINARY_LOGITS
    return logits if options.get("from_logits") else None


def _targets(loss: Any, formula: str, y: np.ndarray, a: Tensor) -> Tensor:
    """Return the targets as numbers, one for each output."""
    classes = a.shape[-1]
    if type(loss) in _SPARSE or loss in _SPARSE:
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim != 1 or (y != np.floor(y)).any() or y.min() < 0 or y.max() >= classes:
            raise ValueError(
                f"`y` must hold class numbers from 0 to {classes - 1}, one an example. "
                f"Received: an array of shape {y.shape} with values from {y.min()} to {y.max()}."
            )
        return ops.one_hot(y.astype("int32"), classes, dtype=a.dtype)
    y = y[:, None] if y.ndim == 1 and classes == 1 else y
    if y.shape != tuple(a.shape):
        raise ValueError(f"`y` must be (examples, outputs), {tuple(a.shape)}. Received: y.shape={y.shape}.")
    if formula in (CATEGORICAL, CATEGORICAL_LOGITS) and not np.allclose(y.sum(axis=-1), 1, atol=1e-4):
        raise ValueError(f"`y` must give each example's classes a sum of 1. Received: sums of {y.sum(axis=-1)}.")
    targets = ops.convert_to_tensor(y, dtype=a.dtype)
    smoothing = _options(loss).get("label_smoothing") or 0.0
    return targets * (1 - smoothing) + smoothing / (classes if formula in (CATEGORICAL, CATEGORICAL_LOGITS) else 2)


def _each(formula: str, t: Tensor, z: Tensor, a: Tensor) -> Tensor:
    """Return the error of each example, `(batch,)`; cross-entropies from z, where no probability is rounded to 0."""
    if formula == HALF_SQUARED:
        return 0.5 * ops.sum(ops.square(t - a), axis=-1)
    if formula == MEAN_SQUARED:
        return ops.mean(ops.square(t - a), axis=-1)
    logits = z if formula in (CATEGORICAL, BINARY) else a
    if formula in (CATEGORICAL, CATEGORICAL_LOGITS):
        return -ops.sum(t * ops.log_softmax(logits), axis=-1)
    return ops.mean(ops.softplus(logits) - t * logits, axis=-1)


def _signal(formula: str, t: Tensor, a: Tensor) -> Tensor:
    """Return dE/da before it is divided."""
    if formula == HALF_SQUARED:
        return a - t
    if formula == MEAN_SQUARED:
        return 2 * (a - t)
    if formula == CATEGORICAL_LOGITS:
        return ops.softmax(a) - t
    if formula == BINARY_LOGITS:
        return ops.sigmoid(a) - t
    zero = ops.zeros_like(a)
    signal = -ops.where(t == 0, zero, t / a)  # also where a is rounded to 0, and 0 / 0 would be NaN
    return signal if formula == CATEGORICAL else signal + ops.where(t == 1, zero, (1 - t) / (1 - a))
