"""A comparison's summary, as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def print_summary(summary: pd.DataFrame, error_below: float | None) -> None:
    """Print a row a variant: medians, the lowest and highest values, and the difference from the first variant."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    seeds = int(summary["seeds"].iloc[0])
    title = f"median of {seeds} seeds, and lowest to highest" if seeds > 1 else "one seed"
    if seeds > 1 and len(summary) > 1:
        title += "; differences from the first row: mean, and 95 % bootstrap interval"
    table = Table(title=title, box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False, show_lines=True)
    for name in summary.index.names:
        table.add_column(str(name).replace("_", " "))
    quantities = [str(name) for name in summary if f"{name}_min" in summary]
    if "epochs_to_error" in quantities:  # which says as much, in a terminal's width
        quantities.remove("epochs")
    differences = [str(name) for name in summary if name in ("test_accuracy_difference", "test_loss_difference")]
    for quantity in quantities:
        name = quantity.replace("_", " ")
        table.add_column(f"{name} < {error_below:g}" if quantity == "epochs_to_error" else name, overflow="fold")
    for difference in differences:
        table.add_column(difference.replace("_", " "), overflow="fold")
    for variant, row in summary.iterrows():
        names = variant if isinstance(variant, tuple) else (variant,)
        cells = [_with_spread(row, quantity, seeds) for quantity in quantities]
        cells += [_with_interval(row, difference) for difference in differences]
        table.add_row(*map(str, names), *cells)
    Console().print(table)


def _with_spread(row: pd.Series, quantity: str, seeds: int) -> str:
    if row[quantity] != row[quantity]:  # NaN: no seed came there
        return "never" if quantity == "epochs_to_error" else "-"
    text = f"{row[quantity]:.3g}"
    if seeds > 1:
        text += f"\n[dim]{row[f'{quantity}_min']:.2g}–{row[f'{quantity}_max']:.2g}[/dim]"  # noqa: RUF001  a range's dash
    if quantity == "epochs_to_error" and row["seeds_below_error"] < seeds:
        text += f"\n[dim]{int(row['seeds_below_error'])} of {seeds} seeds[/dim]"
    return text


def _with_interval(row: pd.Series, difference: str) -> str:
    low, high = row[f"{difference}_low"], row[f"{difference}_high"]
    text = f"{row[difference]:+.3g}" if row[difference] else "0"
    return text if low != low or low == high else f"{text}\n[dim]{low:+.2g} to {high:+.2g}[/dim]"
