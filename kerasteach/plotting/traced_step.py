"""A network with the numbers of one training step on it."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from kerasteach.plotting.style import BACKWARD, FORWARD, checked_axes
from kerasteach.plotting.unit_cards import PAD, ROW, SPACE, Column, columns_of, of_example, text_width

MOST_UNITS = 12
_BETWEEN, _GAP = 1.0, 6.0  # between the cards of a layer, and between layers, in the height of a letter


def traced_step(table: pd.DataFrame, example: int = 0, ax: Axes | None = None) -> Axes:
    """Draw a network with the numbers of one training step on it: forward in blue, backward in red.

    Each unit is a card, its weights above a line and its z and a below. Beside each number stands the derivative of the
    error by it. A line leads from the output of a unit to each weight that it is multiplied by. The figure is as large
    as its text needs: of up to about six units, inputs among them, the text has 14 points on a slide.

    Args:
        table: What `kerasteach.trace_step(...).frame` holds.
        example: Which example of the batch, from 0, the numbers of units are of; the derivatives by weights are of the
            whole batch. Defaults to `0`.
        ax: Where to draw; the text is as large as its size allows. Defaults to a new figure of the size that the text
            needs.

    Returns:
        The axes.

    Raises:
        ValueError: If the table lacks a column or row, there is no such example, or the network has more than 12
            units, inputs among them.

    Example:
        >>> import keras, kerasteach as kt
        >>> model = kt.models.mlp("tanh", hidden=(3,), inputs=2, outputs=1, output_activation="sigmoid")
        >>> ax = kt.plotting.traced_step(kt.trace_step(model, [[0.5, -1.0]], [[1.0]]).frame)
    """
    ax = checked_axes(ax)
    rows, examples = of_example(table, example)
    try:
        columns = list(columns_of(rows))
    except (IndexError, KeyError, ValueError) as error:  # rows that a traced step has are not there
        raise ValueError("`table` must hold a whole traced step, as kerasteach.trace_step(...).frame does.") from error
    units = sum(len(column.cards) for column in columns) - 1  # the error is none
    if units > MOST_UNITS:
        raise ValueError(f"The numbers of up to {MOST_UNITS} units, with inputs, can be read. Received: {units} units.")
    title = "one training step" + (f", example {example} of {examples}" if examples > 1 else "")
    forward = "forward: each number →"
    backward = "← backward: dE/d of each number" + (", for weights of the whole batch" if examples > 1 else "")
    size = _lay_out(columns, [title, forward, backward])
    ax, points = _axes(ax, *size)
    for before, after in pairwise(columns):
        _join(ax, before, after, points)
    for column in columns:
        _draw(ax, column, points)
    top, bottom = size[1] - ROW / 2, ROW / 2
    ax.text(size[0] / 2, top, title, ha="center", va="center", fontsize=points)
    apart = text_width(forward) + text_width(backward) + 3 * PAD > size[0]
    ax.text(PAD, bottom + ROW * apart, forward, color=FORWARD, va="center", fontsize=points)
    ax.text(size[0] - PAD, bottom, backward, color=BACKWARD, ha="right", va="center", fontsize=points)
    return ax


def _lay_out(columns: list[Column], lines: list[str]) -> tuple[float, float]:
    """Give each card its place, and return the width and height of it all."""
    height = max(_height(column) for column in columns)
    base, left = 2 * ROW + PAD, PAD
    for column in columns:
        inside = max(column.width, text_width(column.title))
        free = 0.6 * (height - _height(column)) / len(column.cards)  # cards that are few stand further apart
        between = _BETWEEN + free
        top = base + height - (height - _height(column) - free * (len(column.cards) - 1)) / 2
        for card in column.cards:
            card.left, card.top = left + (inside - column.width) / 2, top
            top -= card.height + between
        left += inside + _GAP
    width = max(left - _GAP + PAD, *(text_width(line) + 2 * PAD for line in lines))
    return width, base + height + 2.5 * ROW


def _height(column: Column) -> float:
    """Return how high a layer's cards are at least, with the space between them."""
    return sum(card.height for card in column.cards) + _BETWEEN * (len(column.cards) - 1)


def _axes(ax: Axes | None, width: float, height: float) -> tuple[Axes, float]:
    """Return axes in which a length of 1 is the height of a letter, and that height in points."""
    if ax is None:
        points = float(plt.rcParams["font.size"])
        ax = plt.figure(figsize=(width * points / 72, height * points / 72)).add_axes((0, 0, 1, 1))
    else:
        figure = ax.get_figure(root=True)
        assert figure is not None
        box = ax.get_window_extent()
        dots = figure.dpi / 72
        points = min(box.width / width, box.height / height) / dots
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.set_axis_off()
    return ax, points


def _join(ax: Axes, before: Column, after: Column, points: float) -> None:
    """Draw a line from the output of each unit to the weights that it is multiplied by."""
    for target in after.cards:
        for number, source in enumerate(before.cards):
            row = number if target.weights else 0
            x, y = (source.left + before.width, target.left), (source.middle(-1), target.middle(row))
            ax.plot(x, y, color="0.6", lw=points / 12, zorder=1)


def _draw(ax: Axes, column: Column, points: float) -> None:
    middle = column.cards[0].left + column.width / 2
    ax.text(middle, column.cards[0].top + ROW * 0.6, column.title, ha="center", va="center", fontsize=points)
    for card in column.cards:
        corner = (card.left, card.top - card.height)
        style = "round,pad=0,rounding_size=0.5"
        box = FancyBboxPatch(corner, column.width, card.height, style, fc="white", ec="0.3", lw=points / 9, zorder=2)
        ax.add_patch(box)
        if card.weights:
            y = card.top - PAD - card.weights * ROW
            ax.plot([card.left, card.left + column.width], [y, y], color="0.8", lw=points / 12, zorder=3)
        for number, row in enumerate(card.rows):
            right = card.left + PAD
            for text, width, color in zip(row, column.widths, ("0.3", FORWARD, BACKWARD), strict=True):
                right += width
                place = (right, card.middle(number))
                ax.text(*place, text, color=color, ha="right", va="center_baseline", fontsize=points, zorder=4)
                right += SPACE
