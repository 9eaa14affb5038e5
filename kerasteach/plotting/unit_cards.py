"""Units of a network as cards with the numbers of one training step, and pages of these cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, zip_longest

import pandas as pd
from matplotlib.textpath import TextPath

from kerasteach.plotting.style import plain
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Kind, Table, checked
from kerasteach.tables.training_step import symbol
from kerasteach.validation import whole

_NEEDS: dict[str, Kind] = {
    **dict.fromkeys(("phase", "quantity"), "name"),
    **dict.fromkeys(("depth", "example", "unit", "source"), "place"),
    "layer": "label",
    "value": "number",
}

MOST_UNITS = 12
# Lengths are in the height of a letter, so that they hold at any size of text.
ROW, PAD, SPACE = 1.35, 0.5, 0.9
BETWEEN, GAP = 0.7, 6.0  # between the cards of a layer, and between layers
_PAGE = (66.0, 36.0)  # on a slide of 13.33 x 7.5 inches, with a margin, letters of this height have 14 points


@dataclass
class Card:
    """A unit of the network: rows of a name, a number and its derivative; of a wide card, two of these in a row."""

    rows: list[tuple[str, ...]]
    weights: int = 0  # how many of the rows are weights
    output: int = -1  # the row of the unit's output
    repeated: bool = False  # whether the same numbers stand on another page
    left: float = 0.0
    top: float = 0.0

    @property
    def height(self) -> float:
        """The card's height."""
        return len(self.rows) * ROW + 2 * PAD

    @property
    def is_wide(self) -> bool:
        """Whether the weights stand beside z and a, not above them."""
        return len(self.rows[0]) > 3

    def middle(self, row: int) -> float:
        """Return the height at which a row's middle is."""
        row = row % len(self.rows)
        return self.top - PAD - (row + 0.5) * ROW

    def wide(self) -> Card:
        """Return a card that is less high: the weights stand beside z and a."""
        weights, others = self.rows[: self.weights], self.rows[self.weights :]
        pairs = zip_longest(weights, others, fillvalue=("", "", ""))
        return Card([(*left, *right) for left, right in pairs], self.weights, len(others) - 1) if weights else self

    def repeat(self) -> Card:
        """Return a card of the output alone, for another page."""
        name, number = self.rows[self.output][-3:-1]
        return Card([(name, number, "")], repeated=True)


@dataclass
class Column:
    """The units of one layer, below each other, and how wide the parts of their rows are."""

    title: str
    cards: list[Card]
    widths: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        rows = [row for card in self.cards for row in card.rows]
        self.widths = [max(text_width(part) for part in parts) for parts in zip(*rows, strict=True)]

    @property
    def rights(self) -> list[float]:
        """The right ends of the parts of a row, from the left edge of the card."""
        spaces = [PAD, *(SPACE * (width > 0) * (1 + (part % 3 == 2)) for part, width in enumerate(self.widths[1:]))]
        return list(accumulate(space + width for space, width in zip(spaces, self.widths, strict=True)))

    @property
    def width(self) -> float:
        """The width of the cards."""
        return self.rights[-1] + PAD

    @property
    def space(self) -> float:
        """The width of the column: that of the cards, or of the title."""
        return max(self.width, text_width(self.title))

    @property
    def height(self) -> float:
        """The least height of the cards, with the space between them."""
        return sum(card.height for card in self.cards) + BETWEEN * (len(self.cards) - 1)

    def repeat(self) -> Column:
        """Return a column of the outputs alone, for another page."""
        return Column(self.title, [card.repeat() for card in self.cards])

    def part(self, first: int, count: int) -> Column:
        """Return a column of some of the cards, whose title says which."""
        last = first + count - 1
        units = gettext("unit {first}") if count == 1 else gettext("units {first} to {last}")
        units = units.format(first=first, last=last)
        return Column(f"{self.title}, {units}", self.cards[first : last + 1])


def height_of(columns: Sequence[Column]) -> float:
    """Return the height of a figure of these columns: cards, a title above and below, and two lines."""
    return 4.5 * ROW + PAD + max(column.height for column in columns)


def _fit(columns: Sequence[Column]) -> bool:
    """Say whether columns fit on a page, in letters that can be read."""
    width = sum(column.space for column in columns) + GAP * (len(columns) - 1) + 2 * PAD
    return width <= _PAGE[0] and height_of(columns) <= _PAGE[1]


