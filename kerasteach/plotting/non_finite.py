"""Networks that diverged: how many seeds left the finite numbers, and in which epoch, as every figure says it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.style import Look


def notes(rows: pd.DataFrame, value: str, prefix: str = "") -> dict[str, str]:
    """Return a note for each network of which a seed is not finite: `"2 of 3 seeds not finite from epoch 6"`.

    Args:
        rows: A table with the columns `network, seed, epoch` and the values.
        value: The column of the values.
        prefix: What is not finite, where it is not what the figure draws: `"loss "`. Defaults to nothing.

    Returns:
        The notes, by network. Epochs count from 1, as in the figures.
    """
    finite = rows.assign(finite=np.isfinite(rows[value].to_numpy()))
    runs = finite.groupby(["network", "seed", "epoch"], sort=True)["finite"].all().reset_index()
    found = {}
    for name, network in runs.groupby("network", sort=False):
        lost = network[~network["finite"]]
        if len(lost):
            found[str(name)] = _note(network, lost, prefix)
    return found


def _note(network: pd.DataFrame, lost: pd.DataFrame, prefix: str) -> str:
    seeds, of = lost["seed"].nunique(), network["seed"].nunique()
    last = network.groupby("seed")["finite"].last()
    for_good = not last[lost["seed"].unique()].any()
    epoch = int(lost["epoch"].min()) + 1
    who = f"{seeds} of {of} seeds " if of > 1 else ""
    return f"{who}{prefix}not finite {'from' if for_good else 'in'} epoch {epoch}"


def mark(ax: Axes, places: Iterable[float], look: Look, size: float) -> None:
    """Draw a cross at the upper edge of the axes where a network has a seed that is not finite."""
    x = np.asarray(list(places), "float64")
    if x.size:
        ax.scatter(
            x,
            np.ones(x.size),
            s=size**2,
            marker="x",
            color=look.colour,
            linewidths=size / 4,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            zorder=5,
        )


def nothing_finite(ax: Axes, text: str = "no finite value") -> None:
    """Say in the axes that there is nothing to draw, and show no scale that has no meaning."""
    ax.set_yticks([])
    ax.set_yticks([], minor=True)
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")
