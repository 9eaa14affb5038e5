"""Histograms of magnitudes by layer: ridges of chosen epochs, and the band of the percentiles over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullLocator

from kerasteach.plotting.captions import AUTO, caption
from kerasteach.plotting.comparison_tables import HISTOGRAMS, Hue, networks_in
from kerasteach.plotting.layer_rows import by_call, names_by_depth, parts_of
from kerasteach.plotting.notebook import ComposedFigure
from kerasteach.plotting.pages import composed, on_page, page_size, write_headline
from kerasteach.plotting.style import PAGE, blend, inks, new_axes
from kerasteach.plotting.ticks import whole_ticks
from kerasteach.plotting.wording import N_, epoch_name, gettext
from kerasteach.tables.checks import Table
from kerasteach.tables.names import percent
from kerasteach.validation import is_number, received, several

_BANDS = ((0.05, 0.95, 0.25), (0.16, 0.84, 0.45), (0.31, 0.69, 0.7))  # shares of the entries, and depth of color
_SHADES = (0.4, 0.7, 1.0)  # of the ridges, from the first epoch to the last
_MOST_EPOCHS = 6


def histograms_in(histograms: Table, hue: Hue) -> pd.DataFrame:
    """Return the checked table of histograms, a row a bin."""
    return by_call(networks_in("histograms", histograms, HISTOGRAMS, hue))


def histograms_figure(
    frame: pd.DataFrame, epochs: Iterable[int] | None, page: Any, title: str | None, of: str, color: str
) -> Figure:
    """Draw ridges and bands of a page.

    Args:
        frame: The checked table, of one kind of entries.
        epochs: Those of the ridges; `None` for the first, the middle and the last.
        page: Which page.
        title: The caller's title.
        of: What the entries are of, in the language of the figure: `"outputs"`.
        color: Of the last epoch.
    """
    pages = parts_of(frame)
    shown, many = on_page([str(number) for number in range(len(pages))], page, most=1, what=N_("pages"))
    name, depths = pages[int(shown[0])]
    own = frame[(frame["network"] == name) & frame["depth"].isin(depths)]
    layers = names_by_depth(own)
    chosen = _checked_epochs(epochs, sorted(int(epoch) for epoch in own["epoch"].unique()))
    columns = 1 if len(layers) <= 3 else 2
    rows = -(-len(layers) // columns)
    with composed():
        size = page_size(PAGE[0] if columns == 2 else 9.6, 2.2 + 1.6 * max(rows, 2))
        figure = plt.figure(figsize=size, layout="constrained", FigureClass=ComposedFigure)
        left, right = figure.subfigures(1, 2, width_ratios=[1, 0.95 * columns], squeeze=False).flat
        ends = _range(own)
        draw_ridges(left.subplots(), own, chosen, layers, ends, color)
        grid = right.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        axes = list(grid.T.flat) if columns == 1 else list(grid.flat)
        for ax in axes[len(layers) :]:
            ax.set_axis_off()
        for ax in axes[max(0, len(layers) - columns) : len(layers)]:  # the lowest of each column
            ax.tick_params(labelbottom=True)
        for depth, ax in zip(layers, axes, strict=False):
            draw_band(ax, own[own["depth"] == depth], layers[depth], ends, color)
        right.supxlabel(_time(own)[1], fontsize=plt.rcParams["axes.labelsize"])
        right.supylabel(gettext("magnitude"), fontsize=plt.rcParams["axes.labelsize"])
        right.legend(handles=_band_handles(color), loc="outside upper center", ncols=2 * columns, frameon=False)
        message = gettext("magnitudes of the {entries}, layer by layer")
        if name:
            message = gettext("magnitudes of the {entries} of {network}, layer by layer")
        write_headline(figure, title, message.format(entries=of, network=name), note=many)
    return figure


def _checked_epochs(epochs: Iterable[int] | None, known: Sequence[int]) -> list[int]:
    """Return the epochs whose ridges are drawn, in order."""
    if epochs is None:
        return sorted({known[0], known[len(known) // 2], known[-1]})
    asked = [epochs] if isinstance(epochs, (int, np.integer)) else several("epochs", epochs, "numbers of epochs")
    bad = [epoch for epoch in asked if not is_number(epoch) or epoch not in known]
    if bad or not 1 <= len(asked) <= _MOST_EPOCHS:
        raise ValueError(
            f"`epochs` must be one to {_MOST_EPOCHS} epochs of the table, {known[0]} to {known[-1]}. "
            f"{received('epochs', bad or asked)}"
        )
    return sorted({int(epoch) for epoch in asked})


def quantiles(low: np.ndarray, high: np.ndarray, counts: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Return quantiles of magnitudes that were counted in bins; inside a bin they lie evenly on a logarithmic axis.

    Args:
        low: The lowest magnitude of each bin, `(bins,)`, rising.
        high: The highest. Of a bin that begins at 0 or has no end, the end that is known counts alone.
        counts: How many entries each has.
        shares: Between 0 and 1.

    Returns:
        `(shares,)`; NaN where nothing was counted.

    Example:
        >>> import numpy as np
        >>> from kerasteach.plotting.histogram_panels import quantiles
        >>> quantiles(np.array([1.0, 10.0]), np.array([10.0, 100.0]), np.array([2, 2]), [0.25, 0.5]).round(2).tolist()
        [3.16, 10.0]
    """
    total = counts.sum()
    if not total:
        return np.full(len(shares), np.nan)
    ends = np.log10(np.where(low > 0, low, high)), np.log10(np.where(np.isfinite(high), high, low))
    edges = np.cumsum(counts) / total
    bins = np.minimum(np.searchsorted(edges, np.asarray(shares) - 1e-12), np.flatnonzero(counts)[-1])
    before = edges[bins] - counts[bins] / total
    inside = (np.asarray(shares) - before) / (counts[bins] / total)
    return np.asarray(10 ** (ends[0][bins] + np.clip(inside, 0, 1) * (ends[1][bins] - ends[0][bins])))


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the bins of what can be drawn on a logarithmic axis, added up: not the exact zeros, nor the infinite."""
    drawn = rows[(rows["high"] > 0) & np.isfinite(rows["low"])]
    return drawn.groupby(["low", "high"], sort=True)["count"].sum().reset_index()


def _range(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: those of the bins that hold more than a thousandth of a layer's entries."""
    low, high = [], []
    for _, layer in rows.groupby("depth"):
        bins = _counted(layer)
        kept = bins[bins["count"] > 1e-3 * bins["count"].sum()]
        low += list(kept["low"].where(kept["low"] > 0, kept["high"] / 10))
        high += list(kept["high"].where(np.isfinite(kept["high"]), 10 * kept["low"]))
    if not low:
        return 1e-3, 1.0
    return min(low), max(max(high), 100 * min(low))


