"""A training so far: metrics over the epochs, and the gradient flow of the last one, beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach.plotting.gradient_flow import gradient_flow
from kerasteach.plotting.learning_curves import learning_curves
from kerasteach.plotting.pages import composed
from kerasteach.plotting.style import inks, plain
from kerasteach.plotting.wording import N_, gettext

_WIDTH, _HEIGHT = 0.75, 0.75  # of a panel, as shares of a figure
_TRAINING, _VALIDATION = N_("training"), N_("validation")


def draw_training(
    figure: Figure, history: pd.DataFrame, gradients: pd.DataFrame | None, metrics: Sequence[str], note: str = ""
) -> None:
    """Draw a training on an empty figure.

    Args:
        figure: The figure; its size becomes that of the panels.
        history: `epoch, metric, value`, as `kerasteach.measure.history_table` returns.
        gradients: The rows of one epoch, as `GradientCapture.frame` has them; `None` where there are none.
        metrics: Which metrics, a panel each, with that of the validation (`val_...`) where the table has it.
        note: A line below the panels. Defaults to none.
    """
    shown = [metric for metric in metrics if (history["metric"] == metric).any()]
    count = len(shown) + (gradients is not None)
    width, height = plt.rcParams["figure.figsize"]
    figure.set_size_inches(_WIDTH * width * max(count, 1), _HEIGHT * height)
    with composed():
        if not count:
            figure.text(0.5, 0.5, gettext("nothing recorded yet"), ha="center", va="center")
            return
        axes: list[Axes] = list(figure.subplots(1, count, squeeze=False).flat)
        for ax, metric in zip(axes, shown, strict=False):
            _curves(ax, history, metric)
        if gradients is not None:
            epoch = int(gradients["epoch"].max())
            gradient_flow(gradients, epoch=epoch, ax=axes[-1])
            axes[-1].set_title(gettext("gradients in epoch {number}").format(number=epoch + 1))
        if note:
            size = axes[0].xaxis.label.get_fontsize()
            figure.supxlabel(note, x=0.99, ha="right", fontsize=0.85 * float(size), color=inks().muted)


def _curves(ax: Axes, history: pd.DataFrame, metric: str) -> None:
    """Draw a metric of the training and, where there is one, of the validation."""
    names = {metric: gettext(_TRAINING), f"val_{metric}": gettext(_VALIDATION)}
    rows = history[history["metric"].isin(list(names))]
    several = rows["metric"].nunique() > 1
    rows = rows.assign(network=rows["metric"].map(names), metric=metric)
    learning_curves(rows, metric, ax, hue="network")
    legend = ax.get_legend()
    if legend is not None:
        legend.set_title("")
    ax.set_title("")
    words = metric.removeprefix("val_").replace("_", " ")
    if not several:
        of_part = gettext("validation {metric}") if metric.startswith("val_") else gettext("training {metric}")
        words = of_part.format(metric=words)
    ax.set_ylabel(plain(words))
