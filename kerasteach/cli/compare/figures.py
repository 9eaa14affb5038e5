"""The figures of a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasteach.cli.options import Format, style

if TYPE_CHECKING:
    from kerasteach import Comparison

FIGURES = (
    *("lecture", "learning_curves", "test_scores", "gradient_flow", "gradients_over_time"),
    "decision_boundary",  # for data with two features
)


def pages_in(folder: Path) -> set[Path]:
    """Return what a comparison has drawn into a folder: each page of each figure, in any format."""
    name = re.compile(rf"({'|'.join(FIGURES)})(-\d+)?\.({'|'.join(Format)})")
    return {path for path in folder.glob("*") if name.fullmatch(path.name)}


def draw(result: Comparison, paths: Mapping[str, Path], lecture: bool, overwrite: bool) -> Iterator[Path]:
    """Draw the figures of `FIGURES` that the data allow, and yield the path of each page that is written."""
    import kerasteach as kt

    with style(lecture):
        drawn = {name: list(pages) for name, pages in _drawn(result)}
    for name, pages in drawn.items():
        for number, figure in enumerate(pages, start=1):
            path = paths[name] if number == 1 else paths[name].with_stem(f"{paths[name].stem}-{number}")
            kt.plotting.save(figure, path, overwrite=overwrite)
            yield path


def _drawn(result: Comparison) -> Iterator[tuple[str, Iterator[Any]]]:
    """Yield the name and the pages of each figure."""
    import kerasteach as kt

    score = "val_accuracy" if "val_accuracy" in set(result.history["metric"]) else "val_loss"
    numbers = range(1, kt.plotting.pages(result.history) + 1)
    history, gradients = result.history, result.gradients
    if len(gradients):
        yield "lecture", (result.plot(page=page) for page in numbers)
    yield "learning_curves", iter([kt.plotting.learning_curves(history)])
    yield "test_scores", iter([kt.plotting.learning_curves(history, score)])
    if len(gradients):
        yield "gradient_flow", iter([kt.plotting.gradient_flow(gradients)])
        yield "gradients_over_time", (kt.plotting.gradient_heat_map_figure(gradients, page=page) for page in numbers)
    if len(result.predictions) and result.facts["data"]["task"] == "classification":
        x, y = _examples(result.facts)
        plane = result.predictions
        yield "decision_boundary", (kt.plotting.decision_boundary_figure(plane, x, y, page=page) for page in numbers)


def _examples(facts: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the test examples of a comparison by name or of a file, in the units of its predictions."""
    from kerasteach.datasets.dataset import in_given_units
    from kerasteach.experiment.data import dataset_of

    arguments = facts["arguments"]
    reading = {name: arguments.get(name) for name in ("target", "features", "task", "missing")}
    try:
        data = dataset_of(arguments["data"], arguments["split_seed"], **reading)
    except (OSError, ValueError):  # the file is not there any more, or another one
        return None, None
    return in_given_units(data, data.x_test), data.y_test
