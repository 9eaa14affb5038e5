"""Legends beside or below the axes, where they cover no curve."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox

from kerasteach.plotting.text_fitting import LETTER, broken, legend

_HANDLE = 7  # letters: the line in front of an entry, and the space around it
_BESIDE = 0.4  # of the width of the axes: what a legend beside them may take
_NARROW = 10  # letters: a line of fewer is no place for a name
_MUCH = 0.2  # of the height of a figure of one panel: a legend that takes more makes the figure higher
_HIGH = 1.5  # of the size of the text: the height of an entry


def legend_outside(ax: Axes, handles: Sequence[Artist] = (), title: str | None = None) -> Legend:
    """Name the lines beside the axes where the names are short, else below them.

    A layout engine makes room for it, and a figure of one panel becomes higher for a large one. Without an engine, as
    in axes that the caller made by `plt.subplots()`, the legend stands inside.

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
    size = _text_size()
    box = ax.get_window_extent()
    width = letters_over(box.width / figure.dpi)
    rows = int(box.height / figure.dpi * 72 / (_HIGH * size))
    names = [str(handle.get_label()) for handle in handles]
    beside = int(_BESIDE * width) - _HANDLE
    short = ["\n".join(broken(line, max(_NARROW, beside)) for line in name.split("\n")) for name in names]
    lines = sum(name.count("\n") + 1 for name in short)
    twice = all(new.count("\n") <= 1 + old.count("\n") for new, old in zip(short, names, strict=True))
    longest = max((len(line) for name in short for line in name.split("\n")), default=0) + _HANDLE
    heading = title and broken(title, max(longest, beside))
    if beside >= _NARROW and twice and lines + _lines(heading) <= rows:
        return _made(ax, handles, short, heading, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    names = ["\n".join(broken(line, width - _HANDLE) for line in name.split("\n")) for name in names]
    columns = legend_columns(names, width)
    title = title and broken(title, width)
    made = _made(ax, handles, names, title, loc="upper center", ncols=columns, borderaxespad=0)
    made.get_bbox_to_anchor = partial(_below, ax)  # type: ignore[method-assign]  # known only when it is drawn
    lines = max(sum(name.count("\n") + 1 for name in part) for part in _parts(names, columns))
    inches = (lines + _lines(title)) * _HIGH * size / 72
    if figure.axes == [ax] and inches > _MUCH * figure.get_figheight():
        figure.set_figheight(figure.get_figheight() + inches)
    return made


def _lines(text: str | None) -> int:
    return text.count("\n") + 1 if text else 0


def letters_over(inches: float) -> int:
    """Return how many letters of a legend stand beside each other over a width."""
    return int(inches * 72 / (LETTER * _text_size()))


def _text_size() -> float:
    """Return the size of a legend's text in points."""
    return float(FontProperties(size=plt.rcParams["legend.fontsize"]).get_size_in_points())


def keep_place(ax: Axes) -> None:
    """Let the legend of axes that are laid out stay where it is, whatever is drawn later."""
    legend = ax.get_legend()
    if legend is None:
        return
    x, y = ax.transAxes.inverted().transform(legend.get_window_extent().min)
    vars(legend).pop("get_bbox_to_anchor", None)  # which goes by the label of the x axis
    legend.borderaxespad = 0
    legend.set_bbox_to_anchor((float(x), float(y)), ax.transAxes)
    legend.set_loc("lower left")


def _parts(names: Sequence[str], columns: int) -> list[Sequence[str]]:
    """Return the names by column, as a legend fills them: the first columns have one more."""
    rows, longer = divmod(len(names), columns)
    ends = [0]
    for column in range(columns):
        ends.append(ends[-1] + rows + (column < longer))
    return [names[start:end] for start, end in pairwise(ends)]


def legend_columns(names: Sequence[str], width: int) -> int:
    """Return how many columns of names fit beside each other, and no more than make the rows fewer."""
    for columns in range(len(names), 1, -1):
        widths = [max(len(line) for name in part for line in name.split("\n")) for part in _parts(names, columns)]
        fewer = -(-len(names) // columns) < -(-len(names) // (columns - 1))
        if fewer and sum(widths) + _HANDLE * columns <= width:
            return columns
    return 1


def _made(ax: Axes, handles: Sequence[Artist], names: Sequence[str], title: str | None, **place: Any) -> Legend:
    return ax.legend(handles, names, title=title, frameon=False, alignment="left", **place)


def _below(ax: Axes) -> Bbox:
    """Return the line, from edge to edge of the axes, below the label of the x axis."""
    label = ax.xaxis.get_label()
    figure = ax.get_figure(root=True)
    assert figure is not None
    bottom = label.get_window_extent().y0 if label.get_text() else ax.bbox.y0 - 3 * ax.xaxis.get_tick_padding()
    return Bbox.from_extents(ax.bbox.x0, bottom, ax.bbox.x1, bottom - figure.dpi / 18)
