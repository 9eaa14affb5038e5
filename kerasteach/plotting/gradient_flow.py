"""Gradients by layer: where vanishing shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from kerasteach.plotting import non_finite
from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import (
    GRADIENTS,
    MARKERS,
    Hue,
    line_with_band,
    median,
    names_of,
    networks_in,
    of_seeds,
    phrase,
    setting_of,
    spread_note,
)
from kerasteach.plotting.equal_curves import show_covered
from kerasteach.plotting.layer_names import layer_names
from kerasteach.plotting.layer_rows import name_columns, probes_apart
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.style import Look, inks, looks, new_axes, plain
from kerasteach.plotting.wording import N_, epoch_name, gettext, times
from kerasteach.tables.checks import Table, frame_of
from kerasteach.tables.error_signal import signal_rows
from kerasteach.tables.group_means import group_means
from kerasteach.validation import choice, received

_LEAST_RANGE = 100  # a scale of at least two powers of ten, so that a harmless slope does not look like vanishing
_FLOOR, _CEILING = 1e-150, 1e150  # ends of a logarithmic scale that a drawing library has numbers for
STRIKING = 10  # a finding names a first layer that gets this many times less or more than the last
_STYLES = (("-", True), ("--", False), (":", False))  # of the kinds of lines, and whether their markers are filled
_PROBES = "probes"
_SIGNAL = N_("error signal")


def gradient_flow(
    gradients: Table,
    parameter: str | None = "both",
    epoch: int | Literal["first", "all"] = "first",
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    title: str | None = AUTO,
) -> Axes:
    """Draw the gradient's norm against the layer, on a log axis: a line that falls to the left has vanished.

    Solid lines and filled markers are the rows that carry each layer's error signal, where vanishing shows: the bias
    gradient, which is the mean error signal; `beta` where a normalization layer follows; the kernel where a layer has
    neither (`kerasteach.tables.error_signal.signal_rows`). Dashed lines and hollow markers are the kernel, whose
    gradient is that signal times the layer's input, which can hide vanishing. Dotted lines are the error signal that a
    `kerasteach.layers.GradientProbe` recorded, where the network has one. Where a norm is exactly 0, a logarithmic
    axis has no point, and the legend says so; where a seed's is not finite, a cross stands at the upper edge, and the
    legend says how many seeds left the finite numbers in which epoch. Layers stand in the order in which the model
    calls them, also where it has branches.

    Args:
        gradients: A comparison, a `GradientCapture` of one model, or the table of either.
        parameter: `"both"`, the error signal and the kernel; `None`, the error signal alone; or `"bias"`, `"kernel"` or
            another parameter of the table. Defaults to `"both"`.
        epoch: The epoch whose steps are averaged, as Keras numbers it, or `"all"`. Defaults to `"first"`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"`, what is drawn, and above it a finding where a first layer gets ten times less or more than the
            last; a text; or `None` for no title. Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, or none for this parameter or epoch.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = kt.models.mlp("sigmoid", hidden=(4, 4), inputs=2, outputs=2)
        >>> model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
        >>> capture = kt.callbacks.GradientCapture()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), verbose=0, callbacks=[capture])
        >>> kt.plotting.gradient_flow(capture, parameter="bias").get_yscale()
        'log'
    """
    check_title(title)
    frame = networks_in("gradients", gradients, GRADIENTS, hue)
    lines = lines_of(frame, parameter)
    of_epoch(pd.concat(lines.values()), epoch)  # refused before there is a figure
    look_of = looks(names_of(frame))
    ax = new_axes(ax)
    found, what, finding = draw_flow(ax, lines, epoch, look_of)
    handles = network_handles(look_of, found)
    several = frame["seed"].nunique() > 1
    if several and not names_of(frame)[0] and not handles:
        look = look_of[""]
        handles = [Line2D([], [], color=look.color, marker=look.marker, label=spread_note(frame))]
    handles += line_handles(lines) if len(lines) > 1 else []
    if handles:
        legend_outside(ax, handles, spread_note(frame) if names_of(frame) != [""] else None)
    what = phrase(what, names_of(frame)[0] if len(look_of) == 1 else "", setting_of(frame_of("gradients", gradients)))
    caption(ax, title, what, finding, pad=non_finite.room_for_crosses(ax))
    return ax


def lines_of(frame: pd.DataFrame, parameter: str | None) -> dict[str, pd.DataFrame]:
    """Return the rows of each kind of line, by its name in the legend; the first of two kinds is drawn solid.

    Raises:
        TypeError: If the parameter is no text.
        ValueError: If the table has no such parameter; the message names those it has.
    """
    found = [str(name) for name in frame["parameter"].unique()]
    if parameter is not None and choice("parameter", parameter, ["both", *found]) != "both":
        rows = frame[frame["parameter"] == parameter]
        return {gettext(_SIGNAL): probes_apart(rows, numbered=True)} if parameter == "signal" else {parameter: rows}
    signal = _signal_of(frame)
    if not len(signal) and found[0] == "signal":
        return lines_of(frame, "signal")
    signal = signal if len(signal) else frame[frame["parameter"] == found[0]]
    lines = {_signal_label(signal): signal}
    if parameter == "both" and "kernel" in found:
        lines["kernel"] = frame[frame["parameter"] == "kernel"]
    if parameter == "both" and "signal" in found[1:]:
        lines[_PROBES] = probes_apart(frame[frame["parameter"] == "signal"], numbered=False)
    return lines


def _signal_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that carry the error signal, chosen by the sums of each layer: the table may be long."""
    keys = ["network", "seed", "depth", "parameter"]
    groups = frame.groupby(keys, sort=False, dropna=False)["norm"]
    sums = groups.sum().reset_index()
    sums.insert(2, "epoch", 0)
    chosen = np.zeros(len(sums), bool)
    chosen[signal_rows(sums).index] = True
    return frame[chosen[groups.ngroup().to_numpy()]]


