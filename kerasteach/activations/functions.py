"""The course's activation functions.

Each takes anything that Keras can turn into a tensor and returns a tensor of the same shape. Each is registered, so a
model that uses one is saved and loaded without `custom_objects`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops

from kerasteach.validation import finite, received

Tensor: TypeAlias = Any
Activation: TypeAlias = Callable[..., Tensor]

_register = keras.saving.register_keras_serializable(package="kerasteach")


@_register
def binary_step(x: Tensor) -> Tensor:
    """Return 1 where `x >= 0` and 0 elsewhere: a neuron that is on or off.

    Its derivative is 0 wherever it exists, so gradient descent can never move a weight in front of it.
    """
    # The sign's gradient is a defined 0 on every backend, where that of a comparison is missing.
    return 1 - ops.relu(-ops.sign(floats(x)))


@_register
def linear(x: Tensor) -> Tensor:
    """Return `x` itself: the output of a regression, and of no use between hidden layers."""
    return floats(x)


@_register
def sigmoid(x: Tensor) -> Tensor:
    """Return `1 / (1 + exp(-x))`, between 0 and 1. Its derivative is 0.25 at most, at 0."""
    return ops.sigmoid(floats(x))


@_register
def tanh(x: Tensor) -> Tensor:
    """Return `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`, between -1 and 1 and symmetric over the origin."""
    return ops.tanh(floats(x))


@_register
def relu(x: Tensor) -> Tensor:
    """Return `max(x, 0)`: a negative input switches the neuron off, so not all neurons are active at once."""
    return ops.relu(floats(x))


@_register
def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return `x` where it is positive and `negative_slope * x` elsewhere, so that no neuron is off for good.

    Keras's own function defaults to a slope of 0.2 and its layer to 0.3; here both default to `0.01`.
    """
    return ops.leaky_relu(floats(x), finite("negative_slope", negative_slope))


@_register
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return `exp(x) / sum(exp(x))` along `axis`: a probability for each class, at a classifier's output."""
    x = floats(x)
    return ops.softmax(x, axis=_checked_axis(x, axis))


def _checked_axis(x: Tensor, axis: Any) -> int | tuple[int, ...]:
    """Return an axis, or several, if the tensor has them."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if not axes or not all(isinstance(one, (int, np.integer)) for one in axes):
        raise TypeError(f"`axis` must be a whole number. {received('axis', axis)}")
    if not all(-len(x.shape) <= one < len(x.shape) for one in axes):
        raise ValueError(
            "`x` must have the dimension `axis`, along which softmax sums to 1. "
            f"Received: x of shape {tuple(x.shape)}, axis={axis}."
        )
    return tuple(axes) if len(axes) > 1 else axes[0]


def floats(x: Tensor, dtype: str | None = None) -> Tensor:
    """Turn numbers, lists and arrays into a tensor of floats; leave a float tensor as it is.

    Args:
        x: What Keras can turn into a tensor.
        dtype: What whole numbers become. Defaults to `None`, Keras's global float type.

    Raises:
        TypeError: If it holds no real numbers.
    """
    try:
        tensor = x if ops.is_tensor(x) or isinstance(x, keras.KerasTensor) else ops.convert_to_tensor(x)
        kind = keras.backend.standardize_dtype(tensor.dtype)
        if "float" in kind:
            return tensor
        if "complex" not in kind:
            return ops.cast(tensor, dtype or keras.config.floatx())
    except Exception as error:  # whatever the backend raises for text, ragged rows or objects
        raise TypeError(f"`x` must hold numbers. {received('x', x)}") from error
    raise TypeError(f"`x` must hold real numbers. {received('x', x)}")
