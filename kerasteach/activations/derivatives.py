"""Derivatives of activation functions: the course's formulas, and automatic differentiation for the others."""

from __future__ import annotations

from functools import partial

from kerasteach.activations.autodiff import pull_back
from kerasteach.activations.functions import floats
from kerasteach.activations.lazy_import import ops
from kerasteach.activations.lookup import ACTIVATIONS, get, name_of
from kerasteach.activations.properties import Activation, Tensor
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
        ValueError: If no function has this name, or if a function of your own does not map each entry by itself.
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
    if name is None:
        _check_by_entry(function)
        return partial(_slopes, function)
    known = ACTIVATIONS[name]
    return known.derivative or partial(_jacobian if known.axis else _slopes, function)


def _check_by_entry(function: Activation) -> None:
    """Raise ValueError unless a function maps some numbers together as it maps each of them alone."""
    import numpy as np

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
