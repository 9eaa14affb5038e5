"""Variants of a comparison: the grid of all choices, with a column in the tables for each thing that varies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, TypeAlias

import keras
import numpy as np

from kerasteach import activations as functions
from kerasteach.activation_checks import check_activation, check_layer
from kerasteach.activations import Activation
from kerasteach.activations.lookup import called
from kerasteach.datasets import Dataset
from kerasteach.experiment.builders import Builder, built, dense_builder, own_builder, own_prototype
from kerasteach.experiment.networks import Network, Plan
from kerasteach.experiment.serialization import serialized
from kerasteach.models import draw_weights
from kerasteach.validation import LONGEST, received, several, whole

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
ARCHITECTURE = ("model", "activation", "depth", "width", "initializer")
Choices: TypeAlias = Mapping[str, Mapping[Any, Any]]  # argument: name in the tables: value
_USUAL = ("sigmoid", "tanh", "relu")


@dataclass(frozen=True)
class Variant:
    """One kind of network that is compared.

    Attributes:
        keys: What its rows in the tables begin with, by column: `{"activation": "relu", "learning_rate": 0.1}`.
        names: The name of each choice, by argument, also of what does not vary.
        settings: What it is made of and trained with, by argument: `{"activation": relu, "learning_rate": 0.1}`; the
            name of its builder as `model`.
        plan: How it is trained.
        build: Builds its network of a seed. It can be sent to another process if the caller's own parts can.
        draw: Draws the weights of another seed for its network, in a fraction of the time; `None` where only `build`
            knows them.
        prototype: Its network of the first seed, to look at: variants of one architecture share it.
    """

    keys: Mapping[str, Any]
    names: Mapping[str, Any]
    settings: Mapping[str, Any]
    plan: Plan
    build: Builder
    draw: Callable[..., list[np.ndarray]] | None
    prototype: keras.Model

    @property
    def name(self) -> str:
        """The names of what varies, separated by commas."""
        return ", ".join(map(str, self.keys.values()))

    def network(self, seed: int) -> Network:
        """Return the network of a seed, which is built where it is trained."""
        draw = None if self.draw is None else partial(self.draw, seed=seed)
        return Network({**self.keys, "seed": seed}, seed, partial(self.build, seed=seed), draw)


def grid(
    choices: Choices, shared: Mapping[str, Any], plan: Plan, builders: Mapping[str, Builder] | None, seed: int
) -> list[Variant]:
    """Return every combination of the choices, the first argument varying slowest.

    An argument with one choice has no column, unless nothing else has one.

    Args:
        choices: What `choices_of` returned.
        shared: The other arguments that make a network and its plan: `hidden`, `initializer`, `optimizer`,
            `learning_rate` and `batch_size`.
        plan: The plan, of which optimizer and batch size may vary.
        builders: The caller's own, by name; `None` for networks of dense layers.
        seed: That of the prototypes.

    Raises:
        ValueError, TypeError: If a combination cannot be built or trained.
    """
    several = [name for name, values in choices.items() if len(values) > 1] or [next(iter(choices))]
    architectures: dict[tuple[Any, ...], tuple[Builder, keras.Model]] = {}
    found = []
    for combination in product(*(values.items() for values in choices.values())):
        names, values = (dict(zip(choices, part, strict=True)) for part in zip(*combination, strict=True))
        settings = {**shared, **values}
        own_plan = _plan(plan, settings, "learning_rate" in values)
        architecture = tuple(names.get(argument) for argument in ARCHITECTURE)
        if architecture not in architectures:
            architectures[architecture] = _architecture(values, settings, plan.dataset, builders, seed)
        build, prototype = architectures[architecture]
        draw = draw_weights if builders is None else None
        keys = {COLUMNS.get(argument, argument): name for argument, name in names.items() if argument in several}
        found.append(Variant(keys, names, settings, own_plan, build, draw, prototype))
    return found


def _plan(plan: Plan, settings: Mapping[str, Any], own_rate: bool) -> Plan:
    batch_size = whole("batch_size", settings["batch_size"], most=LONGEST)
    optimizer = serialized(settings["optimizer"], settings["learning_rate"], own_rate)
    return replace(plan, optimizer=optimizer, batch_size=min(batch_size, len(plan.dataset.x_train)))


def _architecture(
    values: Mapping[str, Any],
    settings: Mapping[str, Any],
    dataset: Dataset,
    builders: Mapping[str, Builder] | None,
    seed: int,
) -> tuple[Builder, keras.Model]:
    """Return the builder of a combination, and its prototype."""
    if builders is None:
        build = dense_builder(settings, dataset)
        return build, built(build, seed)
    name = values["model"]
    given = {argument: values[argument] for argument in ARCHITECTURE[1:] if argument in values}
    build = own_builder(name, builders[name], given, dataset)
    return build, own_prototype(name, build, seed, dataset)


def choices_of(activations: Any, models: Mapping[str, Any] | None, vary: Any) -> dict[str, dict[Any, Any]]:
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
        module = getattr(activation, "__module__", type(activation).__module__)  # NumPy 1's functions have none
        return f"{module.split('.')[0]}.{name}"
    return name
