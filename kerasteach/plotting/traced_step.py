"""Network with the numbers of one training step on it."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.style import checked_axes, inks
from kerasteach.plotting.unit_cards import (
    BETWEEN,
    GAP,
    PAD,
    ROW,
    SPACE,
    Card,
    Column,
    height_of,
    of_example,
    pages_of,
    text_width,
)
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table
from kerasteach.validation import received, text, whole


def traced_step(
    table: Table, example: int = 0, ax: Axes | None = None, *, page: int = 1, title: str | None = AUTO
) -> Axes:
    """Draw a network with the numbers of one training step on it: forward in blue, backward in red.

    Each unit is a card with its weights, its z and its a. Beside each number stands the derivative of the error by it.
    A line leads from the output of a unit to each weight that it is multiplied by. The figure is as large as its text
    needs. On a slide the text has 14 points: a network that is too large for that has several pages, from the input
    on, and numbers that stand on another page are gray.

    Args:
        table: What `kerasteach.trace_step` returns, or its table.
        example: Which example of the batch, from 0, the numbers of units are of; the derivatives by weights are of the
            whole batch. Defaults to `0`.
        ax: Where to draw; the text is as large as its size allows. Defaults to a new figure of the size that the text
            needs.
        page: Which page of a large network, from 1. Defaults to `1`; `kerasteach.plotting.pages` says how many pages
            there are.
        title: The line above the units: `"auto"`, which example and page it is; a text; or `None` for none. Defaults to
            `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If `table` is no data frame, and no result that has one.
        ValueError: If the table lacks a column or row, there is no such example or page, or the network has more than
            12 units, inputs among them.

    Example:
        >>> import keras, kerasteach as kt
        >>> model = kt.models.mlp("tanh", hidden=(3,), inputs=2, outputs=1, output_activation="sigmoid")
        >>> ax = kt.plotting.traced_step(kt.trace_step(model, [[0.5, -1.0]], [[1.0]]))
    """
    check_title(title)
    ax = checked_axes(ax)
    rows, examples = of_example(table, example)
    pages = pages_of(rows)
    page = whole("page", page)
    if page > len(pages):
        raise ValueError(f"`page` must be from 1 to {len(pages)}. {received('page', page)}")
    columns = pages[page - 1]
    parts = [gettext("one training step")]
    if examples > 1:
        parts.append(gettext("example {number} of {examples}").format(number=example, examples=examples))
    if len(pages) > 1:
        parts.append(gettext("page {page} of {pages}").format(page=page, pages=len(pages)))
    what = ", ".join(parts)
    heading = "" if title is None else what if text("title", title, empty=True) == AUTO else title
    forward = gettext("forward: each number →")
    backward = gettext("← backward: dE/d of each number")
    if examples > 1:
        backward = gettext("← backward: dE/d of each number, for weights of the whole batch")
    size = _lay_out(columns, [heading, forward, backward])
    ax, points = _axes(ax, *size)
    for before, after in pairwise(columns):
        _join(ax, before, after, points)
    for column in columns:
        _draw(ax, column, points)
    top, bottom = size[1] - ROW / 2, ROW / 2
    if heading:
        ax.text(size[0] / 2, top, heading, ha="center", va="center", fontsize=points)
    apart = text_width(forward) + text_width(backward) + 3 * PAD > size[0]
    ax.text(PAD, bottom + ROW * apart, forward, color=inks().forward, va="center", fontsize=points)
    ax.text(size[0] - PAD, bottom, backward, color=inks().backward, ha="right", va="center", fontsize=points)
    caption(ax, None, what, _finding(rows))  # the title stands in the axes
    return ax


def _finding(rows: pd.DataFrame) -> str:
    """Say how large the error is before the step."""
    error = rows[(rows["quantity"] == "E") & rows["layer"].isna() & rows["example"].isna()]["value"]
    message = gettext("the error before the step is {error}")
    return message.format(error=f"{error.iloc[0]:.4g}") if len(error) else ""


def _lay_out(columns: list[Column], lines: list[str]) -> tuple[float, float]:
    """Give each card its place, and return the width and height of the figure."""
    height = max(column.height for column in columns)
    base, left = 2 * ROW + PAD, PAD
    for column in columns:
        free = 0.6 * (height - column.height) / len(column.cards)  # cards that are few stand further apart
        top = base + height - (height - column.height - free * (len(column.cards) - 1)) / 2
        for card in column.cards:
            card.left, card.top = left + (column.space - column.width) / 2, top
            top -= card.height + BETWEEN + free
        left += column.space + GAP
    width = max(left - GAP + PAD, *(text_width(line) + 2 * PAD for line in lines))
    return width, height_of(columns)


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
            x, y = (source.left + before.width, target.left), (source.middle(source.output), target.middle(row))
            ax.plot(x, y, color=inks().muted, alpha=0.6, lw=points / 12, zorder=1)


def _draw(ax: Axes, column: Column, points: float) -> None:
    ink = inks()
    middle = column.cards[0].left + column.width / 2
    ax.text(middle, column.cards[0].top + ROW * 0.6, column.title, ha="center", va="center", fontsize=points)
    for card in column.cards:
        corner = (card.left, card.top - card.height)
        style = "round,pad=0,rounding_size=0.5"
        box = FancyBboxPatch(
            corner, column.width, card.height, style, fc=ink.surface, ec=ink.muted, lw=points / 9, zorder=2
        )
        ax.add_patch(box)
        if card.weights:
            ax.plot(*_rule(card, column), color=ink.faint, lw=points / 12, zorder=3)
        colors = (ink.muted,) * 3 if card.repeated else (ink.muted, ink.forward, ink.backward)
        for number, row in enumerate(card.rows):
            for part, right, color in zip(row, column.rights, colors * (len(row) // 3), strict=True):
                place = (card.left + right, card.middle(number))
                ax.text(*place, part, color=color, ha="right", va="center_baseline", fontsize=points, zorder=4)


def _rule(card: Card, column: Column) -> tuple[list[float], list[float]]:
    """Return the ends of the line between a card's weights and its z and a: below the weights, or beside them."""
    if card.is_wide:
        x = card.left + column.rights[2] + SPACE
        return [x, x], [card.top, card.top - card.height]
    y = card.top - PAD - card.weights * ROW
    return [card.left, card.left + column.width], [y, y]
