"""Paths in the table of a descent: the columns that distinguish them, their names and their looks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasteach.plotting.style import Look, looks, plain
from kerasteach.plotting.wording import N_, gettext
from kerasteach.tables.checks import Kind, Table, checked, frame_of
from kerasteach.tables.descent import DESCENT_KEYS, coordinates

_PLAIN = "plain_sgd"
VERDICTS = (N_("converged"), N_("diverged"), N_("oscillating"), N_("still going"))  # of kerasteach.gradient_descent
_NEEDS: dict[str, Kind] = {
    "optimizer": "name",
    "learning_rate": "number",
    "step": "whole",
    "value": "number",
    "gradient_norm": "number",
    "verdict": "name",
}


class Path(NamedTuple):
    """One path: what the legend calls it, its look, its rows by step, its verdict, and its name alone."""

    label: str
    look: Look
    rows: pd.DataFrame
    verdict: str
    name: str


def paths_of(table: Table) -> tuple[list[Path], str]:
    """Split the table of a descent into its paths.

    Args:
        table: What `kerasteach.gradient_descent` returns.

    Returns:
        The paths in the order of the table, and a title for their legend.

    Raises:
        TypeError: If it is no data frame, or a column holds values of another kind.
        ValueError: If a column is missing, no row is there, or two rows stand for the same step.
    """
    table = frame_of("descent", table)
    along: dict[str, Kind] = dict.fromkeys(coordinates(table) if isinstance(table, pd.DataFrame) else [], "number")
    table = checked("descent", table, {**_NEEDS, **along}, "kerasteach.gradient_descent")
    if table.duplicated(list(DESCENT_KEYS)).any() or not np.isfinite(table["learning_rate"]).all():
        raise ValueError(
            "`descent` must have a row a step of each optimizer and finite learning rate, as kerasteach."
            f"gradient_descent gives it. Received: {len(table)} rows, several for the same step, or a rate missing."
        )
    optimizers, rates = table["optimizer"].unique(), table["learning_rate"].unique()
    groups = [rows.sort_values("step") for _, rows in table.groupby(list(DESCENT_KEYS[:2]), sort=False)]
    keys = [(str(rows["optimizer"].iloc[0]), float(rows["learning_rate"].iloc[0])) for rows in groups]
    short = len({f"{rate:g}" for rate in rates}) == len(rates)
    number = "{:g}".format if short else repr  # two that differ in a late digit
    if len(optimizers) == 1:
        names = [number(rate) for _, rate in keys]
        title = gettext("learning rate")
        title = title if optimizers[0] == _PLAIN else f"{_words(optimizers[0])}, {title}"
    elif len(rates) == 1:
        names = [_words(optimizer) for optimizer, _ in keys]
        title = gettext("learning rate {rate}").format(rate=number(float(rates[0])))
    else:
        names = [f"{_words(optimizer)}, {number(rate)}" for optimizer, rate in keys]
        title = gettext("optimizer, learning rate")
    paths = []
    for name, look, rows in zip(names, looks(names).values(), groups, strict=True):
        verdict = str(rows["verdict"].iloc[-1])
        paths.append(Path(f"{name}: {plain(gettext(verdict))}", look, rows, verdict, name))
    return paths, title


def _words(optimizer: str) -> str:
    return gettext("plain gradient descent") if optimizer == _PLAIN else plain(optimizer.replace("_", " "))
