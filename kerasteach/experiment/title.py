"""What was trained on what in a comparison, and how many networks. Needs no Keras."""

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


def setting(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was trained on what, as values: see `kerasteach.plotting.setting.setting_in_words`.

    What varies is left out: it is in the legend.
    """
    arguments = facts["arguments"]
    found: dict[str, Any] = {"data": str(facts["data"]["name"]), "learning_rates": _rates(facts)}
    if arguments["hidden"] and not {"depth", "width"} & set(arguments["vary"]):
        found["hidden"] = list(arguments["hidden"])
    if arguments["error_below"] is not None:
        found["error_below"] = float(arguments["error_below"])
    if facts["data"].get("classes"):
        found["classes"] = int(facts["data"]["classes"])
    return found


def _rates(facts: Mapping[str, Any]) -> dict[str, float | str]:
    """Return the learning rate, or that of each optimizer, where the legend does not name it."""
    rates = facts.get("learning_rates") or []
    if not rates or "learning_rate" in facts["arguments"]["vary"]:
        return {}
    if len(set(rates)) == 1:
        return {"": rates[0]}
    return dict(zip([variant.get("optimizer", "") for variant in facts["variants"]], rates, strict=True))
