"""Statistics of the layers' outputs: silent units, saturated outputs, zeros, and the mean with its spread."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import (
    ACTIVATIONS,
    MARKERS,
    Hue,
    line_with_band,
    median,
    median_of,
    names_of,
    networks_in,
    phrase,
)
from kerasteach.plotting.comparison_tables import spread_note as spread_of
from kerasteach.plotting.equal_curves import show_covered
from kerasteach.plotting.layer_rows import by_call, name_columns, names_by_depth
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.non_finite import nothing_finite
from kerasteach.plotting.pages import composed, on_page, panels, write_headline
from kerasteach.plotting.style import Look, blend, inks, looks, new_axes
from kerasteach.plotting.text_fitting import legend
from kerasteach.plotting.ticks import evenly
from kerasteach.plotting.wording import N_, epoch_name, gettext
from kerasteach.tables.checks import Table
from kerasteach.tables.group_means import group_means
from kerasteach.tables.names import percent
from kerasteach.validation import choice, received

_SHARES = {
    "dead_fraction": N_("units that are 0"),
    "saturated_fraction": N_("outputs within 0.01 of a limit"),
    "zero_fraction": N_("outputs that are exactly 0"),
}
_OTHERS = {"mean": N_("mean of the outputs"), "std": N_("standard deviation of the outputs")}
_DEAD, _SATURATED = 0.1, 0.25  # smaller shares are no finding
_COLORS, _PERCENT = "viridis", PercentFormatter(1, 0, " %")


def activation_statistics(
    activations: Table,
    statistic: str = "zero_fraction",
    epoch: int | str = "last",
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    title: str | None = AUTO,
    **kwargs: Any,
) -> Axes:
    """Draw one statistic of the layers' outputs against the layer, a line a network.

    A line is the median over the seeds, with a band from the lowest to the highest. Of the mean of one network, the
    band is the mean plus and minus the standard deviation of the outputs instead.

    Args:
        activations: An `ActivationCapture`, its table, or those of several networks below each other, with a column
            in front that names the network.
        statistic: `"zero_fraction"`, `"dead_fraction"`, `"saturated_fraction"`, `"mean"` or `"std"`. Defaults to
            `"zero_fraction"`.
        epoch: The epoch whose steps are averaged, as Keras numbers it, `"first"` or `"last"`. Defaults to `"last"`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"` for what is drawn, a text of your own, or `None`. Defaults to `"auto"`.
        **kwargs: For the lines: what `matplotlib.axes.Axes.plot` takes.

    Returns:
        The axes.

    Raises:
        TypeError: If `activations` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, or none for this epoch.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"epoch": 0, "depth": [1, 2], "layer": ["a", "b"], "zero_fraction": [0.5, 0.25]})
        >>> kt.plotting.activation_statistics(table).lines[0].get_ydata().tolist()
        [0.5, 0.25]
    """
    check_title(title)
    frame = _table(activations, hue)
    choice("statistic", statistic, [name for name in (*_SHARES, *_OTHERS) if name in frame])
    number = _epoch(frame, epoch)
    rows = _means(frame[frame["epoch"] == number])
    ax = new_axes(ax)
    names = names_of(frame)
    look_of = looks(names) if names != [""] else {"": Look(inks().forward, "o")}
    every, before = max(1, rows["depth"].nunique() // MARKERS), len(ax.lines)
    for name, points in rows.groupby("network", sort=False):
        options = {"markevery": every, **kwargs}
        middle = line_with_band(ax, points, "depth", statistic, look_of[str(name)], **options)
        note = gettext("not known where missing") if middle.isna().any() else ""
        ax.lines[-1].set_label(f"{name} ({note})" if note else str(name))
    curves = ax.lines[before:]
    alone = len(look_of) == 1 and rows["seed"].nunique() == 1
    spread = statistic == "mean" and alone and "std" in rows
    if spread:
        _band(ax, rows, next(iter(look_of.values())).color)
    name_columns(ax, names_by_depth(rows))
    _scale(ax, rows, statistic)
    show_covered(curves)
    if len(look_of) > 1:
        legend_outside(ax, title=spread_of(frame))
    message = gettext("{statistic}, by layer, in epoch {number}")
    if spread:
        message = gettext("{statistic}, by layer, in epoch {number}; band: one standard deviation up and down")
    caption(ax, title, message.format(statistic=_label(statistic, frame), number=number + 1))
    return ax


def activation_statistics_figure(
    activations: Table, *, hue: Hue = None, page: int = 1, title: str | None = AUTO
) -> Figure:
    """Draw how a network's outputs fare, layer by layer and epoch by epoch: silent units, saturation, zeros, spread.

    The colors go from 0 to 100 % in every panel, so that panels and networks compare; the output is at the top. A
    hatched cell has no such number: saturation is known for sigmoid, tanh and softmax alone. In the last panel the
    line is the mean of a layer's outputs, and the band goes one standard deviation up and down, in the last epoch; the
    dashed line and its dotted edges are the first. A band that shrinks from layer to layer is a signal that fades, one
    that grows explodes.

    Zeros by themselves do no harm: half of a ReLU's outputs are 0 as a rule. A unit is called dead only where the
    table says that it was 0 for every example of a whole epoch, as with `ActivationCapture(every="epoch")`.

    Args:
        activations: An `ActivationCapture`, its table, or those of several networks below each other, with a column
            in front that names the network.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which network, where there are several. Defaults to `1`; `kerasteach.plotting.pages` says how many
            pages there are.
        title: `"auto"`: what is wrong, where the table says it with certainty, and what is drawn; a text of your own;
            or `None`. Defaults to `"auto"`.

    Returns:
        The figure.

    Raises:
        TypeError: If `activations` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, has no statistic that is drawn, or there is no such
            page.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"epoch": [0, 1], "depth": 1, "layer": "relu", "zero_fraction": [0.5, 0.6]})
        >>> len(kt.plotting.activation_statistics_figure(table).axes)  # a panel and its scale
        2
    """
    check_title(title)
    frame = _table(activations, hue)
    (name,), note = on_page(names_of(frame), page, most=1)
    frame = frame[frame["network"] == name]
    shares = [share for share in _SHARES if share in frame and frame[share].notna().any()]
    count = len(shares) + ("mean" in frame)
    if not count:
        wanted = ", ".join((*_SHARES, "mean"))
        raise ValueError(f"`activations` must have a column out of {wanted}. {received('activations', list(frame))}")
    rows = _means(frame)
    with composed():
        figure, axes = panels(count, 2, width=5.6, height=3.2)
        for share, ax in zip(shares, axes, strict=False):
            _cells(ax, rows, share, _label(share, frame))
        if shares:
            scale = ScalarMappable(Normalize(0, 1), _COLORS)
            figure.colorbar(scale, ax=axes[: len(shares)], format=_PERCENT, label=gettext("share"))
        if "mean" in frame:
            _spread(axes[-1], rows)
        what = phrase(_what(name), median_of(frame))
        write_headline(figure, title, what, _finding(frame, rows), note)
    return figure


def _what(name: str) -> str:
    if not name:
        return gettext("outputs by layer and epoch")
    return gettext("outputs by layer and epoch of {network}").format(network=name)


def _table(activations: Table, hue: Hue) -> pd.DataFrame:
    return by_call(networks_in("activations", activations, ACTIVATIONS, hue))


def _epoch(frame: pd.DataFrame, epoch: int | str) -> int:
    """Return the number of the epoch that is meant."""
    epochs = frame["epoch"]
    if isinstance(epoch, str) and epoch in ("first", "last"):
        return int(epochs.min() if epoch == "first" else epochs.max())
    if isinstance(epoch, bool) or not isinstance(epoch, (int, np.integer)) or epoch not in set(epochs):
        raise ValueError(
            f'`epoch` must be "first", "last" or of the table, {epochs.min()} to {epochs.max()}. '
            f"{received('epoch', epoch)}"
        )
    return int(epoch)


def _means(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over the steps of each epoch."""
    values = [name for name in (*_SHARES, *_OTHERS) if name in frame]
    keys = ["network", "seed", "depth", "layer", "epoch"]
    return group_means(frame.groupby(keys, sort=False)[values]).reset_index()


