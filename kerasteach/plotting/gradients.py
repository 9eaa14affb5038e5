"""Gradients by layer: where vanishing shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from kerasteach.plotting.style import looks, new_axes
from kerasteach.plotting.variants import line_with_band, spread_note, with_variant

NEEDS = ("epoch", "depth", "layer", "parameter", "norm")
_LEAST_RANGE = 100  # a scale of at least two powers of ten, so that a harmless slope does not look like vanishing
_MOST_NAMES = 12  # more layers than this are numbered, not named, along an axis


def gradient_flow(
    gradients: pd.DataFrame,
    parameter: Literal["bias", "kernel", "both"] = "both",
    epoch: int | None = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the gradient's norm against the layer, on a log axis: a line that falls to the left has vanished.

    The bias gradient is the layer's mean error signal, where vanishing shows; the kernel gradient is that signal times
    the layer's input, which can hide it. Solid lines and filled markers are the bias, dashed lines and hollow markers
    the kernel.

    Args:
        gradients: `Comparison.gradients`, or `GradientCapture.frame` for one model.
        parameter: `"bias"`, `"kernel"`, `"both"`, or the name of another parameter in the table. Defaults to `"both"`.
        epoch: The epoch whose steps are averaged, as Keras numbers it; `None` for all. Defaults to `0`, the first.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the table lacks a column or has no row, or none for this parameter or epoch.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = kt.models.mlp("sigmoid", hidden=(4, 4), inputs=2, outputs=2)
        >>> model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
        >>> capture = kt.callbacks.GradientCapture()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), verbose=0, callbacks=[capture])
        >>> kt.plotting.gradient_flow(capture.frame, parameter="bias").get_yscale()
        'log'
    """
    frame, variant = with_variant(gradients, NEEDS)
    drawn = ["bias", "kernel"] if parameter == "both" else [parameter]
    rows = of_parameter(_of_epoch(frame, epoch), drawn)
    rows = rows.groupby([variant, "seed", "parameter", "layer", "depth"], sort=False)["norm"].mean().reset_index()
    look = looks(list(rows[variant].unique()))
    ax = new_axes(ax)
    for one in drawn:
        for name in look:
            line = rows[(rows[variant] == name) & (rows["parameter"] == one) & (rows["norm"] > 0)]
            line_with_band(ax, line, "depth", "norm", look[name], hollow=one == "kernel")
    low, high = norm_range(rows["norm"].to_numpy())
    ax.set(
        yscale="log",
        ylim=(low / 1.6, high * 1.6),
        ylabel=f"L2 norm of the {'' if parameter == 'both' else parameter + ' '}gradient",
    )
    ax.set_title(_when(frame, epoch))
    _name_layers(ax, rows)
    _legend(ax, rows, variant, drawn)
    return ax


def _of_epoch(frame: pd.DataFrame, epoch: int | None) -> pd.DataFrame:
    rows = frame if epoch is None else frame[frame["epoch"] == epoch]
    if rows.empty:
        found = f"{frame['epoch'].min()} to {frame['epoch'].max()}"
        raise ValueError(f"`epoch` must be one of the table's, {found}, or None. Received: epoch={epoch!r}.")
    return rows


def of_parameter(frame: pd.DataFrame, parameters: Sequence[str]) -> pd.DataFrame:
    """Return the rows of these parameters, or raise ValueError naming those there are."""
    rows = frame[frame["parameter"].isin(parameters)]
    if rows.empty:
        found = ", ".join(frame["parameter"].unique())
        raise ValueError(f"`parameter` must be one of the table's: {found}. Received: {', '.join(parameters)}.")
    return rows


def norm_range(norms: np.ndarray) -> tuple[float, float]:
    """Return the ends of a logarithmic scale that shows every norm but 0."""
    shown = norms[np.isfinite(norms) & (norms > 0)]
    if not shown.size:
        return 1 / _LEAST_RANGE, 1.0
    low, high = float(shown.min()), float(shown.max())
    widen = max(1.0, _LEAST_RANGE / (high / low)) ** 0.5
    return low / widen, high * widen


def layer_names(rows: pd.DataFrame) -> dict[int, str]:
    """Return the layers' names by depth, where all networks agree on them and there are few enough to read."""
    pairs = rows[["depth", "layer"]].drop_duplicates()
    if pairs["depth"].duplicated().any() or len(pairs) > _MOST_NAMES:
        return {}
    return {depth: layer.replace("_", " ") for depth, layer in pairs.itertuples(index=False)}


def _name_layers(ax: Axes, rows: pd.DataFrame) -> None:
    names = layer_names(rows)
    ax.set_xlabel("layer, from the input on the left to the output on the right")
    if names:
        ax.set_xticks(list(names), [name.replace(" ", "\n") for name in names.values()])
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(rows["depth"].min() - 0.5, rows["depth"].max() + 0.5)


def _when(frame: pd.DataFrame, epoch: int | None) -> str:
    when = "all epochs" if epoch is None else f"epoch {epoch + 1}"
    return f"gradients by layer, mean over the steps of {when}"


def _legend(ax: Axes, rows: pd.DataFrame, variant: str, drawn: Sequence[str]) -> None:
    """Name the networks by colour and marker, and the parameters by line."""
    handles = []
    for name, look in looks(list(rows[variant].unique())).items():
        zero = "" if (rows.loc[rows[variant] == name, "norm"] > 0).all() else " (exactly 0 where missing)"
        if name:
            handles.append(Line2D([], [], color=look.colour, marker=look.marker, label=name + zero))
    for one in drawn if len(drawn) > 1 else ():  # a single one stands beside the axis
        hollow = one == "kernel"
        label = "bias (mean error signal)" if one == "bias" else one
        handles.append(Line2D([], [], color="0.3", marker="o", ls="--" if hollow else "-", label=label))
        handles[-1].set_markerfacecolor("white" if hollow else "0.3")
    note = spread_note(rows) if rows[variant].iloc[0] else None
    if handles:
        ax.legend(handles=handles, title=note, frameon=False, ncols=2 if len(handles) > 3 else 1)
