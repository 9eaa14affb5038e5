"""Dataclasses of a group's training: the shared plan, one network, the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import pandas as pd

from kerasteach.datasets import Dataset
from kerasteach.measure.recording.recording import Every
from kerasteach.tables.names import distinct


@dataclass(frozen=True)
class Plan:
    """What the networks of a group share, besides their architecture.

    Attributes:
        dataset: What they are trained and tested on.
        optimizer: The optimizer, serialized by Keras; each network gets its own.
        epochs: How often they go through the training data, at most.
        batch_size: Examples a step.
        error_below: The training loss below which a network stops; `None` for no such stop.
        every: Which gradients to keep: of every n-th step, their means over each epoch, or none.
    """

    dataset: Dataset
    optimizer: dict[str, Any]
    epochs: int
    batch_size: int
    error_below: float | None
    every: Every | None


@dataclass(frozen=True)
class Copy:
    """One network of a group.

    Attributes:
        keys: What its rows in the tables begin with, such as `{"activation": "relu", "seed": 3}`; the seed is last.
        seed: Fixes the order of its batches.
        build: Makes it, not compiled, with its initial weights.
        draw: Given the network of another copy that differs in the values of its variables alone, returns those that
            `build` would have given this one, in the order of `network.variables`, in a fraction of the time. Defaults
            to `None`: only `build` knows them.
    """

    keys: Mapping[str, Any]
    seed: int
    build: Callable[[], keras.Model]
    draw: Callable[[keras.Model], Sequence[np.ndarray]] | None = None

    @property
    def variant(self) -> tuple[Any, ...]:
        """Its keys without the seed: networks of one variant differ in first weights and order of batches alone."""
        return tuple(value for name, value in self.keys.items() if name != "seed")


def optimizer_of(config: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """Return a new optimizer of a plan's configuration.

    `keras.optimizers.deserialize` would look a class up by its name alone, and knows not all of Keras's (Lamb).
    """
    return keras.saving.deserialize_keras_object(deepcopy(dict(config)))  # Keras fills the config with objects


def config_of(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """Return an optimizer's configuration, without the name in which Keras counts some optimizers."""
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # the same arguments have the same configuration
    return dict(config)


def paths(network: keras.Model) -> list[str]:
    """Return the path of each of a network's weights; where a path comes again, as that of another, `path #2`."""
    return distinct(variable.path for variable in network.weights)


@dataclass(frozen=True)
class Trained:
    """Result of training a group.

    Attributes:
        history: The columns of the copies' keys, then `epoch, metric, value`.
        gradients: The columns of the copies' keys, then those of `GradientCapture.frame`; empty if none were captured.
        weights: For each copy, in the order of the group, its last weights by `paths` of its own model.
        how: `"together"` in one graph, or `"separately"` one after the other.
    """

    history: pd.DataFrame
    gradients: pd.DataFrame
    weights: list[dict[str, np.ndarray]]
    how: Literal["together", "separately"]
