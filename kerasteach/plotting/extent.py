"""Extent of what a figure draws, which may be more than its page."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox


def drawn_extent(figure: Figure) -> Bbox:
    """Return the box around all that a figure draws, in inches.

    matplotlib 3.10.0 counts the label of an axis no longer than the axis is.
    """
    labels = [axis.label for ax in figure.axes if ax.get_visible() and ax.axison for axis in (ax.xaxis, ax.yaxis)]
    shown = [label for label in labels if label.get_visible() and label.get_text()]
    boxes = [label.get_window_extent().transformed(figure.dpi_scale_trans.inverted()) for label in shown]
    return Bbox.union([figure.get_tightbbox(), *boxes])
