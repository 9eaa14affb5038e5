"""Figures of a run for a page: each drawn on a light and on a dark ground, as a picture inside the page."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

import matplotlib.pyplot as plt

from kerasteach.plotting.captions import describe, heading
from kerasteach.plotting.run_figures import RunFigure, fitting
from kerasteach.plotting.saving import content
from kerasteach.plotting.style import settings, style
from kerasteach.progress import Report
from kerasteach.tables.run import Run

_COMPOSED = ("lecture",)  # of figures that the page has one by one
# Few fonts, since matplotlib writes all of them at each text; room for a legend beside the axes.
_LOOK = {"font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans", "Verdana"], "figure.figsize": (7.6, 4.6)}
_WIDE = 8  # inches: such a figure takes a line of the page for itself


class Picture(NamedTuple):
    """A page of a figure.

    Attributes:
        name: The figure's name.
        shows: What it shows, in a few words.
        text: The figure in words, for those who cannot see it.
        light: The address of the picture on a light ground, which has the picture in it.
        dark: The same on a dark ground.
        width: Its width in pixels of the page.
        height: Its height.
        wide: Whether it is wider than half a page.
    """

    name: str
    shows: str
    text: str
    light: str
    dark: str
    width: int
    height: int
    wide: bool


def figures_of(run: Run) -> list[RunFigure]:
    """Return the figures that a page of a run has."""
    return [figure for figure in fitting(run, usual=True) if figure.name not in _COMPOSED]


def pictures(run: Run, report: Report) -> Iterator[Picture]:
    """Draw the figures of a run, and yield their pages.

    Args:
        run: The run.
        report: Moves the progress bar, by one a figure and ground.
    """
    for number, figure in enumerate(figures_of(run)):
        report(2 * number, done=figure.name.replace("_", " "))
        light = list(_drawn(figure, run, dark=False))
        report(2 * number + 1)
        dark = list(_drawn(figure, run, dark=True))
        for (words, size, address), (_, _, dark_address) in zip(light, dark, strict=True):
            width, height = (round(96 * inches) for inches in size)
            yield Picture(figure.name, figure.shows, words, address, dark_address, width, height, size[0] > _WIDE)


def _drawn(figure: RunFigure, run: Run, dark: bool) -> Iterator[tuple[str, tuple[float, float], str]]:
    """Yield the description, the size in inches and the address of each page of a figure."""
    with style("notebook", dark=dark), settings(_LOOK):
        for page in figure.draw(run):
            try:
                data = content(page, "svg")
                words = describe(page) or heading(page)
                yield words, _inches(data), f"data:image/svg+xml;base64,{b64encode(data).decode()}"
            finally:
                plt.close(page)


def _inches(svg: bytes) -> tuple[float, float]:
    """Return the width and height of a drawing, out of the first line that says so, in points."""
    found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found is not None
    return float(found[1]) / 72, float(found[2]) / 72
