"""What was run, in words for a page: the settings of a comparison, or of captures, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kerasteach.datasets.tables import plural
from kerasteach.experiment.call import call_of, note_of
from kerasteach.experiment.title import setting
from kerasteach.plotting.setting import setting_in_words
from kerasteach.report.about import About
from kerasteach.storage.runs import read_facts
from kerasteach.validation import path as checked_path


def about(facts: Mapping[str, Any]) -> About:
    """Return what a page says of a comparison with these facts."""
    return About(
        title=f"{_compared(facts)} on {facts['data']['name']}",
        settings={name: str(value) for name, value in _settings(facts) if value not in (None, "")},
        lead=f"{setting_in_words(setting(facts))}, {plural(len(facts['arguments']['seeds']), 'seed')}",
        call=call_of(facts) if "optimizer" in facts["arguments"] else "",
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
    names = [", ".join(_name(key, value) for key, value in variant.items()) for variant in facts["variants"]]
    if len(names) > 4 or sum(map(len, names)) > 60:
        return plural(len(names), "network")
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _name(key: str, value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{key.replace('_', ' ')} {value}"


def _settings(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what was trained on what, and how, as far as the facts have it."""
    arguments, data = facts["arguments"], facts["data"]
    yield "data", "; ".join(_data(data))
    yield "source", data.get("source")
    yield "license of the data", data.get("license")
    yield "compared", "; ".join(_variant(variant) for variant in facts["variants"])
    varied = set(arguments.get("vary") or ())
    if not varied & {"depth", "width"}:
        yield "units of the hidden layers", ", ".join(map(str, arguments.get("hidden") or []))
    if "initializer" not in varied:
        yield "initial weights", _class_name(arguments.get("initializer")) or "each network's own"
    yield "seeds", f"{', '.join(map(str, arguments['seeds']))} (a seed fixes initial weights and batch order)"
    yield "epochs", _epochs(arguments)
    if "batch_size" not in varied:
        yield "batch size", arguments.get("batch_size")
    if "optimizer" not in varied:
        yield "optimizer", _class_name(arguments.get("optimizer"))
    yield "learning rate", ", ".join(dict.fromkeys(map(_rate, facts.get("learning_rates") or [])))
    yield "loss", data.get("loss")
    yield from _machine(facts)


def _class_name(value: Any) -> Any:
    """Return the name of an object that its configuration stands for."""
    return value["class_name"] if isinstance(value, Mapping) else value


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    yield str(data["name"])
    if "train" in data:
        yield f"{data['train']:,} examples to train on, {data['test']:,} to test"
    if "features" in data:
        scaled = ", standardized" if data.get("standardized") else ""
        yield f"{plural(data['features'], 'feature')}{scaled}"
    yield f"{data['task']}, {data['classes']} classes" if data.get("classes") else str(data["task"])


def _variant(variant: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in variant.items())


def _epochs(arguments: Mapping[str, Any]) -> str:
    below = arguments["error_below"]
    return str(arguments["epochs"]) if below is None else f"{arguments['epochs']} at most, to a loss below {below:g}"


def _rate(rate: float | str) -> str:
    return rate if isinstance(rate, str) else f"{rate:g}"


def _machine(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield where it was trained, which decides the last digits."""
    settings = facts.get("settings", {})
    processor = settings.get("processor")
    yield "trained on", ", ".join(part for part in (facts.get("device"), processor) if part)
    yield "training time", f"{facts['seconds']:.0f} seconds" if facts.get("seconds") else None
