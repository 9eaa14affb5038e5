"""Gradients by layer and epoch, as colours."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from kerasteach.plotting.gradients import NEEDS, layer_names, norm_range, of_parameter
from kerasteach.plotting.style import new_axes
from kerasteach.plotting.variants import with_variant


def gradient_heat_map(
    gradients: pd.DataFrame,
    parameter: str = "bias",
    limits: tuple[float, float] | None = None,
    colour_bar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the gradient's norm of one network as colours, layer against epoch: the median over its seeds.

    Args:
        gradients: The table of one model, or a comparison's rows of one activation.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `"bias"`, the layer's mean error signal.
        limits: The norms at the ends of the logarithmic colour scale. Defaults to those of the table.
        colour_bar: Whether to draw the scale beside it. Defaults to `True`.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the table lacks a column or has no row, or holds several networks.
    """
    frame, variant = with_variant(gradients, NEEDS)
    names = list(frame[variant].unique())
    if len(names) > 1:
        raise ValueError(
            f"One heat map shows one network; choose its rows, or draw all with gradients_over_time. Received: {names}."
        )
    rows = of_parameter(frame, [parameter])
    norms = (
        rows.groupby(["seed", "depth", "epoch"])["norm"].mean().groupby(["depth", "epoch"]).median().unstack("epoch")
    )
    low, high = limits or norm_range(norms.to_numpy())
    ax = new_axes(ax)
    sns.heatmap(
        norms.where(norms > 0).sort_index(ascending=False),  # the output on top, the input at the bottom
        norm=LogNorm(low, high),
        cmap="cividis",
        cbar=colour_bar,
        cbar_kws={"label": f"L2 norm of the {parameter} gradient"},
        xticklabels=False,
        ax=ax,
    )
    zero = (norms == 0).any(axis=None)
    ax.set(xlabel="epochs trained", ylabel="", title=names[0] + (" (hatched: exactly 0)" if zero else ""))
    ax.patch.set(hatch="///" if zero else None, edgecolor="0.6")  # what the colours leave open
    epochs = np.unique(np.linspace(0, norms.shape[1] - 1, min(5, norms.shape[1])).round().astype(int))
    ax.set_xticks(epochs + 0.5, [str(norms.columns[position] + 1) for position in epochs])
    layers = layer_names(rows)
    ax.set_yticks(
        np.arange(len(norms)) + 0.5, [layers.get(depth, str(depth)) for depth in norms.index[::-1]], rotation=0
    )
    return ax


def gradients_over_time(gradients: pd.DataFrame, parameter: str = "bias") -> Figure:
    """Draw a heat map for each network of a table side by side, on one colour scale.

    Args:
        gradients: `Comparison.gradients`, or `GradientCapture.frame` for one model.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `"bias"`, the layer's mean error signal.

    Returns:
        The figure.

    Raises:
        ValueError: If the table lacks a column or has no row, or none for this parameter.
    """
    frame, variant = with_variant(gradients, NEEDS)
    count = frame[variant].nunique()
    size = plt.rcParams["font.size"] / 10
    figure, axes = plt.subplots(
        1, count, figsize=((1.2 + 3.2 * count) * size, 3.4 * size), layout="constrained", squeeze=False
    )
    heat_maps(frame, variant, list(axes.flat), parameter)
    return figure


def heat_maps(frame: pd.DataFrame, variant: str, axes: list[Axes], parameter: str = "bias") -> None:
    """Draw a heat map for each network into the axes given, with one scale, named once."""
    rows = of_parameter(frame, [parameter])
    limits = norm_range(rows.groupby([variant, "depth", "epoch"])["norm"].median().to_numpy())
    for ax, (_, one) in zip(axes, rows.groupby(variant, sort=False), strict=True):
        gradient_heat_map(one, parameter, limits, colour_bar=ax is axes[-1], ax=ax)
        if ax is not axes[0]:
            ax.set_yticks([])
