"""The seven activation functions of the course, their derivatives, and a table of both.

Each function takes anything that Keras can turn into a tensor and returns a tensor of the same shape. Each is
registered, so a model that uses one is saved and loaded without `custom_objects`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, TypeAlias

import keras
import numpy as np
import pandas as pd
from keras import ops

Tensor: TypeAlias = Any
Activation: TypeAlias = Callable[..., Tensor]

_register = keras.saving.register_keras_serializable(package="kerasteach")


@_register
def binary_step(x: Tensor) -> Tensor:
    """Return 1 where `x >= 0` and 0 elsewhere: a neuron that is on or off.

    Its derivative is 0 wherever it exists, so gradient descent can never move a weight in front of it.
    """
    # The sign's gradient is a defined 0 on every backend, where that of a comparison is missing.
    return 1 - ops.relu(-ops.sign(_float(x)))


@_register
def linear(x: Tensor) -> Tensor:
    """Return `x` itself: the output of a regression, and of no use between hidden layers."""
    return _float(x)


@_register
def sigmoid(x: Tensor) -> Tensor:
    """Return `1 / (1 + exp(-x))`, between 0 and 1. Its derivative is 0.25 at most, at 0."""
    return ops.sigmoid(_float(x))


@_register
def tanh(x: Tensor) -> Tensor:
    """Return `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`, between -1 and 1 and symmetric over the origin."""
    return ops.tanh(_float(x))


@_register
def relu(x: Tensor) -> Tensor:
    """Return `max(x, 0)`: a negative input switches the neuron off, so not all neurons are active at once."""
    return ops.relu(_float(x))


@_register
def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return `x` where it is positive and `negative_slope * x` elsewhere, so that no neuron is off for good.

    Keras's own function defaults to a slope of 0.2 and its layer to 0.3; here both default to `0.01`.
    """
    return ops.leaky_relu(_float(x), negative_slope)


@_register
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return `exp(x) / sum(exp(x))` along `axis`: a probability for each class, at a classifier's output."""
    return ops.softmax(_float(x), axis=axis)


def _binary_step_derivative(x: Tensor) -> Tensor:
    """Return 0 everywhere (at 0 itself, where no derivative exists, 0 by convention)."""
    return ops.zeros_like(_float(x))


def _linear_derivative(x: Tensor) -> Tensor:
    return ops.ones_like(_float(x))


def _sigmoid_derivative(x: Tensor) -> Tensor:
    a = sigmoid(x)
    return a * (1 - a)


def _tanh_derivative(x: Tensor) -> Tensor:
    return 1 - ops.square(tanh(x))


def _relu_derivative(x: Tensor) -> Tensor:
    """Return 1 where `x > 0` and 0 elsewhere (0 at the kink, as TensorFlow has it)."""
    return _leaky_relu_derivative(x, negative_slope=0.0)


