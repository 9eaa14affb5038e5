"""Activation functions by their names, and names by their functions."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

from kerasteach.activation_names import ACTIVATIONS, COURSE, UNFIT, unknown
from kerasteach.activations import functions
from kerasteach.activations.functions import Activation
from kerasteach.validation import received

_OR_A_FUNCTION = "; or a function written with keras.ops"
_COURSE: dict[str, Activation] = {name: getattr(functions, name) for name in COURSE}
_ALIKE = ("linear", "sigmoid", "tanh", "relu", "softmax")  # those that Keras computes as the course does


def names() -> tuple[str, ...]:
    """Return the names of the course's functions, in the order in which the course presents them."""
    return tuple(COURSE)


def name_of(activation: Any) -> str | None:
    """Return the name by which `get` finds a function or one that computes the same; `None` if there is none.

    Args:
        activation: A function. Keras's tanh is the course's; its leaky ReLU, which has another slope, is not.

    Example:
        >>> import keras, kerasteach as kt
        >>> [kt.activations.name_of(one) for one in (kt.activations.tanh, keras.activations.tanh, abs)]
        ['tanh', 'tanh', None]
    """
    return next((name for name, function in _named() if function is activation), None)


def called(activation: str | Activation | None) -> str:
    """Return the name that an activation goes by: a name itself, or that of the function or of the object's class."""
    if activation is None:
        return "linear"
    return activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)


@cache
def _named() -> list[tuple[str, Activation]]:
    theirs = [(name, getattr(keras.activations, name, None)) for name in ACTIVATIONS if name not in COURSE]
    return [
        *_COURSE.items(),
        *((name, getattr(keras.activations, name)) for name in _ALIKE),
        *((name, function) for name, function in theirs if function is not None),
    ]


def get(activation: str | Activation | dict[str, Any] | None) -> Activation:
    """Return the activation function that is meant.

    Args:
        activation: One of `names()`; the name of another function of Keras's, such as `"gelu"`; a function, which is
            returned as it is; the dictionary that Keras writes into a saved layer; or `None`, which means `linear`.

    Raises:
        ValueError: If no function has this name; the message lists the names.
        TypeError: If it is a class, a function of NumPy's, or no function at all.

    Example:
        >>> import kerasteach as kt
        >>> kt.activations.get("tanh") is kt.activations.tanh
        True
    """
    if activation is None:
        return functions.linear
    if isinstance(activation, str):
        return _by_name(activation)
    if isinstance(activation, dict):
        return _from_config(activation)
    if isinstance(activation, type):
        raise TypeError(
            f"`activation` must be a function or its name, and not a class, which makes one: {activation.__name__}(). "
            f"{received('activation', activation)}"
        )
    if isinstance(activation, np.ufunc):
        name = activation.__name__
        raise TypeError(
            "`activation` must compute on tensors, as NumPy's functions do not: use "
            f"keras.ops{f'.{name}' if hasattr(keras.ops, name) else ''}. {received('activation', activation)}"
        )
    if not callable(activation):
        raise unknown(activation, _OR_A_FUNCTION)
    return activation


def _from_config(config: dict[str, Any]) -> Activation:
    try:
        return keras.activations.get(config)
    except ValueError as error:
        raise ValueError(
            "`activation` must be a name, a function, or the dictionary that Keras writes into a saved layer. "
            f"{received('activation', config)}"
        ) from error


def _by_name(name: str) -> Activation:
    if name in COURSE:
        return _COURSE[name]
    try:
        if name not in UNFIT:
            return keras.activations.get(name)
    except ValueError:
        pass
    raise unknown(name, _OR_A_FUNCTION)
