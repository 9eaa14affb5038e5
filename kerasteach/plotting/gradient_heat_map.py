"""Gradients by layer and epoch, as colors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure

from kerasteach.plotting import non_finite
from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import (
    GRADIENTS,
    Hue,
    median,
    names_of,
    networks_in,
    of_seeds,
    phrase,
    setting_of,
)
from kerasteach.plotting.gradient_flow import lines_of, norm_label, norm_range
from kerasteach.plotting.layer_names import layer_names
from kerasteach.plotting.layer_rows import layer_number
from kerasteach.plotting.pages import composed, headline, on_page, panels
from kerasteach.plotting.style import checked_axes, inks, new_axes
from kerasteach.plotting.text_fitting import broken, fitted, letters
from kerasteach.plotting.ticks import evenly
from kerasteach.plotting.wording import gettext, times
from kerasteach.tables.checks import Table, frame_of
from kerasteach.tables.group_means import group_means
from kerasteach.validation import finite, flag, received, several

_COLUMNS = 3
_TICKS = 10  # layers that have a label, at most
_LONG, _NARROWED = 12, 0.65  # letters of a layer's name, and what such names leave of a panel's width
_SCALE_LETTERS = 20  # in a line beside the color scale of a composed figure
_COLORS = "viridis"  # whose middle, where a healthy network is, is no gray
_HEALTHY = 10  # the medians of a healthy network lie within this factor


def gradient_heat_map(
    gradients: Table,
    parameter: str | None = None,
    limits: tuple[float, float] | None = None,
    colorbar: bool = True,
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    title: str | None = AUTO,
) -> Axes:
    """Draw the gradient's norm of one network as colors, layer against epoch: the median over its seeds.

    A dotted line stands where the first of its seeds left the finite numbers, and the title says how many did.

    Args:
        gradients: A `GradientCapture`, its table, or a comparison's rows of one network.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `None`: those that carry each layer's error signal,
            see `gradient_flow`.
        limits: The norms at the ends of the logarithmic color scale. Defaults to those of the table.
        colorbar: Whether to draw the scale beside it. Defaults to `True`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"`, what is drawn, and above it a finding where there is one; a text; or `None` for no title.
            Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it or an argument is of another kind.
        ValueError: If the table lacks a column or has no row, or holds several networks.
    """
    check_title(title)
    ax, colorbar = checked_axes(ax), flag("colorbar", colorbar)
    scale = None if limits is None else _checked(limits)
    frame = networks_in("gradients", gradients, GRADIENTS, hue)
    names = names_of(frame)
    if len(names) > 1:
        raise ValueError(
            "One heat map shows one network; choose its rows, or draw all with gradient_heat_map_figure. "
            f"Received: {names}."
        )
    rows = rows_of(frame, parameter)
    norms = _norms(rows)
    ax, notes = _draw(new_axes(ax), rows, norms, scale or norm_range(norms.to_numpy()), colorbar)
    what = phrase(
        gettext("gradients by layer and epoch"), notes.replace("\n", ", "), setting_of(frame_of("gradients", gradients))
    )
    caption(ax, title, what, _finding(norms, rows))
    return ax


def gradient_heat_map_figure(
    gradients: Table, parameter: str | None = None, *, hue: Hue = None, page: int = 1, title: str | None = AUTO
) -> Figure:
    """Draw a heat map for each network of a table, six on a page, all on one color scale.

    Args:
        gradients: A comparison, a `GradientCapture` of one model, or the table of either.
        parameter: Which rows: `"bias"`, `"kernel"`, ... Defaults to `None`: those that carry each layer's error signal,
            see `gradient_flow`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`; `kerasteach.plotting.pages` says how many pages there are.
        title: A line above the panels: `"auto"`, what the table says of data and training; a text; or `None` for none.
            Defaults to `"auto"`.

    Returns:
        The figure.

    Raises:
        TypeError: If `gradients` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, or none for this parameter, or there is no such page.
    """
    check_title(title)
    frame = networks_in("gradients", gradients, GRADIENTS, hue)
    rows = rows_of(frame, parameter)
    names, note = on_page(names_of(frame), page)
    above = headline(title, setting_of(frame_of("gradients", gradients)), note)
    with composed():
        figure, axes = panels(len(names), _COLUMNS, width=3.9, height=3.1, note=above)
        heat_maps(rows, dict(zip(names, axes, strict=True)))
    return figure


def heat_maps(rows: pd.DataFrame, axes: Mapping[str, Axes]) -> None:
    """Draw a heat map of each network named into its axes, on the scale of all networks, named once."""
    every = _norms(rows)
    ends = norm_range(every.to_numpy())
    known = set(every.index.get_level_values("network"))
    labels: list[str] = []
    for name, ax in axes.items():
        if name not in known:
            ax.set_axis_off()
            ax.set_title(fitted(ax, gettext("{name}: has none of these parameters").format(name=name)))
            continue
        of_network = rows[rows["network"] == name]
        _, notes = _draw(ax, of_network, every.loc[[name]], ends, colorbar=False)
        caption(
            ax,
            None,
            phrase(gettext("gradients by layer and epoch"), notes.replace("\n", ", ")),
            _finding(every.loc[[name]], of_network),
        )
        drawn = [label.get_text() for label in ax.get_yticklabels()]
        # The names of the layers take their room from the panels, once the page is laid out.
        room = int(letters(ax) * (_NARROWED if max(map(len, drawn), default=0) > _LONG else 1))
        ax.set_title("\n".join(broken(part, room) for part in notes.split("\n")))
        if drawn == labels and not _begins_row(ax):
            ax.set_yticks([])
        labels = drawn
    figure = next(iter(axes.values())).get_figure()
    assert figure is not None
    first = next(iter(axes.values()))
    place = first.get_subplotspec()
    room = letters(first, upright=True) * (1 if place is None else place.get_gridspec().nrows)  # beside all panels
    label = broken(norm_label(rows), _SCALE_LETTERS if isinstance(figure, SubFigure) else room)
    bar = figure.colorbar(ScalarMappable(LogNorm(*ends), _COLORS), ax=list(axes.values()), label=label)
    bar.ax.minorticks_off()


def _finding(norms: pd.Series, rows: pd.DataFrame) -> str:
    """Say within what factor all medians are, where that is a small one: the gradient neither vanishes nor explodes."""
    values = norms.to_numpy()
    if not (np.isfinite(values) & (values > 0)).all() or values.max() > _HEALTHY * values.min() or len(values) < 2:
        return ""
    if norms.index.get_level_values("depth").nunique() < 2 or not np.isfinite(rows["norm"]).all():
        return ""
    factor = times(max(1.1, values.max() / values.min()))
    return gettext("all layers stay within a factor of {factor}").format(factor=factor) + of_seeds(rows)


def _begins_row(ax: Axes) -> bool:
    place = ax.get_subplotspec()
    return place is None or place.is_first_col()


def rows_of(frame: pd.DataFrame, parameter: str | None = None) -> pd.DataFrame:
    """Return the rows that carry the error signal, or those of a parameter."""
    signal = isinstance(parameter, str) and parameter == "both"  # an array has no truth value
    return next(iter(lines_of(frame, None if signal else parameter).values()))


def _checked(limits: object) -> tuple[float, float]:
    ends = [finite("limits", end) for end in several("limits", limits, "two norms")]
    if len(ends) != 2 or not 0 < ends[0] < ends[1]:
        raise ValueError(f"`limits` must be two norms with 0 < low < high. {received('limits', limits)}")
    return ends[0], ends[1]


def _draw(
    ax: Axes, rows: pd.DataFrame, medians: pd.Series, limits: tuple[float, float], colorbar: bool
) -> tuple[Axes, str]:
    """Draw one network's rows as cells, the output on top, and return the axes and what a title says of it."""
    norms = medians.droplevel("network").unstack("epoch").sort_index(ascending=False)
    cells = np.ma.masked_where(~(norms.to_numpy() > 0), norms.to_numpy())
    mesh = ax.pcolormesh(cells, norm=LogNorm(*limits), cmap=_COLORS)
    ax.set(xlim=(0, norms.shape[1]), ylim=(norms.shape[0], 0), xlabel=gettext("epochs trained"), ylabel="")
    ax.tick_params(length=0)
    sns.despine(ax=ax, left=True, bottom=True)
    if colorbar:
        figure = ax.get_figure()
        assert figure is not None
        figure.colorbar(mesh, ax=ax, label=norm_label(rows)).ax.minorticks_off()
    zero, lacking = bool((norms == 0).any(axis=None)), bool(norms.isna().any(axis=None))
    ax.patch.set(hatch="///" if zero or lacking else None, edgecolor=inks().muted)  # what the colors leave open
    hatched = _hatched(zero, lacking)
    lost = _mark_lost(ax, rows, [int(epoch) for epoch in norms.columns])
    notes = " ".join(part for part in (str(rows["network"].iloc[0]), hatched) if part)
    _name_cells(ax, rows, norms)
    return ax, "\n".join(part for part in (notes, lost) if part)


def _hatched(zero: bool, lacking: bool) -> str:
    """Say what the hatched cells of a heat map are."""
    if zero and lacking:
        return gettext("(hatched: exactly 0 or not finite)")
    return gettext("(hatched: exactly 0)") if zero else gettext("(hatched: not finite)") if lacking else ""


def _mark_lost(ax: Axes, rows: pd.DataFrame, epochs: list[int]) -> str:
    """Draw a line where the first seed left the finite numbers, and return the title's note on it."""
    lost = rows.loc[~np.isfinite(rows["norm"]), "epoch"]
    if len(lost):
        ax.axvline(epochs.index(lost.min()), color=inks().text, ls=":")
    return non_finite.notes(rows, "norm").get(str(rows["network"].iloc[0]), "")


def _name_cells(ax: Axes, rows: pd.DataFrame, norms: pd.DataFrame) -> None:
    """Name some of the epochs below the cells, and the layers beside them."""
    numbers = [int(epoch) + 1 for epoch in norms.columns]
    places = evenly(numbers)
    ax.set_xticks([place + 0.5 for place in places], [str(numbers[place]) for place in places])
    layers = layer_names(rows)
    depths = [int(depth) for depth in norms.index]
    places = evenly(depths[::-1], _TICKS)
    places = [len(depths) - 1 - place for place in reversed(places)]
    labels = [layers.get(depths[place], layer_number(depths[place])) for place in places]
    ax.set_yticks([place + 0.5 for place in places], labels, rotation=0)


def _norms(rows: pd.DataFrame) -> pd.Series:
    """Return the median over the seeds of the norm by network, depth and epoch, each a mean over the epoch's steps."""
    means = group_means(rows.groupby(["network", "seed", "depth", "epoch"])["norm"]).reset_index()
    return median(means, "norm", ["network", "depth", "epoch"])
