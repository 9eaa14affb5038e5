"""Groups of networks: which networks train together, and the training of one group, here or in a worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from math import ceil

from kerasteach import devices
from kerasteach.experiment.ensemble.eligibility import can_train_together, group_size
from kerasteach.experiment.ensemble.training import train_together
from kerasteach.experiment.initial_weights import float32
from kerasteach.experiment.messages import of_retracing, without_messages
from kerasteach.experiment.networks import Group, Outcome
from kerasteach.experiment.predictions import predictions
from kerasteach.experiment.training import train_separately
from kerasteach.experiment.variants import Variant

ONE_BY_ONE = 5  # networks one after the other: what a killed comparison loses, and what a worker gets at a time
SMALLEST = 5  # networks of a part: fewer take less time than what each part takes anyway (docs/scaling.md)


def grouped(variants: Sequence[Variant], seeds: Sequence[int], parts: int = 1) -> list[Group]:
    """Divide the networks of a comparison, each variant from each seed, into groups, in their order.

    A group shares plan and architecture. Where its networks can be trained in one graph, it is as many as
    `group_size` says, or fewer, so that there are `parts` groups; else at most `ONE_BY_ONE` networks of one variant,
    for which the training step is compiled once. This depends on the arguments alone, never on what is left to do, the
    executor or the machine: which networks are trained together changes how their numbers are rounded.

    Args:
        variants: All variants of the comparison.
        seeds: All seeds.
        parts: How many groups there are to be. Defaults to `1`: as few as possible.
    """
    sharing: dict[str, list[Variant]] = {}
    for variant in variants:
        shape = [variant.settings.get(name) for name in ("model", "depth", "width")]
        shared = json.dumps([variant.plan.optimizer, variant.plan.batch_size, shape], default=repr)
        sharing.setdefault(shared, []).append(variant)
    each = max(1, parts // len(sharing))
    return [group for members in sharing.values() for group in _divided(members, seeds, each)]


def _divided(variants: Sequence[Variant], seeds: Sequence[int], parts: int) -> Iterator[Group]:
    plan = variants[0].plan
    reason = can_train_together(plan, [variant.prototype for variant in variants])
    together = reason is None
    size = ONE_BY_ONE
    if together:
        size = size_of_parts(len(variants) * len(seeds), group_size(plan, variants[0].prototype), parts)
    for members in [variants] if together else [[variant] for variant in variants]:
        networks = [variant.network(seed) for variant in members for seed in seeds]
        for start in range(0, len(networks), size):
            yield Group(plan, networks[start : start + size], reason)


def size_of_parts(networks: int, largest: int, parts: int) -> int:
    """Return how many of these networks to train together, so that as many workers as `parts` are busy to the end.

    Args:
        networks: How many networks could be trained together.
        largest: How many of them a group can have.
        parts: How many workers there are; where more groups are needed, they are a multiple of that.

    Returns:
        Never fewer than `SMALLEST`, unless a group cannot have as many.

    Example:
        >>> from kerasteach.experiment.groups import size_of_parts
        >>> [size_of_parts(30, 60, parts) for parts in (1, 2, 4, 100)]
        [30, 15, 8, 5]
        >>> size_of_parts(200, 60, 2)  # four groups of 50, not three of 60 and one of 20
        50
    """
    if parts == 1:
        return min(networks, largest)
    rounds = ceil(networks / (largest * parts))
    return min(largest, max(SMALLEST, ceil(networks / (rounds * parts))))


def work(
    group: Group, device: str, keep_weights: bool, on_epoch: Callable[[int, int], None] = lambda index, epoch: None
) -> Outcome:
    """Train a group on a device, in this process or as a worker."""
    start = time.perf_counter()
    with devices.scope(device), float32(), without_messages(of_retracing):
        train = train_together if group.separately is None else train_separately
        trained = train(group.plan, group.networks, on_epoch)
        tables = {"history": trained.history, "gradients": trained.gradients}
        tables |= predictions(group.plan.dataset, group.networks, trained.weights, trained.models)
    keys = [dict(network.keys) for network in group.networks]
    weights = trained.weights if keep_weights else []
    return Outcome(keys, tables, weights, group.separately, time.perf_counter() - start)
