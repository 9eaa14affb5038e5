"""The paths of a descent's table: what tells them apart, what a figure calls them, and how they look."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from kerasteach.measure.records import DESCENT_COLUMNS, DESCENT_KEYS
from kerasteach.plotting.style import Look, looks

_PLAIN = "plain_sgd"


class Path(NamedTuple):
    """One path: what the legend calls it, its look, its rows by step, and its verdict."""

    label: str
    look: Look
    rows: pd.DataFrame
    verdict: str


def paths_of(table: pd.DataFrame) -> tuple[list[Path], str]:
    """Take a descent's table apart.

    Args:
        table: What `kerasteach.gradient_descent` returns.

    Returns:
        The paths in the order of the table, and a title for their legend.

    Raises:
        TypeError: If it is no data frame.
        ValueError: If a column is missing, no row is there, or two rows stand for the same step.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"The figure needs the table that kerasteach.gradient_descent returns. Received: {type(table).__name__}."
        )
    missing = [column for column in DESCENT_COLUMNS if column not in table]
    if missing or table.empty or table.duplicated(list(DESCENT_KEYS)).any():
        raise ValueError(
            "The figure needs the table that kerasteach.gradient_descent returns, a row a step of each optimizer and "
            f"learning rate. Received: {len(table)} rows, without the columns {', '.join(missing) or '(none)'}"
            f"{'' if missing or table.empty else ', several for the same step'}."
        )
    optimizers, rates = table["optimizer"].unique(), table["learning_rate"].unique()
    groups = [rows.sort_values("step") for _, rows in table.groupby(list(DESCENT_KEYS[:2]), sort=False)]
    keys = [(str(rows["optimizer"].iloc[0]), float(rows["learning_rate"].iloc[0])) for rows in groups]
    short = len({f"{rate:g}" for rate in rates}) == len(rates)
    number = "{:g}".format if short else repr  # two that differ in a late digit
    if len(optimizers) == 1:
        names = [number(rate) for _, rate in keys]
        title = "learning rate" if optimizers[0] == _PLAIN else f"{_words(optimizers[0])}, learning rate"
    elif len(rates) == 1:
        names = [_words(optimizer) for optimizer, _ in keys]
        title = f"learning rate {number(float(rates[0]))}"
    else:
        names = [f"{_words(optimizer)}, {number(rate)}" for optimizer, rate in keys]
        title = "optimizer, learning rate"
    paths = []
    for name, look, rows in zip(names, looks(names).values(), groups, strict=True):
        told = str(rows["verdict"].iloc[-1])
        paths.append(Path(f"{name}: {told}", look, rows, told))
    return paths, title


def _words(optimizer: str) -> str:
    return "plain gradient descent" if optimizer == _PLAIN else optimizer.replace("_", " ")
