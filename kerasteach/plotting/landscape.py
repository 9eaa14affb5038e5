"""A function of one or two coordinates, drawn from a table of its values: as a curve, or as contours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.measure.records import coordinates

_LEVELS = 14
_GREYS = (0.02, 0.45)  # of the colour map: light, so that paths stand out


def checked_coordinates(descent: pd.DataFrame, landscape: Any) -> list[str]:
    """Return the coordinates that a descent and a landscape have in common.

    Raises:
        ValueError: If they do not have the same one or two, or the landscape has no finite value.
    """
    names = coordinates(descent)
    columns = list(landscape) if isinstance(landscape, pd.DataFrame) else []
    if not 1 <= len(names) <= 2 or columns != [*names, "value"] or not np.isfinite(landscape["value"]).any():
        raise ValueError(
            "`landscape` must be what kerasteach.lessons.landscape returns for the descent's own function, of one or "
            f"two coordinates. Received: the columns {', '.join(map(str, columns)) or '(none)'} for a descent along "
            f"{', '.join(names) or 'nothing'}."
        )
    return names


def draw_landscape(ax: Axes, landscape: pd.DataFrame, names: Sequence[str], minima: Iterable[Any] = ()) -> None:
    """Draw the curve or the contours, and a star for each known minimum, within the ranges of the landscape."""
    stars = np.array([np.atleast_1d(one) for one in minima], "float64").reshape(-1, len(names))
    if len(names) == 1:
        curve = landscape.sort_values(names[0])
        ax.plot(curve[names[0]], curve["value"], color="0.6", lw=1.2 * plt.rcParams["lines.linewidth"], zorder=1)
        stars = np.stack([stars[:, 0], np.interp(stars[:, 0], curve[names[0]], curve["value"])], axis=1)
    else:
        _contours(ax, landscape, names)
    size = 2.2 * plt.rcParams["lines.markersize"]
    ax.plot(*stars.T, ls="", marker="*", color="black", ms=size, mec="white", zorder=1.5)
    horizontal, vertical = frame(landscape, names)
    ax.set(xlim=horizontal, ylim=vertical, xlabel=names[0], ylabel="value" if len(names) == 1 else names[1])


def frame(landscape: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return the lowest and highest of the horizontal and of the vertical axis, `(2, 2)`."""
    shown = landscape[[*names, "value"][:2]].replace([np.inf, -np.inf], np.nan)
    ends = np.stack([shown.min().to_numpy("float64"), shown.max().to_numpy("float64")], axis=1)
    if len(names) == 1:  # room under the curve and over it
        margin = 0.08 * (np.ptp(ends[1]) or 1.0)
        ends[1] += [-margin, margin]
    return ends


def _contours(ax: Axes, landscape: pd.DataFrame, names: Sequence[str]) -> None:
    grid = landscape.pivot(index=names[1], columns=names[0], values="value")
    values = np.ma.masked_invalid(grid.to_numpy("float64"))
    low, high = float(values.min()), float(values.max())
    levels = low + (high - low or 1.0) * np.linspace(0, 1, _LEVELS + 1) ** 3
    greys = plt.get_cmap("Greys")(np.linspace(*_GREYS, _LEVELS))
    plane = (grid.columns.to_numpy("float64"), grid.index.to_numpy("float64"), values)
    ax.contourf(*plane, levels=levels, colors=greys)
    if high > low:
        ax.contour(*plane, levels=levels[1:-1], colors="0.55", linewidths=0.6)
    if 1 / 3 <= np.ptp(plane[1]) / np.ptp(plane[0]) <= 3:
        ax.set_aspect("equal")  # so that the gradient is seen to be at right angles to the contours