def pages_of(rows: pd.DataFrame) -> list[list[Column]]:
    """Split a traced step into pages, each with the layer before it as its sources.

    Args:
        rows: What `of_example` returns.

    Returns:
        For each page its columns. A network that fits is one page; else as many layers as fit stand on a page, with
        wide cards, and a layer that is too high is divided.

    Raises:
        ValueError: If rows are missing, or there are more than 12 units.
    """
    try:
        columns = list(columns_of(rows))
    except (IndexError, KeyError, ValueError) as error:  # rows that a traced step has are not there
        raise ValueError("`table` must hold a whole traced step, as kerasteach.trace_step(...).frame does.") from error
    units = sum(len(column.cards) for column in columns) - 1  # the error is no unit
    if units > MOST_UNITS:
        raise ValueError(f"The numbers of up to {MOST_UNITS} units, with inputs, can be read. Received: {units} units.")
    if _fit(columns):
        return [columns]
    sources, *layers, error_column = columns
    pages: list[list[Column]] = []
    page, sources = [sources], sources.repeat()
    for number, layer in enumerate(layers):
        end = [error_column] if number == len(layers) - 1 else []
        parts = _parts(layer, sources, end)
        divided = len(parts) > 1 or len(page[-1].cards) < len(sources.cards)
        if len(page) > 1 and (divided or not _fit([*page, *parts, *end])):
            pages.append(page)
            page = [sources]
        for part in parts[:-1]:
            pages.append([*page, part, *(column.repeat() for column in end)])
            page = [sources]
        page = [*page, parts[-1], *end]
        sources = layer.repeat()
    return [*pages, page]


def _parts(layer: Column, sources: Column, end: list[Column]) -> list[Column]:
    """Return a layer whole where it fits on a page behind its sources, else with wide cards, else in parts."""
    wide = Column(layer.title, [card.wide() for card in layer.cards])
    whole = next((column for column in (layer, wide) if _fit([sources, column, *end])), None)
    if whole is not None:
        return [whole]
    count = next((n for n in range(len(wide.cards), 1, -1) if _fit([sources, wide.part(0, n), *end])), 1)
    return [wide.part(first, min(count, len(wide.cards) - first)) for first in range(0, len(wide.cards), count)]


def of_example(table: Table, example: int) -> tuple[pd.DataFrame, int]:
    """Return the rows of one example and those of the whole batch, and how many examples there are."""
    table = checked("table", table, _NEEDS, "kerasteach.trace_step(...).frame")
    examples = 1 if table["example"].isna().all() else int(table["example"].max()) + 1
    whole("example", example, 0, examples - 1)
    chosen = table["example"].isna() | (table["example"] == example).fillna(False)
    return table[chosen], examples


def columns_of(rows: pd.DataFrame) -> Iterator[Column]:
    """Return the inputs, each dense layer with the activation behind it, and the error."""
    layers = rows[rows["layer"].notna()]
    first = layers[(layers["layer"] == layers["layer"].iloc[0]) & (layers["quantity"] == "x")]
    inputs = _by_place(first)
    yield Column(
        gettext("input"), [Card([(_name("x", None, place, inputs), _number(inputs[place]), "")]) for place in inputs]
    )
    for depth in sorted(layers["depth"].dropna().unique()):
        layer = layers[layers["depth"] == depth]
        dense = layer[layer["layer"] == layer.loc[layer["quantity"] == "W", "layer"].iloc[0]]
        last = layer[layer["layer"] == layer.loc[layer["quantity"] == "a", "layer"].iloc[-1]]
        yield Column(plain(str(dense["layer"].iloc[0])), list(_cards(depth, dense, last)))
    error = rows[(rows["quantity"] == "E") & rows["layer"].isna() & rows["example"].isna()]["value"].iloc[0]
    yield Column(gettext("error"), [Card([("$E$", _number(error), "")])])


def _cards(depth: int, dense: pd.DataFrame, last: pd.DataFrame) -> Iterator[Card]:
    """Return a card a unit: its weights and z from the dense layer, its a from the last layer of this depth."""
    numbers = {quantity: _by_place(rows) for quantity, rows in dense.groupby("quantity")}
    numbers |= {quantity: _by_place(last[last["quantity"] == quantity]) for quantity in ("a", "dE/da")}
    for (unit,) in numbers["z"]:
        weights = [place for place in numbers["W"] if place[1] == unit]
        entries = [("W", place) for place in weights]
        entries += [(quantity, (unit,)) for quantity in ("b", "z", "a") if quantity in numbers]
        rows: list[tuple[str, ...]] = []
        for quantity, place in entries:
            derivative = numbers.get(f"dE/d{quantity}", {}).get(place)
            own = numbers[quantity]
            rows.append((_name(quantity, depth, place, own), _number(own[place]), _number(derivative)))
        yield Card(rows, len(weights))


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


@lru_cache(maxsize=4096)
def text_width(text: str) -> float:
    """Return how wide a text is, in the height of its letters."""
    return float(TextPath((0, 0), text, size=100).get_extents().width) / 100 if text else 0.0
