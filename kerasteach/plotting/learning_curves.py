"""Learning curves: a metric against the epochs."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kerasteach.plotting import non_finite
from kerasteach.plotting.comparison_tables import HISTORY, Hue, line_with_band, names_of, networks_in, spread_note
from kerasteach.plotting.style import Look, looks, new_axes, plain
from kerasteach.plotting.table_checks import Table
from kerasteach.plotting.text_fitting import legend
from kerasteach.validation import choice

_NAMES = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "test loss",
    "val_accuracy": "test accuracy",
}


def learning_curves(history: Table, metric: str = "loss", ax: Axes | None = None, *, hue: Hue = None) -> Axes:
    """Draw a metric against the epochs, a line a network: the median over its seeds, with a band around it.

    A network that stopped early stays as it is: its line goes on at its last value while other seeds of the same kind
    still train, and ends with the last of them. One that left the finite numbers has a cross at the upper edge where it
    did so, and the legend says how many of its seeds; there the band ends, and such a seed counts as the highest in the
    median.

    Args:
        history: A comparison, its table `history`, or `kerasteach.measure.history_table(model.fit(...))` for one model.
        metric: Which of the table's metrics. Defaults to `"loss"`.
        ax: Where to draw. Defaults to a new figure.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.

    Returns:
        The axes.

    Raises:
        TypeError: If `history` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, or the metric is not in it; the message lists those that
            are.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4]}))
        >>> ax.get_ylabel()
        'training loss'
    """
    frame = networks_in("history", history, HISTORY, hue)
    choice("metric", metric, frame["metric"].unique())
    ax = new_axes(ax)
    found = diverged(frame, metric)
    draw_curves(ax, frame, metric, looks(names_of(frame)), found)
    if frame["network"].nunique() > 1:
        legend(ax, title=spread_note(frame))
    elif found:
        legend(ax)
    return ax


def diverged(frame: pd.DataFrame, metric: str) -> dict[str, str]:
    """Return a note on each network that left the finite numbers: its metric, or at least its training loss."""
    of_loss = non_finite.notes(frame[frame["metric"] == "loss"], "value", "loss " if metric != "loss" else "")
    return of_loss | non_finite.notes(frame[frame["metric"] == metric], "value")


def draw_curves(
    ax: Axes, frame: pd.DataFrame, metric: str, look_of: Mapping[str, Look], found: Mapping[str, str]
) -> None:
    """Draw the curves of a checked table, without a legend."""
    rows = _carried_on(frame[frame["metric"] == metric])
    for name, points in rows.groupby("network", sort=False):
        every = max(1, int(points["epoch"].max() + 1) // 10)
        label = "\n".join(part for part in (str(name), found.get(str(name), "")) if part)
        points = points.assign(epochs=points["epoch"] + 1)
        line_with_band(ax, points, "epochs", "value", look_of[str(name)], label=label, markevery=every)
    _mark_diverged(ax, frame[frame["metric"].isin([metric, "loss"])], look_of)
    ax.set(xlabel="epochs trained", ylabel=plain(_NAMES.get(metric, metric)))
    first, last = int(rows["epoch"].min()) + 1, int(rows["epoch"].max()) + 1
    _name_epochs(ax, first, last)
    if not np.isfinite(rows["value"]).any():
        ax.set_xlim(first - 0.5, last + 0.5)
        reason = f": {next(iter(found.values()))}" if len(found) == 1 else ""
        non_finite.nothing_finite(ax, f"no finite value{reason}")


def _name_epochs(ax: Axes, first: int, last: int) -> None:
    """Number whole epochs below the axes, also where there is one alone."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if first == last:
        ax.set_xlim(first - 0.5, last + 0.5)
        ax.set_xticks([first])


def _mark_diverged(ax: Axes, rows: pd.DataFrame, look_of: Mapping[str, Look]) -> None:
    """Mark the epoch in which each seed is not finite for the first time."""
    lost = rows[~np.isfinite(rows["value"])].groupby(["network", "seed"])["epoch"].min()
    places = {str(name): epochs.unique() + 1 for name, epochs in lost.groupby(level="network", sort=False)}
    non_finite.mark(ax, places, look_of, 1.3 * plt.rcParams["lines.markersize"])


def _carried_on(rows: pd.DataFrame) -> pd.DataFrame:
    """Repeat the last value of each run that stopped before others of its network."""
    parts = []
    for name, group in rows.groupby("network", sort=False):
        epochs = pd.Index(sorted(group["epoch"].unique()), name="epoch")
        for seed, run in group.groupby("seed", sort=False):
            values = run.sort_values("epoch").set_index("epoch")["value"].reindex(epochs, method="ffill").reset_index()
            parts.append(values.assign(network=name, seed=seed))
    return pd.concat(parts, ignore_index=True)