def _label(statistic: str, frame: pd.DataFrame) -> str:
    if statistic != "dead_fraction":
        return gettext((_SHARES | _OTHERS)[statistic])
    if _of_whole_epochs(frame):
        return gettext("dead units: 0 for a whole epoch")
    return gettext("units 0 between captured steps")


def _of_whole_epochs(frame: pd.DataFrame) -> bool:
    """Say whether each row is known to stand for all steps of an epoch, from the numbers of the last of them."""
    if "step" not in frame:
        return False
    steps = frame[["network", "seed", "epoch", "step"]].drop_duplicates()
    if steps.duplicated(["network", "seed", "epoch"]).any():
        return False
    each, rest = np.divmod(steps["step"] + 1, steps["epoch"] + 1)
    several = (each > 1) | (steps["epoch"].nunique() > 1)  # a single step 0 may be the first of many
    return bool((rest == 0).all() and several.all() and len(set(each)) == 1)


def _cells(ax: Axes, rows: pd.DataFrame, share: str, label: str) -> None:
    """Draw a share by layer and epoch as colors, the output at the top."""
    cells = median(rows, share, ["depth", "epoch"]).unstack("epoch").sort_index()
    values = np.ma.masked_invalid(cells.to_numpy())
    ax.pcolormesh(values, norm=Normalize(0, 1), cmap=_COLORS)
    if values.mask.any():
        ax.patch.set(hatch="///", edgecolor=inks().muted)
    ax.tick_params(length=0)
    sns.despine(ax=ax, left=True, bottom=True)
    names = names_by_depth(rows)
    depths, numbers = [int(depth) for depth in cells.index], [int(epoch) + 1 for epoch in cells.columns]
    layers, epochs = evenly(depths, 10), evenly(numbers, 8)
    ax.set_yticks(np.array(layers) + 0.5, [names[depths[place]] for place in layers])
    ax.set_xticks(np.array(epochs) + 0.5, [str(numbers[place]) for place in epochs])
    ax.set_xlabel(gettext("epochs trained"))
    hatched = gettext("(hatched: no limit)") if share == "saturated_fraction" else gettext("(hatched: not known)")
    caption(ax, AUTO, f"{label} {hatched}" if values.mask.any() else label)


