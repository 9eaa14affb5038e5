"""Look of figures: one color and marker for each activation everywhere, a lecture style, and saving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.animation import Animation, writers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach import validation
from kerasteach.activation_names import COURSE
from kerasteach.storage.files import write_atomically

PAGE = (12.8, 7.2)  # inches, 16:9: a little less than a slide, which has 13.33 x 7.5
FORMATS = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")


class Look(NamedTuple):
    """A colour and a marker."""

    colour: str
    marker: str


ACTIVATIONS = {name: Look(one.color, one.marker) for name, one in COURSE.items() if one.color and one.marker}
_COLOURS = ("#004488", "#DDAA33", "#BB5566", "#33A0C8", "#117733", "#882288", "#888888", "#000000")
FORWARD, BACKWARD = "#004488", "#BB5566"  # the two ways through a network: apart in lightness, too
_MARKERS = ("D", "v", "P", "X", "*", "p", "h", "<", ">")  # none of the main three


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Give each name its look: an activation's own one, and the others' in the order in which they come."""
    names = list(names)
    taken = {ACTIVATIONS[name] for name in names if name in ACTIVATIONS}
    colours = sorted(_COLOURS, key=lambda colour: colour in {look.colour for look in taken})  # the free ones first
    # Eight colours and nine markers, each in turn, meet in 72 pairs.
    pairs = (Look(colours[i % len(colours)], _MARKERS[i % len(_MARKERS)]) for i in count())
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
    found = checked_axes(ax) or plt.subplots(layout="constrained")[1]
    sns.despine(ax=found)
    return found


def checked_axes(ax: Any) -> Axes | None:
    """Return the axes, or `None`, which stands for a new figure.

    Raises:
        TypeError: If it is something else.
    """
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"`ax` must be axes of matplotlib, or None for a new figure. {validation.received('ax', ax)}")
    return ax


def check_writable(path: Path) -> None:
    """Raise RuntimeError if it is to be an `.mp4`, and there is no ffmpeg to write it."""
    if path.suffix.lower() == ".mp4" and not writers.is_available("ffmpeg"):
        raise RuntimeError(
            "An .mp4 needs the program ffmpeg on the path (https://ffmpeg.org); a .gif needs nothing. "
            f"Received: path={str(path)!r}."
        )


def save(figure: Figure | Axes | Animation, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a figure or an animation; a file is there whole or not at all.

    Args:
        figure: A figure, axes of it, or an animation.
        path: The file; its ending says the format: `.png`, `.svg` or `.pdf`, and of an animation `.gif`, or `.mp4`
            where the program ffmpeg is installed. Missing folders are made.
        overwrite: Whether an existing file may be replaced. Defaults to `False`.

    Returns:
        The path.

    Raises:
        TypeError: If it is no figure.
        ValueError: If the ending is another one.
        FileExistsError: If the file exists and `overwrite` is false.
        RuntimeError: If it is to be an `.mp4`, and there is no ffmpeg.
    """
    if not isinstance(figure, (Figure, Axes, Animation)):
        raise TypeError(f"`figure` must be a figure, axes or an animation. {validation.received('figure', figure)}")
    path, overwrite = validation.path("path", path), validation.flag("overwrite", overwrite)
    ending, endings = path.suffix.lower(), ANIMATIONS if isinstance(figure, Animation) else FORMATS
    if ending not in endings:
        raise ValueError(f"`path` must end in {', '.join(endings)}. {validation.received('path', str(path))}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"The file exists; `overwrite=True` replaces it. Received: path={str(path)!r}.")
    check_writable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(figure, Animation):
        writer = "ffmpeg" if ending == ".mp4" else "pillow"
        write_atomically(path, lambda temporary: figure.save(temporary, writer=writer, dpi=100))
        return path
    whole = figure if isinstance(figure, Figure) else figure.get_figure(root=True)
    assert isinstance(whole, Figure)
    # A file's content depends on the figure alone: no date in it, and no random number.
    metadata = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[ending]
    with settings({"svg.hashsalt": "kerasteach", "savefig.bbox": "tight", "savefig.pad_inches": 0.15}):
        write_atomically(path, lambda temporary: whole.savefig(temporary, dpi=150, metadata=metadata))
    return path
