"""What `compare` is asked for: the networks that it trains, and what `run.json` tells of the arguments."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import keras

from kerasteach.datasets import Dataset
from kerasteach.experiment.arguments import checked_hidden, learning_rate_of, serialised
from kerasteach.experiment.builders import Builder, builds, check_network, check_parameters, fingerprint
from kerasteach.experiment.copies import Copy, Plan
from kerasteach.experiment.groups import Network
from kerasteach.experiment.variants import ARCHITECTURE, Choices, Variant, variants
from kerasteach.measure.runs import read_facts
from kerasteach.models import draw_weights, mlp
from kerasteach.validation import whole

HIDDEN = (32,) * 6
INITIALIZER = "glorot_uniform"


@dataclass(frozen=True)
class Request:
    """The arguments of `compare`, checked, which all networks share unless they vary."""

    dataset: Dataset
    models: dict[str, Builder] | None
    hidden: Sequence[int]
    seeds: Sequence[int]
    epochs: int
    batch_size: int
    learning_rate: Any
    optimizer: Any
    initializer: Any
    error_below: float | None
    capture: Literal["epoch", "step"] | None

    def __post_init__(self) -> None:
        if self.models is not None and (tuple(self.hidden) != HIDDEN or self.initializer != INITIALIZER):
            raise ValueError(
                "`hidden` and `initializer` are for networks without `models`: a builder lays its own layers. "
                f"Received: hidden={tuple(self.hidden)}, initializer={self.initializer!r}."
            )

    def networks(self, choices: Choices) -> list[Network]:
        """Return every network: each variant from each seed, in this order."""
        return [network for variant in variants(choices) for network in self._networks_of(variant)]

    def _networks_of(self, variant: Variant) -> list[Network]:
        plan = self._plan(variant.settings)
        shape = {name: value for name, value in variant.settings.items() if name in ARCHITECTURE}
        same = {name: value for name, value in shape.items() if name not in ("activation", "initializer")}
        model = variant.settings.get("model")
        makes = self._dense(shape) if model is None else self._own(model, shape)
        draws = [partial(draw_weights, seed=seed) if model is None else None for seed in self.seeds]
        return [
            Network(plan, {**same, "model": model}, Copy({**variant.keys, "seed": seed}, seed, make, draw))
            for seed, make, draw in zip(self.seeds, makes, draws, strict=True)
        ]

    def _own(self, name: str, shape: Mapping[str, Any]) -> list[Callable[[], keras.Model]]:
        """Return what makes the network of a builder of the caller's, for each seed."""
        build = (self.models or {})[name]
        check_parameters(name, build, shape)
        makes = [builds(build, shape, self.dataset.x_train[:2], seed) for seed in self.seeds]
        check_network(name, makes[0], self.dataset)
        return makes

    def _dense(self, shape: Mapping[str, Any]) -> list[Callable[[], keras.Model]]:
        """Return what makes the network of dense layers, for each seed."""
        builder = partial(
            mlp,
            shape["activation"],
            checked_hidden(self.hidden, shape.get("depth"), shape.get("width")),
            inputs=self.dataset.inputs[0],
            outputs=self.dataset.outputs,
            output_activation="softmax" if self.dataset.classes else None,
            initializer=shape.get("initializer", self.initializer),
            dtype="float32",
        )
        builder(seed=self.seeds[0])  # what it refuses, it refuses before anything is trained
        return [partial(builder, seed=seed) for seed in self.seeds]

    def _plan(self, settings: Mapping[str, Any]) -> Plan:
        optimizer = serialised(
            settings.get("optimizer", self.optimizer),
            settings.get("learning_rate", self.learning_rate),
            "learning_rate" in settings,
        )
        batch_size = whole("batch_size", settings.get("batch_size", self.batch_size))
        return Plan(self.dataset, optimizer, self.epochs, batch_size, self.error_below, self.capture)

    def learning_rates(self, choices: Choices) -> list[float | str]:
        """Return the learning rate of each variant, or the name of its schedule."""
        return [learning_rate_of(self._plan(variant.settings).optimizer) for variant in variants(choices)]

    def facts(self, choices: Choices, networks: Sequence[Network]) -> dict[str, Any]:
        """Return what `run.json` says of these arguments, of what varies, and of the networks of builders."""
        dense = self.models is None
        return {
            "activations": list(choices["activation"]) if "activation" in choices else None,
            "models": None if dense else _architectures(networks),
            "vary": {name: _choices(values) for name, values in choices.items() if name not in ("activation", "model")},
            "hidden": list(self.hidden) if dense else None,
            "seeds": list(self.seeds),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": _told(self.learning_rate),
            "optimizer": serialised(self.optimizer, self.learning_rate),
            "initializer": _told(self.initializer) if dense else None,
            "error_below": self.error_below,
            "capture": self.capture,
        }


def _choices(values: Mapping[Any, Any]) -> list[Any] | dict[str, Any]:
    """Return what varies as a list, or by name where the names are others."""
    by_name = {name: _told(value) for name, value in values.items()}
    return list(values) if all(name == value for name, value in by_name.items()) else by_name


def _told(value: Any) -> Any:
    """Return a choice as JSON can tell it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    if isinstance(value, keras.optimizers.Optimizer):
        config = keras.optimizers.serialize(value)
        config["config"].pop("name", None)  # Keras counts some: the same arguments shall be told alike
        return config
    if isinstance(value, keras.initializers.Initializer):
        return keras.initializers.serialize(value)
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return keras.optimizers.schedules.serialize(value)
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    packages = ("kerasteach", "keras", "tensorflow", "numpy", "pandas")
    return {**{name: version(name) for name in packages}, "python": platform.python_version()}


def _architectures(networks: Sequence[Network]) -> dict[str, str]:
    """Return the fingerprint of each variant's network, by what the variant is called."""
    first: dict[str, Copy] = {}
    for network in networks:
        first.setdefault(", ".join(map(str, network.copy.variant)), network.copy)
    return {name: fingerprint(copy.build()) for name, copy in first.items()}


def asked_again(directory: str | Path, own_models: bool = False) -> dict[str, Any]:
    """Return the arguments with which the comparison in a directory was begun, to call `compare` with again.

    Args:
        directory: What `compare` was given.
        own_models: Whether the caller adds `models=`, of which `run.json` knows fingerprints only. Defaults to `False`.

    Raises:
        FileNotFoundError: If the directory holds no run.
        ValueError: If no file can tell some of them; the same call again is the way then.
    """
    facts = read_facts(directory)
    arguments = dict(facts.get("arguments") or {})
    if not arguments or (arguments.pop("models") is not None) != own_models:
        raise ValueError(
            "There is no comparison, or one with models of your own, which only the same call again can go on with "
            f"(the command needs its --models again). Received: {str(directory)!r}."
        )
    if arguments["data"] == "yours":
        raise ValueError(
            "The comparison there has arrays for data, which no file holds; the same call again goes on with it. "
            f"Received: {str(directory)!r}."
        )
    optimizer = keras.optimizers.deserialize(arguments.pop("optimizer"))
    vary = {
        name: {key: _untold(value) for key, value in values.items()} if isinstance(values, dict) else values
        for name, values in arguments.pop("vary").items()
    }
    given = {name: _untold(value) for name, value in arguments.items() if value is not None or name == "capture"}
    return {**given, "vary": vary, "optimizer": optimizer, "device": facts["device"]}


def _untold(value: Any) -> Any:
    """Return what `_told` told as a dictionary as Keras's object."""
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
