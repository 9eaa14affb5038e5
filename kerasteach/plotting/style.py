"""Look of figures: a color and a marker for each activation, and the lecture style."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes

from kerasteach import validation
from kerasteach.activations.functions import COURSE

PAGE = (12.8, 7.2)  # inches, 16:9: a little less than a slide, which has 13.33 x 7.5


class Look(NamedTuple):
    """A color and a marker."""

    color: str
    marker: str


ACTIVATIONS = {name: Look(known.color, known.marker) for name, known in COURSE.items() if known.color and known.marker}
_COLORS = ("#004488", "#DDAA33", "#BB5566", "#33A0C8", "#117733", "#882288", "#888888", "#000000")
FORWARD, BACKWARD = "#004488", "#BB5566"  # the directions through a network; they differ in lightness, too
_MARKERS = ("D", "v", "P", "X", "*", "p", "h", "<", ">")  # none of the main three


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Give each name a look: an activation its own, and the other names the free ones in turn."""
    names = list(names)
    taken = {ACTIVATIONS[name] for name in names if name in ACTIVATIONS}
    colors = sorted(_COLORS, key=lambda color: color in {look.color for look in taken})  # the free ones first
    # Eight colors and nine markers, each in turn, meet in 72 pairs.
    pairs = (Look(colors[i % len(colors)], _MARKERS[i % len(_MARKERS)]) for i in count())
    free = (look for look in pairs if look not in taken)
    return {name: ACTIVATIONS.get(name) or next(free) for name in names}


def plain(name: str) -> str:
    """Return a name as matplotlib draws it letter by letter: a `$` begins no formula, a `_` hides no legend entry."""
    name = name.replace("$", r"\$")
    return "(no name)" if not name.strip() else f" {name}" if name.startswith("_") else name


@contextmanager
def settings(values: Mapping[str, Any]) -> Iterator[None]:
    """Change some of matplotlib's settings inside a block, and put back these alone.

    `matplotlib.rc_context` puts back all of them, also what a notebook's backend sets when the first figure loads it;
    no figure would be shown from then on.
    """
    current: Any = plt.rcParams
    before = {name: current[name] for name in values}
    current.update(values)
    try:
        yield
    finally:
        current.update(before)


@contextmanager
def lecture() -> Iterator[None]:
    """Make figures inside this block readable from the last row: large text, thick lines, 16:9.

    On a slide of 13.33 x 7.5 inches the text has 14 points or more; in a figure of several panels 12 or more.

    Example:
        >>> import kerasteach as kt
        >>> with kt.plotting.lecture():
        ...     ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4, 0.2]}))
    """
    talk = sns.plotting_context("talk", rc={"lines.linewidth": 3, "lines.markersize": 9})
    with settings({**talk, "figure.figsize": PAGE}):
        yield


def new_axes(ax: Axes | None) -> Axes:
    """Return the axes, or those of a new figure where there are none.

    Raises:
        TypeError: If it is something else.
    """
    axes = checked_axes(ax) or plt.subplots(layout="constrained")[1]
    sns.despine(ax=axes)
    return axes


def checked_axes(ax: Any) -> Axes | None:
    """Return the axes, or `None`, which stands for a new figure.

    Raises:
        TypeError: If it is something else.
    """
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"`ax` must be axes of matplotlib, or None for a new figure. {validation.received('ax', ax)}")
    return ax
