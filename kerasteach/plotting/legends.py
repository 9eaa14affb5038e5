"""Legends beside or below the axes, where they cover no curve."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox

from kerasteach.plotting.text_fitting import broken, legend

_LETTER = 0.55  # width of a letter, in the size of its text
_HANDLE = 7  # letters: the line in front of an entry, and the space around it
_BESIDE = 0.34  # of the width of the axes: what a legend beside them may take
_HIGH = 1.5  # of the size of the text: the height of an entry


def legend_outside(ax: Axes, handles: Sequence[Artist] = (), title: str | None = None) -> Legend:
    """Name the lines beside the axes where the names are short, else below them.

    A layout engine makes room for it. Without one, as in axes that the caller made by `plt.subplots()`, the legend
    stands inside.

    Args:
        ax: The axes; their label of the x axis is written already.
        handles: What is named. Defaults to all lines that have a label.
        title: A line above the names. Defaults to `None`.
    """
    handles = list(handles) or ax.get_legend_handles_labels()[0]
    figure = ax.get_figure(root=True)
    assert figure is not None
    if figure.get_layout_engine() is None:
        return legend(ax, handles, title)
    size = FontProperties(size=plt.rcParams["legend.fontsize"]).get_size_in_points()
    box = ax.get_window_extent()
    width = int(box.width / figure.dpi * 72 / (_LETTER * size))  # in letters
    rows = int(box.height / figure.dpi * 72 / (_HIGH * size))
    names = [str(handle.get_label()) for handle in handles]
    longest = max((len(line) for name in names for line in name.split("\n")), default=0) + _HANDLE
    lines = sum(name.count("\n") + 1 for name in names)
    if longest <= _BESIDE * width and lines <= rows:
        title = title and broken(title, longest)
        return _made(ax, handles, names, title, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    names = ["\n".join(broken(line, width - _HANDLE) for line in name.split("\n")) for name in names]
    longest = max((len(line) for name in names for line in name.split("\n")), default=0) + _HANDLE
    columns = max(1, min(len(names), width // longest))
    columns = -(-len(names) // -(-len(names) // columns))  # as few as make the same number of rows
    made = _made(ax, handles, names, title and broken(title, width), loc="upper center", ncols=columns, borderaxespad=0)
    made.get_bbox_to_anchor = partial(_below, ax)  # type: ignore[method-assign]  # known only when it is drawn
    return made


def _made(ax: Axes, handles: Sequence[Artist], names: Sequence[str], title: str | None, **place: object) -> Legend:
    return ax.legend(handles, names, title=title, frameon=False, alignment="left", **place)  # type: ignore[arg-type]


def _below(ax: Axes) -> Bbox:
    """Return the line, from edge to edge of the axes, below the label of the x axis."""
    label = ax.xaxis.get_label()
    figure = ax.get_figure(root=True)
    assert figure is not None
    bottom = label.get_window_extent().y0 if label.get_text() else ax.bbox.y0 - 3 * ax.xaxis.get_tick_padding()
    return Bbox.from_extents(ax.bbox.x0, bottom, ax.bbox.x1, bottom - figure.dpi / 18)
