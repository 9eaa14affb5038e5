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

    from kerasteach.tables.summary_cells import columns_of, what_is_shown

    console = Console()
    console.print(f"[i]{what_is_shown(summary)}[/i]", highlight=False)
    names = {str(name).replace("_", " "): _names(summary, number) for number, name in enumerate(summary.index.names)}
    columns = columns_of(summary, error_below)
    if sum(_width([heading], cells) for heading, cells in {**names, **columns}.items()) > console.width:
        columns = {_folded(heading, cells): cells for heading, cells in columns.items()}
    for number, chosen in enumerate(_pages(names, columns, console.width)):
        if number:
            console.print()
        _print(console, names, chosen)


def _names(summary: pd.DataFrame, level: int) -> list[str]:
    return [str(name) for name in summary.index.get_level_values(level)]


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
