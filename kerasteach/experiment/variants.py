"""Variants of a comparison: a grid, with a column in the tables for each thing that varies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import keras

from kerasteach import activations as functions
from kerasteach.activation_checks import check_activation, check_layer
from kerasteach.activations import Activation
from kerasteach.activations.lookup import called
from kerasteach.validation import received, several

# `depth` in a table of gradients is a layer's place, so a network's depth has a column of another name.
COLUMNS = {
    "activation": "activation",
    "depth": "hidden_layers",
    "width": "width",
    "learning_rate": "learning_rate",
    "initializer": "initializer",
    "optimizer": "optimizer",
    "batch_size": "batch_size",
}
ARCHITECTURE = ("activation", "depth", "width", "initializer")
Choices: TypeAlias = Mapping[str, Mapping[Any, Any]]  # argument: name in the tables: value
_USUAL = ("sigmoid", "tanh", "relu")


@dataclass(frozen=True)
class Variant:
    """One of the networks that are compared.

    Attributes:
        keys: What its rows in the tables begin with, by column: `{"activation": "relu", "learning_rate": 0.1}`.
        settings: What it is trained with, by argument: `{"activation": relu, "learning_rate": 0.1}`; the name of its
            builder as `model`.
    """

    keys: Mapping[str, Any]
    settings: Mapping[str, Any]


def grid(activations: Any, models: Mapping[str, Any] | None, vary: Any) -> dict[str, dict[Any, Any]]:
    """Return the choices of each argument that varies, by what they are called in the tables.

    Raises:
        ValueError: If there is nothing to choose from, or something cannot be varied.
    """
    vary = _checked(vary)
    if activations is None and "activation" not in vary and models is None:
        activations = "relu" if vary else _USUAL
    if activations is not None and "activation" in vary:
        raise ValueError("Name the activations once: in `activations` or in `vary`. Received: both.")
    if activations is not None or "activation" in vary:
        vary = {"activation": vary.pop("activation", activations), **vary}
    choices = {name: named(name, values) for name, values in vary.items()}
    for name, activation in choices.get("activation", {}).items():
        _check(name, activation, built=models is not None)
    return {"model": {name: name for name in models}, **choices} if models is not None else choices


def _check(name: str, activation: Any, built: bool) -> None:
    """Raise an error unless an activation can be that of several networks, or be handed to a builder."""
    if not built or isinstance(activation, str):
        check_activation(name, activation)
    elif isinstance(activation, keras.layers.Layer):
        check_layer(name, activation)
    elif not callable(activation):
        functions.get(activation)


def variants(choices: Choices) -> list[Variant]:
    """Return every combination, the first argument varying slowest.

    An argument with one choice has no column, unless nothing else has one.
    """
    several = [name for name, values in choices.items() if len(values) > 1] or [next(iter(choices))]
    found = []
    for combination in product(*(values.items() for values in choices.values())):
        chosen = dict(zip(choices, combination, strict=True))
        keys = {COLUMNS.get(name, name): called for name, (called, _) in chosen.items() if name in several}
        found.append(Variant(keys, {name: value for name, (_, value) in chosen.items()}))
    return found


def named(argument: str, values: Any) -> dict[Any, Any]:
    """Return the choices of one argument by the names that they have in the tables."""
    plural = "activations" if argument == "activation" else f"vary[{argument!r}]"
    if isinstance(values, Mapping):
        pairs = [(str(name), value) for name, value in values.items()]
    elif values is None:
        pairs = []
    else:
        iterable = isinstance(values, Iterable) and getattr(values, "ndim", 1) != 0
        single = isinstance(values, str) or callable(values) or not iterable
        pairs = [(_name(argument, value), value) for value in ([values] if single else several(plural, values))]
    if any(isinstance(name, str) for name, _ in pairs):  # a column has one type
        pairs = [(str(name), value) for name, value in pairs]
    choices = dict(pairs)
    if not choices or len(choices) < len(pairs):
        raise ValueError(
            f"`{plural}` must be one or more, each of another name; a dictionary gives names to functions "
            f"and objects. {received(plural, values)}"
        )
    return choices


def _checked(vary: Any) -> dict[str, Any]:
    if vary is None:
        return {}
    if not isinstance(vary, Mapping) or not set(vary) <= set(COLUMNS):
        raise ValueError(
            f'`vary` must give choices for {", ".join(COLUMNS)}, one or more, as in {{"learning_rate": [0.01, 0.1]}}. '
            f"Received: vary={vary!r}."
        )
    return dict(vary)


def _name(argument: str, value: Any) -> Any:
    """Return what a choice is called: itself, if it is a number or text, and else by its function or class."""
    if argument == "activation":
        return _name_of_activation(value)
    if isinstance(value, keras.optimizers.Optimizer | keras.initializers.Initializer):
        return type(value).__name__
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:  # NumPy's numbers, as Python's
        return value.item()
    return value if isinstance(value, str | int | float) else getattr(value, "__name__", type(value).__name__)


def _name_of_activation(activation: str | Activation | None) -> str:
    """Return a name of its own for a function that shares its name with one of the course's, but is another."""
    name = called(activation)
    if activation is None or isinstance(activation, str):
        return name
    if name in functions.names() and activation is not functions.get(name):
        return f"{activation.__module__.split('.')[0]}.{name}"
    return name
