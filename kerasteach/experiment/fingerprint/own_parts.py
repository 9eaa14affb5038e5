"""The caller's own parts of a comparison: which there are, and a probe of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from kerasteach import activations
from kerasteach.experiment.copies import optimizer_of
from kerasteach.experiment.fingerprint.probe import (
    UNKNOWN,
    Probe,
    activation_probe,
    difference,
    network_probe,
    optimizer_probe,
)
from kerasteach.experiment.groups import Network
from kerasteach.experiment.variants import ARCHITECTURE, Choices, Variant, variants
from kerasteach.initializers import seeded

_KNOWN = ("keras.", "kerasteach.")  # where the versions and arguments in run.json say what is computed


def probes(choices: Choices, networks: Sequence[Network], initializer: Any) -> dict[str, Probe]:
    """Return what the caller's own parts of each variant compute, from the first seed, by the variant's name.

    Args:
        choices: What varies.
        networks: All networks of the comparison.
        initializer: That of networks without `models`, unless it varies.

    Returns:
        For each variant a probe, which is empty where all of it is Keras's or this package's, under its own name.
    """
    firsts = {network.copy.variant: network for network in reversed(networks)}
    own = {id(value) for name, value in choices.get("activation", {}).items() if not _known_activation(name, value)}
    taken: dict[tuple[Any, ...], Probe] = {}  # variants share networks and optimizers
    found: dict[str, Probe] = {}
    for variant in variants(choices):
        probe: dict[str, str] = {}
        for key, take in _parts(variant, firsts[tuple(variant.keys.values())], own, initializer):
            if key not in taken:
                taken[key] = _probe(key[0], take)
            probe.update(taken[key])
        found[", ".join(map(str, variant.keys.values()))] = probe
    return found


def _parts(
    variant: Variant, network: Network, own: set[int], initializer: Any
) -> Iterator[tuple[tuple[Any, ...], Callable[[], Probe]]]:
    """Yield a key and what takes the probe, for each part that is the caller's own."""
    settings, plan = variant.settings, network.plan
    activation, start = settings.get("activation"), settings.get("initializer", initializer)
    if id(activation) in own and not isinstance(activation, type):  # what a builder makes of a class, its network shows
        yield ("activation", id(activation)), partial(activation_probe, activations.get(activation))
    if "model" in settings or id(activation) in own or not _known_initializer(start):
        shape = tuple(id(settings[name]) for name in (*ARCHITECTURE, "model") if name in settings)
        yield ("network", *shape), partial(network_probe, network.copy.build, plan.dataset)
    optimizer = optimizer_of(plan.optimizer)
    if not _is_known(type(optimizer)) or not isinstance(plan.optimizer["config"].get("learning_rate"), float):
        rule = json.dumps(plan.optimizer, sort_keys=True, default=repr)
        yield ("optimizer", rule), lambda: optimizer_probe(optimizer_of(plan.optimizer))


def _probe(part: str, take: Callable[[], Probe]) -> Probe:
    """Take a probe twice; where it cannot be taken, or the second differs, return the reason in place of it."""
    try:
        first, second = take(), take()
    except Exception as error:  # whatever code of the caller's raises for inputs that it was not made for
        return {UNKNOWN: f"its {part} cannot be tried on a few examples ({type(error).__name__}: {error})"}
    changed = difference(first, second)
    return first if changed is None else {UNKNOWN: f"tried again from the same seed, {changed}"}


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
