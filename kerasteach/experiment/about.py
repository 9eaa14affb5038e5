"""What was run, in words for a page: the settings of a comparison, or of captures, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kerasteach.datasets.tables import plural
from kerasteach.experiment.call import call_of, note_of
from kerasteach.experiment.title import title
from kerasteach.report.about import About
from kerasteach.storage.runs import read_facts
from kerasteach.validation import path as checked_path


def about(facts: Mapping[str, Any]) -> About:
    """Return what a page says of a comparison with these facts."""
    return About(
        title=f"{_compared(facts)} on {facts['data']['name']}",
        settings=dict(_settings(facts)),
        lead=f"{title(facts)}, {plural(len(facts['arguments']['seeds']), 'seed')}",
        call=call_of(facts),
        call_note=note_of(facts),
        versions=facts.get("versions", {}),
        error_below=facts["arguments"]["error_below"],
    )


def about_saved(directory: str | Path) -> About:
    """Return what a page says of a run on disk, of a comparison or of captures.

    Raises:
        FileNotFoundError: If there is no run.
    """
    folder = checked_path("directory", directory)
    facts = read_facts(folder) if (folder / "run.json").is_file() else {}
    if "variants" in facts:
        return about(facts)
    return About(f"Training in {folder.name}", {"recorded in": folder.name}, versions=facts.get("versions", {}))


def _compared(facts: Mapping[str, Any]) -> str:
    """Name the variants where they are few, and count them where they are many."""
    names = [", ".join(map(str, variant.values())) for variant in facts["variants"]]
    if len(names) > 4 or sum(map(len, names)) > 60:
        return plural(len(names), "network")
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _settings(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was trained on what, and how."""
    arguments, data = facts["arguments"], facts["data"]
    yield "data", _data(data)
    for name, what in (("source", "source"), ("license", "license of the data")):
        if data.get(name):
            yield what, str(data[name])
    yield "compared", "; ".join(_variant(variant) for variant in facts["variants"])
    if arguments["hidden"]:
        yield "units of the hidden layers", ", ".join(map(str, arguments["hidden"]))
    yield "initial weights", str(arguments["initializer"] or "each network's own")
    yield "seeds", f"{', '.join(map(str, arguments['seeds']))} (a seed fixes initial weights and batch order)"
    yield "epochs", _epochs(arguments)
    yield "batch size", str(arguments["batch_size"])
    yield "optimizer", str(arguments["optimizer"]["class_name"])
    yield "learning rate", ", ".join(dict.fromkeys(map(_rate, facts.get("learning_rates", []))))
    yield "loss", str(data["loss"])
    yield from _machine(facts)


def _data(data: Mapping[str, Any]) -> str:
    classes = f", {data['classes']} classes"
    return (
        f"{data['name']}: {data['train']:,} examples to train on, {data['test']:,} to test; "
        f"{plural(data['features'], 'feature')}{', standardized' if data['standardized'] else ''}; "
        f"{data['task']}{classes if data['classes'] else ''}"
    )


def _variant(variant: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in variant.items())


def _epochs(arguments: Mapping[str, Any]) -> str:
    below = arguments["error_below"]
    return str(arguments["epochs"]) if below is None else f"{arguments['epochs']} at most, to a loss below {below:g}"


def _rate(rate: float | str) -> str:
    return rate if isinstance(rate, str) else f"{rate:g}"


def _machine(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where it was trained, which decides the last digits."""
    settings = facts.get("settings", {})
    processor = settings.get("processor")
    yield "trained on", f"{facts.get('device', '')}{f', {processor}' if processor else ''}"
    if facts.get("seconds"):
        yield "training time", f"{facts['seconds']:.0f} seconds"
