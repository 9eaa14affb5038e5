"""Identity of a comparison: whether the run in a directory is the requested one. Needs no Keras."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasteach.experiment.fingerprint.difference import UNKNOWN, Probe, difference

_LATER = {"parts": 1}  # arguments that the runs of earlier versions lack, and what they did without


def unknown(facts: Mapping[str, Any]) -> str | None:
    """Return the reason why two runs of a comparison cannot be compared; `None` where they can."""
    reasons = {name: probe[UNKNOWN] for name, probe in facts["probes"].items() if UNKNOWN in probe}
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or None


def check_same(directory: Path, found: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Raise ValueError unless a run has these arguments, data and networks; warn where it rounds otherwise.

    Args:
        directory: Where the run is.
        found: What its `run.json` says.
        facts: What `run.json` would say of the requested comparison.
    """
    asked = json.loads(json.dumps(facts))
    saved, given = (
        {**_LATER, **facts.get("arguments", {}), "device": facts.get("device"), "data": facts.get("data")}
        for facts in (found, asked)
    )
    different = [name for name in {**saved, **given} if saved.get(name) != given.get(name)]
    reasons = [f"{name}: {saved.get(name)!r} there, {given.get(name)!r} here" for name in different]
    reasons = reasons or _other_networks(found.get("probes", {}), asked["probes"])
    if reasons or "arguments" not in found:
        raise ValueError(
            "`directory` holds a run with other arguments; name another directory. "
            f"Received: directory={str(directory)!r}, {'; '.join(reasons)}."
        )
    reason = unknown(asked)
    if reason is not None:
        raise ValueError(
            "`directory` holds a run that cannot be gone on with, because it cannot be checked whether its networks "
            f"are these; name another directory, or overwrite it. Received: directory={str(directory)!r}, {reason}."
        )
    if not found["finished"]:
        _warn_of_rounding(directory, found, asked)


def _other_networks(saved: Mapping[str, Probe], asked: Mapping[str, Probe]) -> list[str]:
    """Return how the networks of a run differ from the requested ones."""
    meanings = {name: difference(saved.get(name, {}), probe) for name, probe in asked.items() if UNKNOWN not in probe}
    return [f"the network {name!r} is another there: {meaning}" for name, meaning in meanings.items() if meaning]


def _warn_of_rounding(directory: Path, found: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    saved, now = ({**facts.get("versions", {}), **facts.get("settings", {})} for facts in (found, asked))
    others = {name: value for name, value in saved.items() if value != now.get(name)}
    if others:
        warnings.warn(
            f"The comparison in {directory} was begun with other versions or settings ({others}): the networks that "
            "are trained now round otherwise than the others, which grows as they train.",
            stacklevel=8,
        )
