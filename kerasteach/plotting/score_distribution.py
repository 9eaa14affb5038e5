"""Distribution of final scores over the seeds, with the seeds that belong together joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.comparison_tables import HISTORY, Hue, names_of, networks_in
from kerasteach.plotting.learning_curves import metric_name
from kerasteach.plotting.style import Look, inks, looks, new_axes
from kerasteach.plotting.text_fitting import broken, fitted, letters, shortened
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table
from kerasteach.tables.intervals import interval_name, mean_difference, mean_interval
from kerasteach.validation import choice

_PREFERRED = ("val_accuracy", "val_loss", "accuracy", "loss")
_SPREAD = 0.16  # of the distance between networks: how far points of one network stand apart

_LONGEST = 24  # letters of a name


def score_distribution(
    history: Table,
    metric: str | None = None,
    ax: Axes | None = None,
    *,
    hue: Hue = None,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw the final score of each seed as a point, network beside network.

    Thin lines join the points of one seed: these networks started alike and saw the same batches, so that a line that
    rises says more than two clouds that overlap. A bar is the median over the seeds, a diamond the mean with its 95 %
    interval: Student's from three seeds, the bootstrap's from ten, as in the summary of a comparison. A seed whose
    score is not finite is a cross at the edge.

    Args:
        history: A comparison, its table `history`, or `kerasteach.measure.history_table(model.fit(...))` for one model.
        metric: Which of the table's metrics, after the last epoch. Defaults to `None`: the test accuracy where there is
            one, else the test loss, the training accuracy or the training loss.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"` for the finding, `None` for none, or a text. Of two networks the finding is
            the mean difference of their seeds, which stands there only where its interval leaves out 0; of several
            the highest and the lowest median. Defaults to `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.plot` takes for the points, such as `ms`.

    Returns:
        The axes.

    Raises:
        TypeError: If `history` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, or the metric is not in it; the message lists those that
            are.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.score_distribution(kt.measure.history_table({"loss": [0.9, 0.4], "val_loss": [1.0, 0.5]}))
        >>> ax.get_ylabel()
        'test loss'
    """
    check_title(title)
    frame = networks_in("history", history, HISTORY, hue)
    found = [str(name) for name in frame["metric"].unique()]
    metric = next((name for name in _PREFERRED if name in found), found[0]) if metric is None else metric
    scores = final_scores(frame, choice("metric", metric, found))
    ax = new_axes(ax)
    look_of = looks([str(name) for name in scores])
    _join(ax, scores)
    for place, (name, column) in enumerate(scores.items()):
        _draw(ax, place, column.dropna(), look_of[str(name)], kwargs)
    _name(ax, [str(name) for name in scores])
    ax.set(xlim=(-0.6, len(scores.columns) - 0.4), ylabel=metric_name(metric))
    _limit(ax, metric, scores.to_numpy())
    _explain(ax, scores)
    what = gettext("{metric} after the last epoch, {seeds}")
    what = what.format(metric=metric_name(metric), seeds=_seeds(scores))
    caption(ax, title, what, _finding(scores, metric))
    return ax


def final_scores(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the last value of each network (column) and seed (row); what is missing was not trained."""
    rows = frame[frame["metric"] == metric].sort_values("epoch", kind="stable")
    last = rows.groupby(["network", "seed"], sort=False)["value"].apply(lambda values: values.iloc[-1])
    last = last.where(np.isfinite(last), np.inf)  # a network that diverged is no missing one
    return last.unstack("network").reindex(columns=[name for name in names_of(frame) if name in set(rows["network"])])


def _places(column: pd.Series, place: int) -> np.ndarray:
    """Return where a network's points stand: beside each other, in the order of the seeds."""
    return place + np.linspace(-_SPREAD, _SPREAD, len(column)) if len(column) > 1 else np.array([float(place)])


def _join(ax: Axes, scores: pd.DataFrame) -> None:
    """Draw a thin line for each seed through its points."""
    if len(scores.columns) < 2:
        return
    places = np.stack([_places(scores.iloc[:, number], number) for number in range(len(scores.columns))], axis=1)
    width = 0.35 * float(plt.rcParams["lines.linewidth"])
    for x, values in zip(places, scores.to_numpy(), strict=True):
        ax.plot(x, np.where(np.isfinite(values), values, np.nan), color=inks().muted, lw=width, alpha=0.5, zorder=1)


def _draw(ax: Axes, place: int, column: pd.Series, look: Look, options: Mapping[str, Any]) -> None:
    """Draw one network's points, their median, and their mean with its interval."""
    ink = inks()
    x, values = _places(column, place), column.to_numpy()
    finite = np.isfinite(values)
    style = {"ls": "", "color": look.color, "marker": look.marker, "mec": ink.surface, "mew": 0.6, "zorder": 4}
    ax.plot(x[finite], values[finite], **{**style, **options})
    if not finite.all():
        edge: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False, "marker": "x", "zorder": 5}
        ax.plot(x[~finite], np.ones((~finite).sum()), color=look.color, ls="", mew=2, **edge)
    if len(values) < 2:
        return
    middle = float(np.median(values))
    line = float(plt.rcParams["lines.linewidth"])
    if np.isfinite(middle):
        ax.plot([place - 0.27, place + 0.27], [middle, middle], color=ink.text, lw=1.2 * line, zorder=3)
    mean, low, high = mean_interval(values)
    if np.isfinite(low):
        ax.errorbar(
            place + 0.36,
            mean,
            [[mean - low], [high - mean]],
            color=ink.text,
            marker="D",
            ms=0.7 * plt.rcParams["lines.markersize"],
            lw=line,
            capsize=1.6 * line,
            zorder=3,
        )


