"""Titles of a comparison: what was trained on what, and how many networks. Needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerasteach.datasets.tables import plural


def size(facts: Mapping[str, Any]) -> str:
    """Return how much was compared on what: `"3 variants x 5 seeds, 20 epochs, digits"`."""
    arguments, variants = facts["arguments"], len(facts["variants"])
    seeds, epochs = len(arguments["seeds"]), arguments["epochs"]
    counts = f"{plural(variants, 'variant')} x {plural(seeds, 'seed')}, {plural(epochs, 'epoch')}"
    text = f"{counts}, {facts['data']['name']}"
    if facts.get("finished", True):
        return text
    trained = sum(len(group["networks"]) for group in facts["groups"])
    return f"{text}; {trained} of {variants * seeds} networks are trained"


def title(facts: Mapping[str, Any]) -> str:
    """Return what was trained on what: `"digits: 6 hidden layers of 32, learning rate 0.1"`."""
    arguments = facts["arguments"]
    hidden = arguments["hidden"] or []
    text = str(facts["data"]["name"])
    if hidden and not {"depth", "width"} & set(arguments["vary"]):
        same = len(set(hidden)) == 1
        text += f": {plural(len(hidden), 'hidden layer')} of {hidden[0]}" if same else f": hidden layers {hidden}"
    text += _rates(facts)
    if arguments["error_below"] is not None:
        text += f", trained to a loss below {arguments['error_below']:g}"
    return text


def _rates(facts: Mapping[str, Any]) -> str:
    """Name the learning rate, or that of each optimizer, where the legend does not."""
    rates, vary = facts.get("learning_rates") or [], facts["arguments"]["vary"]
    shown = [rate if isinstance(rate, str) else f"{rate:g}" for rate in rates]
    if not rates or "learning_rate" in vary:
        return ""
    if len(set(shown)) == 1:
        return f", learning rate {shown[0]}"
    names = [variant.get("optimizer", "") for variant in facts["variants"]]
    by_name = dict(zip(names, shown, strict=True))
    return f", learning rate {', '.join(f'{rate} ({name})' for name, rate in by_name.items())}"
