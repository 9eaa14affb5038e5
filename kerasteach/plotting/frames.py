"""Frames of a figure over a column of its table: their rows and names, and what holds them still."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from inspect import signature
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from kerasteach.plotting.comparison_tables import VARIED
from kerasteach.plotting.extent import drawn_extent
from kerasteach.plotting.style import plain
from kerasteach.plotting.wording import epoch_name, gettext
from kerasteach.tables.checks import Table, columns_before, frame_of, named_columns
from kerasteach.validation import choice, function, received, table

MOST = 50  # frames: ten seconds
PAUSE = 8  # frames for which the last one is shown
INTERVAL = 200  # milliseconds a frame
_HAIR = 0.02  # inches
_STYLED = (
    "axes.",
    "figure.",
    "font.",
    "grid.",
    "legend.",
    "lines.",
    "mathtext.",
    "patch.",
    "text.",
    "xtick.",
    "ytick.",
)


class Frame(NamedTuple):
    """One frame: what it is called, such as `"epoch 3"`, and the rows that are drawn."""

    name: str
    rows: pd.DataFrame


class Drawing(NamedTuple):
    """A figure function with its options.

    Attributes:
        function: It takes a table and `ax`, and draws one panel; or a table, and returns a figure of several panels.
        options: Its further arguments.
        one_panel: Whether it takes `ax`.
    """

    function: Callable[..., Any]
    options: Mapping[str, Any]
    one_panel: bool

    def on(self, ax: Axes, frame: Frame) -> None:
        """Draw a frame on axes."""
        self.function(frame.rows, ax=ax, **self.options)

    def figure(self, frame: Frame) -> Figure:
        """Draw a frame as a figure of its own, which pyplot does not know."""
        if self.one_panel:
            figure = Figure(layout="constrained")
            self.on(figure.add_subplot(), frame)
            return figure
        made = self.function(frame.rows, **self.options)
        if not isinstance(made, Figure):
            raise TypeError(
                "`figure_function` must take `ax`, or return a figure. "
                f"Received: {getattr(self.function, '__name__', self.function)}, which returned {type(made).__name__}."
            )
        plt.close(made)
        return made


def drawing(figure_function: Any, options: Mapping[str, Any]) -> Drawing:
    """Return a figure function with its options; it leaves out its own title, if it can.

    Raises:
        TypeError: If it is no function.
    """
    parameters = _parameters(figure_function)
    untitled = {"title": None} if "title" in parameters else {}
    return Drawing(figure_function, untitled | dict(options), "ax" in parameters)


def _parameters(figure_function: Any) -> list[str]:
    wanted = "a function that draws a table, such as kerasteach.plotting.gradient_flow"
    try:
        parameters = signature(function("figure_function", figure_function, wanted)).parameters.values()
        found = [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    except ValueError:  # one of those of C that say nothing of their arguments
        found = []
    if not found:
        raise TypeError(f"`figure_function` must be {wanted}. {received('figure_function', figure_function)}")
    return found


def frames_of(
    figure_function: Any, value: Table, over: str, most: int, past: bool, select: Callable[[int, int], list[int]]
) -> list[Frame]:
    """Return the frames of a table, or of a result that has the table which a figure function takes.

    Args:
        figure_function: The name of its first argument says which table of a result is meant.
        value: The table, or the result.
        over: The column that has a value for each frame.
        most: How many frames there are at most.
        past: Whether a frame has the rows of all values up to its own.
        select: Which of so many values, at most so many, have a frame.

    Raises:
        TypeError: If it is no data frame, and no result that has one.
        ValueError: If it has no such column, or no value in it.
    """
    argument = _parameters(figure_function)[0]
    rows = table("table", named_columns(frame_of(argument, value)), (), "a result of kerasteach")
    over = choice("over", over, map(str, rows))
    ended = None if past or over != "epoch" else _ended(rows)
    values = rows[over].dropna().unique()
    if not len(values):
        raise ValueError(f"`table` has no value in the column {over}. Received: {len(rows)} rows.")
    if pd.api.types.is_numeric_dtype(rows[over]):
        values = np.sort(values)
    place = rows[over].map({value: number for number, value in enumerate(values)})
    frames = []
    for number in select(len(values), most):
        shown = rows[place <= number] if past else rows[place == number]
        if ended is not None:
            stopped = ended[ended[over] < values[number]]
            shown = pd.concat([shown, stopped.assign(**{over: values[number]})]).sort_index()  # in the table's order
        frames.append(Frame(_name(over, values[number]), shown.reset_index(drop=True)))
    return frames


def _ended(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Return the last rows of each network and seed: one that stopped early stays as it is."""
    keys = [name for name in columns_before(rows, "epoch") if name in (*VARIED, "seed")]
    if not keys or not pd.api.types.is_numeric_dtype(rows["epoch"]):
        return None
    return rows[rows["epoch"] == rows.groupby(keys, dropna=False)["epoch"].transform("max")]


def _name(over: str, value: Any) -> str:
    """Say which frame it is: epochs are counted from 1, as Keras prints them."""
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        if over == "epoch":
            return epoch_name(int(value))
        return f"{plain(gettext(over.replace('_', ' ')))} {value:.6g}"
    return plain(str(value))


def evenly(count: int, most: int) -> list[int]:
    """Return at most so many numbers below `count`, evenly spaced, the first and the last among them."""
    return sorted({round(float(place)) for place in np.linspace(0, count - 1, min(most, count))})


def same_limits(panels: Sequence[Sequence[Axes]]) -> None:
    """Give each panel the scales, limits and ranges of color that show it in all frames.

    Args:
        panels: The axes of each frame; frames with other panels are left as they are.
    """
    if len({len(axes) for axes in panels}) > 1:
        return
    for same in zip(*panels, strict=True):
        for direction in "xy":
            _same_axis(same, direction)
        _same_colors([[*ax.images, *ax.collections] for ax in same])


