"""Network drawn as layers, with arrows as thick as the gradient that flows back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.comparison_tables import GRADIENTS, Hue, median, names_of, networks_in
from kerasteach.plotting.gradient_flow import first_and_last, norm_range, of_epoch, parameters_in
from kerasteach.plotting.gradient_heat_map import rows_of
from kerasteach.plotting.layer_names import layer_names
from kerasteach.plotting.layer_rows import layer_number
from kerasteach.plotting.pages import composed, headline, on_page, panels
from kerasteach.plotting.step_flow import draw_flow, flow_of
from kerasteach.plotting.style import blend, checked_axes, inks, new_axes, plain
from kerasteach.plotting.ticks import evenly
from kerasteach.plotting.wording import gettext, times
from kerasteach.tables.checks import Table, frame_of
from kerasteach.tables.group_means import group_means
from kerasteach.validation import received, whole

_MOST = 5  # units of a layer that are drawn
_MOST_ARROWS = 30  # of the forward pass; beyond them it is one long arrow
_DECADES = 3.0  # that the thickness of arrows spans, at least
_THICKEST, _THINNEST, _FORWARD = 0.34, 0.04, 0.07  # of the height of a layer
NETWORKS_ON_A_PAGE = 3  # each as wide as the page, so that numbers and names have the size of other figures' text
_FACTOR = 2.0  # from which on the title says how much less, or more, the first layer gets


class _Layers(NamedTuple):
    """One network: the median norm by depth, the layers' units and names, and whether they are probes instead."""

    norms: pd.Series
    units: dict[int, int]
    names: dict[int, str]
    seeds: int
    probes: bool


