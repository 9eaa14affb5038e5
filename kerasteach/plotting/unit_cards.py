"""Units of a network as cards: the numbers of one training step, and the space that they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.textpath import TextPath

from kerasteach.plotting.style import plain
from kerasteach.plotting.table_checks import Kind, checked
from kerasteach.tables.training_step import symbol
from kerasteach.validation import whole

_NEEDS: dict[str, Kind] = {
    **dict.fromkeys(("phase", "quantity"), "name"),
    **dict.fromkeys(("depth", "example", "unit", "source"), "place"),
    "layer": "label",
    "value": "number",
}

# Lengths are in the height of a letter, so that they hold at any size of text.
ROW, PAD, SPACE = 1.5, 0.6, 0.9


@dataclass
class Card:
    """A unit of the network: rows of a name, a number and its derivative."""

    rows: list[tuple[str, str, str]]
    weights: int = 0  # how many of the rows are weights, above the rule
    left: float = 0.0
    top: float = 0.0

    @property
    def height(self) -> float:
        """How high the card is."""
        return len(self.rows) * ROW + 2 * PAD

    def middle(self, row: int) -> float:
        """Return how high a row's middle is."""
        row = row % len(self.rows)
        return self.top - PAD - (row + 0.5) * ROW


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
    def width(self) -> float:
        """How wide the cards are."""
        return sum(self.widths) + SPACE * sum(width > 0 for width in self.widths[1:]) + 2 * PAD


def of_example(table: pd.DataFrame, example: int) -> tuple[pd.DataFrame, int]:
    """Return the rows of one example and those of the whole batch, and how many examples there are."""
    table = checked("table", table, _NEEDS, "kerasteach.trace_step(...).frame")
    examples = 1 if table["example"].isna().all() else int(table["example"].max()) + 1
    whole("example", example, 0, examples - 1)
    one = table["example"].isna() | (table["example"] == example).fillna(False)
    return table[one], examples


def columns_of(rows: pd.DataFrame) -> Iterator[Column]:
    """Return the inputs, each dense layer with the activation behind it, and the error."""
    layers = rows[rows["layer"].notna()]
    first = layers[(layers["layer"] == layers["layer"].iloc[0]) & (layers["quantity"] == "x")]
    inputs = _by_place(first)
    yield Column("input", [Card([(_name("x", None, place, inputs), _number(inputs[place]), "")]) for place in inputs])
    for depth in sorted(layers["depth"].dropna().unique()):
        layer = layers[layers["depth"] == depth]
        dense = layer[layer["layer"] == layer.loc[layer["quantity"] == "W", "layer"].iloc[0]]
        last = layer[layer["layer"] == layer.loc[layer["quantity"] == "a", "layer"].iloc[-1]]
        yield Column(plain(str(dense["layer"].iloc[0])), list(_cards(depth, dense, last)))
    error = rows[(rows["quantity"] == "E") & rows["layer"].isna() & rows["example"].isna()]["value"].iloc[0]
    yield Column("error", [Card([("$E$", _number(error), "")])])


def _cards(depth: int, dense: pd.DataFrame, last: pd.DataFrame) -> Iterator[Card]:
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
        yield Card(rows, len(rows) - 2)


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


def text_width(text: str) -> float:
    """Return how wide a text is, in the height of its letters."""
    return float(TextPath((0, 0), text, size=100).get_extents().width) / 100 if text else 0.0
