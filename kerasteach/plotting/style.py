"""Look of figures: a color and a marker for each network, and styles for a slide, a page and a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from kerasteach import validation
from kerasteach.activations.functions import COURSE
from kerasteach.plotting.growing_layout import GrowingLayout
from kerasteach.plotting.wording import gettext, in_language

PAGE = (12.8, 7.2)  # inches, 16:9: a little less than a slide, which has 13.33 x 7.5
COLUMN = (3.5, 2.6)  # inches: one of two columns of a printed page


class Look(NamedTuple):
    """A color and a marker."""

    color: str
    marker: str


ACTIVATIONS = {name: Look(known.color, known.marker) for name, known in COURSE.items() if known.color and known.marker}
# Each color on a light and on a dark ground: blue, amber, rose, cyan, green, purple, gray and that of the text. A
# search found them: a contrast of 3:1 or more to their ground (WCAG 2.2, criterion 1.4.11), and for normal, red-blind,
# green-blind and blue-blind eyes a CIEDE2000 difference of 10 or more from each other. The first three differ by 20,
# and by 15 in lightness, for a gray printout.
_COLORS = {
    "#003A6F": "#74A4FF",
    "#B68A00": "#EECC66",
    "#BB3355": "#C45A76",
    "#1199CC": "#66DDEE",
    "#00680A": "#1AAA50",
    "#A338AD": "#B87CB8",
    "#8A8A8A": "#A0A0A0",
    "#000000": "#F2F2F2",
}
FORWARD, BACKWARD = "#003A6F", "#BB3355"  # the directions through a network; they differ in lightness, too
FORWARD_DARK, BACKWARD_DARK = "#66CCEE", "#E87A90"  # the same on a dark ground
_MARKERS = ("D", "v", "P", "X", "*", "p", "h", "<", ">")  # none of the main three


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Give each name a look on the current ground: an activation its own, and the other names the free ones in turn."""
    names = list(names)
    taken = {ACTIVATIONS[name] for name in names if name in ACTIVATIONS}
    colors = sorted(_COLORS, key=lambda color: color in {look.color for look in taken})  # the free ones first
    # Eight colors and nine markers, each in turn, meet in 72 pairs.
    pairs = (Look(colors[i % len(colors)], _MARKERS[i % len(_MARKERS)]) for i in count())
    free = (look for look in pairs if look not in taken)
    chosen = {name: ACTIVATIONS.get(name) or next(free) for name in names}
    if not on_dark():
        return chosen
    return {name: look._replace(color=_COLORS.get(look.color, look.color)) for name, look in chosen.items()}


def plain(name: str) -> str:
    """Return a name as matplotlib draws it letter by letter: a `$` begins no formula, a `_` hides no legend entry."""
    name = name.replace("$", r"\$")
    return gettext("(no name)") if not name.strip() else f" {name}" if name.startswith("_") else name


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
def style(name: str = "notebook", *, dark: bool = False, language: str = "en") -> Iterator[None]:
    """Make the figures inside this block for one place: a slide, a printed page or a notebook.

    Only settings of matplotlib's are changed, and they are put back; outside of such a block figures use the caller's.

    Args:
        name: `"lecture"`: large text and thick lines on 16:9, which can be read from the last row. On a slide of
            13.33 x 7.5 inches the text has 14 points or more; in a figure of several panels 12 or more. `"paper"`: one
            column of a printed page, 3.5 inches wide, in text of 8 points; a figure of several panels is up to 8.3
            inches wide. `"notebook"`: a figure below a cell. Defaults to `"notebook"`.
        dark: Whether the ground is dark, for dark slides. Defaults to `False`.
        language: Of titles, labels and legends: `"en"` or `"de"`. What comes from the table, such as names of layers,
            stays as it is. Defaults to `"en"`.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If there is no such style or language.

    Example:
        >>> import kerasteach as kt
        >>> with kt.plotting.style("lecture", dark=True):
        ...     ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4, 0.2]}))
    """
    values = _STYLES[validation.choice("name", name, _STYLES)]()
    ground = _DARK if validation.flag("dark", dark) else _LIGHT
    with settings({**values, **ground}), in_language(language):
        yield


def _lecture() -> dict[str, Any]:
    talk = sns.plotting_context("talk", rc={"lines.linewidth": 3, "lines.markersize": 9})
    return {**talk, "figure.figsize": PAGE}


def _paper() -> dict[str, Any]:
    paper = sns.plotting_context("paper", font_scale=0.85, rc={"lines.linewidth": 1.2, "lines.markersize": 3.5})
    return {**paper, "figure.figsize": COLUMN}


def _notebook() -> dict[str, Any]:
    return {**sns.plotting_context("notebook", rc={"lines.markersize": 6}), "figure.figsize": (6.4, 4.8)}


_STYLES = {"lecture": _lecture, "paper": _paper, "notebook": _notebook}


def _ground(surface: str, text: str, grid: str) -> dict[str, Any]:
    """Return matplotlib's settings of the ground, and of all that is written and ruled on it."""
    surfaces = ("figure.facecolor", "axes.facecolor", "figure.edgecolor")
    texts = ("text.color", "axes.labelcolor", "axes.titlecolor", "axes.edgecolor", "xtick.color", "ytick.color")
    labels = {"xtick.labelcolor": "inherit", "ytick.labelcolor": "inherit", "savefig.facecolor": "auto"}
    return dict.fromkeys(surfaces, surface) | dict.fromkeys(texts, text) | labels | {"grid.color": grid}


_LIGHT, _DARK = _ground("white", "black", "#b0b0b0"), _ground("#14181D", "#F2F2F2", "#5A626B")


class Inks(NamedTuple):
    """Colors of all that is not a network: they follow the ground, also where the caller has a style of his own.

    Attributes:
        surface: The ground.
        text: What is written, and lines that must be seen.
        muted: Lines beside the data: edges, thresholds, entries of a legend that stand for no network.
        faint: Lines behind the data.
        forward: The forward pass.
        backward: The backward pass.
    """

    surface: str
    text: str
    muted: str
    faint: str
    forward: str
    backward: str


def inks() -> Inks:
    """Return the colors for the ground that matplotlib's settings give figures now.

    Example:
        >>> from kerasteach.plotting.style import inks, style
        >>> with style(dark=True):
        ...     inks().surface
        '#14181d'
    """
    current: Any = plt.rcParams
    surface, text = to_hex(current["axes.facecolor"]), to_hex(current["text.color"])
    muted, faint = (blend(text, surface, share) for share in (0.7, 0.15))
    forward, backward = (FORWARD_DARK, BACKWARD_DARK) if on_dark() else (FORWARD, BACKWARD)
    return Inks(surface, text, muted, faint, forward, backward)


def on_dark() -> bool:
    """Say whether the ground of figures is dark now."""
    red, green, blue = to_rgb(plt.rcParams["axes.facecolor"])
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.5


def blend(color: str, ground: str, share: float) -> str:
    """Return a mix of a color and the ground: so much of the color, the rest of the ground."""
    pairs = zip(to_rgb(color), to_rgb(ground), strict=True)
    red, green, blue = (share * front + (1 - share) * back for front, back in pairs)
    return to_hex((red, green, blue))


def new_axes(ax: Axes | None) -> Axes:
    """Return the axes, or those of a new figure where there are none.

    Raises:
        TypeError: If it is something else.
    """
    height: float = plt.rcParams["figure.figsize"][1]
    axes = checked_axes(ax) or plt.subplots(layout=GrowingLayout(height))[1]
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