def network_gradients(
    gradients: Table,
    parameter: str | None = None,
    epoch: int | str = "first",
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw one network as layers of units, with the gradient that flows back as arrows, and the forward pass above.

    The network reads from left to right, as the thin arrows above say. Below it the error's gradient goes back from
    layer to layer: an arrow that ends at a layer is as thick, and as deep in color, as the norm of the gradient that
    the layer receives, on a logarithmic scale; the number below is that norm, the median over the seeds. A layer has up
    to five circles; a colon stands for further units. Where a norm is exactly 0 there is no arrow.

    Args:
        gradients: A `GradientCapture`, its table, or a comparison's rows of one network.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `None`: those that carry each layer's error signal,
            see `gradient_flow`.
        epoch: The epoch whose steps are averaged, as Keras numbers it, `"first"` or `"all"`. Defaults to `"first"`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"` for how much less the first layer gets than the last, `None` for no title, or a text. Defaults
            to `"auto"`.
        **kwargs: What `matplotlib.patches.Polygon` takes for the arrows, such as `alpha`.

    Returns:
        The axes.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, none for this parameter or epoch, or several networks.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"epoch": 0, "step": 0, "layer": ["first", "second", "third"], "depth": [1, 2, 3],
        ...                       "parameter": "bias", "norm": [0.002, 0.05, 1.0]})
        >>> kt.plotting.network_gradients(table).get_title().splitlines()[0]
        'layer 1 gets 500 times less than layer 3'
    """
    check_title(title)
    ax = checked_axes(ax)
    rows = rows_of(networks_in("gradients", gradients, {**GRADIENTS}, hue), parameter)
    names = names_of(rows)
    if len(names) > 1:
        raise ValueError(
            "`gradients` must be of one network; choose its rows, or draw all with network_gradients_figure. "
            f"Received: {names}."
        )
    rows, when = of_epoch(rows, epoch)
    layers = _layers(rows, _units(gradients))
    ax = new_axes(ax)
    _draw(ax, layers, norm_range(layers.norms.to_numpy()), kwargs)
    caption(ax, title, _what(rows, when, layers), _finding(names[0], layers))
    return ax


def network_gradients_figure(
    gradients: Table,
    parameter: str | None = None,
    epoch: int | str = "first",
    *,
    example: int = 0,
    hue: Hue = None,
    page: int = 1,
    title: str | None = "auto",
    **kwargs: Any,
) -> Figure:
    """Draw each network as layers with the gradient that flows back, three on a page on one scale; or a traced step.

    Of gradients by layer, each network is a panel: see `network_gradients`. Of a traced step, the network is drawn
    twice with every unit and connection. On the left, forward: in each unit its output, and along each connection an
    arrow as thick as the part `w a` that it adds to the next unit. On the right, backward: in each unit dE/dz, and
    along each connection an arrow as thick as the part `w dE/dz` that flows back through it; all parts that arrive at a
    unit add up to its dE/da.

    Args:
        gradients: A comparison, a `GradientCapture` of one model, or the table of either; or what
            `kerasteach.trace_step` returns, or its table.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `None`: those that carry each layer's error signal,
            see `gradient_flow`.
        epoch: The epoch whose steps are averaged, as Keras numbers it, `"first"` or `"all"`. Defaults to `"first"`.
        example: Which example of a traced step, from 0. Defaults to `0`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which three of more networks. Defaults to `1`; `kerasteach.plotting.pages(gradients, networks=3)` says how
            many pages there are.
        title: `"auto"` for each network's finding; `None` for the networks' names alone; or a text above all panels.
            Defaults to `"auto"`.
        **kwargs: What `matplotlib.patches.Polygon` takes for the arrows between layers, such as `alpha`.

    Returns:
        The figure.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, or none for this parameter or epoch, or there is no such
            page or example, or a layer of a traced step has more than 24 units.

    Example:
        >>> import kerasteach as kt
        >>> model = kt.models.mlp("tanh", hidden=(3,), inputs=2, outputs=1, output_activation="sigmoid")
        >>> step = kt.trace_step(model, [[0.5, -1.0]], [[1.0]])
        >>> [ax.get_title() for ax in kt.plotting.network_gradients_figure(step).axes]
        ['forward: output a of each unit', 'backward: dE/dz of each unit']
    """
    check_title(title)
    frame = frame_of("gradients", gradients)
    if isinstance(frame, pd.DataFrame) and "quantity" in frame:
        return _of_step(frame, example, page, title)
    rows = rows_of(networks_in("gradients", gradients, {**GRADIENTS}, hue), parameter)
    rows, when = of_epoch(rows, epoch)
    names, note = on_page(names_of(rows), page, NETWORKS_ON_A_PAGE)
    heading = headline(title, "", note)
    units = _units(gradients)
    all_layers = {name: _layers(rows[rows["network"] == name], units) for name in names_of(rows)}
    ends = norm_range(np.concatenate([layers.norms.to_numpy() for layers in all_layers.values()]))
    with composed():
        figure, axes = panels(len(names), 1, width=12.0, height=2.3, note=heading)
        for ax, name in zip(axes, names, strict=True):
            layers = all_layers[name]
            _draw(ax, layers, ends, kwargs)
            finding = _finding(name, layers) if title == "auto" else ""
            what = _what(rows, when, layers) if len(names) == 1 else ("" if finding else name)
            caption(ax, "auto", what, finding)
        if len(names) > 1:
            figure.supxlabel(_what(rows, when, all_layers[names[0]]), fontsize=plt.rcParams["font.size"])
    return figure


def _of_step(frame: pd.DataFrame, example: int, page: int, title: str | None) -> Figure:
    """Draw a traced step: forward on the left, backward on the right."""
    if whole("page", page) > 1:
        raise ValueError(f"`page` must be 1: a traced step has one page here. {received('page', page)}")
    flow = flow_of(frame, example)
    heading = "" if title in ("auto", None) else str(title)
    with composed():
        figure, axes = panels(2, 2, width=6.0, height=1.6 + 0.8 * flow.most_units, note=heading)
        for ax, direction in zip(axes, ("forward", "backward"), strict=True):
            draw_flow(ax, flow, direction)
            forward = gettext("forward: output a of each unit")
            backward = gettext("backward: dE/dz of each unit")
            caption(ax, "auto", forward if direction == "forward" else backward)
    return figure


def _units(gradients: Table) -> dict[str, int]:
    """Return how many units the layers have, as far as the table has the sizes of their biases."""
    frame = frame_of("gradients", gradients)
    if "size" not in frame or not pd.api.types.is_numeric_dtype(frame["size"]):
        return {}
    biases = frame[frame["parameter"].isin(["bias", "beta"])]
    return {str(layer): int(size) for layer, size in biases.groupby("layer")["size"].max().items()}


def _layers(rows: pd.DataFrame, units: dict[str, int]) -> _Layers:
    """Return what is drawn of one network: each layer's mean over the steps, and of these the median over the seeds."""
    means = group_means(rows.groupby(["seed", "depth"])["norm"]).reset_index()
    of_depth = rows.groupby("depth")["layer"].first()
    known = {int(depth): units[layer] for depth, layer in zip(of_depth.index, of_depth, strict=True) if layer in units}
    probes = set(rows["parameter"].unique()) == {"signal"}
    return _Layers(median(means, "norm", "depth"), known, layer_names(rows), rows["seed"].nunique(), probes)


