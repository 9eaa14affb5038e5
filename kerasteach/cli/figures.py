"""The figures of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasteach.cli.options import style

if TYPE_CHECKING:
    from kerasteach import Comparison

FIGURES = (
    *("lecture", "learning_curves", "test_scores", "gradient_flow", "gradients_over_time"),
    "decision_boundary",  # for data with two features
)


def draw(result: Comparison, paths: Mapping[str, Path], lecture: bool, overwrite: bool) -> Iterator[Path]:
    """Draw the figures of `FIGURES` that the data allow, and yield the path of each that is written."""
    import kerasteach as kt

    score = "val_accuracy" if "val_accuracy" in set(result.history["metric"]) else "val_loss"
    with style(lecture):
        drawn: dict[str, Any] = {
            "lecture": kt.plotting.lecture_figure(result.history, result.gradients, _title(result.facts)),
            "learning_curves": kt.plotting.learning_curves(result.history),
            "test_scores": kt.plotting.learning_curves(result.history, score),
            "gradient_flow": kt.plotting.gradient_flow(result.gradients),
            "gradients_over_time": kt.plotting.gradients_over_time(result.gradients),
        }
        if len(result.predictions) and result.facts["data"]["task"] == "classification":
            drawn["decision_boundary"] = kt.plotting.decision_boundary(result.predictions)
    for name, figure in drawn.items():
        kt.plotting.save(figure, paths[name], overwrite=overwrite)
        yield paths[name]


def _title(facts: Mapping[str, Any]) -> str:
    """Say what was trained on what."""
    arguments = facts["arguments"]
    hidden = arguments["hidden"] or []
    title = str(facts["data"]["name"])
    if hidden and not {"depth", "width"} & set(arguments["vary"]):
        plural = "s" if len(hidden) > 1 else ""
        same = len(set(hidden)) == 1
        title += f": {len(hidden)} hidden layer{plural} of {hidden[0]}" if same else f": hidden layers {hidden}"
    if arguments["error_below"] is not None:
        title += f", trained to a loss below {arguments['error_below']:g}"
    return title
