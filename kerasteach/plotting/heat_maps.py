"""Gradients by layer and epoch, as colours."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from kerasteach.plotting.gradients import NEEDS, layer_names, norm_range, of_parameter, usual_parameter
from kerasteach.plotting.style import new_axes
from kerasteach.plotting.variants import median, with_variant


def gradient_heat_map(
    gradients: pd.DataFrame,
    parameter: str | None = None,
    limits: tuple[float, float] | None = None,
    colour_bar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the gradient's norm of one network as colours, layer against epoch: the median over its seeds.

    Args:
        gradients: The table of one model, or a comparison's rows of one activation.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `"bias"`, the layer's mean error signal, or
            `"kernel"` where there is none.
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
    parameter = parameter or usual_parameter(frame)
    rows = of_parameter(frame, [parameter])
    norms = _norms(rows, variant).droplevel(0).unstack("epoch")
    low, high = limits or norm_range(norms.to_numpy())
    ax = new_axes(ax)
    sns.heatmap(
        norms.where(norms > 0).sort_index(ascending=False),  # the output on top, the input at the bottom
        norm=LogNorm(low, high),
        vmin=low,  # the scale has its ends; without these, seaborn looks for them in cells that may all be open
        vmax=high,
        cmap="cividis",
        cbar=colour_bar,
        cbar_kws={"label": f"L2 norm of the {parameter} gradient"},
        xticklabels=False,
        ax=ax,
    )
    open_cells = ["exactly 0"] * bool((norms == 0).any(axis=None)) + ["not finite"] * bool(norms.isna().any(axis=None))
    note = f" (hatched: {' or '.join(open_cells)})" if open_cells else ""
    ax.set(xlabel="epochs trained", ylabel="", title=names[0] + note)
    ax.patch.set(hatch="///" if open_cells else None, edgecolor="0.6")  # what the colours leave open
    epochs = np.unique(np.linspace(0, norms.shape[1] - 1, min(5, norms.shape[1])).round().astype(int))
    ax.set_xticks(epochs + 0.5, [str(norms.columns[position] + 1) for position in epochs])
    layers = layer_names(rows)
    every = 1 if layers else -(-len(norms) // 12)
    labels = [layers.get(depth, f"layer {depth}") for depth in norms.index[::-1]]
    ax.set_yticks(np.arange(len(norms))[::every] + 0.5, labels[::every], rotation=0)
    return ax


def gradients_over_time(gradients: pd.DataFrame, parameter: str | None = None) -> Figure:
    """Draw a heat map for each network of a table side by side, on one colour scale.

    Args:
        gradients: `Comparison.gradients`, or `GradientCapture.frame` for one model.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `"bias"`, the layer's mean error signal, or
            `"kernel"` where there is none.

    Returns:
        The figure.

    Raises:
        ValueError: If the table lacks a column or has no row, or none for this parameter.
    """
    frame, variant = with_variant(gradients, NEEDS)
    parameter = parameter or usual_parameter(frame)
    count = of_parameter(frame, [parameter])[variant].nunique()
    size = plt.rcParams["font.size"] / 10
    figure, axes = plt.subplots(
        1, count, figsize=((1.2 + 3.2 * count) * size, 3.4 * size), layout="constrained", squeeze=False
    )
    heat_maps(frame, variant, list(axes.flat), parameter)
    return figure


def heat_maps(frame: pd.DataFrame, variant: str, axes: list[Axes], parameter: str) -> None:
    """Draw a heat map for each network into the axes given, with one scale, named once."""
    rows = of_parameter(frame, [parameter])
    limits = norm_range(_norms(rows, variant).to_numpy())
    for ax, (_, one) in zip(axes, rows.groupby(variant, sort=False), strict=True):
        gradient_heat_map(one, parameter, limits, colour_bar=ax is axes[-1], ax=ax)
        if ax is not axes[0]:
            ax.set_yticks([])


def _norms(rows: pd.DataFrame, variant: str) -> pd.Series:
    """Return the median over the seeds of the norm by network, depth and epoch, each a mean over the epoch's steps."""
    means = rows.groupby([variant, "seed", "depth", "epoch"])["norm"].mean(skipna=False).reset_index()
    return median(means, "norm", [variant, "depth", "epoch"])
