"""Which networks train together, and the training of such a group: what is written, resumed and sent away as one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from kerasteach import devices
from kerasteach.experiment.copies import Copy, Plan, Trained
from kerasteach.experiment.predictions import predictions
from kerasteach.experiment.training import train_separately

LARGEST = 5  # networks one after the other: what a killed comparison loses, and what a worker gets at a time


@dataclass(frozen=True)
class Network:
    """One network of a comparison, and what it must share with those that it is trained with.

    Attributes:
        plan: How it is trained.
        architecture: Tells architectures apart; equal for networks that differ in activation and first weights alone.
        copy: The network.
    """

    plan: Plan
    architecture: Mapping[str, Any]
    copy: Copy


@dataclass(frozen=True)
class Group:
    """Networks that are trained as one piece of work.

    Attributes:
        plan: What they share.
        copies: The networks.
    """

    plan: Plan
    copies: Sequence[Copy]


@dataclass(frozen=True)
class Outcome:
    """What training a group gave.

    Attributes:
        networks: The copies' keys.
        tables: `history`, `gradients` and, for data with two features, `predictions`; each begins with the columns of
            the copies' keys.
        weights: As in `Trained`; empty if they are not kept.
        how: As in `Trained`.
        seconds: How long it took.
    """

    networks: list[dict[str, Any]]
    tables: dict[str, pd.DataFrame]
    weights: list[dict[str, np.ndarray]]
    how: Literal["together", "separately"]
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Return what `run.json` says of the group."""
        return {"networks": self.networks, "how": self.how, "seconds": self.seconds}


def grouped(networks: Sequence[Network]) -> list[Group]:
    """Divide the networks of a comparison into groups, in their order.

    A group shares plan and architecture. Where its networks are trained one after the other, it is at most `LARGEST`
    networks of one variant, for which the training step is compiled once. This depends on the arguments alone, never
    on what is left to do, the executor or the machine: which networks are trained together can change the last digits
    of their numbers.
    """
    sharing: dict[str, list[Network]] = {}
    for network in networks:
        shared = json.dumps([network.plan.optimizer, network.plan.batch_size, network.architecture], default=repr)
        sharing.setdefault(shared, []).append(network)
    return [group for members in sharing.values() for group in _one_after_the_other(members)]


def _one_after_the_other(networks: Sequence[Network]) -> list[Group]:
    copies: dict[str, list[Copy]] = {}
    for network in networks:
        copies.setdefault(repr(network.copy.variant), []).append(network.copy)
    return [
        Group(networks[0].plan, members[start : start + LARGEST])
        for members in copies.values()
        for start in range(0, len(members), LARGEST)
    ]


def train_group(plan: Plan, copies: Sequence[Copy], on_epoch: Callable[[int, int], None]) -> Trained:
    """Train the networks of a group: see `Trained`.

    Args:
        plan: What they share.
        copies: The networks.
        on_epoch: Called with the index of a copy and the number of an epoch, from 0, when that epoch is over.
    """
    return train_separately(plan, copies, on_epoch)


def work(
    group: Group, device: str, keep_weights: bool, on_epoch: Callable[[int, int], None] = lambda index, epoch: None
) -> Outcome:
    """Train a group on a device, in this process or as a worker."""
    start = time.perf_counter()
    with devices.scope(device):
        trained = train_group(group.plan, group.copies, on_epoch)
        tables = {"history": trained.history, "gradients": trained.gradients}
        if group.plan.dataset.inputs == (2,):
            tables["predictions"] = predictions(group.plan.dataset, group.copies, trained.weights)
    networks = [dict(copy.keys) for copy in group.copies]
    weights = trained.weights if keep_weights else []
    return Outcome(networks, tables, weights, trained.how, time.perf_counter() - start)