def _leaky_relu_derivative(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    x = _float(x)
    return ops.where(x > 0, ops.ones_like(x), ops.full_like(x, negative_slope))


def _softmax_derivative(x: Tensor) -> Tensor:
    """Return the Jacobian `J[i, j] = a[i] * (delta[i, j] - a[j])`, `(..., classes, classes)`."""
    a = softmax(x)
    column = ops.expand_dims(a, -1)  # (..., classes, 1)
    row = ops.expand_dims(a, -2)  # (..., 1, classes)
    return column * (ops.eye(a.shape[-1], dtype=a.dtype) - row)


_FUNCTIONS: dict[str, tuple[Activation, Activation]] = {
    "binary_step": (binary_step, _binary_step_derivative),
    "linear": (linear, _linear_derivative),
    "sigmoid": (sigmoid, _sigmoid_derivative),
    "tanh": (tanh, _tanh_derivative),
    "relu": (relu, _relu_derivative),
    "leaky_relu": (leaky_relu, _leaky_relu_derivative),
    "softmax": (softmax, _softmax_derivative),
}


def names() -> tuple[str, ...]:
    """Return the names of the seven functions, in the order in which the course presents them."""
    return tuple(_FUNCTIONS)


def get(activation: str | Activation | dict[str, Any] | None) -> Activation:
    """Return the activation function that is meant.

    Args:
        activation: One of `names()`; a function, which is returned as it is; the dictionary that Keras writes
            into a saved layer; or `None`, which means `linear`.

    Raises:
        ValueError: If no function has this name; the message lists the names.

    Example:
        >>> import kerasteach as kt
        >>> kt.activations.get("tanh") is kt.activations.tanh
        True
    """
    if activation is None:
        return linear
    if callable(activation):
        return activation
    if isinstance(activation, dict):
        return keras.activations.get(activation)
    return _look_up(activation)[0]


def derivative(activation: str | Activation) -> Activation:
    """Return the derivative of one of the seven functions, itself a function of `x`.

    Args:
        activation: One of `names()`, or one of the seven functions.

    Returns:
        A function that maps `x` to the derivative at each of its entries, in `x`'s shape. For softmax, whose
        every output depends on every input of the last axis, the Jacobian `(..., classes, classes)`.

    Raises:
        ValueError: If it is not one of the seven.

    Example:
        >>> import kerasteach as kt
        >>> float(kt.activations.derivative("sigmoid")(0.0))
        0.25
    """
    for function, slope in _FUNCTIONS.values():
        if activation is function:
            return slope
    return _look_up(activation, "one of these functions")[1]


def table(activations: str | Iterable[str] | None = None, x: Any = None) -> pd.DataFrame:
    """Tabulate activation functions and their derivatives, ready to be drawn.

    Softmax works on a whole vector. It is shown as the first output for the three logits `(x, 0, 0)`: the
    probability of a class as its own logit grows.

    Args:
        activations: A name out of `names()`, or several. Defaults to all seven.
        x: The points, `(points,)`. Defaults to 201 of them from -5 to 5.

    Returns:
        A data frame with the columns `activation, x, value, derivative`, a row a function and point.

    Raises:
        ValueError: If a name is unknown, or `x` is empty or not one-dimensional.

    Example:
        >>> import kerasteach as kt
        >>> kt.activations.table(["relu"], x=[-1.0, 2.0])["value"].tolist()
        [0.0, 2.0]
    """
    chosen = names() if activations is None else (activations,) if isinstance(activations, str) else tuple(activations)
    for name in chosen:
        _look_up(name, "several of these")
    points = np.linspace(-5, 5, 201) if x is None else np.asarray(x, dtype="float64")
    if points.ndim != 1 or not points.size or not chosen:
        raise ValueError(
            "`x` must be a vector of numbers, and `activations` names, at least one of each. "
            f"Received: an array of shape {points.shape}, {len(chosen)} names."
        )
    parts = [pd.DataFrame(_columns(name, points)) for name in chosen]
    return pd.concat(parts, ignore_index=True)


def _columns(name: str, points: np.ndarray) -> dict[str, Any]:
    function, slope = _look_up(name)
    if name == "softmax":
        logits = np.stack([points, np.zeros_like(points), np.zeros_like(points)], axis=-1)  # (points, 3)
        value, change = function(logits)[:, 0], slope(logits)[:, 0, 0]
    else:
        value, change = function(points), slope(points)
    value, change = ops.convert_to_numpy(value), ops.convert_to_numpy(change)
    return {"activation": name, "x": points, "value": value, "derivative": change}


def _look_up(
    name: object, otherwise: str = "a function such as keras.activations.gelu"
) -> tuple[Activation, Activation]:
    if isinstance(name, str) and name in _FUNCTIONS:
        return _FUNCTIONS[name]
    close = get_close_matches(str(name), _FUNCTIONS, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"`activation` must be one of {', '.join(_FUNCTIONS)}, or {otherwise}. Received: activation={name!r}.{meant}"
    )


def _float(x: Tensor) -> Tensor:
    """Turn numbers, lists and arrays into a tensor of floats; leave a float tensor as it is."""
    x = x if ops.is_tensor(x) or isinstance(x, keras.KerasTensor) else ops.convert_to_tensor(x)
    return x if "float" in keras.backend.standardize_dtype(x.dtype) else ops.cast(x, keras.config.floatx())
