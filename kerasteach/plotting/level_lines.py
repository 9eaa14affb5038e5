"""Levels that curves are compared with: lines across the axes, each named at the line."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform

from kerasteach.plotting.style import inks

_BELOW = 1.6  # the order of drawing: behind the curves, in front of their bands
_GAP = 0.25  # of the size of the text: between the name and its line, or the edge of the axes
_PLACES = 9  # along the line, that are tried
_LINE, _BAND = 10, 1  # how bad it is that a name lies on a curve, or on the band around one


def draw_level(ax: Axes, height: float, name: str, line: str = "--") -> None:
    """Draw a level across the axes, let the vertical axis reach it, and write its name at the line.

    Args:
        ax: Where the curves are drawn already.
        height: The level.
        name: What it is called.
        line: The style of the line. Defaults to `"--"`, dashed.
    """
    low, high = ax.get_ylim()
    color = inks().muted
    ax.axhline(height, color=color, ls=line, lw=0.6 * plt.rcParams["lines.linewidth"], zorder=_BELOW)
    if ax.get_yscale() == "log" and height > 0:
        ax.set_ylim(min(low, height / 1.5), max(high, height * 1.5))
    elif ax.get_yscale() != "log":
        margin = 0.05 * (high - low)
        ax.set_ylim(min(low, height - margin), max(high, height + margin))
    ax.add_artist(LevelName(height, name, color))


class LevelName(Text):
    """Name of a level, inside the axes: above the line or below it, where the fewest curves are.

    The place is chosen whenever the figure is drawn, since the curves' places are known only then.

    Args:
        height: The level.
        name: What stands there.
        color: Its color.
    """

    def __init__(self, height: float, name: str, color: str) -> None:
        halo = withStroke(linewidth=3, foreground=inks().surface)
        super().__init__(
            0, 0, name, color=color, fontsize=plt.rcParams["legend.fontsize"], path_effects=[halo], zorder=_BELOW
        )
        self.set_transform(IdentityTransform())
        self.set_in_layout(False)
        self._height = height

    def draw(self, renderer: Any) -> None:
        """Choose the place, and draw the name there."""
        axes = self.axes
        if isinstance(axes, Axes):
            box, gap = self.get_window_extent(renderer), _GAP * renderer.points_to_pixels(self.get_fontsize())
            places = _places(axes, self._height, box.width, box.height, gap)
            best = min(places, key=lambda place: _covered(axes, self, place.padded(gap)))
            x, y = self.get_position()
            self.set_position((x + best.x0 - box.x0, y + best.y0 - box.y0))
        super().draw(renderer)


def _places(ax: Axes, height: float, width: float, high: float, gap: float) -> list[Bbox]:
    """Return boxes inside the axes at a level, those at the ends of the line first, in pixels."""
    line = ax.transData.transform((ax.get_xlim()[0], height))[1]
    steps = np.linspace(ax.bbox.x1 - gap - width, ax.bbox.x0 + gap, _PLACES)
    lefts = [steps[0], steps[-1], *steps[1:-1]]
    above, below = line + gap, line - gap - high
    bottoms = [bottom for bottom in (above, below) if bottom >= ax.bbox.y0 and bottom + high <= ax.bbox.y1] or [above]
    return [Bbox.from_bounds(left, bottom, width, high) for left in lefts for bottom in bottoms]


def _covered(ax: Axes, name: Text, box: Bbox) -> int:
    """Return how much of what is drawn lies below a box: curves and other names count more than bands."""
    found = 0
    for line in ax.lines:
        if not _is_across(line) and line.get_visible():
            path = line.get_path().transformed(line.get_transform())
            marked = line.get_marker() not in (None, "None", "", " ")
            size = ax.figure.dpi / 72 * line.get_markersize() / 2 if marked else 0.0
            found += _LINE * path.intersects_bbox(box.padded(size), filled=False)
    for collection in ax.collections:
        found += _BAND * _is_in(collection, box)
    others = [text for text in ax.texts if text is not name and text.get_visible()]
    return found + _LINE * sum(bool(text.get_window_extent().overlaps(box)) for text in others)


def _is_in(collection: Collection, box: Bbox) -> bool:
    """Say whether a band, or a mark such as a cross, lies in a box."""
    transform, offsets = collection.get_transform(), np.asarray(collection.get_offsets(), "float64")
    if len(offsets) > 1 or not np.allclose(offsets, 0):
        points = collection.get_offset_transform().transform(offsets)
        return bool(((points > box.min) & (points < box.max)).all(axis=1).any())
    return any(path.transformed(transform).intersects_bbox(box, filled=True) for path in collection.get_paths())


def _is_across(line: Line2D) -> bool:
    """Say whether a line is a level: one from edge to edge of the axes."""
    ends, heights = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    return ends.tolist() == [0, 1] and len(set(heights.tolist())) == 1 and line.get_marker() in (None, "None")
