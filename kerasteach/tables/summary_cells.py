"""Summary of a comparison as text: the columns that are shown, and what stands in their cells. Needs no Keras."""

from __future__ import annotations

import pandas as pd

from kerasteach.tables.intervals import interval_name


def what_is_shown(summary: pd.DataFrame) -> str:
    """Say what the cells are: medians, lowest and highest values, differences.

    Args:
        summary: What `Comparison.summary` returned.
    """
    seeds = _seeds(summary)
    if seeds == 1:
        return "one seed"
    title = f"median of {seeds} seeds, and lowest to highest"
    if len(summary) == 1:
        return title
    interval = interval_name(seeds)
    return f"{title}; differences from the first row: mean{f', and {interval}' if interval else ''}"


def columns_of(summary: pd.DataFrame, error_below: float | None) -> dict[str, list[str]]:
    """Return the cells of each column that is shown, by its heading: the median, and below it lowest and highest.

    Args:
        summary: What `Comparison.summary` returned.
        error_below: The error at which training was to stop, or `None`.
    """
    seeds = _seeds(summary)
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


def _seeds(summary: pd.DataFrame) -> int:
    return int(summary["seeds"].iloc[0])


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