def draw_ridges(
    ax: Axes,
    rows: pd.DataFrame,
    epochs: Sequence[int],
    layers: Mapping[int, str],
    ends: tuple[float, float],
    color: str,
) -> None:
    """Draw for each layer how its entries are spread over the magnitudes, in each of the epochs; output at the top."""
    new_axes(ax)
    ax.spines["left"].set_visible(False)
    shades = dict(zip(epochs, _shades(len(epochs), color), strict=True))
    densities = {
        (depth, epoch): _density(rows[(rows["depth"] == depth) & (rows["epoch"] == epoch)])
        for depth in layers
        for epoch in epochs
    }
    highest = max((float(heights.max(initial=0)) for _, heights in densities.values()), default=0) or 1.0
    for place, depth in enumerate(layers):
        front = 10 - 2 * place / len(layers)  # a lower ridge stands in front of the one above it
        for number, epoch in enumerate(epochs):
            edges, heights = densities[depth, epoch]
            order = front + 0.1 * number / len(epochs)
            if not len(heights):
                continue
            top = place + 1.15 * heights / highest
            fill = blend(shades[epoch], inks().surface, 0.3)
            alpha = 1.0 if number == 0 else 0.6
            ax.stairs(top, edges, baseline=place, fill=True, color=fill, alpha=alpha, zorder=order)
            ax.stairs(top, edges, baseline=place, color=shades[epoch], lw=plt.rcParams["lines.linewidth"], zorder=order)
        ax.axhline(place, color=inks().faint, lw=0.8, zorder=1)
    ax.set_xscale("log")
    ax.set(xlim=ends, ylim=(-0.05, len(layers) + 0.25), xlabel=gettext("magnitude"))
    _few_decades(ax.xaxis)
    last = rows[rows["epoch"] == epochs[-1]]
    labels = [f"{name}{_left_out(last[last['depth'] == depth])}" for depth, name in layers.items()]
    ax.set_yticks(range(len(layers)), labels)
    ax.tick_params(axis="y", length=0)
    if len(epochs) > 1:
        handles = [Patch(color=shade, label=epoch_name(epoch)) for epoch, shade in shades.items()]
        figure = ax.get_figure()
        assert figure is not None
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    which = ", ".join(str(epoch + 1) for epoch in epochs)
    caption(ax, None, gettext("distribution of the magnitudes by layer, epochs {numbers}").format(numbers=which))


