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
_MOST_LETTERS = 60  # names of more than this beside each other are written aslant
_MOST_NAMES = 12  # more layers than this are numbered, not named, along an axis


def gradient_flow(
    gradients: pd.DataFrame,
    parameter: str = "both",
    epoch: int | Literal["first", "all"] = "first",
    ax: Axes | None = None,
) -> Axes:
    """Draw the gradient's norm against the layer, on a log axis: a line that falls to the left has vanished.

    The bias gradient is the layer's mean error signal, where vanishing shows; the kernel gradient is that signal times
    the layer's input, which can hide it. Solid lines and filled markers are the bias, dashed lines and hollow markers
    the kernel. Where a norm is exactly 0 or not finite, a logarithmic axis has no point, and the legend says so. Layers
    stand in the order in which the model calls them, also where it has branches.

    Args:
        gradients: `Comparison.gradients`, or `GradientCapture.frame` for one model.
        parameter: `"bias"`, `"kernel"`, `"both"`, or the name of another parameter in the table. Defaults to `"both"`.
        epoch: The epoch whose steps are averaged, as Keras numbers it, or `"all"`. Defaults to `"first"`.
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
    if epoch == "first":
        epoch = int(frame["epoch"].min())
    drawn = [parameter]
    if parameter == "both":
        drawn = [one for one in ("bias", "kernel") if one in set(frame["parameter"])]
    rows = of_parameter(_of_epoch(frame, epoch), drawn)
    groups = rows.groupby([variant, "seed", "parameter", "layer", "depth"], sort=False)["norm"]
    rows = groups.mean(skipna=False).reset_index()
    ax = new_axes(ax)
    for one in drawn:
        for name, look in looks(list(rows[variant].unique())).items():
            line = rows[(rows[variant] == name) & (rows["parameter"] == one)]
            line_with_band(ax, line, "depth", "norm", look, hollow=one == "kernel")
    low, high = norm_range(rows["norm"].to_numpy())
    ax.set_yscale("log", nonpositive="mask")
    which = f"{drawn[0]} gradient" if len(drawn) == 1 else "gradient"
    ax.set(ylim=(low / 1.6, high * 1.6), ylabel=f"L2 norm of the {which}")
    when = "all epochs" if isinstance(epoch, str) else f"epoch {epoch + 1}"
    ax.set_title(f"gradients by layer, mean over the steps of {when}")
    _name_layers(ax, rows)
    _legend(ax, rows, variant, drawn)
    return ax


def _of_epoch(frame: pd.DataFrame, epoch: int | str) -> pd.DataFrame:
    rows = frame if epoch == "all" else frame[frame["epoch"] == epoch]
    if rows.empty:
        found = f"{frame['epoch'].min()} to {frame['epoch'].max()}"
        raise ValueError(f'`epoch` must be "first", "all" or of the table, {found}. Received: epoch={epoch!r}.')
    return rows


def of_parameter(frame: pd.DataFrame, parameters: Sequence[str]) -> pd.DataFrame:
    """Return the rows of these parameters, or raise ValueError naming those there are."""
    rows = frame[frame["parameter"].isin(parameters)]
    if rows.empty:
        found = ", ".join(frame["parameter"].unique())
        raise ValueError(f"`parameter` must be one of the table's: {found}. Received: {', '.join(parameters)}.")
    return rows


def usual_parameter(frame: pd.DataFrame) -> str:
    """Return the parameter to draw where none is named: the bias, or the first where no layer has one."""
    parameters = list(frame["parameter"].unique())
    return "bias" if "bias" in parameters else str(parameters[0])


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
    ax.set_xlim(rows["depth"].min() - 0.5, rows["depth"].max() + 0.5)
    if not names:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    elif max(len(word) for name in names.values() for word in name.split()) * len(names) < _MOST_LETTERS:
        ax.set_xticks(list(names), [name.replace(" ", "\n") for name in names.values()])
    else:
        ax.set_xticks(list(names), list(names.values()), rotation=30, ha="right")


def _legend(ax: Axes, rows: pd.DataFrame, variant: str, drawn: Sequence[str]) -> None:
    """Name the networks by colour and marker, and the parameters by line."""
    handles = []
    for name, look in looks(list(rows[variant].unique())).items():
        norms = rows.loc[rows[variant] == name, "norm"]
        missing = ["exactly 0"] * bool((norms == 0).any()) + ["not finite"] * (not np.isfinite(norms).all())
        note = f" ({' or '.join(missing)} where missing)" if missing else ""
        if name or note:
            handles.append(Line2D([], [], color=look.colour, marker=look.marker, label=name + note))
    for one in drawn if len(drawn) > 1 else ():  # a single one stands beside the axis
        hollow = one == "kernel"
        label = "bias (mean error signal)" if one == "bias" else one
        handles.append(Line2D([], [], color="0.3", marker="o", ls="--" if hollow else "-", label=label))
        handles[-1].set_markerfacecolor("white" if hollow else "0.3")
    title = spread_note(rows) if rows[variant].iloc[0] else None
    if handles:
        ax.legend(handles=handles, title=title, frameon=False, ncols=2 if len(handles) > 3 else 1)
