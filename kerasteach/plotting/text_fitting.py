"""Line breaks in titles and legends, so that the text fits the axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend

from kerasteach.plotting.style import inks

LETTER = 0.55  # width of a letter, in the size of its text
_TIED = "\0"  # in place of a space at which no line is broken
_HANDLE = 8  # letters: the line in front of an entry of a legend, and the space around them


def letters(ax: Axes) -> int:
    """Return how many letters of the axes' titles and labels stand beside each other over the width of the axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    points = ax.get_window_extent().width / figure.dpi * 72
    return max(8, int(points / (LETTER * float(ax.title.get_fontsize()))))


def broken(text: str, width: int) -> str:
    r"""Break a text into lines of a width in letters: at spaces, behind `_` and `/`, and elsewhere only if it must.

    A percent sign stays with its number.

    Example:
        >>> broken("a network with_dropout", 14)
        'a network\nwith_dropout'
        >>> broken("990 of 1,080 right (92 %)", 22)
        '990 of 1,080 right\n(92 %)'
    """
    lines = [""]
    for piece in re.findall(r"[^\s_/]*[\s_/]|[^\s_/]+", text.replace(" %", f"{_TIED}%")):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    parts = (part for line in lines for part in wrap(line.strip(), width, break_on_hyphens=False))
    return "\n".join(parts).replace(_TIED, " ")


def fitted(ax: Axes, text: str) -> str:
    """Break a text into lines that are about as wide as the axes, in the size of their title."""
    return broken(text, letters(ax))


def legend(ax: Axes, handles: Sequence[Artist] = (), title: str | None = None, *, most: int = 6) -> Legend:
    """Name the lines inside the axes, in a legend that is never wider than they are.

    Long names have several lines; where short ones are more than `most`, they stand in two columns.

    Args:
        ax: The axes.
        handles: What is named. Defaults to all lines that have a label.
        title: A line above the names. Defaults to `None`.
        most: How many names stand in one column, where two fit. Defaults to `6`.
    """
    handles = list(handles) or ax.get_legend_handles_labels()[0]
    width = letters(ax)
    names = [str(handle.get_label()) for handle in handles]
    names = ["\n".join(broken(line, width - _HANDLE) for line in name.split("\n")) for name in names]
    widest = max((len(line) for name in names for line in name.split("\n")), default=0) + _HANDLE
    columns = 2 if len(handles) > most and 2 * widest <= width else 1
    title = title and broken(title, width)
    # A ground keeps the names readable where a curve runs behind them.
    ground = inks().surface
    return ax.legend(handles, names, title=title, ncols=columns, facecolor=ground, edgecolor="none", framealpha=0.8)
