"""Derivatives of activation functions: a formula for each of the course's, automatic differentiation for others."""

from __future__ import annotations

from functools import partial

import numpy as np
from keras import ops

from kerasteach.activation_names import ACTIVATIONS
from kerasteach.activations.autodiff import pull_back
from kerasteach.activations.functions import Activation, Tensor, floats, sigmoid, softmax, tanh
from kerasteach.activations.lookup import get, name_of
from kerasteach.validation import received

_BY_ENTRY = (
    "`activation` must be a known name, or a function of tensors that maps each entry of `x` by itself: only then has "
    "it one derivative an entry. "
)


def derivative(activation: str | Activation) -> Activation:
    """Return the derivative of an activation function, itself a function of `x`.

    It is the formula for the course's functions, and automatic differentiation for all others.

    Args:
        activation: A name that `get` knows, or a function. It maps each entry of `x` by itself, or is named softmax,
            log_softmax or sparsemax.

    Returns:
        A function that maps `x` to the derivative at each of its entries, in `x`'s shape. For softmax and its
        relatives, whose every output depends on every input of the last axis, the Jacobian `(..., classes, classes)`.

    Raises:
        ValueError: If no function has this name, or if a function of one's own does not map each entry by itself.
        TypeError: As by `get`.
        RuntimeError: By the derivative, if there is no formula and Keras's backend differentiates nothing.

    Example:
        >>> import kerasteach as kt
        >>> float(kt.activations.derivative("sigmoid")(0.0))
        0.25
        >>> float(kt.activations.derivative("gelu")(0.0))
        0.5
    """
    function = get(activation)
    name = name_of(function)
    if name in _FORMULAS:
        return _FORMULAS[name]
    if name is not None and ACTIVATIONS[name].axis:
        return partial(_jacobian, function)
    if name is None:
        _check_by_entry(function)
    return partial(_slopes, function)


def _check_by_entry(function: Activation) -> None:
    """Raise ValueError unless a function maps some numbers together as it maps each of them alone."""
    points = ops.convert_to_tensor([-1.5, 0.25, 2.0], dtype="float32")
    try:
        together, alone = function(points), ops.concatenate([function(points[i : i + 1]) for i in range(3)])
        fits = np.allclose(ops.convert_to_numpy(together), ops.convert_to_numpy(alone), rtol=1e-5, equal_nan=True)
    except Exception as error:
        raise ValueError(_BY_ENTRY + received("activation", function)) from error
    if not fits:
        raise ValueError(_BY_ENTRY + received("activation", function))


def _slopes(function: Activation, x: Tensor) -> Tensor:
    """Differentiate a function that maps each entry by itself: the gradient of its sum is the derivative."""
    return pull_back(function, floats(x))


def _jacobian(function: Activation, x: Tensor) -> Tensor:
    """Differentiate each output of the last axis by each input, `(..., classes, classes)`."""
    x = floats(x)
    rows = [
        pull_back(function, x, ops.broadcast_to(chosen, x.shape))
        for chosen in ops.unstack(ops.eye(x.shape[-1], dtype=x.dtype))
    ]
    return ops.stack(rows, axis=-2)


def _binary_step_derivative(x: Tensor) -> Tensor:
    """Return 0 everywhere (at 0 itself, where no derivative exists, 0 by convention)."""
    return ops.zeros_like(floats(x))


def _linear_derivative(x: Tensor) -> Tensor:
    return ops.ones_like(floats(x))


def _sigmoid_derivative(x: Tensor) -> Tensor:
    a = sigmoid(x)
    return a * (1 - a)


def _tanh_derivative(x: Tensor) -> Tensor:
    return 1 - ops.square(tanh(x))


def _relu_derivative(x: Tensor) -> Tensor:
    """Return 1 where `x > 0` and 0 elsewhere (0 at the kink, as TensorFlow has it)."""
    return _leaky_relu_derivative(x, negative_slope=0.0)


def _leaky_relu_derivative(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    x = floats(x)
    return ops.where(x > 0, ops.ones_like(x), ops.full_like(x, negative_slope))


def _softmax_derivative(x: Tensor) -> Tensor:
    """Return the Jacobian `J[i, j] = a[i] * (delta[i, j] - a[j])`, `(..., classes, classes)`."""
    a = softmax(x)
    column = ops.expand_dims(a, -1)  # (..., classes, 1)
    row = ops.expand_dims(a, -2)  # (..., 1, classes)
    return column * (ops.eye(a.shape[-1], dtype=a.dtype) - row)


_FORMULAS = {
    "binary_step": _binary_step_derivative,
    "linear": _linear_derivative,
    "sigmoid": _sigmoid_derivative,
    "tanh": _tanh_derivative,
    "relu": _relu_derivative,
    "leaky_relu": _leaky_relu_derivative,
    "softmax": _softmax_derivative,
}
