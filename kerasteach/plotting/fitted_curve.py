"""Fitted curve: what a network with one input gives out, with the data."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from kerasteach import validation
from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.comparison_tables import Hue, line_with_band, names_of, networks_in, spread_note
from kerasteach.plotting.equal_curves import show_covered
from kerasteach.plotting.fitted_surface import targets_of
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.planes import feature_names, named_value, thin
from kerasteach.plotting.style import inks, looks, new_axes, plain
from kerasteach.plotting.text_fitting import broken
from kerasteach.plotting.wording import N_, gettext
from kerasteach.tables.checks import Kind, Table, frame_of

_NEEDED: dict[str, Kind] = {"x_1": "number", "output": "name", "value": "number"}
_MARKERS = {"training": "o", "test": "s"}
_DATA = {"training": N_("training data"), "test": N_("test data")}


def fitted_curve(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    ax: Axes | None = None,
    *,
    x_test: Any = None,
    y_test: Any = None,
    feature: str | None = None,
    hue: Hue = None,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw what networks with one input give out, a line a network, and the data as points.

    A line is the median over the seeds, its band goes from the lowest to the highest. The data of the training are
    filled, those of the test hollow. Of one network with several outputs, such as the probabilities of classes, each
    output is a line; with one output, the title has the root of the mean squared distance of the data from the line.

    Args:
        predictions: A comparison on data with one feature, its table `predictions`, or what
            `kerasteach.decision_regions` returns for such a model: `x_1, output, value`.
        x: The data of the training, `(examples,)` or `(examples, 1)`, in the units of `x_1`. Defaults to `None`.
        y: Their values, `(examples,)` or `(examples, 1)`. Defaults to `None`.
        ax: Where to draw. Defaults to a new figure.
        x_test: Data that the networks were not trained on. Defaults to `None`.
        y_test: Their values. Defaults to `None`.
        feature: The name of the feature, for the axis. Defaults to that which the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"` for the distance of one network from the data, `None` for no title, or a text. Defaults to
            `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.plot` takes for the lines, such as `lw`.

    Returns:
        The axes.

    Raises:
        TypeError: If `predictions` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing, the table has no row, only one of `x` and `y` is given, or there are several
            networks of several outputs.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"x_1": [0.0, 1.0, 2.0], "output": "value_1", "value": [0.0, 2.0, 4.0]})
        >>> ax = kt.plotting.fitted_curve(table, [0.5, 1.5], [1.0, 4.0])
        >>> " ".join(ax.get_title().split()[:6])
        'training data: 0.71 off the line'
    """
    check_title(title)
    name = None if feature is None else [validation.text("feature", feature)]
    table = frame_of("predictions", predictions)
    frame = networks_in("predictions", table, _NEEDED, hue)
    outputs, names = [str(name) for name in frame["output"].unique()], names_of(frame)
    if len(outputs) > 1 and len(names) > 1:
        raise ValueError(
            f"`predictions` must have one network, or one output; choose rows of it. Received: {len(names)} networks "
            f"and the outputs {', '.join(outputs)}."
        )
    column = "output" if len(outputs) > 1 else "network"
    labels = outputs if len(outputs) > 1 else names
    data = {"training": _data("", x, y), "test": _data("_test", x_test, y_test)}
    ax = new_axes(ax)
    look_of = looks(labels)
    ends = frame["x_1"].min(), frame["x_1"].max()
    before = len(ax.lines)
    for label in labels:
        rows = frame[frame[column] == label]
        if label or len(labels) > 1:
            ax.plot([], [], color=look_of[label].color, label=plain(broken(label, 24)))
        line_with_band(ax, rows, "x_1", "value", look_of[label]._replace(marker=""), **kwargs)
    _scatter(ax, {part: points for part, points in data.items() if len(points)})
    xlabel = feature_names(name, table, 1)[0]
    ax.set(xlabel=xlabel, ylabel=gettext("output") if len(outputs) > 1 else named_value(outputs[0]))
    ax.set_xlim(*ends if ends[0] < ends[1] else (ends[0] - 0.5, ends[1] + 0.5))
    show_covered([line for line in ax.lines[before:] if np.size(line.get_xdata())])
    if ax.get_legend_handles_labels()[0]:
        legend_outside(ax)
    caption(ax, title, spread_note(frame), _finding(frame, data["training"]) if len(labels) == 1 else "")
    return ax


def _data(name: str, x: Any, y: Any) -> np.ndarray:
    """Return points `(examples, 2)` of feature and value, or none."""
    if x is None and y is None:
        return np.zeros((0, 2))
    if x is None or y is None:
        raise ValueError(f"`x{name}` and `y{name}` belong together: data and their values. Received: one of them.")
    points = validation.array(f"x{name}", x)
    points = points[:, 0] if points.ndim == 2 and points.shape[1] == 1 else points
    values = targets_of(f"y{name}", y, 1, 0) if np.ndim(y) else np.zeros(0)
    if points.ndim != 1 or len(points) != len(values):
        raise ValueError(
            f"`x{name}` must be (examples,) or (examples, 1), and `y{name}` have a value for each. "
            f"Received: x{name} of shape {points.shape}, y{name} of shape {np.shape(y)}."
        )
    return np.stack([points, values], axis=1)


def _scatter(ax: Axes, data: dict[str, np.ndarray]) -> None:
    """Draw the data behind the lines: filled or hollow, and named where there are several kinds."""
    ink, size = inks(), 0.8 * float(plt.rcParams["lines.markersize"])
    for part, points in data.items():
        face = ink.muted if part == "training" else ink.surface
        style: dict[str, Any] = {"marker": _MARKERS[part], "mfc": face, "mec": ink.muted, "ms": size, "mew": thin()}
        known = points[np.isfinite(points).all(axis=1)]
        alpha = 0.6 if part == "training" else 1.0
        ax.add_line(
            Line2D(known[:, 0], known[:, 1], ls="", label=gettext(_DATA[part]), alpha=alpha, zorder=1.5, **style)
        )
    ax.autoscale_view()


def _finding(frame: pd.DataFrame, points: np.ndarray) -> str:
    """Say how far the data are from the line that is drawn, the median over the seeds."""
    middle = frame.groupby("x_1")["value"].median()
    known = points[np.isfinite(points).all(axis=1)] if len(points) else points
    known = known[(known[:, 0] >= middle.index.min()) & (known[:, 0] <= middle.index.max())]
    if not len(known) or not np.isfinite(middle.to_numpy()).all() or frame["output"].nunique() > 1:
        return ""
    drawn = np.interp(known[:, 0], middle.index.to_numpy("float64"), middle.to_numpy("float64"))
    off = float(np.sqrt(np.mean((drawn - known[:, 1]) ** 2)))
    message = gettext("training data: {distance} off the line (root of the mean square)")
    if frame["seed"].nunique() > 1:
        message = gettext("training data: {distance} off the median line (root of the mean square)")
    return message.format(distance=f"{off:.2g}")