def _draw(ax: Axes, layers: _Layers, ends: tuple[float, float], options: dict[str, Any]) -> None:
    """Draw the layers from left to right in steps of 1, the forward pass above them, the gradients below."""
    ink, depths = inks(), [int(depth) for depth in layers.norms.index]
    places: dict[int | None, int] = {None: 0, **{depth: number + 1 for number, depth in enumerate(depths)}}
    last = len(depths) + 1  # the error
    ax.set(xlim=(-0.45, last + 0.45), ylim=(-1.04, 1.55))
    ax.set_axis_off()
    size = float(plt.rcParams["font.size"])
    backward = gettext("backward pass")
    beside = len(backward) * 0.6 * size < 1.5 * _column(ax, last + 1)  # the first arrow, else above it
    lowest = 0.1 if beside else 0.26
    counts = [min(layers.units.get(depth, _MOST), _MOST) if depth is not None else _MOST for depth in places]
    heights = [np.linspace(lowest, 0.9, count) if count > 1 else np.array([0.5]) for count in counts]
    _connect(ax, heights)
    _draw_units(ax, heights, [_MOST + 1, *(layers.units.get(depth, _MOST + 1) for depth in depths)])
    error = gettext("error")
    beyond = len(error) * 0.6 * size > _column(ax, last + 1)  # the last layer, where columns are narrower than the word
    ax.text(last, 0.5, error, ha="left" if beyond else "center", va="center", fontsize=size, color=ink.text)
    starts = range(last) if last <= _MOST_ARROWS else [0]
    for number in starts:
        _arrow(ax, number + 0.18, (number if len(starts) > 1 else last - 1) + 0.82, 1.18, _FORWARD, ink.forward, {})
    ax.text(-0.4, 1.42, gettext("forward pass"), va="center", fontsize=size, color=ink.forward)
    ax.text(-0.4, -0.3 if beside else 0.06, backward, va="center", fontsize=size, color=ink.backward)
    for depth, norm in zip(depths, layers.norms, strict=True):
        x = places[depth]
        share = _share(float(norm), ends)
        if share is not None:
            color = blend(ink.backward, ink.surface, 0.25 + 0.75 * share)
            thickness = _THINNEST + (_THICKEST - _THINNEST) * share
            _arrow(ax, x + 0.88, x + 0.04, -0.3, thickness, color, options)
    _write(ax, layers, places, size)


def _share(norm: float, ends: tuple[float, float]) -> float | None:
    """Return how thick an arrow is, from 0 to 1 on a logarithmic scale, or `None` where there is none."""
    if not np.isfinite(norm) or norm <= 0:
        return None
    decades = max(_DECADES, float(np.log10(ends[1] / ends[0])))
    return float(np.clip(1 + np.log10(norm / ends[1]) / decades, 0, 1))


def _connect(ax: Axes, heights: list[np.ndarray]) -> None:
    """Draw a faint line from each unit to each of the next layer."""
    lines = [
        [(number, start), (number + 1, end)]
        for number, (before, after) in enumerate(pairwise(heights))
        for start in before
        for end in after
    ]
    ax.add_collection(LineCollection(lines, colors=inks().faint, linewidths=1.0, zorder=1))


def _draw_units(ax: Axes, heights: list[np.ndarray], counts: list[int]) -> None:
    """Draw the circles of each layer; in place of the middle one a colon, where there are more units."""
    ink = inks()
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    step = min(0.3 * box.width / (len(heights) + 1), 0.13 * box.height) / dpi * 72  # points
    for number, (places, count) in enumerate(zip(heights, counts, strict=True)):
        shown = np.delete(places, 2) if count > _MOST else places
        ax.scatter(
            np.full(len(shown), number), shown, s=(0.62 * step) ** 2, fc=ink.surface, ec=ink.text, lw=1.0, zorder=2
        )
        if count > _MOST:
            dots = np.linspace(-0.05, 0.05, 3) + places[2]
            ax.scatter(np.full(3, number), dots, s=(0.12 * step) ** 2, color=ink.text, zorder=2)


