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
from kerasteach.experiment.copies import Copy, Plan
from kerasteach.experiment.ensemble.eligibility import can_train_together, group_size
from kerasteach.experiment.ensemble.training import train_together
from kerasteach.experiment.messages import of_retracing, without_messages
from kerasteach.experiment.precision import float32
from kerasteach.experiment.predictions import predictions
from kerasteach.experiment.training import train_separately

ONE_BY_ONE = 5  # networks one after the other: what a killed comparison loses, and what a worker gets at a time


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
        separately: Why they are trained one after the other; `None` where they are trained in one graph.
    """

    plan: Plan
    copies: Sequence[Copy]
    separately: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What training a group gave.

    Attributes:
        networks: The copies' keys.
        tables: `history`, `gradients` and, for data with two features, `predictions`; each begins with the columns of
            the copies' keys.
        weights: As in `Trained`; empty if they are not kept.
        how: As in `Trained`.
        why: Why they were trained separately, if they were.
        seconds: How long it took.
    """

    networks: list[dict[str, Any]]
    tables: dict[str, pd.DataFrame]
    weights: list[dict[str, np.ndarray]]
    how: Literal["together", "separately"]
    why: str | None
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Return what `run.json` says of the group."""
        return {"networks": self.networks, "how": self.how, "why": self.why, "seconds": self.seconds}


def grouped(networks: Sequence[Network]) -> list[Group]:
    """Divide the networks of a comparison into groups, in their order.

    A group shares plan and architecture. Where its networks can be trained in one graph, it is as many as
    `together.group_size` says; else at most `ONE_BY_ONE` networks of one variant, for which the training step is
    compiled once. This depends on the arguments alone, never on what is left to do, the executor or the machine: which
    networks are trained together changes how their numbers are rounded.
    """
    sharing: dict[str, list[Network]] = {}
    for network in networks:
        shared = json.dumps([network.plan.optimizer, network.plan.batch_size, network.architecture], default=repr)
        sharing.setdefault(shared, []).append(network)
    with float32():  # as they will be built for the training
        return [group for members in sharing.values() for group in _divided(members)]


def _divided(networks: Sequence[Network]) -> list[Group]:
    plan, copies = networks[0].plan, [network.copy for network in networks]
    reason = can_train_together(plan, copies)
    if reason is None:
        return _chunks(plan, copies, group_size(plan, copies[0].build()), None)
    variants: dict[str, list[Copy]] = {}
    for copy in copies:
        variants.setdefault(repr(copy.variant), []).append(copy)
    return [group for members in variants.values() for group in _chunks(plan, members, ONE_BY_ONE, reason)]


def _chunks(plan: Plan, copies: Sequence[Copy], size: int, reason: str | None) -> list[Group]:
    return [Group(plan, copies[start : start + size], reason) for start in range(0, len(copies), size)]


def work(
    group: Group, device: str, keep_weights: bool, on_epoch: Callable[[int, int], None] = lambda index, epoch: None
) -> Outcome:
    """Train a group on a device, in this process or as a worker."""
    start = time.perf_counter()
    with devices.scope(device), float32(), without_messages(of_retracing):
        train = train_together if group.separately is None else train_separately
        trained = train(group.plan, group.copies, on_epoch)
        tables = {"history": trained.history, "gradients": trained.gradients}
        if group.plan.dataset.inputs == (2,):
            tables["predictions"] = predictions(group.plan.dataset, group.copies, trained.weights)
    networks = [dict(copy.keys) for copy in group.copies]
    weights = trained.weights if keep_weights else []
    return Outcome(networks, tables, weights, trained.how, group.separately, time.perf_counter() - start)
