"""The course's activation functions: each with its derivative and its properties, in one table.

A new one is a function, its name in `__all__`, and an entry of `COURSE`; a layer of it stands in
`kerasteach.layers.activations`. Each function takes anything that Keras can turn into a tensor and returns a tensor of
the same shape. All are registered with Keras, so a model that uses one is saved and loaded without `custom_objects`.
Keras is imported by the first call, not by this module: figures and commands read the names before TensorFlow starts.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

from kerasteach.activations.lazy_import import keras, ops
from kerasteach.activations.properties import GLOROT, Properties, Tensor
from kerasteach.validation import finite, received

__all__ = ["binary_step", "leaky_relu", "linear", "relu", "sigmoid", "softmax", "tanh"]


def binary_step(x: Tensor) -> Tensor:
    """Return 1 where `x >= 0` and 0 elsewhere: a neuron that is on or off.

    Its derivative is 0 wherever it exists, so gradient descent can never move a weight in front of it.
    """
    # The sign's gradient is a defined 0 on every backend, where that of a comparison is missing.
    return 1 - ops.relu(-ops.sign(floats(x)))


def _binary_step_derivative(x: Tensor) -> Tensor:
    """Return 0 everywhere (at 0 itself, where no derivative exists, 0 by convention)."""
    return ops.zeros_like(floats(x))


def linear(x: Tensor) -> Tensor:
    """Return `x` itself: the output of a regression, and of no use between hidden layers."""
    return floats(x)


def _linear_derivative(x: Tensor) -> Tensor:
    return ops.ones_like(floats(x))


def sigmoid(x: Tensor) -> Tensor:
    """Return `1 / (1 + exp(-x))`, between 0 and 1. Its derivative is 0.25 at most, at 0."""
    return ops.sigmoid(floats(x))


def _sigmoid_derivative(x: Tensor) -> Tensor:
    a = sigmoid(x)
    return a * (1 - a)


def tanh(x: Tensor) -> Tensor:
    """Return `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`, between -1 and 1 and symmetric over the origin."""
    return ops.tanh(floats(x))


def _tanh_derivative(x: Tensor) -> Tensor:
    return 1 - ops.square(tanh(x))


def relu(x: Tensor) -> Tensor:
    """Return `max(x, 0)`: a negative input switches the neuron off, so not all neurons are active at once."""
    return ops.relu(floats(x))


def _relu_derivative(x: Tensor) -> Tensor:
    """Return 1 where `x > 0` and 0 elsewhere (0 at the kink, as TensorFlow has it)."""
    return _leaky_relu_derivative(x, negative_slope=0.0)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return `x` where it is positive and `negative_slope * x` elsewhere, so that no neuron is off for good.

    Keras's own function defaults to a slope of 0.2 and its layer to 0.3; here both default to `0.01`.
    """
    return ops.leaky_relu(floats(x), finite("negative_slope", negative_slope))


def _leaky_relu_derivative(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    x = floats(x)
    return ops.where(x > 0, ops.ones_like(x), ops.full_like(x, negative_slope))


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return `exp(x) / sum(exp(x))` along `axis`: a probability for each class, at a classifier's output."""
    x = floats(x)
    return ops.softmax(x, axis=_checked_axis(x, axis))


def _softmax_derivative(x: Tensor) -> Tensor:
    """Return the Jacobian `J[i, j] = a[i] * (delta[i, j] - a[j])`, `(..., classes, classes)`."""
    a = softmax(x)
    column = ops.expand_dims(a, -1)  # (..., classes, 1)
    row = ops.expand_dims(a, -2)  # (..., 1, classes)
    return column * (ops.eye(a.shape[-1], dtype=a.dtype) - row)


def _checked_axis(x: Tensor, axis: Any) -> int | tuple[int, ...]:
    """Return an axis, or several, if the tensor has them."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if not axes or not all(isinstance(number, Integral) for number in axes):
        raise TypeError(f"`axis` must be a whole number. {received('axis', axis)}")
    if not all(-len(x.shape) <= number < len(x.shape) for number in axes):
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
    except Exception as error:  # the kind depends on the backend, for text, ragged rows or objects
        raise TypeError(f"`x` must hold numbers. {received('x', x)}") from error
    raise TypeError(f"`x` must hold real numbers. {received('x', x)}")


# The colors are those of `kerasteach.plotting.style` on a light ground, where each has its counterpart on a dark one.
# Sigmoid, tanh and ReLU stay apart for color-blind eyes and in a gray printout (lightness 44, 60 and 24 of 100);
# markers distinguish the others where lightness does not.
COURSE = {
    "binary_step": Properties(
        binary_step,
        _binary_step_derivative,
        jumps=(0.0,),
        initialization=GLOROT,
        color="#000000",
        marker="P",
    ),
    "linear": Properties(
        linear,
        _linear_derivative,
        as_in_keras=True,
        initialization=GLOROT,
        color="#8A8A8A",
        marker="D",
    ),
    "sigmoid": Properties(
        sigmoid,
        _sigmoid_derivative,
        as_in_keras=True,
        limits=(0.0, 1.0),
        initialization=GLOROT,
        color="#BB3355",
        marker="o",
    ),
    "tanh": Properties(
        tanh,
        _tanh_derivative,
        as_in_keras=True,
        limits=(-1.0, 1.0),
        initialization=GLOROT,
        color="#B68A00",
        marker="s",
    ),
    "relu": Properties(
        relu,
        _relu_derivative,
        as_in_keras=True,
        kinks=(0.0,),
        initialization=("fan_in", 2.0),
        color="#003A6F",
        marker="^",
    ),
    "leaky_relu": Properties(
        leaky_relu,
        _leaky_relu_derivative,
        kinks=(0.0,),
        # He et al. (2015): letting the share a of negative values pass keeps the variance at 2 / ((1 + a^2) n_in).
        initialization=("fan_in", 2 / (1 + 0.01**2)),
        color="#1199CC",
        marker="v",
    ),
    "softmax": Properties(
        softmax,
        _softmax_derivative,
        as_in_keras=True,
        limits=(0.0, 1.0),
        initialization=GLOROT,
        color="#A338AD",
        marker="X",
        axis=True,
    ),
}
