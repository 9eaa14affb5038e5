"""Update ratios: how far a training step moves each layer's weights, against their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import GRADIENTS, Hue, median, names_of, networks_in
from kerasteach.plotting.layer_colors import color_scale, layer_colors
from kerasteach.plotting.layer_rows import names_by_depth
from kerasteach.plotting.pages import composed, on_page, panels, write_headline
from kerasteach.plotting.style import blend, checked_axes, inks, new_axes
from kerasteach.plotting.text_fitting import broken, letters
from kerasteach.plotting.ticks import whole_ticks
from kerasteach.plotting.wording import gettext, times
from kerasteach.tables.checks import Table
from kerasteach.validation import choice

USUAL = 1e-3  # a rough heuristic of https://cs231n.github.io/neural-networks-3/#ratio
LOW, HIGH = 1e-4, 1e-1  # around it: below, a layer hardly learns; above, a step replaces much of it
_RATIOS = {name: kind for name, kind in GRADIENTS.items() if name != "norm"} | {"update_ratio": "number"}
_INSIDE = 0.7  # of the width of the axes, of which a scale of colors takes a part later
_LABEL_LETTERS = 20  # in a line of a panel's label: long titles leave the panels low
_FLOOR, _CEILING = 1e-150, 1e150


def update_ratios(
    gradients: Table,
    parameter: str = "kernel",
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    title: str | None = AUTO,
    **kwargs: Any,
) -> Axes:
    """Draw the norm of each step's change of a layer's weights over their norm, a line a layer, on a log axis.

    It shows whether the learning rate suits each layer. A rule of thumb, and no more than that, is a ratio around
    0.001, the dashed line. The shaded range goes from 0.0001 to 0.1: below it a layer hardly changes, above it a step
    replaces a good part of the weights. The first layer is the darkest line. A step that changes nothing has the
    ratio 0 and no point on the axis, and the description below the title says so.

    Args:
        gradients: A `GradientCapture(statistics=["update_ratio"])`, or its table.
        parameter: Which rows. Biases often start at 0, where a ratio is infinite. Defaults to `"kernel"`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"`: the layer that is farthest out of the range at the end, if there is one, and what is drawn; a
            text of your own; or `None` for none. Defaults to `"auto"`.
        **kwargs: For the lines: what `matplotlib.axes.Axes.plot` takes.

    Returns:
        The axes.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, has none of this parameter, or holds several networks.

    Reference:
        The rule of thumb: https://cs231n.github.io/neural-networks-3/#ratio

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"epoch": 0, "step": [0, 1], "layer": "dense", "depth": 1, "parameter": "kernel",
        ...                       "update_ratio": [0.02, 0.01]})
        >>> ax = kt.plotting.update_ratios(table)
        >>> ax.lines[-1].get_ydata().tolist()
        [0.02, 0.01]
    """
    check_title(title)
    ax = checked_axes(ax)
    rows = _rows(gradients, parameter, hue)
    names = names_of(rows)
    if len(names) > 1:
        raise ValueError(
            f"One panel shows one network; choose its rows, or draw all with update_ratios_figure. Received: {names}."
        )
    ax = new_axes(ax)
    layers = names_by_depth(rows)
    name = f"{names[0]}: " if names[0] else f"{next(iter(layers.values()))}: " if len(layers) == 1 else ""
    _draw(ax, rows, _ends(rows), title, what=f"{name}{_what(rows, parameter)}", **kwargs)
    if len(layers) > 1:
        color_scale(ax, layers)
    return ax


def update_ratios_figure(
    gradients: Table, parameter: str = "kernel", *, hue: Hue = None, page: int = 1, title: str | None = AUTO
) -> Figure:
    """Draw `update_ratios` for each network of a table, six on a page, all on one scale.

    Args:
        gradients: The tables of several captures below each other, with a column in front that names the network.
        parameter: Which rows. Defaults to `"kernel"`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`; `kerasteach.plotting.pages` says how many pages there are.
        title: Above the panels: `"auto"` for what is drawn, a text of your own, or `None`. Defaults to `"auto"`.

    Returns:
        The figure.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, has none of this parameter, or there is no such page.
    """
    check_title(title)
    rows = _rows(gradients, parameter, hue)
    shown, note = on_page(names_of(rows), page)
    parts = {name: rows[rows["network"] == name] for name in shown}
    layers = [names_by_depth(part) for part in parts.values()]
    alike = all(names == layers[0] for names in layers)
    with composed():
        figure, axes = panels(len(shown), 3, width=4.2, height=3.3, sharey=True)
        _name_layers(axes, layers, alike)
        for ax, (name, part) in zip(axes, parts.items(), strict=True):
            _draw(new_axes(ax), part, _ends(rows), AUTO, name=name)
            ax.label_outer(remove_inner_ticks=False)
            ax.xaxis.set_tick_params(labelbottom=True)
        write_headline(figure, title, _what(rows, parameter), note=note)
    return figure


def _name_layers(axes: Sequence[Axes], layers: Sequence[dict[int, str]], alike: bool) -> None:
    """Name the layers beside each panel, or once; the titles of panels then fit the width that this leaves them."""
    for ax, names in zip(axes, layers, strict=True):
        if len(names) > 1 and not alike:
            color_scale(ax, names)
    if alike and len(layers[0]) > 1:
        color_scale(axes, layers[0])
    figure: Any = axes[0].get_figure(root=True)
    figure.get_layout_engine().execute(figure)


def _rows(gradients: Table, parameter: str, hue: Hue) -> pd.DataFrame:
    frame = networks_in("gradients", gradients, _RATIOS, hue)
    choice("parameter", parameter, frame["parameter"].unique())
    return frame[frame["parameter"] == parameter]


def _ends(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: all ratios but 0 and infinite ones, and at least a little more than the range."""
    ratios = rows["update_ratio"].to_numpy()
    shown = np.clip(ratios[np.isfinite(ratios) & (ratios > 0)], _FLOOR, _CEILING)
    low, high = np.min(shown, initial=LOW / 3), np.max(shown, initial=3 * HIGH)
    margin = (high / low) ** 0.04
    return float(low / margin), float(high * margin)


def _draw(
    ax: Axes,
    rows: pd.DataFrame,
    ends: tuple[float, float],
    title: str | None,
    what: str = "",
    name: str = "",
    **kwargs: Any,
) -> None:
    """Draw the lines of one network, under what is drawn, or in a panel of several under the network's name."""
    per_step = "step" in rows and not _one_a_epoch(rows)
    x = "step" if per_step else "epoch"
    middle = median(rows, "update_ratio", ["depth", x])
    ink, layers = inks(), names_by_depth(rows)
    ax.axhspan(LOW, HIGH, color=blend(ink.text, ink.surface, 0.09), lw=0, zorder=0)
    ax.axhline(USUAL, color=ink.muted, ls="--", lw=0.7 * plt.rcParams["lines.linewidth"], zorder=1)
    many = middle.groupby(level="depth").size().max() > 30
    options = {
        "lw": (0.5 if many else 1.0) * plt.rcParams["lines.linewidth"],
        "marker": None if many else "o",
        **kwargs,
    }
    for depth, color in layer_colors(layers).items():
        line = middle[depth]
        ax.plot(line.index + (0 if per_step else 1), line, color=color, **options)
    ax.set_yscale("log", nonpositive="mask")
    ax.minorticks_off()
    ax.set_ylim(*ends)
    ax.set_xlabel(gettext("step") if per_step else gettext("epochs trained"))
    high = min(letters(ax, upright=True), _LABEL_LETTERS) if name else letters(ax, upright=True)
    ax.set_ylabel(broken(gettext("update norm / weight norm"), high))
    places = middle.index.get_level_values(x) + (0 if per_step else 1)
    whole_ticks(ax.xaxis)
    if places.min() == places.max():
        ax.set_xlim(places.min() - 0.5, places.max() + 0.5)
        ax.set_xticks([places.min()])
    if not (np.isfinite(middle) & (middle > 0)).any():
        ax.set_xlim(places.min() - 0.5, places.max() + 0.5)
        why = gettext("no step changed a weight") if (middle == 0).all() else gettext("no finite ratio")
        ax.text(0.5, 0.9, broken(why, int(_INSIDE * letters(ax))), transform=ax.transAxes, ha="center", va="top")
    missing = gettext("(0 where missing)") if (middle == 0).any() else ""
    finding = _finding(rows, middle, x, layers)
    parts = (what, missing) if finding else (what or name, missing)
    caption(ax, title, " ".join(filter(None, parts)), f"{name}: {finding}" if name and finding else finding)


def _one_a_epoch(rows: pd.DataFrame) -> bool:
    """Say whether each epoch has one step alone, so that epochs name it better."""
    return bool((rows.groupby(["network", "seed", "epoch"])["step"].nunique() == 1).all())


def _what(rows: pd.DataFrame, parameter: str) -> str:
    message = gettext("change of the {parameter} in a step, over its norm; shaded: 0.0001 to 0.1, dashed: 0.001")
    if rows["seed"].nunique() > 1:
        message = gettext(
            "change of the {parameter} in a step, over its norm, median of {seeds} seeds; shaded: 0.0001 to 0.1, "
            "dashed: 0.001"
        )
    return message.format(parameter=parameter, seeds=rows["seed"].nunique())


def _finding(rows: pd.DataFrame, middle: pd.Series, x: str, layers: dict[int, str]) -> str:
    """Say which layer is farthest outside the range in the last epoch, by the median of its drawn points."""
    last = rows["epoch"].max()
    drawn = rows.loc[rows["epoch"] == last, x].unique()
    chosen = middle[middle.index.get_level_values(x).isin(drawn)]
    if not np.isfinite(chosen).all():
        return ""
    typical = chosen.groupby(level="depth").median()
    typical = typical[typical > 0]
    outside = np.maximum(np.log10(LOW / typical), np.log10(typical / HIGH))
    if typical.empty or outside.max() <= 0:
        return ""
    depth = outside.idxmax()
    below = typical[depth] < LOW
    factor = times(10 ** min(float(outside.max()), 300.0))  # a power of ten that a float holds
    message = (
        gettext("{layer}: steps {factor} times below the usual range in epoch {number}")
        if below
        else gettext("{layer}: steps {factor} times above the usual range in epoch {number}")
    )
    return message.format(layer=layers[int(depth)], number=last + 1, factor=factor)
