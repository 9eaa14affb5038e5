"""Networks that diverged: how many seeds are not finite, and from which epoch, in the same words in every figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from kerasteach.plotting.style import Look
from kerasteach.plotting.wording import N_, gettext

# By whether there are several seeds, whether it is the loss, and whether the values stay so to the end.
_NOTES = {
    (False, False, False): N_("not finite in epoch {epoch}"),
    (False, False, True): N_("not finite from epoch {epoch}"),
    (False, True, False): N_("loss not finite in epoch {epoch}"),
    (False, True, True): N_("loss not finite from epoch {epoch}"),
    (True, False, False): N_("{seeds} of {of} seeds not finite in epoch {epoch}"),
    (True, False, True): N_("{seeds} of {of} seeds not finite from epoch {epoch}"),
    (True, True, False): N_("{seeds} of {of} seeds loss not finite in epoch {epoch}"),
    (True, True, True): N_("{seeds} of {of} seeds loss not finite from epoch {epoch}"),
}


def notes(rows: pd.DataFrame, value: str, *, loss: bool = False) -> dict[str, str]:
    """Return a note for each network of which a seed is not finite: `"2 of 3 seeds not finite from epoch 6"`.

    Args:
        rows: A table with the columns `network, seed, epoch` and the values.
        value: The column of the values.
        loss: Whether the note has to say that it is the loss: where the figure draws something else. Defaults to
            `False`.

    Returns:
        The notes, by network. Epochs count from 1, as in the figures.
    """
    finite = rows.assign(finite=np.isfinite(rows[value].to_numpy()))
    if finite["finite"].all():
        return {}
    runs = finite.groupby(["network", "seed", "epoch"], sort=True)["finite"].all().reset_index()
    found = {}
    for name, network in runs.groupby("network", sort=False):
        lost = network[~network["finite"]]
        if len(lost):
            found[str(name)] = _note(network, lost, loss)
    return found


def _note(network: pd.DataFrame, lost: pd.DataFrame, loss: bool) -> str:
    seeds, of = lost["seed"].nunique(), network["seed"].nunique()
    last = network.groupby("seed")["finite"].last()
    for_good = not last[lost["seed"].unique()].any()
    epoch = int(lost["epoch"].min()) + 1
    message = _NOTES[of > 1, loss, bool(for_good)]
    return gettext(message).format(seeds=seeds, of=of, epoch=epoch)


def mark(ax: Axes, places: Mapping[str, Iterable[float]], look_of: Mapping[str, Look], size: float) -> None:
    """Draw a cross at the upper edge of the axes where a network has a seed that is not finite.

    Args:
        ax: Where to draw.
        places: The places on the x axis, by network; of several networks at one place the crosses stand below each
            other, so that each is seen.
        look_of: The networks' colors.
        size: How large a cross is, in points.
    """
    taken: Counter[float] = Counter()
    for name, found in places.items():
        for place in found:
            down = ScaledTranslation(0, -1.2 * size * taken[place] / 72, ax.figure.dpi_scale_trans)
            ax.scatter(
                [place],
                [1.0],
                s=size**2,
                marker="x",
                color=look_of[name].color,
                linewidths=size / 4,
                transform=ax.get_xaxis_transform() + down,
                clip_on=False,
                zorder=5,
            )
            taken[place] += 1


def room_for_crosses(ax: Axes) -> float | None:
    """Return how far the title stands off, in points, where crosses stand at the upper edge."""
    return (
        1.5 * float(plt.rcParams["lines.markersize"]) if any(one.get_zorder() == 5 for one in ax.collections) else None
    )


def nothing_finite(ax: Axes, text: str | None = None) -> None:
    """Say in the axes that there is nothing to draw, and show no scale that has no meaning."""
    ax.set_yticks([])
    ax.set_yticks([], minor=True)
    ax.text(
        0.5, 0.5, gettext("no finite value") if text is None else text, transform=ax.transAxes, ha="center", va="center"
    )
