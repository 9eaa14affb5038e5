"""A network with the numbers of one training step on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from kerasteach.measure.names import symbol
from kerasteach.plotting.style import BACKWARD, FORWARD

MOST_UNITS = 12
_NEEDS = {"phase", "layer", "depth", "quantity", "example", "unit", "source", "value"}

# Lengths are in the height of a letter, so that they hold at any size of text.
_ROW, _PAD, _SPACE, _BETWEEN, _GAP = 1.5, 0.6, 0.9, 1.0, 6.0


@dataclass
class _Card:
    """A unit of the network: rows of a name, a number and its derivative."""

    rows: list[tuple[str, str, str]]
    weights: int = 0  # how many of the rows are weights, above the rule
    left: float = 0.0
    top: float = 0.0

    @property
    def height(self) -> float:
        return len(self.rows) * _ROW + 2 * _PAD

    def middle(self, row: int) -> float:
        """Return how high a row's middle is."""
        row = row % len(self.rows)
        return self.top - _PAD - (row + 0.5) * _ROW


@dataclass
class _Column:
    """The units of one layer, below each other, and how wide the parts of their rows are."""

    title: str
    cards: list[_Card]
    widths: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        rows = [row for card in self.cards for row in card.rows]
        self.widths = [max(_width(part) for part in parts) for parts in zip(*rows, strict=True)]

    @property
    def width(self) -> float:
        return sum(self.widths) + _SPACE * sum(width > 0 for width in self.widths[1:]) + 2 * _PAD

    @property
    def height(self) -> float:
        return sum(card.height for card in self.cards) + _BETWEEN * (len(self.cards) - 1)


def training_step(table: pd.DataFrame, example: int = 0, ax: Axes | None = None) -> Axes:
    """Draw a network with the numbers of one training step on it: forward in blue, backward in red.

    Each unit is a card, its weights above a line and its z and a below. Beside each number stands the derivative of the
    error by it. A line leads from the output of a unit to each weight that it is multiplied by.

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
        >>> ax = kt.plotting.training_step(kt.trace_step(model, [[0.5, -1.0]], [[1.0]]).frame)
    """
    rows, examples = _of_example(table, example)
    columns = list(_columns(rows))
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
    top, bottom = size[1] - _ROW / 2, _ROW / 2
    ax.text(size[0] / 2, top, title, ha="center", va="center", fontsize=points)
    apart = _width(forward) + _width(backward) + 3 * _PAD > size[0]
    ax.text(_PAD, bottom + _ROW * apart, forward, color=FORWARD, va="center", fontsize=points)
    ax.text(size[0] - _PAD, bottom, backward, color=BACKWARD, ha="right", va="center", fontsize=points)
    return ax


def _of_example(table: pd.DataFrame, example: int) -> tuple[pd.DataFrame, int]:
    """Return the rows of one example and those of the whole batch, and how many examples there are."""
    missing = _NEEDS - set(table)
    if missing or table.empty:
        raise ValueError(
            "The figure needs what kerasteach.trace_step(...).frame holds. Received: "
            f"{len(table)} rows, without the columns {', '.join(sorted(missing)) or '(none)'}."
        )
    examples = int(table["example"].max()) + 1
    if isinstance(example, bool) or example not in range(examples):
        raise ValueError(f"`example` must be from 0 to {examples - 1}. Received: example={example!r}.")
    table = table.astype(dict.fromkeys(("depth", "example", "unit", "source"), "Int64"))  # a file's have a point
    one = table["example"].isna() | (table["example"] == example).fillna(False)
    return table[one], examples


def _columns(rows: pd.DataFrame) -> Iterator[_Column]:
    """Return the inputs, each dense layer with the activation behind it, and the error."""
    layers = rows[rows["layer"].notna()]
    first = layers[(layers["layer"] == layers["layer"].iloc[0]) & (layers["quantity"] == "x")]
    inputs = _by_place(first)
    yield _Column("input", [_Card([(_name("x", None, place, inputs), _number(inputs[place]), "")]) for place in inputs])
    for depth in range(1, int(layers["depth"].max()) + 1):
        layer = layers[layers["depth"] == depth]
        dense = layer[layer["layer"] == layer.loc[layer["quantity"] == "W", "layer"].iloc[0]]
        last = layer[layer["layer"] == layer.loc[layer["quantity"] == "a", "layer"].iloc[-1]]
        yield _Column(str(dense["layer"].iloc[0]), list(_cards(depth, dense, last)))
    whole = rows[(rows["quantity"] == "E") & rows["layer"].isna() & rows["example"].isna()]["value"].iloc[0]
    yield _Column("error", [_Card([("$E$", _number(whole), "")])])


