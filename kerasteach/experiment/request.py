"""Request of a comparison: the networks that its arguments mean, and the arguments as `run.json` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from kerasteach.datasets import Dataset
from kerasteach.experiment.arguments import checked_hidden, learning_rate_of, serialized
from kerasteach.experiment.builders import Builder, builds, check_network, check_parameters
from kerasteach.experiment.copies import Copy, Plan, config_of
from kerasteach.experiment.groups import Network
from kerasteach.experiment.variants import ARCHITECTURE, Choices, Variant, variants
from kerasteach.measure.recording.recording import Every
from kerasteach.models import draw_weights, mlp
from kerasteach.validation import LONGEST, whole

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
    every: Every | None

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
        optimizer = serialized(
            settings.get("optimizer", self.optimizer),
            settings.get("learning_rate", self.learning_rate),
            "learning_rate" in settings,
        )
        batch_size = whole("batch_size", settings.get("batch_size", self.batch_size), most=LONGEST)
        batch_size = min(batch_size, len(self.dataset.x_train))
        return Plan(self.dataset, optimizer, self.epochs, batch_size, self.error_below, self.every)

    def learning_rates(self, choices: Choices) -> list[float | str]:
        """Return the learning rate of each variant, or the name of its schedule."""
        return [learning_rate_of(self._plan(variant.settings).optimizer) for variant in variants(choices)]

    def facts(self, choices: Choices) -> dict[str, Any]:
        """Return what `run.json` says of these arguments, and of what varies."""
        dense = self.models is None
        return {
            "activations": list(choices["activation"]) if "activation" in choices else None,
            "models": list(self.models) if self.models is not None else None,
            "vary": {name: _choices(values) for name, values in choices.items() if name not in ("activation", "model")},
            "hidden": list(self.hidden) if dense else None,
            "seeds": list(self.seeds),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": _to_json(self.learning_rate),
            "optimizer": serialized(self.optimizer, self.learning_rate),
            "initializer": _to_json(self.initializer) if dense else None,
            "error_below": self.error_below,
            "every": self.every,
        }


def _choices(values: Mapping[Any, Any]) -> list[Any] | dict[str, Any]:
    """Return what varies as a list, or by name where the names are others."""
    by_name = {name: _to_json(value) for name, value in values.items()}
    return list(values) if all(name == value for name, value in by_name.items()) else by_name


def _to_json(value: Any) -> Any:
    """Return a choice as JSON can hold it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    if isinstance(value, keras.optimizers.Optimizer):
        return config_of(value)
    if isinstance(value, keras.initializers.Initializer):
        return keras.initializers.serialize(value)
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return keras.optimizers.schedules.serialize(value)
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
