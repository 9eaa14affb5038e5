"""Parts of a comparison that are the caller's own, and a probe of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from kerasteach import activations
from kerasteach.experiment.builders import built
from kerasteach.experiment.fingerprint.difference import UNKNOWN, Probe, difference
from kerasteach.experiment.fingerprint.probe import activation_probe, network_probe, optimizer_probe
from kerasteach.experiment.networks import Plan
from kerasteach.experiment.serialization import optimizer_of
from kerasteach.experiment.variants import Variant
from kerasteach.initializers import seeded

_KNOWN = ("keras.", "kerasteach.")  # where the versions and arguments in run.json say what is computed


def probes(variants: Sequence[Variant], seed: int) -> dict[str, Probe]:
    """Return what the caller's own parts of each variant compute, by the variant's name.

    Args:
        variants: All variants of the comparison.
        seed: That of their prototypes, which the probe of a network trains for a step.

    Returns:
        For each variant a probe, which is empty where all of it is Keras's or this package's, under its own name.
    """
    taken: dict[tuple[Any, ...], Probe] = {}  # variants share networks and optimizers
    found: dict[str, Probe] = {}
    for variant in variants:
        probe: dict[str, str] = {}
        for key, first, again in _parts(variant, seed):
            if key not in taken:
                taken[key] = _probe(key[0], first, again)
            probe.update(taken[key])
        found[variant.name] = probe
    return found


def _parts(variant: Variant, seed: int) -> Iterator[tuple[tuple[Any, ...], Callable[[], Probe], Callable[[], Probe]]]:
    """Yield for each part that is the caller's own a key, what takes its probe, and what takes it again."""
    settings, plan = variant.settings, variant.plan
    activation = settings.get("activation")
    own = "activation" in settings and not _known_activation(variant.names["activation"], activation)
    if own and not isinstance(activation, type):  # the probe of its network shows what a builder makes of a class
        take = partial(activation_probe, activations.get(activation))
        yield ("activation", id(activation)), take, take
    if "model" in settings or own or not _known_initializer(settings["initializer"]):
        take = partial(network_probe, variant.prototype, plan.dataset)
        yield ("network", id(variant.prototype)), take, lambda: network_probe(built(variant.build, seed), plan.dataset)
    optimizer = optimizer_of(plan.optimizer)
    if not _is_known(type(optimizer)) or not isinstance(plan.optimizer["config"].get("learning_rate"), float):
        rule = json.dumps(plan.optimizer, sort_keys=True, default=repr)
        take = partial(_optimizer_probe, plan)
        yield ("optimizer", rule), take, take


def _probe(part: str, take: Callable[[], Probe], again: Callable[[], Probe]) -> Probe:
    """Take a probe twice; where it cannot be taken, or the second differs, return the reason in place of it."""
    try:
        first, second = take(), again()
    except Exception as error:  # whatever code of the caller's raises for inputs that it was not made for
        return {UNKNOWN: f"its {part} cannot be tried on a few examples ({type(error).__name__}: {error})"}
    changed = difference(first, second)
    return first if changed is None else {UNKNOWN: f"tried again from the same seed, {changed}"}


def _optimizer_probe(plan: Plan) -> Probe:
    return optimizer_probe(optimizer_of(plan.optimizer))


def _known_activation(name: Any, activation: Any) -> bool:
    """Say whether an activation goes by its own name, and is Keras's or this package's."""
    return isinstance(activation, str) and activation == name and _is_known(activations.get(activation))


def _known_initializer(initializer: Any) -> bool:
    """Say whether an initializer is Keras's or this package's; a name is looked up without a random draw."""
    if isinstance(initializer, str) and initializer == "matched":
        return True
    return _is_known(type(seeded(initializer, seed=0, position=0, shape=())))


def _is_known(part: Any) -> bool:
    return str(getattr(part, "__module__", "")).startswith(_KNOWN)