def _same_axis(same: Sequence[Axes], direction: str) -> None:
    """Give axes the limits that show all, and the ticks of those that show most."""
    scale = getattr(same[-1], f"get_{direction}scale")()
    for ax in same:
        if getattr(ax, f"get_{direction}scale")() != scale:
            getattr(ax, f"set_{direction}scale")(scale)
    ends = np.array([getattr(ax, f"get_{direction}lim")() for ax in same])
    inverted = ends[0, 0] > ends[0, 1]
    spans = np.abs(ends[:, 1] - ends[:, 0])
    widest = getattr(same[int(spans.argmax())], f"{direction}axis")
    for ax, span in zip(same, spans, strict=True):
        axis = getattr(ax, f"{direction}axis")
        if span < spans.max():
            axis.set_major_locator(copy(widest.get_major_locator()))
            axis.set_major_formatter(copy(widest.get_major_formatter()))
        getattr(ax, f"set_{direction}lim")(*((ends.max(), ends.min()) if inverted else (ends.min(), ends.max())))


def _same_colors(painted: Sequence[Sequence[ScalarMappable]]) -> None:
    if len({len(artists) for artists in painted}) > 1:
        return
    for same in zip(*painted, strict=True):
        ends = [artist.get_clim() for artist in same]
        low = [end[0] for end in ends if end[0] is not None and np.isfinite(end[0])]
        high = [end[1] for end in ends if end[1] is not None and np.isfinite(end[1])]
        if low and high:
            for artist in same:
                artist.set_clim(min(low), max(high))


def same_places(figures: Sequence[Figure]) -> None:
    """Put the panels of all frames where there is room for them in each: neither they nor the legends move."""
    different = {_words(figure): figure for figure in figures}  # only words take other room from frame to frame
    for figure in different.values():
        figure.draw_without_rendering()
    grown = np.max([_cut_off(figure) for figure in different.values()], axis=0)
    if grown.any():
        for figure in figures:
            figure.set_size_inches(figure.get_size_inches() + grown)
        for figure in different.values():
            figure.draw_without_rendering()
    places = [[ax.get_position(original=True) for ax in figure.axes] for figure in different.values()]
    if len({len(figure.axes) for figure in figures}) > 1:
        return
    common = [_common(boxes) for boxes in zip(*places, strict=True)]
    first = {number: _corner(ax) for number, ax in enumerate(figures[0].axes)}
    for figure in figures:
        figure.set_layout_engine("none")
        for number, (ax, box) in enumerate(zip(figure.axes, common, strict=True)):
            ax.set_position(box)
            legend, corner = ax.get_legend(), first[number]
            if legend is not None and corner is not None and _wanders(ax):
                legend.set_loc(corner)


def _cut_off(figure: Figure) -> np.ndarray:
    """Return how many inches of what is drawn stand over the edges, horizontally and vertically."""
    box = drawn_extent(figure)
    low = np.maximum(-np.asarray(box.min), 0)
    high = np.maximum(np.asarray(box.max) - figure.get_size_inches(), 0)
    over = np.where(low + high > _HAIR, low + high + _HAIR, 0)
    # A word at one edge of a centered panel wants as much room at the other.
    return np.asarray(over * 2)


def _common(boxes: Sequence[Bbox]) -> Bbox:
    """Return the box inside all of these; the first one where there is none."""
    found = Bbox.intersection(boxes[0], boxes[0])
    for box in boxes:
        found = Bbox.intersection(found, box) if found is not None else None
    return boxes[0] if found is None or found.width <= 0 or found.height <= 0 else found


def _words(figure: Figure) -> Hashable:
    """Return the words in a figure that take room; of titles, how many lines they have."""
    words: list[Hashable] = [figure.get_suptitle().count("\n")]
    for ax in figure.axes:
        legend = ax.get_legend()
        words += [ax.get_title().count("\n"), ax.get_xlabel(), ax.get_ylabel()]
        words += [text.get_text() for text in legend.get_texts()] if legend is not None else []
    words += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return tuple(words)


def _wanders(ax: Axes) -> bool:
    """Say whether matplotlib looks for the best place of a legend, at each drawing."""
    legend: Any = ax.get_legend()
    return legend is not None and getattr(legend, "_loc", None) == 0


def _corner(ax: Axes) -> tuple[float, float] | None:
    """Return where a legend stands that wanders, as a share of the axes."""
    legend = ax.get_legend()
    if legend is None or not _wanders(ax):
        return None
    x, y = ax.transAxes.inverted().transform(legend.get_window_extent().min)
    return float(x), float(y)


def stand_still(figure: Figure) -> None:
    """Keep the layout and the legends of a figure where they are, whatever is drawn next."""
    same_places([figure])


def film(figure: Figure, show: Callable[[Any], Any], frames: Sequence[Any], interval: int = INTERVAL) -> FuncAnimation:
    """Return the animation of a figure whose frames `show` draws; the last one stays for a while."""
    return FuncAnimation(figure, show, frames=list(frames) + [frames[-1]] * PAUSE, interval=interval, repeat_delay=1500)


def styled() -> dict[str, Any]:
    """Return matplotlib's settings of the look of figures as they are now, for what is drawn later."""
    current: Any = plt.rcParams
    return {name: current[name] for name in current if name.startswith(_STYLED)}


def on_a_terminal() -> bool:
    """Say whether a progress bar on standard error would be seen, and moves there."""
    return bool(sys.stderr is not None and sys.stderr.isatty())
