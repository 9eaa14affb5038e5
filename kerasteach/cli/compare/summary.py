"""Summary of a comparison as a table in the terminal."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.text import Text

_GAP = 2  # characters behind each column; those behind the last are the edges


def print_summary(summary: pd.DataFrame, error_below: float | None) -> None:
    """Print a row a variant: medians, the lowest and highest values, and the difference from the first variant.

    Columns that do not fit into the terminal's width go into a table of their own below: no number is cut.

    Args:
        summary: What `Comparison.summary` returned.
        error_below: The error at which training was to stop, or `None`.
    """
    from rich.console import Console

    console = Console()
    seeds = int(summary["seeds"].iloc[0])
    console.print(f"[i]{_title(summary, seeds)}[/i]", highlight=False)
    names = {str(name).replace("_", " "): _names(summary, number) for number, name in enumerate(summary.index.names)}
    columns = _columns(summary, error_below, seeds)
    if sum(_width([heading], cells) for heading, cells in {**names, **columns}.items()) > console.width:
        columns = {_folded(heading, cells): cells for heading, cells in columns.items()}
    for number, chosen in enumerate(_pages(names, columns, console.width)):
        if number:
            console.print()
        _print(console, names, chosen)


def _title(summary: pd.DataFrame, seeds: int) -> str:
    from kerasteach.experiment.summary import interval_name

    if seeds == 1:
        return "one seed"
    title = f"median of {seeds} seeds, and lowest to highest"
    if len(summary) == 1:
        return title
    interval = interval_name(seeds)
    return f"{title}; differences from the first row: mean{f', and {interval}' if interval else ''}"


def _names(summary: pd.DataFrame, level: int) -> list[str]:
    return [str(name) for name in summary.index.get_level_values(level)]


def _columns(summary: pd.DataFrame, error_below: float | None, seeds: int) -> dict[str, list[str]]:
    """Return the cells of each column that is shown, by its heading."""
    quantities = [str(name) for name in summary if f"{name}_min" in summary]
    if "epochs_to_error" in quantities:  # which says as much
        quantities.remove("epochs")
    rows = [row for _, row in summary.iterrows()]
    columns = {}
    if "learning_rate" in summary:
        columns["learning rate"] = [rate if isinstance(rate, str) else f"{rate:g}" for rate in summary["learning_rate"]]
    for quantity in quantities:
        heading = quantity.replace("_", " ")
        heading = f"{heading} < {error_below:g}" if quantity == "epochs_to_error" else heading
        columns[heading] = [_with_spread(row, quantity, seeds) for row in rows]
    for difference in ("test_accuracy_difference", "test_loss_difference"):
        if difference in summary:
            columns[difference.replace("_", " ")] = [_with_interval(row, difference) for row in rows]
    return columns


def _pages(names: dict[str, list[str]], columns: dict[str, list[str]], width: int) -> list[dict[str, list[str]]]:
    """Divide the columns into tables that fit into a width, each with the names in front."""
    available = width - sum(_width([heading], cells) for heading, cells in names.items())
    pages: list[dict[str, list[str]]] = []
    left = 0
    for heading, cells in columns.items():
        needed = _width([heading], cells)
        if not pages or needed > left:
            pages.append({})
            left = available
        pages[-1][heading] = cells
        left -= needed
    return pages


def _folded(heading: str, cells: list[str]) -> str:
    """Fold a heading between its words, as far as its column's cells allow."""
    return "\n".join(wrap(heading, _width(heading.split(), cells) - _GAP))


def _width(headings: list[str], cells: list[str]) -> int:
    """Return what a column takes, with the gap behind it."""
    return _GAP + max(len(line) for text in [*headings, *cells] for line in text.split("\n"))


def _print(console: Console, names: dict[str, list[str]], columns: dict[str, list[str]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False, show_lines=True)
    for heading in names:
        table.add_column(heading, overflow="fold")  # in a narrow terminal names are folded, and no number
    for heading in columns:
        table.add_column(heading, no_wrap=True)
    for row in zip(*names.values(), *columns.values(), strict=True):
        table.add_row(*(_cell(text) for text in row))
    console.print(table)


def _cell(text: str) -> Text:
    """Return a cell whose second line and those after it are dim."""
    from rich.text import Text

    first, *others = text.split("\n")
    return Text.assemble(first, *((f"\n{line}", "dim") for line in others))


def _with_spread(row: pd.Series, quantity: str, seeds: int) -> str:
    if row[quantity] != row[quantity]:  # NaN: no seed reached it
        return "never" if quantity == "epochs_to_error" else "-"
    text, low, high = (_number(row[f"{quantity}{suffix}"]) for suffix in ("", "_min", "_max"))
    if low != high:
        text += f"\n{low}\N{EN DASH}{high}"
    if quantity == "epochs_to_error" and row["seeds_below_error"] < seeds:
        text += f"\n{int(row['seeds_below_error'])} of {seeds} seeds"
    return text


def _with_interval(row: pd.Series, difference: str) -> str:
    text, low, high = (_number(row[f"{difference}{suffix}"], "+") for suffix in ("", "_low", "_high"))
    return text if low == high else f"{text}\n{low} to {high}"


def _number(value: float, sign: str = "") -> str:
    """Return a number with three digits: rounded alike, a median stays between the lowest and the highest value."""
    return "0" if value == 0 else f"{value:{sign}.3g}"
