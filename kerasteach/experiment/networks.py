"""Dataclasses of a training: the shared plan, one network, a group of them, the result. Needs no Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasteach.tables.names import distinct

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd

    from kerasteach.datasets import Dataset
    from kerasteach.measure.recording.recording import Every


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
        statistics: What to record of them, in the order of the table's columns. Defaults to norm, mean, std, finite.
    """

    dataset: Dataset
    optimizer: dict[str, Any]
    epochs: int
    batch_size: int
    error_below: float | None
    every: Every | None
    statistics: tuple[str, ...] = ("norm", "mean", "std", "finite")


@dataclass(frozen=True)
class Network:
    """One network: a variant from a seed. It can be sent to another process if its builder can.

    Attributes:
        keys: What its rows in the tables begin with, such as `{"activation": "relu", "seed": 3}`; the seed is last.
        seed: Fixes the order of its batches.
        build: Builds it, not compiled, with its initial weights.
        draw: Given the network of another seed, returns the values that `build` would have given to this one's
            variables, in the order of `network.variables`, in a fraction of the time. Defaults to `None`: only `build`
            knows them.
    """

    keys: Mapping[str, Any]
    seed: int
    build: Callable[[], keras.Model]
    draw: Callable[[keras.Model], Sequence[np.ndarray]] | None = None

    @property
    def variant(self) -> tuple[Any, ...]:
        """Its keys without the seed: networks of one variant differ in first weights and order of batches alone."""
        return tuple(value for name, value in self.keys.items() if name != "seed")


@dataclass(frozen=True)
class Group:
    """Networks that are trained as one piece of work.

    Attributes:
        plan: What they share.
        networks: The networks.
        separately: Why they are trained one after the other; `None` where they are trained in one graph.
    """

    plan: Plan
    networks: Sequence[Network]
    separately: str | None = None


class Trained(NamedTuple):
    """Tables and weights of networks that were trained.

    Attributes:
        history: The columns of the networks' keys, then `epoch, metric, value`.
        gradients: The columns of the networks' keys, then those of `GradientCapture.frame`; empty if none were
            captured.
        weights: For each network, in their order, its last weights by `paths` of its own model.
        models: The model that each variant was trained with.
    """

    history: pd.DataFrame
    gradients: pd.DataFrame
    weights: list[dict[str, np.ndarray]]
    models: dict[tuple[Any, ...], keras.Model]


@dataclass(frozen=True)
class Outcome:
    """Result of training a group.

    Attributes:
        networks: The networks' keys.
        tables: `history`, `gradients` and what `kerasteach.experiment.predictions` makes; each begins with the columns
            of the networks' keys.
        weights: As in `Trained`; empty if they are not kept.
        why: Why they were trained one after the other; `None` where they were trained in one graph.
        seconds: How long it took.
    """

    networks: list[dict[str, Any]]
    tables: dict[str, pd.DataFrame]
    weights: list[dict[str, np.ndarray]]
    why: str | None
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Return what `run.json` says of the group."""
        how = "together" if self.why is None else "separately"
        return {"networks": self.networks, "how": how, "why": self.why, "seconds": self.seconds}


def paths(network: keras.Model) -> list[str]:
    """Return the path of each of a network's weights; where a path comes again, as that of another, `path #2`."""
    return distinct(variable.path for variable in network.weights)