def _column(ax: Axes, columns: int) -> float:
    """Return how far layers stand apart, in points."""
    figure, grid = ax.get_figure(root=True), ax.get_subplotspec()
    assert figure is not None
    if figure.get_layout_engine() is not None and grid is not None:
        width = 72 * figure.get_figwidth() / grid.get_gridspec().ncols  # what a layout leaves to axes without labels
    else:
        width = ax.get_window_extent().width / figure.dpi * 72
    return float(width / columns)


def _arrow(ax: Axes, start: float, end: float, y: float, thick: float, color: str, options: dict[str, Any]) -> None:
    """Draw a flat arrow from one place to another, with a head that is somewhat thicker, and no longer than thick."""
    half, wide = thick / 2, thick / 2 + 0.06
    box = ax.get_window_extent()
    upright = box.height / np.ptp(ax.get_ylim()) / (box.width / np.ptp(ax.get_xlim()))  # of a unit, in units across
    head = min(0.35 * abs(end - start), 2 * wide * upright)
    neck = end - np.sign(end - start) * head
    upper = [(start, y + half), (neck, y + half), (neck, y + wide), (end, y)]
    lower = [(x, 2 * y - place) for x, place in reversed(upper[:-1])]
    ax.add_patch(Polygon([*upper, *lower], **{"fc": color, "ec": "none", "zorder": 2, **options}))


def _write(ax: Axes, layers: _Layers, places: dict[int | None, int], size: float) -> None:
    """Write the norms below their arrows, and the layers' names below these; of many layers some."""
    ink = inks()
    column = _column(ax, len(places))
    texts = {int(depth): _number(float(norm)) for depth, norm in zip(layers.norms.index, layers.norms, strict=True)}
    names = {depth: layers.names.get(depth, layer_number(depth)) for depth in texts}
    if max(map(len, names.values())) * 0.6 * size > column:
        names = {depth: str(depth) for depth in texts}
    every = max(1, int(np.ceil(4.2 * size / column)))
    depths = list(texts)
    shown = [depths[place] for place in evenly(depths, -(-len(depths) // every))]
    for depth in shown:
        x = places[depth]
        ax.text(x + 0.46, -0.6, texts[depth], ha="center", va="center", fontsize=size, color=ink.backward)
        ax.text(x, -0.92, plain(names[depth]), ha="center", va="center", fontsize=size, color=ink.text)
    text = gettext("layer") if names[shown[0]] == str(shown[0]) else gettext("input")
    if places[shown[0]] * column > 3.6 * size:  # beside the first layer that has a name
        ax.text(0, -0.92, text, ha="center", va="center", fontsize=size, color=ink.text)


def _number(norm: float) -> str:
    if not np.isfinite(norm):
        return gettext("not finite")
    if norm == 0:
        return "0"
    if 1e-3 <= norm < 1e4:
        return f"{norm:.2g}" if norm < 100 else f"{norm:.0f}"
    digits, power = f"{norm:.0e}".split("e")
    return rf"${digits}\cdot10^{{{int(power)}}}$"


def _what(rows: pd.DataFrame, when: str, layers: _Layers) -> str:
    message = gettext("arrows: norm of the {parameters} gradient, mean over the steps of {epoch}")
    if layers.seeds > 1:
        message = gettext(
            "arrows: norm of the {parameters} gradient, mean over the steps of {epoch}, median of {seeds} seeds"
        )
    return message.format(parameters=parameters_in(rows), epoch=when, seeds=layers.seeds)


def _finding(name: str, layers: _Layers) -> str:
    """Say how much less, or more, the first layer gets than the last, as the drawn numbers do."""
    first, last = float(layers.norms.iloc[0]), float(layers.norms.iloc[-1])
    if layers.probes or len(layers.norms) < 2 or not np.isfinite([first, last]).all():
        return ""
    of = f"{name}: " if name else ""
    ends = int(layers.norms.index[0]), int(layers.norms.index[-1])
    if first == 0 and last == 0:
        return of + gettext("no layer gets any gradient")
    if first == 0 or last == 0:
        return of + gettext("layer {depth} gets no gradient").format(depth=ends[0] if first == 0 else ends[1])
    factor = max(first / last, last / first)
    if factor < _FACTOR:
        return ""
    return of + first_and_last(*ends, times(factor), first < last)
