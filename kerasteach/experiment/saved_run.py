"""Runs on disk, of a comparison or of captures, as the figures of a run take them. Needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasteach.experiment.comparison import Comparison
from kerasteach.experiment.title import size
from kerasteach.storage.captures import read_tables
from kerasteach.storage.runs import read_facts
from kerasteach.tables.run import Run
from kerasteach.validation import path as checked_path


def saved_run(directory: str | Path) -> Run:
    """Read what `compare(directory=...)`, `Comparison.save`, or a capture with `directory=` or `save` wrote.

    Args:
        directory: The run's. Of several captures in it, the latest of gradients and the latest of activations.

    Raises:
        FileNotFoundError: If there is no run, or nothing of it is trained yet.
        DamagedRunError: If a file of it is missing or is not what was written.
    """
    directory = checked_path("directory", directory)
    if (directory / "run.json").is_file() and "variants" in read_facts(directory):
        return run_of(Comparison.load(directory))
    try:
        tables, finished = read_tables(directory)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"`directory` must be the folder of a run, which has a run.json. Received: directory={str(directory)!r}."
        ) from None
    return Run(tables, note="" if finished else "The training had not come to its end when this was written.")


def run_of(comparison: Comparison) -> Run:
    """Return a comparison as the figures of a run take it."""
    facts = comparison.facts
    return Run(
        comparison._tables(),
        facts["data"]["task"],
        facts["arguments"]["error_below"],
        lambda: _examples(facts),
        comparison.summary,
        "" if facts.get("finished", True) else f"Not finished: {size(facts)}.",
    )


def _examples(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the examples of a comparison by name or of a file, in the units of its predictions, for its figures."""
    from kerasteach.datasets.dataset import in_given_units
    from kerasteach.experiment.data import dataset_of

    arguments = facts["arguments"]
    reading = {name: arguments.get(name) for name in ("target", "features", "task", "missing")}
    try:
        data = dataset_of(arguments["data"], arguments["split_seed"], **reading)
    except (OSError, ValueError):  # arrays, or a file that is not there any more
        return {}
    if data.fingerprint() != facts["data"]["fingerprint"]:  # another file of the same name
        return {}
    x, x_test = (in_given_units(data, part) for part in (data.x_train, data.x_test))
    return {"x": x, "y": data.y_train, "x_test": x_test, "y_test": data.y_test}
