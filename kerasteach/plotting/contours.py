"""Function of one or two coordinates, drawn from a table of its values: as a curve, or as contours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.style import blend, inks, plain
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Kind, Table, checked, columns_before, frame_of
from kerasteach.tables.descent import coordinates
from kerasteach.validation import array, several, table

_LEVELS = 14
_SHADES = (0.03, 0.4)  # of the color of the text on the ground: weak, so that paths stand out
_FINE = 300  # points a coordinate from which on contours look smooth
_WEIGHTS = np.array([[0, -1, 2, -1], [2, 0, -5, 3], [0, 1, 4, -3], [0, 0, -1, 1]]) / 2  # of a cubic through 4 points


def checked_landscape(descent: Table, landscape: Table) -> tuple[pd.DataFrame, list[str]]:
    """Return a landscape, cast to numbers, and the coordinates that it and a descent have in common.

    Raises:
        TypeError: If the landscape is no data frame, or a column holds no numbers.
        ValueError: If they do not have the same one or two, or the landscape has no finite value.
    """
    descent, landscape = frame_of("descent", descent), frame_of("landscape", landscape)
    names = coordinates(descent)
    made_by = "kerasteach.lessons.descent.landscape"
    columns = columns_before(table("landscape", landscape, ["value"], made_by), "value")
    kinds: dict[str, Kind] = dict.fromkeys([*names, "value"], "number")
    fits = 1 <= len(names) <= 2 and columns == names
    values = checked("landscape", landscape, kinds, made_by) if fits else None
    if values is None or not np.isfinite(values["value"]).any() or values[names].nunique().min() < 2:
        raise ValueError(
            "`landscape` must be what kerasteach.lessons.landscape returns for the descent's own function, of one or "
            f"two coordinates. Received: the columns {', '.join([*columns, 'value'])} for a descent along "
            f"{', '.join(names) or 'nothing'}."
        )
    return values, names


def draw_landscape(ax: Axes, landscape: pd.DataFrame, names: Sequence[str], stars: np.ndarray) -> None:
    """Draw the curve or the contours, and a star for each known minimum, within the ranges of the landscape."""
    if len(names) == 1:
        curve = landscape.sort_values(names[0])
        ax.plot(
            curve[names[0]],
            curve["value"],
            color=inks().muted,
            alpha=0.6,
            lw=1.2 * plt.rcParams["lines.linewidth"],
            zorder=1,
        )
        stars = np.stack([stars[:, 0], np.interp(stars[:, 0], curve[names[0]], curve["value"])], axis=1)
    else:
        _contours(ax, landscape, names)
    size = 2.2 * plt.rcParams["lines.markersize"]
    ink = inks()
    ax.plot(*stars.T, ls="", marker="*", color=ink.text, ms=size, mec=ink.surface, zorder=3)
    horizontal, vertical = frame(landscape, names)
    below, beside = (plain(name) for name in [*names, gettext("value")][:2])
    ax.set(xlim=horizontal, ylim=vertical, xlabel=below, ylabel=beside)


def checked_minima(minima: Iterable[Any], coordinates: int) -> np.ndarray:
    """Return known minima as `(minima, coordinates)`."""
    places = [np.atleast_1d(array("minima", place)) for place in several("minima", minima, "minima")]
    wrong = [place for place in places if place.shape != (coordinates,)]
    if wrong:
        raise ValueError(
            f"`minima` must have {coordinates} number{'s' if coordinates > 1 else ''} each. "
            f"Received: one of shape {wrong[0].shape}."
        )
    return np.array(places).reshape(-1, coordinates)


def frame(landscape: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return the lowest and highest of the horizontal and of the vertical axis, `(2, 2)`."""
    shown = landscape[[*names, "value"][:2]].replace([np.inf, -np.inf], np.nan)
    ends = np.stack([shown.min().to_numpy("float64"), shown.max().to_numpy("float64")], axis=1)
    if len(names) == 1:  # a margin under the curve and over it
        margin = 0.08 * (np.ptp(ends[1]) or max(1.0, float(np.abs(ends[1]).max())))
        ends[1] += [-margin, margin]
    return ends


def _contours(ax: Axes, landscape: pd.DataFrame, names: Sequence[str]) -> None:
    grid = landscape.pivot(index=names[1], columns=names[0], values="value")
    values = np.ma.masked_invalid(grid.to_numpy("float64"))
    low, high = float(values.min()), float(values.max())
    levels = low + (high - low or 1.0) * np.linspace(0, 1, _LEVELS + 1) ** 3
    ink = inks()
    shades = [blend(ink.text, ink.surface, share) for share in np.linspace(*_SHADES, _LEVELS)]
    plane = _refined(grid.columns.to_numpy("float64"), grid.index.to_numpy("float64"), values)
    ax.contourf(plane[0], plane[1], np.ma.clip(plane[2], low, high), levels=levels, colors=shades)
    if high > low:
        ax.contour(*plane, levels=levels[1:-1], colors=blend(ink.text, ink.surface, 0.5), linewidths=0.6)
    if 1 / 3 <= np.ptp(plane[1]) / np.ptp(plane[0]) <= 3:
        ax.set_aspect("equal")  # so that the gradient is seen to be at right angles to the contours


def _refined(x: np.ndarray, y: np.ndarray, values: np.ma.MaskedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put points between those of an even grid, on cubics through four: a narrow valley's contours are jagged else."""
    if np.ma.is_masked(values) or min(len(x), len(y)) < 4:
        return x, y, values
    dense = np.asarray(values)
    for axis, places in ((1, x), (0, y)):
        if np.allclose(np.diff(places), np.ptp(places) / (len(places) - 1)):
            dense = np.moveaxis(_between(np.moveaxis(dense, axis, -1)), -1, axis)
    return _spread(x, dense.shape[1]), _spread(y, dense.shape[0]), dense


def _spread(places: np.ndarray, count: int) -> np.ndarray:
    return places if count == len(places) else np.linspace(places[0], places[-1], count)


def _between(values: np.ndarray) -> np.ndarray:
    """Return the values along the last axis with further ones between them."""
    count = values.shape[-1]
    times = max(1, -(-_FINE // count))
    first = 3 * values[..., :1] - 3 * values[..., 1:2] + values[..., 2:3]  # one beyond each end, on a parabola
    last = 3 * values[..., -1:] - 3 * values[..., -2:-1] + values[..., -3:-2]
    around = np.concatenate([first, values, last], axis=-1)
    share = np.arange(times) / times
    weights = _WEIGHTS @ np.stack([np.ones(times), share, share**2, share**3])  # (4, times)
    parts = sum(around[..., k : k + count - 1, None] * weights[k] for k in range(4))
    return np.concatenate([np.asarray(parts).reshape(*values.shape[:-1], -1), values[..., -1:]], axis=-1)
