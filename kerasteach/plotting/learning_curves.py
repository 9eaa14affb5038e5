"""Learning curves: a metric against the epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting import non_finite
from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import (
    HISTORY,
    Hue,
    levels_of,
    line_with_band,
    names_of,
    networks_in,
    of_seeds,
    phrase,
    setting_of,
    spread_note,
)
from kerasteach.plotting.equal_curves import show_covered
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.level_lines import draw_level
from kerasteach.plotting.style import Look, looks, new_axes, plain
from kerasteach.plotting.ticks import whole_ticks
from kerasteach.plotting.wording import N_, gettext, ngettext
from kerasteach.tables.checks import Table, frame_of
from kerasteach.validation import choice, finite

METRICS = {  # what a comparison measures, and what it is called
    "loss": N_("training loss"),
    "val_loss": N_("test loss"),
    "accuracy": N_("training accuracy"),
    "val_accuracy": N_("test accuracy"),
}


_STEEP = 100  # a loss that falls by more than this factor has a logarithmic axis
_FLAT = 0.1  # of a loss: its axis spans at least so much of it
_SHARES = (0.9, 0.5, 0.0)  # where the axis of an accuracy may begin; it ends at 1


def learning_curves(
    history: Table,
    metric: str = "loss",
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    target: float | Literal["auto"] | None = "auto",
    chance: float | Literal["auto"] | None = "auto",
    title: str | None = AUTO,
) -> Axes:
    """Draw a metric against the epochs, a line a network: the median over its seeds, with a band around it.

    A network that stopped early stays as it is: its line goes on at its last value while other seeds of the same kind
    still train, and ends with the last of them. One that left the finite numbers has a cross at the upper edge where it
    did so, and the legend says how many of its seeds; there the band ends, and such a seed counts as the highest in the
    median.

    The axis of a loss is logarithmic where the medians span more than a factor of 100. That of an accuracy ends at 1,
    and begins at 0, 0.5 or 0.9; that of a loss spans at least a tenth of it: a network that learns nothing is a flat
    line, not a zigzag.

    Args:
        history: A comparison, its table `history`, or `kerasteach.measure.history_table(model.fit(...))` for one model.
        metric: Which of the table's metrics. Defaults to `"loss"`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        target: A value of the metric at which training was to stop, drawn as a dashed line with its name; `"auto"`, for
            the loss that `compare(error_below=)` was given; or `None` for no line. Defaults to `"auto"`.
        chance: The accuracy of guessing, drawn as a dotted line: 0.1 for ten classes of the same size; `"auto"`, for
            one divided by the number of classes of a comparison, where the axis reaches it; or `None` for no line.
            Defaults to `"auto"`.
        title: `"auto"`, what is drawn, and a finding where there is one; a text; or `None` for no title. Defaults to
            `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If `history` is no data frame, or a column of it or an argument is of another kind.
        ValueError: If the table lacks a column or has no row, or the metric is not in it; the message lists those that
            are.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4]}), target=0.5)
        >>> ax.get_ylabel()
        'training loss'
        >>> ax.get_title()
        'loss below 0.5 after 2 epochs'
    """
    check_title(title)
    asked = _level("target", target) | _level("chance", chance)
    frame = networks_in("history", history, HISTORY, hue)
    choice("metric", metric, frame["metric"].unique())
    ax = new_axes(ax)
    found = diverged(frame, metric)
    names = names_of(frame)
    medians = draw_curves(ax, frame, metric, looks(names), found)
    levels = levels_in(ax, metric, levels_of(frame_of("history", history))) | asked
    draw_levels(ax, levels)
    seeds = frame["seed"].nunique()
    if seeds > 1 and names == [""]:
        ax.lines[0].set_label("\n".join([spread_note(frame), *found.values()]))
    if len(names) > 1 or ax.get_legend_handles_labels()[0]:
        legend_outside(ax, title=spread_note(frame) if len(names) > 1 else None)
    what = phrase(metric_name(metric), names[0] if len(names) == 1 else "", setting_of(frame_of("history", history)))
    finding = _finding(medians, metric, levels["target"], of_seeds(frame))
    caption(ax, title, what if "," in what else "", finding, pad=non_finite.room_for_crosses(ax))
    return ax


def metric_name(metric: str) -> str:
    """Return what a metric of a table is called along an axis."""
    return plain(gettext(METRICS.get(metric, metric.replace("_", " "))))


def _level(name: str, value: Any) -> dict[str, float | None]:
    """Check what the caller says of a level; nothing where it is `"auto"`."""
    if isinstance(value, str) and value == AUTO:
        return {}
    return {name: None if value is None else finite(name, value)}


def levels_in(ax: Axes, metric: str, known: tuple[float | None, float | None]) -> dict[str, float | None]:
    """Return the levels that are drawn without being asked for: of the training loss, or within an accuracy's axis.

    Args:
        ax: Where the curves are drawn.
        metric: Their metric.
        known: The loss at which training was to stop, and the accuracy of guessing; each may be `None`.
    """
    target, chance = known
    reached = chance is not None and "accuracy" in metric and ax.get_ylim()[0] <= chance
    return {"target": target if metric == "loss" else None, "chance": chance if reached else None}


def draw_levels(ax: Axes, levels: Mapping[str, float | None]) -> None:
    """Draw the levels that the values are compared with, each with its name."""
    target, chance = levels["target"], levels["chance"]
    if target is not None:
        draw_level(ax, target, gettext("target {value}").format(value=f"{target:g}"))
    if chance is not None:
        draw_level(ax, chance, gettext("chance {value}").format(value=f"{chance:.2g}"), ":")


def _finding(medians: Mapping[str, pd.Series], metric: str, target: float | None, who: str) -> str:
    """Say after how many epochs each median passes the target, or which network ends best by far."""
    shown = {name: values for name, values in medians.items() if np.isfinite(values).any()}
    if target is None or not shown or len(shown) > 3 or len(shown) < len(medians):
        return ""
    falls = _is_loss(metric)
    message = gettext("{metric} below {target}") if falls else gettext("{metric} above {target}")
    what = message.format(metric=metric.replace("_", " "), target=f"{target:g}")
    first: dict[str, int] = {}
    for name, values in shown.items():
        passed = values.index[(values < target) if falls else (values > target)]
        if len(passed):
            first[name] = int(passed[0])
    if not first:
        return f"{what}: {_never(max(int(values.index[-1]) for values in shown.values()))}{who}"
    parts = []
    for name, values in shown.items():
        when = _after(first[name]) if name in first else _never(int(values.index[-1]))
        parts.append(f"{name} {when}" if name else when)
    return f"{what}: {', '.join(parts)}{who}" if any(shown) else f"{what} {parts[0]}{who}"


def _after(epochs: int) -> str:
    return ngettext("after {epochs} epoch", "after {epochs} epochs", epochs).format(epochs=epochs)


def _never(epochs: int) -> str:
    return ngettext("not within {epochs} epoch", "not within {epochs} epochs", epochs).format(epochs=epochs)


def _is_loss(metric: str) -> bool:
    return metric.endswith(("loss", "error", "mse", "mae"))


def diverged(frame: pd.DataFrame, metric: str) -> dict[str, str]:
    """Return a note on each network that left the finite numbers: its metric, or at least its training loss."""
    of_loss = non_finite.notes(frame[frame["metric"] == "loss"], "value", loss=metric != "loss")
    return of_loss | non_finite.notes(frame[frame["metric"] == metric], "value")


def draw_curves(
    ax: Axes, frame: pd.DataFrame, metric: str, look_of: Mapping[str, Look], found: Mapping[str, str]
) -> dict[str, pd.Series]:
    """Draw the curves of a checked table, without a legend, and return the medians by network, at epochs from 1."""
    rows = _carried_on(frame[frame["metric"] == metric])
    medians: dict[str, pd.Series] = {}
    before = len(ax.lines)
    for name, points in rows.groupby("network", sort=False):
        every = max(1, int(points["epochs"].max()) // 10)
        label = "\n".join(part for part in (str(name), found.get(str(name), "")) if part)
        options: dict[str, Any] = {"label": label, "markevery": every}
        medians[str(name)] = line_with_band(ax, points, "epochs", "value", look_of[str(name)], **options)
    _mark_diverged(ax, frame[frame["metric"].isin([metric, "loss"])], look_of)
    ax.set(xlabel=gettext("epochs trained"), ylabel=metric_name(metric))
    first, last = int(rows["epochs"].min()), int(rows["epochs"].max())
    whole_ticks(ax.xaxis)
    if first == last:
        ax.set_xlim(first - 0.5, last + 0.5)
        ax.set_xticks([first])
    values = rows["value"].to_numpy()
    if not np.isfinite(values).any():
        ax.set_xlim(first - 0.5, last + 0.5)
        reason = f": {next(iter(found.values()))}" if len(found) == 1 else ""
        non_finite.nothing_finite(ax, gettext("no finite value") + reason)
    else:
        _scale(ax, metric, values[np.isfinite(values)], medians)
        show_covered(ax.lines[before : before + len(medians)])
    return medians


def _scale(ax: Axes, metric: str, values: np.ndarray, medians: Mapping[str, pd.Series]) -> None:
    """Make the axis of a steep loss logarithmic, that of a flat one wide, and let that of an accuracy end at 1."""
    drawn = pd.concat(list(medians.values())).dropna()
    if _is_loss(metric):
        if values.min() > 0 and len(drawn) and drawn.max() > _STEEP * drawn.min():
            ax.set_yscale("log")
            ax.minorticks_off()
        elif values.max() - values.min() < _FLAT * values.max():
            middle, half = (values.max() + values.min()) / 2, _FLAT * values.max() / 2
            ax.set_ylim(middle - half, middle + half)
    elif "accuracy" in metric and values.min() >= 0 and values.max() <= 1:
        low = next(share for share in _SHARES if values.min() >= share)
        ax.set_ylim(low - 0.03 * (1 - low), 1 + 0.03 * (1 - low))


def _mark_diverged(ax: Axes, rows: pd.DataFrame, look_of: Mapping[str, Look]) -> None:
    """Mark the epoch in which each seed is not finite for the first time."""
    lost = rows[~np.isfinite(rows["value"])].groupby(["network", "seed"])["epoch"].min()
    places = {str(name): epochs.unique() + 1 for name, epochs in lost.groupby(level="network", sort=False)}
    non_finite.mark(ax, places, look_of, 1.3 * plt.rcParams["lines.markersize"])


def _carried_on(rows: pd.DataFrame) -> pd.DataFrame:
    """Repeat the last value of each run that stopped before others of its network; `epochs` counts from 1."""
    parts: list[tuple[str, Any, np.ndarray, np.ndarray]] = []
    for name, group in rows.sort_values("epoch", kind="stable").groupby("network", sort=False):
        epochs = group["epoch"].unique()
        seeds, different = pd.factorize(group["seed"])
        trained, values = group["epoch"].to_numpy(), group["value"].to_numpy()
        for number, seed in enumerate(different):
            own = seeds == number
            last = np.searchsorted(trained[own], epochs, side="right") - 1
            parts.append((str(name), seed, epochs + 1, np.where(last < 0, np.nan, values[own][last])))
    lengths = [len(epochs) for _, _, epochs, _ in parts]
    networks, runs = ([part[place] for part in parts] for place in (0, 1))
    return pd.DataFrame(
        {
            "network": pd.Series(networks, dtype="str").repeat(lengths).to_numpy(),
            "seed": pd.Series(runs, dtype="str").repeat(lengths).to_numpy(),
            "epochs": np.concatenate([epochs for _, _, epochs, _ in parts]),
            "value": np.concatenate([values for *_, values in parts]),
        }
    )
