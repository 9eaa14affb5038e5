"""Learning curves: a metric against the epochs."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kerasteach.plotting.style import looks, new_axes
from kerasteach.plotting.variants import line_with_band, spread_note, with_variant

_NAMES = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "test loss",
    "val_accuracy": "test accuracy",
}


def learning_curves(history: pd.DataFrame, metric: str = "loss", ax: Axes | None = None) -> Axes:
    """Draw a metric against the epochs, a line a network: the median over its seeds, with a band around it.

    A network that stopped early stays as it is: its line goes on at its last value while other seeds of the same kind
    still train, and ends with the last of them.

    Args:
        history: `Comparison.history`, or `kerasteach.measure.history_table(model.fit(...))` for one model.
        metric: Which of the table's metrics. Defaults to `"loss"`.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the table lacks a column or has no row, or the metric is not in it; the message lists those that
            are.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4]}))
        >>> ax.get_ylabel()
        'training loss'
    """
    frame, variant = with_variant(history, ("epoch", "metric", "value"))
    metrics = list(frame["metric"].unique())
    if metric not in metrics:
        raise ValueError(f"`metric` must be one of {', '.join(metrics)}. Received: metric={metric!r}.")
    rows = _carried_on(frame[frame["metric"] == metric], variant)
    names = list(rows[variant].unique())
    ax = new_axes(ax)
    for name, look in looks(names).items():
        one = rows[rows[variant] == name]
        every = max(1, (one["epoch"].max() + 1) // 10)
        line_with_band(ax, one.assign(epochs=one["epoch"] + 1), "epochs", "value", look, label=name, markevery=every)
    if rows["value"].isna().all():
        ax.text(0.5, 0.5, "not finite: diverged", transform=ax.transAxes, ha="center")
    ax.set(xlabel="epochs trained", ylabel=_NAMES.get(metric, metric))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(names) > 1:
        ax.legend(title=spread_note(rows), frameon=False)
    return ax


def _carried_on(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Repeat the last value of each run that stopped before others of its variant."""
    parts = []
    for name, group in rows.groupby(variant, sort=False):
        epochs = pd.Index(sorted(group["epoch"].unique()), name="epoch")
        for seed, run in group.groupby("seed", sort=False):
            values = run.set_index("epoch")["value"].reindex(epochs, method="ffill").reset_index()
            parts.append(values.assign(**{variant: name, "seed": seed}))
    return pd.concat(parts, ignore_index=True)
