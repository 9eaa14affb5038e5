"""One figure that tells the whole story of a comparison."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from kerasteach.plotting.gradients import NEEDS, gradient_flow, of_parameter, usual_parameter
from kerasteach.plotting.heat_maps import heat_maps
from kerasteach.plotting.learning import learning_curves
from kerasteach.plotting.variants import with_variant


def lecture_figure(history: pd.DataFrame, gradients: pd.DataFrame, title: str | None = None) -> Figure:
    """Compose learning curves, test score, gradient flow and the gradients over time on one 16:9 page.

    Args:
        history: `Comparison.history`, or `kerasteach.measure.history_table(model.fit(...))` for one model.
        gradients: `Comparison.gradients`, or `GradientCapture.frame` for one model.
        title: A line above it all, such as what was trained on what. Defaults to `None`.

    Returns:
        The figure: on top the training loss, the test score where there is one, and the gradient flow of the first
        epoch; below a heat map for each network of its bias gradients, or
        of its kernel gradients where no layer has a bias.

    Raises:
        ValueError: If a table lacks a column or has no row.
    """
    curves, _ = with_variant(history, ("epoch", "metric", "value"))
    frame, variant = with_variant(gradients, NEEDS)
    parameter = usual_parameter(frame)
    frame = of_parameter(frame, [parameter])
    scores = [name for name in ("val_accuracy", "val_loss") if name in set(curves["metric"])][:1]
    size = plt.rcParams["font.size"] / 10
    figure = plt.figure(figsize=(16 * size, 9 * size), layout="constrained")
    if title:
        figure.suptitle(title, fontsize="x-large")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.15, 1], squeeze=False).flat
    upper = top.subplots(1, 2 + len(scores), width_ratios=[1] * (1 + len(scores)) + [1.5])
    for ax, metric in zip(upper, ["loss", *scores], strict=False):
        learning_curves(history, metric, ax=ax)
    for ax in upper[1:-1]:
        if ax.get_legend():
            ax.get_legend().remove()
    gradient_flow(gradients, ax=upper[-1])
    lower = bottom.subplots(1, frame[variant].nunique(), squeeze=False)
    heat_maps(frame, variant, list(lower.flat), parameter)
    return figure
