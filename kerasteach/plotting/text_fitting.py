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
_TIES = re.compile(r" (?=%)|(?<![\d,;]) (?=\d)")  # a percent sign, and a number that is not one of several
_HANDLE = 8  # letters: the line in front of an entry of a legend, and the space around them


def letters(ax: Axes, *, upright: bool = False) -> int:
    """Return how many letters of the axes' titles and labels stand beside each other over their width, or height."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    points = (box.height if upright else box.width) / figure.dpi * 72
    return max(8, int(points / (LETTER * float(ax.title.get_fontsize()))))


def broken(text: str, width: int) -> str:
    r"""Break a text into lines of a width in letters: at spaces, behind `_` and `/`, and elsewhere only if it must.

    The lines are about as long as each other, so that no word stands alone in the last one. A number stays with the
    word in front of it, and a percent sign with its number.

    Example:
        >>> broken("a network with_dropout", 14)
        'a network\nwith_dropout'
        >>> broken("the first layer gets less than layer 3", 36)
        'the first layer gets\nless than layer 3'
        >>> broken("990 of 1,080 right (92 %)", 22)
        '990 of 1,080\nright (92 %)'
    """
    pieces = re.findall(r"[^ \n\t_/]*[ \n\t_/]|[^ \n\t_/]+", _TIES.sub(_TIED, text))
    lines = _filled(pieces, width)
    least = next(narrow for narrow in range(1, width + 1) if len(_filled(pieces, narrow)) <= len(lines))
    evened = (line.replace(_TIED, " ").strip() for line in _filled(pieces, least))
    return "\n".join(part for line in evened for part in wrap(line, width, break_on_hyphens=False))


def _filled(pieces: Sequence[str], width: int) -> list[str]:
    """Return lines of the pieces, as many in each as its width takes, and at least one."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return lines


def shortened(name: str, most: int) -> str:
    """Return a name with its middle left out where it has more letters than that: the ends often distinguish names.

    Example:
        >>> shortened("encoder_block_1_dense", 12)
        'encod...ense'
    """
    head, tail = (most - 2) // 2, (most - 3) // 2
    return name if len(name) <= most else f"{name[:head]}...{name[-tail:]}"


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
