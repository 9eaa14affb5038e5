"""Headline of a figure of several panels: the finding, what is drawn, and which page it is."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.font_manager import font_scalings

from kerasteach.plotting.captions import AUTO
from kerasteach.plotting.text_fitting import broken
from kerasteach.validation import text

_LETTER = 0.55  # width of a letter, in the size of its text


def headline(figure: Figure, title: str | None, what: str, finding: str = "", note: str = "") -> None:
    """Write the title above the panels.

    Args:
        figure: The figure.
        title: The caller's: `"auto"` for the finding with what is drawn below it, `None` for no title, or a text.
        what: What is drawn, in a few words.
        finding: One sentence that the drawn numbers say with certainty. Defaults to none.
        note: Which page it is; it stands there whatever the title. Defaults to none.

    Raises:
        TypeError: If the title is no text and not `None`.
    """
    own = "" if title is None else text("title", title, empty=True)
    lines = [finding, f"{what[:1].upper()}{what[1:]}" if what and not finding else what] if title == AUTO else [own]
    width = max(20, int(figure.get_figwidth() * 72 / (_LETTER * _points("figure.titlesize"))))
    above = "\n".join(broken(line, width) for line in (*lines, note) if line)
    if above:
        figure.suptitle(above)


def _points(name: str) -> float:
    current: Any = plt.rcParams
    value, base = current[name], float(current["font.size"])
    return base * font_scalings[value] if isinstance(value, str) else float(value)
