"""Activation functions by their names, and names by their functions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from kerasteach.activations.functions import COURSE, linear
from kerasteach.activations.keras_functions import KERAS, UNFIT
from kerasteach.activations.lazy_import import keras
from kerasteach.activations.properties import Activation
from kerasteach.validation import did_you_mean, received, several

ACTIVATIONS = {**COURSE, **KERAS}
_OR_A_FUNCTION = "; or a function written with keras.ops"


def names() -> tuple[str, ...]:
    """Return the names of the course's functions, in the order in which the course presents them."""
    return tuple(COURSE)


def name_of(activation: Any) -> str | None:
    """Return the name by which `get` finds a function or one that computes the same; `None` if there is none.

    Args:
        activation: A function. Keras's tanh is the course's; its leaky ReLU, which has another slope, is not.

    Example:
        >>> import keras, kerasteach as kt
        >>> [kt.activations.name_of(f) for f in (kt.activations.tanh, keras.activations.tanh, abs)]
        ['tanh', 'tanh', None]
    """
    return next((name for name, function in _named() if function is activation), None)


def called(activation: str | Activation | None) -> str:
    """Return an activation's name: the name itself, or that of the function or of the object's class."""
    if activation is None:
        return "linear"
    return activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)


@cache
def _named() -> list[tuple[str, Activation]]:
    """Return each name with its functions: the course's, Keras's that computes the same, and Keras's others."""
    course = [(name, known.function) for name, known in COURSE.items()]
    in_keras = [name for name, known in ACTIVATIONS.items() if known.as_in_keras or name in KERAS]
    pairs = [*course, *((name, getattr(keras.activations, name, None)) for name in in_keras)]
    return [(name, function) for name, function in pairs if function is not None]


def get(activation: str | Activation | dict[str, Any] | None) -> Activation:
    """Return an activation function, by its name where it is given by name.

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
        return linear
    if isinstance(activation, str):
        return _by_name(activation)
    if isinstance(activation, dict):
        return _from_config(activation)
    if isinstance(activation, type):
        raise TypeError(
            f"`activation` must be a function or its name, and not a class, which makes one: {activation.__name__}(). "
            f"{received('activation', activation)}"
        )
    if _is_ufunc(activation):
        name = activation.__name__
        raise TypeError(
            "`activation` must compute on tensors, as NumPy's functions do not: use "
            f"keras.ops{f'.{name}' if hasattr(keras.ops, name) else ''}. {received('activation', activation)}"
        )
    if not callable(activation):
        raise _unknown(activation, _OR_A_FUNCTION)
    return activation


def _is_ufunc(activation: Any) -> bool:
    import numpy as np

    return isinstance(activation, np.ufunc)


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
        function = COURSE[name].function
        assert function is not None
        return function
    try:
        if name not in UNFIT:
            return keras.activations.get(name)
    except ValueError:
        pass
    raise _unknown(name, _OR_A_FUNCTION)


def check_names(names: Iterable[str] | None) -> None:
    """Raise an error unless each name is that of an activation function. Keras is not imported.

    Args:
        names: The names; `None` is no name.

    Raises:
        TypeError: If it is no list of names, or a name is no text.
        ValueError: If a name is unknown; the message lists the names, and the nearest.

    Example:
        >>> from kerasteach.activations.lookup import check_names
        >>> check_names(["relu", "gelu"])
    """
    for name in several("activations", () if names is None else names, "names"):
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise _unknown(name)


def _unknown(name: object, otherwise: str = "") -> ValueError | TypeError:
    """Return the error for an unknown name; `otherwise` says what else is valid."""
    if isinstance(name, str) and name in UNFIT:
        return ValueError(f"`activation` cannot be {name}: {UNFIT[name]}. {received('activation', name)}")
    error = ValueError if isinstance(name, str) else TypeError
    return error(
        f"`activation` must be one of {', '.join(COURSE)}; of Keras's others, {', '.join(KERAS)}{otherwise}. "
        f"{received('activation', name)}{did_you_mean(name, ACTIVATIONS)}"
    )