def _cards(depth: int, dense: pd.DataFrame, last: pd.DataFrame) -> Iterator[_Card]:
    """Return a card a unit: its weights and z from the dense layer, its a from the last layer of this depth."""
    numbers = {quantity: _by_place(rows) for quantity, rows in dense.groupby("quantity")}
    numbers |= {quantity: _by_place(last[last["quantity"] == quantity]) for quantity in ("a", "dE/da")}
    for (unit,) in numbers["z"]:
        weights = [place for place in numbers["W"] if place[1] == unit]
        entries = [("W", place) for place in weights] + [(one, (unit,)) for one in ("b", "z", "a") if one in numbers]
        rows = []
        for quantity, place in entries:
            derivative = numbers.get(f"dE/d{quantity}", {}).get(place)
            own = numbers[quantity]
            rows.append((_name(quantity, depth, place, own), _number(own[place]), _number(derivative)))
        yield _Card(rows, len(rows) - 2)


def _by_place(rows: pd.DataFrame) -> dict[tuple[int, ...], float]:
    """Return the values by (source, unit) or (unit,)."""
    places = rows[["source", "unit"]].itertuples(index=False)
    return {
        tuple(int(part) for part in place if pd.notna(part)): value
        for place, value in zip(places, rows["value"], strict=True)
    }


def _name(quantity: str, depth: int | None, place: tuple[int, ...], all_of_it: dict[tuple[int, ...], float]) -> str:
    single = len(all_of_it) == 1
    return f"${symbol(quantity.lower() if single else quantity, depth, () if single else place, latex=True)}$"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value + 0.0:.4g}".replace("-", "\N{MINUS SIGN}")


def _width(text: str) -> float:
    """Return how wide a text is, in the height of its letters."""
    return float(TextPath((0, 0), text, size=100).get_extents().width) / 100 if text else 0.0


def _lay_out(columns: list[_Column], lines: list[str]) -> tuple[float, float]:
    """Give each card its place, and return the width and height of it all."""
    height = max(column.height for column in columns)
    base, left = 2 * _ROW + _PAD, _PAD
    for column in columns:
        inside = max(column.width, _width(column.title))
        free = 0.6 * (height - column.height) / len(column.cards)  # cards that are few stand further apart
        between = _BETWEEN + free
        top = base + height - (height - column.height - free * (len(column.cards) - 1)) / 2
        for card in column.cards:
            card.left, card.top = left + (inside - column.width) / 2, top
            top -= card.height + between
        left += inside + _GAP
    width = max(left - _GAP + _PAD, *(_width(line) + 2 * _PAD for line in lines))
    return width, base + height + 2.5 * _ROW


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


def _join(ax: Axes, before: _Column, after: _Column, points: float) -> None:
    """Draw a line from the output of each unit to the weights that it is multiplied by."""
    for target in after.cards:
        for number, source in enumerate(before.cards):
            row = number if target.weights else 0
            x, y = (source.left + before.width, target.left), (source.middle(-1), target.middle(row))
            ax.plot(x, y, color="0.6", lw=points / 12, zorder=1)


def _draw(ax: Axes, column: _Column, points: float) -> None:
    middle = column.cards[0].left + column.width / 2
    ax.text(middle, column.cards[0].top + _ROW * 0.6, column.title, ha="center", va="center", fontsize=points)
    for card in column.cards:
        corner = (card.left, card.top - card.height)
        style = "round,pad=0,rounding_size=0.5"
        box = FancyBboxPatch(corner, column.width, card.height, style, fc="white", ec="0.3", lw=points / 9, zorder=2)
        ax.add_patch(box)
        if card.weights:
            y = card.top - _PAD - card.weights * _ROW
            ax.plot([card.left, card.left + column.width], [y, y], color="0.8", lw=points / 12, zorder=3)
        for number, row in enumerate(card.rows):
            right = card.left + _PAD
            for text, width, colour in zip(row, column.widths, ("0.3", FORWARD, BACKWARD), strict=True):
                right += width
                place = (right, card.middle(number))
                ax.text(*place, text, color=colour, ha="right", va="center_baseline", fontsize=points, zorder=4)
                right += _SPACE