def parameters_in(rows: pd.DataFrame) -> str:
    """Return the names of the parameters in words: `"bias or beta"`."""
    names = [gettext(_SIGNAL) if name == "signal" else plain(name) for name in rows["parameter"].unique()]
    if len(names) == 1:
        return names[0]
    return gettext("{others} or {last}").format(others=", ".join(names[:-1]), last=names[-1])


def _signal_label(rows: pd.DataFrame) -> str:
    """Say which rows stand for the error signal, and for the mean of it only where they are its mean."""
    names = set(rows["parameter"].unique())
    if names == {"bias"}:
        return gettext("bias (mean error signal)")
    if names == {"beta"}:
        return gettext("beta of a normalization behind it (mean error signal)")
    if names == {"bias", "beta"}:
        return gettext("bias, or beta of a normalization behind it (mean error signal)")
    if names <= {"kernel", "signal"} and len(names) == 1:
        return gettext(_SIGNAL) if names == {"signal"} else "kernel"
    return gettext("{parameters} (error signal)").format(parameters=parameters_in(rows))


def draw_flow(
    ax: Axes, lines: Mapping[str, pd.DataFrame], epoch: int | str, look_of: Mapping[str, Look]
) -> tuple[dict[str, str], str, str]:
    """Draw the lines of a checked table, without a legend.

    Returns:
        The legend's notes, by network; what is drawn, in words; and the finding, which may be empty.
    """
    rows = pd.concat(lines.values(), keys=lines, names=["line", None]).reset_index(level="line")
    lost = non_finite.notes(rows, "norm")
    rows, when = of_epoch(rows, epoch)
    groups = rows.groupby(["line", "network", "seed", "layer", "depth"], sort=False)["norm"]
    rows = group_means(groups).reset_index()
    kinds = list(lines)
    medians: dict[str, pd.Series] = {}
    every, before = max(1, rows["depth"].nunique() // MARKERS), len(ax.lines)
    for (line, name), points in rows.groupby(["line", "network"], sort=False):
        style, filled = _style_of(str(line), kinds)
        look, options = look_of[str(name)], {"ls": style, "markevery": every}
        middle = line_with_band(ax, points, "depth", "norm", look, hollow=not filled, **options)
        if line == kinds[0]:
            medians[str(name)] = middle
    curves = ax.lines[before:]
    bad = rows[~np.isfinite(rows["norm"])].groupby("network", sort=False)["depth"]
    places = {str(name): depths.unique() for name, depths in bad}
    non_finite.mark(ax, places, look_of, 1.3 * plt.rcParams["lines.markersize"])
    low, high = norm_range(rows["norm"].to_numpy())
    margin = max(1.6, (high / low) ** 0.05)  # for half a marker, over any number of decades
    ax.set_ylim(low / margin, high * margin)
    ax.set_yscale("log", nonpositive="mask")
    ax.minorticks_off()
    ax.set_ylabel(norm_label(next(iter(lines.values()))) if len(lines) == 1 else gettext("L2 norm of the gradient"))
    what = gettext("gradients by layer, mean over the steps of {epoch}").format(epoch=when)
    name_columns(ax, layer_names(rows[rows["line"] != _PROBES]), [int(rows["depth"].min()), int(rows["depth"].max())])
    show_covered(curves)
    if not (np.isfinite(rows["norm"]) & (rows["norm"] > 0)).any():
        zero = bool((rows["norm"] == 0).all())
        non_finite.nothing_finite(ax, gettext("every gradient is exactly 0") if zero else gettext("no finite gradient"))
    return _notes(rows, lost), what, _finding(rows[rows["line"] == kinds[0]], medians)


def _style_of(line: str, kinds: Sequence[str]) -> tuple[str, bool]:
    """Return the style of a kind of lines, and whether its markers are filled."""
    return _STYLES[0 if line == kinds[0] else 2 if line == _PROBES else 1]


def norm_label(rows: pd.DataFrame) -> str:
    """Return what the norm of these rows is called along an axis or a scale."""
    if set(rows["parameter"].unique()) == {"signal"}:
        return gettext("L2 norm of the error signal")
    return gettext("L2 norm of the {parameters} gradient").format(parameters=parameters_in(rows))


def _finding(rows: pd.DataFrame, medians: Mapping[str, pd.Series]) -> str:
    """Say which network's first layer gets most times less than its last, or more, if each of its seeds says so."""
    if (rows["line"] == gettext(_SIGNAL)).any():  # of probes, which are no layers
        return ""
    found: list[tuple[float, str]] = []
    for name, middle in medians.items():
        first, last = int(middle.index[0]), int(middle.index[-1])
        ends = rows[(rows["network"] == name) & rows["depth"].isin([first, last])]
        seeds = ends.pivot(index="seed", columns="depth", values="norm")
        if first == last or seeds.isna().any(axis=None) or not (np.isfinite(seeds) & (seeds > 0)).all(axis=None):
            continue
        factor, every = middle[last] / middle[first], (seeds[last] / seeds[first]).to_numpy()
        less = factor > 1
        if max(factor, 1 / factor) < STRIKING or not ((every > 2) if less else (every < 0.5)).all():
            continue
        who = of_seeds(rows)
        text = first_and_last(first, last, times(max(factor, 1 / factor)), less)
        found.append((abs(np.log(factor)), f"{name}: {text}{who}" if name else f"{text}{who}"))
    return max(found)[1] if found else ""


def first_and_last(first: int, last: int, factor: str, less: bool) -> str:
    """Say how many times less, or more, gradient one layer gets than another."""
    message = (
        gettext("layer {first} gets {factor} times less than layer {last}")
        if less
        else gettext("layer {first} gets {factor} times more than layer {last}")
    )
    return message.format(first=first, last=last, factor=factor)


def of_epoch(rows: pd.DataFrame, epoch: int | str) -> tuple[pd.DataFrame, str]:
    """Return the rows of an epoch, and what to call it in a title."""
    first, last = int(rows["epoch"].min()), int(rows["epoch"].max())
    if isinstance(epoch, str) and epoch == "all":
        return rows, gettext("all epochs")
    number: Any = first if isinstance(epoch, str) and epoch == "first" else epoch
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number not in set(rows["epoch"]):
        raise ValueError(
            f'`epoch` must be "first", "all" or of the table, {first} to {last}. {received("epoch", epoch)}'
        )
    return rows[rows["epoch"] == number], epoch_name(int(number))


def _notes(rows: pd.DataFrame, lost: Mapping[str, str]) -> dict[str, str]:
    """Return the legend's note on each network: where a point is missing, and which seeds are not finite."""
    found = {}
    middle = median(rows, "norm", ["network", "line", "depth"])
    for name, norms in middle.groupby(level="network"):
        zero = gettext("exactly 0 where missing") if (norms == 0).any() else ""
        parts = [part for part in (zero, lost.get(str(name), "")) if part]
        if parts:
            found[str(name)] = ", ".join(parts)
    return found


def norm_range(norms: np.ndarray) -> tuple[float, float]:
    """Return the ends of a logarithmic scale that shows every norm but 0."""
    shown = norms[np.isfinite(norms) & (norms > 0)]
    if not shown.size:
        return 1 / _LEAST_RANGE, 1.0
    low, high = (float(np.clip(end, _FLOOR, _CEILING)) for end in (shown.min(), shown.max()))
    widen = max(1.0, _LEAST_RANGE / (high / low)) ** 0.5
    return low / widen, high * widen


def network_handles(look_of: Mapping[str, Look], found: Mapping[str, str]) -> list[Line2D]:
    """Return the legend's entries of the networks, by color and marker, with a note where there is one."""
    handles = []
    for name, look in look_of.items():
        note = found.get(name, "")
        label = f"{name} ({note})" if name and note else name or note
        if label:
            handles.append(Line2D([], [], color=look.color, marker=look.marker, label=label))
    return handles


def line_handles(lines: Sequence[str] | Mapping[str, pd.DataFrame]) -> list[Line2D]:
    """Return the legend's entries of the kinds of lines: solid and filled, dashed and hollow."""
    handles = []
    ink = inks()
    for kind in lines:
        style, filled = _style_of(kind, list(lines))
        face = ink.muted if filled else ink.surface
        label = gettext("error signal at the probes") if kind == _PROBES else kind
        handles.append(Line2D([], [], color=ink.muted, marker="o", ls=style, markerfacecolor=face, label=plain(label)))
    return handles
