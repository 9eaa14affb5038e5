"""Pictures of a run's figures for slides: as large as the room below a slide's title, without a title of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from kerasteach.plotting.captions import describe, finding_of, findings_of_panels
from kerasteach.plotting.notebook import ComposedFigure
from kerasteach.plotting.run_figures import RunFigure
from kerasteach.plotting.style import settings, style
from kerasteach.tables.run import Run

ROOM = (12.5, 5.8)  # inches, below the title of a slide of 13.33 x 7.5
_DPI = 200


class Picture(NamedTuple):
    """A page of a figure.

    Attributes:
        figure: Which figure.
        page: Which of its pages, from 1, and of how many.
        content: The PNG file.
        size: Its width and height in inches, no larger than `ROOM`.
        description: What it shows, in words.
        finding: The figure's finding; may be empty.
        panels: The findings of its panels, where it has several.
    """

    figure: RunFigure
    page: tuple[int, int]
    content: bytes
    size: tuple[float, float]
    description: str
    finding: str
    panels: list[str]


def pictures(run: Run, figures: Iterable[RunFigure], dark: bool = False) -> Iterator[Picture]:
    """Draw each page of the figures in the style of a lecture, and close it."""
    with style("lecture", dark=dark), settings({"figure.figsize": ROOM}):
        for figure in figures:
            count = figure.pages(run)
            for number, drawn in enumerate(figure.draw(run, pages=count), 1):
                try:
                    yield _picture(figure, drawn, (number, count))
                finally:
                    plt.close(drawn)


def _picture(figure: RunFigure, drawn: Figure, page: tuple[int, int]) -> Picture:
    (finding, _), panels, description = finding_of(drawn), findings_of_panels(drawn), describe(drawn)
    _without_title(drawn)
    _fill(drawn)
    written = BytesIO()
    drawn.savefig(written, format="png", dpi=_DPI, metadata={"Software": None})
    width, height = drawn.get_size_inches()
    scale = min(ROOM[0] / width, ROOM[1] / height)
    return Picture(figure, page, written.getvalue(), (scale * width, scale * height), description, finding, panels)


def _without_title(drawn: Figure) -> None:
    """Take the title away, which stands on the slide."""
    if not isinstance(drawn, ComposedFigure):
        drawn.axes[0].set_title("")
    elif drawn.get_suptitle():
        drawn.suptitle("").set_in_layout(False)


def _fill(drawn: Figure) -> None:
    """Give the figure the proportions of the room, and no more than its size, so that its text stays large."""
    width, height = drawn.get_size_inches()
    proportion = ROOM[0] / ROOM[1]
    size = (max(width, height * proportion), max(height, width / proportion))
    drawn.set_size_inches(min(ROOM[0], size[0]), min(ROOM[1], size[1]))
    drawn.draw_without_rendering()  # a layout may make it higher