def _spread(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the mean of the outputs by layer with their standard deviation, in the first and the last epoch."""
    new_axes(ax)
    ink, names = inks(), names_by_depth(rows)
    epochs = sorted({int(rows["epoch"].min()), int(rows["epoch"].max())})
    for epoch in epochs:
        last = epoch == epochs[-1]
        own = rows[rows["epoch"] == epoch]
        look = Look(ink.forward if last else ink.muted, "o" if last else "s")
        middle = median(own, "mean", "depth").reset_index().assign(seed="")
        line_with_band(ax, middle, "depth", "mean", look, hollow=not last, label=epoch_name(epoch))
        if "std" in own:
            _band(ax, own, look.color, filled=last)
    if len(epochs) > 1:  # above the lines there is room for the legend
        low, high = ax.get_ylim()
        ax.set_ylim(low, high + 0.35 * (high - low))
    name_columns(ax, names)
    _scale(ax, rows, "mean")
    if len(epochs) > 1:
        legend(ax)
    caption(ax, AUTO, gettext("outputs: mean and standard deviation") if "std" in rows else gettext("outputs: mean"))


def _band(ax: Axes, rows: pd.DataFrame, color: str, filled: bool = True) -> None:
    """Draw the mean plus and minus the standard deviation, as a band or as its two edges."""
    middle, spread = median(rows, "mean", "depth"), median(rows, "std", "depth")
    if not filled:
        for edge in (middle - spread, middle + spread):
            ax.plot(edge.index, edge, color=color, ls=":", lw=0.6 * plt.rcParams["lines.linewidth"])
        return
    ground = inks().surface
    ax.fill_between(middle.index, middle - spread, middle + spread, color=blend(color, ground, 0.25), lw=0, zorder=0)


def _scale(ax: Axes, rows: pd.DataFrame, statistic: str) -> None:
    if statistic in _SHARES:
        ax.set_ylim(-0.03, 1.03)
        ax.yaxis.set_major_formatter(_PERCENT)
        ax.set_ylabel(gettext("share"))
    else:
        ax.set_ylabel(gettext("output"))
    if not np.isfinite(rows[statistic]).any():
        nothing_finite(ax)


def _finding(frame: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Say what the last epoch's medians show: the layer with the most dead units, else with the most saturation."""
    last = int(rows["epoch"].max())
    names, final = names_by_depth(rows), rows[rows["epoch"] == last]
    if "dead_fraction" in rows and _of_whole_epochs(frame):
        worst = _worst(final, "dead_fraction", _DEAD)
        if worst is not None:
            message = gettext("{layer}: {share} of the units are 0 for every example of epoch {number}")
            return message.format(layer=names[worst[0]], share=percent(worst[1]), number=last + 1)
    if "saturated_fraction" in rows:
        hidden = final[final["depth"] < rows["depth"].max()]  # the outputs of a good classifier are near 0 and 1
        worst = _worst(hidden, "saturated_fraction", _SATURATED)
        if worst is not None:
            message = gettext("{layer}: {share} of the outputs lie within 0.01 of a limit in epoch {number}")
            return message.format(layer=names[worst[0]], share=percent(worst[1]), number=last + 1)
    return ""


def _worst(rows: pd.DataFrame, share: str, least: float) -> tuple[int, float] | None:
    """Return depth and share of the layer with the largest median share, unless that is less than a least one."""
    middle = median(rows, share, "depth").dropna()
    if middle.empty or middle.max() < least:
        return None
    place = int(middle.argmax())
    return int(middle.index[place]), float(middle.iloc[place])
