"""Stills of an animation: some of its frames beside each other, for paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach.plotting.captions import AUTO, check_title
from kerasteach.plotting.frames import drawing, evenly, frames_of, same_limits
from kerasteach.plotting.legends import letters_over
from kerasteach.plotting.pages import composed, on_page, panels
from kerasteach.plotting.text_fitting import broken
from kerasteach.plotting.wording import N_
from kerasteach.tables.checks import Table
from kerasteach.validation import flag, received, text, whole

_MOST = 6  # on a page
_WIDTH, _HEIGHT = 0.42, 0.62  # of a still, as shares of a figure
_LEAST = (2.7, 3.0)  # inches: a still's width and height, at least, in text of the size of a page's


def stills_figure(
    figure_function: Callable[..., Any],
    table: Table,
    over: str = "epoch",
    stills: int = 5,
    *,
    past: bool = False,
    title: str | None = AUTO,
    page: int = 1,
    **options: Any,
) -> Figure:
    """Draw some frames of `kerasteach.plotting.animate` beside each other, with the same axes: a film for paper.

    Args:
        figure_function: What draws a still: a function of `kerasteach.plotting`, or one of your own, that takes a table
            and `ax`.
        table: Its table, with the rows of all frames, or a result that has it.
        over: The column with a value for each frame. Defaults to `"epoch"`.
        stills: How many, at most: evenly spaced over the values, with the first and the last. Six are on a page.
            Defaults to `5`.
        past: Whether a still has the rows of all values up to its own. Defaults to `False`: those of its own value.
        title: What stands above the stills: a text, or `"auto"` or `None` for nothing. Each still has its own name
            above it, such as "epoch 3". Defaults to `"auto"`.
        page: Which six of more stills. Defaults to `1`.
        **options: Further arguments of the function.

    Returns:
        The figure.

    Raises:
        TypeError: If the table is no data frame, or the function does not take `ax`.
        ValueError: If the table lacks the column, or has no value in it, or there is no such page; and what the
            function raises.

    Example:
        >>> import kerasteach as kt
        >>> history = kt.measure.history_table({"loss": [0.9, 0.4, 0.2]})
        >>> figure = kt.plotting.stills_figure(kt.plotting.learning_curves, history, past=True)
        >>> [ax.get_title() for ax in figure.axes]
        ['epoch 1', 'epoch 2', 'epoch 3']
    """
    check_title(title)
    drawn = drawing(figure_function, options)
    if not drawn.one_panel:
        raise TypeError(
            f"`figure_function` must take `ax`: a still is one panel. {received('figure_function', figure_function)}"
        )
    count, past = whole("stills", stills), flag("past", past)
    title = "" if title is None else text("title", title, empty=True)
    title = "" if title == AUTO else title
    frames = frames_of(figure_function, table, over, count, past, evenly)
    numbers, note = on_page([str(number) for number in range(len(frames))], page, _MOST, N_("stills"))
    frames = [frames[int(number)] for number in numbers]
    with composed():
        width, height = np.maximum(np.array(plt.rcParams["figure.figsize"]) * (_WIDTH, _HEIGHT), _LEAST)
        above = "\n".join(part for part in (title, note) if part)
        figure, axes = panels(len(frames), _MOST, width, height, above)
        engine: Any = figure.get_layout_engine()
        engine.set(wspace=0.06)  # the last number of an axis and the first of the next stay apart
        for ax, frame in zip(axes, frames, strict=True):
            drawn.on(ax, frame)
            ax.set_title("\n".join(part for part in (ax.get_title(), frame.name) if part))
        same_limits([[ax] for ax in axes])
        _one_legend(figure, axes, above=_label_once(axes))
    return figure


def _label_once(axes: Sequence[Axes]) -> str:
    """Write labels that all stills share once: beside the first, and below the middle.

    Returns:
        The label of the axes from left to right, where it is longer than a still is wide, to be written below them all.
    """
    middle = len(axes) // 2
    labels = {ax.get_xlabel() for ax in axes}
    long = len(labels) == 1 and "\n" in axes[0].get_xlabel() and axes[0].get_legend() is not None
    for number, ax in enumerate(axes):
        if len(labels) == 1 and (number != middle or long):
            ax.set_xlabel("")
        ax.label_outer()
    if len(labels) == 1 and len(axes) % 2 == 0:
        axes[middle].xaxis.label.set_x(-0.05)
    return _in_one_line(labels.pop()) if long else ""


def _one_legend(figure: Figure, axes: Sequence[Axes], above: str) -> None:
    """Name what is drawn once, below the stills and a label that they share."""
    entries: dict[str, Artist] = {}
    title = ""
    for ax in axes:
        legend = ax.get_legend()
        if legend is not None:
            names = [_in_one_line(name.get_text()) for name in legend.get_texts()]
            entries |= dict(zip(names, legend.legend_handles, strict=True))  # type: ignore[arg-type]
            title = _in_one_line(legend.get_title().get_text()) or title
            legend.remove()
    if entries:
        columns = max(1, min(len(entries), len(axes)))
        words = [broken(part, letters_over(figure.get_figwidth())) for part in (above, title) if part]
        legend = figure.legend(
            list(entries.values()),
            list(entries),
            title="\n".join(words) or None,
            loc="outside lower center",
            ncols=columns,
            frameon=False,
        )
        legend.get_title().set_multialignment("center")


def _in_one_line(words: str) -> str:
    """Undo line breaks that were made for the width of one still."""
    return re.sub(r"(?<=[_/])\n", "", words).replace("\n", " ")