def draw_band(ax: Axes, rows: pd.DataFrame, name: str, ends: tuple[float, float], color: str) -> None:
    """Draw percentiles of one layer's magnitudes over time, the middle ones in deeper color."""
    new_axes(ax)
    times, _ = _time(rows)
    shares = [share for low, high, _ in _BANDS for share in (low, high)]
    moments: list[float] = []
    found = []
    each: Any = rows.groupby(times)
    for moment, own in each:
        bins = _counted(own)
        low, high, count = (bins[column].to_numpy("float64") for column in ("low", "high", "count"))
        found.append(quantiles(low, high, count, [*shares, 0.5]))
        moments.append(float(moment) + (times == "epoch"))
    table = np.array(found)
    marker = "o" if len(moments) == 1 else None
    for number, (_, _, depth) in enumerate(_BANDS):
        low, high = table[:, 2 * number], table[:, 2 * number + 1]
        shade = blend(color, inks().surface, depth)
        if marker:
            ax.plot([moments[0]] * 2, [low[0], high[0]], color=shade, lw=3 + 5 * number, solid_capstyle="butt")
        ax.fill_between(moments, low, high, color=shade, lw=0)
    ax.plot(moments, table[:, -1], color=inks().text, marker=marker, lw=0.7 * plt.rcParams["lines.linewidth"])
    ax.set_yscale("log", nonpositive="mask")
    ax.set_ylim(*ends)
    _few_decades(ax.yaxis)
    whole_ticks(ax.xaxis, 4)
    if len(moments) == 1:
        ax.set_xlim(moments[0] - 0.5, moments[0] + 0.5)
        ax.set_xticks(moments)
    else:
        ax.set_xlim(moments[0], moments[-1])
    if not np.isfinite(table).any():
        why = gettext("nothing but 0") if _zeros(rows) else gettext("no finite entry")
        ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center")
    caption(ax, AUTO, name)


def _density(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return edges and the share of the entries in each bin, for each decade that it is wide."""
    bins = _counted(rows)
    inner = bins[(bins["low"] > 0) & np.isfinite(bins["high"])]
    total = bins["count"].sum()
    if inner.empty or not total:
        return np.empty(0), np.empty(0)
    edges = np.append(inner["low"].to_numpy(), inner["high"].iloc[-1])
    return edges, inner["count"].to_numpy() / total / np.diff(np.log10(edges))


def _left_out(rows: pd.DataFrame) -> str:
    """Return lines that say which share of the entries has no place on the axis; none below half a percent."""
    total = rows["count"].sum()
    zeros, infinite = _zeros(rows), int(rows.loc[~np.isfinite(rows["low"]), "count"].sum())
    parts = [(zeros, gettext("{share} are 0")), (infinite, gettext("{share} not finite"))]
    shown = [(count, message) for count, message in parts if total and count >= 5e-3 * total]
    return "".join("\n" + message.format(share=percent(count / total)) for count, message in shown)


def _zeros(rows: pd.DataFrame) -> int:
    return int(rows.loc[rows["high"] == 0, "count"].sum())


def _time(rows: pd.DataFrame) -> tuple[str, str]:
    """Return the column that time is counted in, and what to call it: steps where there is one epoch alone."""
    steps = "step" in rows and rows["epoch"].nunique() == 1 and rows["step"].nunique() > 1
    return ("step", gettext("step")) if steps else ("epoch", gettext("epochs trained"))


def _shades(count: int, color: str) -> list[str]:
    """Return shades of a color for epochs: the later the deeper."""
    return [blend(color, inks().surface, share) for share in np.linspace(_SHADES[0] if count > 1 else 1, 1, count)]


def _band_handles(color: str) -> list[Patch | Line2D]:
    surface = inks().surface
    shares = [f"{100 * (high - low):.0f} %" for low, high, _ in _BANDS]
    shades = [blend(color, surface, depth) for _, _, depth in _BANDS]
    labels = [gettext("middle {share}").format(share=shares[0]), *shares[1:]]
    bands = [Patch(color=shade, label=label) for shade, label in zip(shades, labels, strict=True)]
    return [*bands, Line2D([], [], color=inks().text, label=gettext("median"))]


def _few_decades(axis: Any) -> None:
    """Name few powers of ten, evenly."""
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_minor_locator(NullLocator())