def _name(ax: Axes, names: list[str]) -> None:
    """Name the networks, in several lines where that is enough; else turned, and long ones shortened."""
    width = max(1, letters(ax) // len(names) - 1)
    if max((len(word) for name in names for word in name.replace("_", " ").split()), default=0) <= width:
        ax.set_xticks(range(len(names)), [broken(name, width) for name in names])
        return
    ax.set_xticks(
        range(len(names)),
        [shortened(name, _LONGEST) for name in names],
        rotation=30,
        ha="right",
        rotation_mode="anchor",
    )


def _limit(ax: Axes, metric: str, scores: np.ndarray) -> None:
    """Show accuracies no closer than 0.02, so that nearly equal ones look so; say where nothing is finite."""
    finite = scores[np.isfinite(scores)]
    if not finite.size:
        ax.set_yticks([])
        ax.text(0.5, 0.5, gettext("no finite value"), transform=ax.transAxes, ha="center", va="center")
    elif metric.endswith("accuracy"):
        low, high = ax.get_ylim()
        missing = max(0.0, 0.02 - (high - low)) / 2
        top = 1 + 0.02 * (high - low) if finite.max() <= 1 else high + missing
        ax.set_ylim(low - missing, min(high + missing, top))


def _explain(ax: Axes, scores: pd.DataFrame) -> None:
    """Say below the axes what is drawn besides the points."""
    seeds = int(scores.notna().sum().max())
    interval = interval_name(seeds)
    parts = [gettext("bar: median")] if seeds > 1 else []
    parts += [gettext("diamond: mean with {interval}").format(interval=gettext(interval))] if interval else []
    parts += [gettext("thin line: one seed")] if len(scores.columns) > 1 else []
    if parts:
        ax.set_xlabel(fitted(ax, "; ".join(parts)), fontsize="small")


def _seeds(scores: pd.DataFrame) -> str:
    counts = sorted(set(scores.notna().sum().tolist()))
    if len(counts) > 1:
        return gettext("{least} to {most} seeds").format(least=counts[0], most=counts[-1])
    return gettext("one seed") if counts == [1] else gettext("{seeds} seeds").format(seeds=counts[0])


def _finding(scores: pd.DataFrame, metric: str) -> str:
    """Compare two networks by their paired difference, where its interval leaves out 0; name the ends of several."""
    whole = scores.dropna()
    if len(scores.columns) < 2 or len(whole) < 2 or not np.isfinite(whole.to_numpy()).all():
        return ""
    if len(scores.columns) > 2:
        medians = scores.median()
        ends = medians == medians.max(), medians == medians.min()
        if ends[0].sum() > 1 or ends[1].sum() > 1:
            return ""
        high, low = (str(medians.index[end.to_numpy().argmax()]) for end in ends)
        values = {"top": f"{medians[high]:.3g}", "bottom": f"{medians[low]:.3g}"}
        return gettext("highest median: {high}, {top}; lowest: {low}, {bottom}").format(high=high, low=low, **values)
    one, other = map(str, whole.mean().sort_values(ascending=False).index)
    mean, low_end, high_end = mean_difference(whole[one].to_numpy(), whole[other].to_numpy())
    if not low_end > 0:
        return ""
    message = gettext(
        "{one}: {mean} higher than {other} (mean of {count} paired differences, {interval} {low} to {high})"
    )
    numbers = {"mean": f"{mean:.2g}", "low": f"{low_end:.2g}", "high": f"{high_end:.2g}"}
    interval = gettext(str(interval_name(len(whole))))
    return message.format(one=one, other=other, count=len(whole), interval=interval, **numbers)
