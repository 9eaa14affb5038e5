"""Animation of any figure over the epochs, or over another column of its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kerasteach.plotting.captions import AUTO, check_title
from kerasteach.plotting.frames import (
    INTERVAL,
    MOST,
    Drawing,
    Frame,
    drawing,
    evenly,
    film,
    frames_of,
    on_a_terminal,
    same_limits,
    same_places,
    styled,
)
from kerasteach.plotting.style import settings
from kerasteach.progress import progress_bar
from kerasteach.tables.checks import Table
from kerasteach.validation import flag, text, whole

_DPI = 100  # what `save` writes


def animate(
    figure_function: Callable[..., Any],
    table: Table,
    over: str = "epoch",
    *,
    frames: int = MOST,
    past: bool = False,
    interval: int = INTERVAL,
    title: str | None = AUTO,
    verbose: int = 1,
    **options: Any,
) -> FuncAnimation:
    """Draw a figure frame by frame: one for each epoch, or for each value of another column of its table.

    Axes, limits and ranges of color are the same in all frames, so that whatever moves is the data. A network that
    stopped early stays as it is. Everything is drawn in the style in which `animate` is called, also where the
    animation is saved later. `kerasteach.plotting.stills_figure` draws some of the frames beside each other, for paper.

    Args:
        figure_function: What draws a frame: a function of `kerasteach.plotting`, or one of your own that takes a table
            and `ax`, or takes a table and returns a figure.
        table: Its table, with the rows of all frames, or a result that has it.
        over: The column with a value for each frame. Defaults to `"epoch"`.
        frames: How many frames there are at most; of more values, so many are shown, evenly spaced, with the first and
            the last. Defaults to `50`.
        past: Whether a frame has the rows of all values up to its own, as learning curves need. Defaults to `False`:
            those of its own value.
        interval: Milliseconds that a frame is shown. Defaults to `200`.
        title: What stands above a frame: `"auto"` for its name, such as "epoch 3"; a text, which the name follows; or
            `None` for nothing. Defaults to `"auto"`.
        verbose: `1` for a progress bar on a terminal, `0` for none. Defaults to `1`.
        **options: Further arguments of the function.

    Returns:
        The animation: `kerasteach.plotting.save(animation, "flow.gif")` writes it, and in a notebook
        `kerasteach.plotting.show_or_save` plays it.

    Raises:
        TypeError: If the table is no data frame, or the function neither takes `ax` nor returns a figure.
        ValueError: If the table lacks the column, or has no value in it; and what the function raises.

    Example:
        >>> import tempfile
        >>> import kerasteach as kt
        >>> history = kt.measure.history_table({"loss": [0.9, 0.4, 0.2]})
        >>> film = kt.plotting.animate(kt.plotting.learning_curves, history, past=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     kt.plotting.save(film, f"{folder}/loss.gif").name
        'loss.gif'
    """
    check_title(title)
    drawn = drawing(figure_function, options)
    most, past = whole("frames", frames), flag("past", past)
    interval, verbose = whole("interval", interval), flag("verbose", verbose)
    title = None if title is None else text("title", title, empty=True)
    shown = frames_of(figure_function, table, over, most, past, evenly)
    figures = _figures(drawn, shown, title, bool(verbose) and on_a_terminal())
    return _Film(figures, interval).animation


def _figures(drawn: Drawing, frames: Sequence[Frame], title: str | None, show: bool) -> list[Figure]:
    """Draw all frames, each as a figure of its own, with the same axes."""
    figures = []
    with progress_bar(show, len(frames), "drawing") as report:
        for number, frame in enumerate(frames, start=1):
            figure = drawn.figure(frame)
            figure.set_dpi(_DPI)
            name_frame(figure, drawn, frame, title)
            figures.append(figure)
            report(number, done=f"{number} of {len(frames)} frames")
    same_limits([figure.axes for figure in figures])
    same_places(figures)
    return figures


def name_frame(figure: Figure, drawn: Drawing, frame: Frame, title: str | None) -> None:
    """Write the name of a frame above it: above the panel, or above all panels."""
    if title is None:
        return
    name = frame.name if title == AUTO else ", ".join(part for part in (title, frame.name) if part)
    if drawn.one_panel:
        ax = figure.axes[0]
        ax.set_title("\n".join(part for part in (ax.get_title(), name) if part))
    else:
        figure.suptitle("\n".join(part for part in (figure.get_suptitle(), name) if part))


class _Film(Artist):
    """The figures of all frames, of which one is seen. Each is drawn once, however often it is shown in a row.

    Attributes:
        animation: Matplotlib's animation.
    """

    def __init__(self, figures: Sequence[Figure], interval: int) -> None:
        super().__init__()
        self._figures, self._look = figures, styled()
        self._number = 0
        self._picture: tuple[tuple[int, float], np.ndarray] | None = None
        first = figures[0]
        figure = plt.figure(figsize=first.get_size_inches(), dpi=_DPI, facecolor=first.get_facecolor())
        figure.add_artist(self)
        self.animation = film(figure, self._show, range(len(figures)), interval)

    def _show(self, number: int) -> list[Artist]:
        self._number, self.stale = number, True
        return [self]

    def draw(self, renderer: Any) -> None:
        """Draw the figure of the present frame, as any artist is drawn."""
        figure = self._figures[self._number]
        place: Any = self.get_figure(root=True)
        key = self._number, float(place.dpi)
        if self._picture is None or self._picture[0] != key:
            figure.set_size_inches(place.get_size_inches())
            figure.set_dpi(place.dpi)
            canvas: Any = FigureCanvasAgg(figure)
            with settings(self._look):
                canvas.draw()
            self._picture = key, np.array(canvas.buffer_rgba())[::-1]
        context = renderer.new_gc()
        renderer.draw_image(context, 0, 0, self._picture[1])
        context.restore()
