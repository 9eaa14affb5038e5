"""Tables of a run for a page: the first rows to read, and all of them as a CSV file inside the page."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from kerasteach.tables.run import Run

_ROWS = 50  # that a page shows of a table
_WHAT = {
    "summary": "a row a network: median, lowest and highest over the seeds",
    "history": "a row a network, epoch and metric",
    "gradients": "a row a network, captured step and trainable variable",
    "activations": "a row a captured step and layer",
    "predictions": "outputs of each network on a grid of features",
    "confusion": "how often each network takes a class for another, in the test part",
    "gradient_histograms": "how many entries of a gradient have which magnitude",
    "activation_histograms": "how many outputs of a layer have which magnitude",
}


class TablePart(NamedTuple):
    """A table on a page.

    Attributes:
        name: The table's name, and that of its file.
        what: What its rows are.
        columns: The names of its columns.
        numeric: Of each column, whether it holds numbers.
        rows: The cells of its first rows, as text.
        length: How many rows there are in all.
        csv: The CSV file, compressed by gzip, in base64.
    """

    name: str
    what: str
    columns: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    length: int
    csv: str


def table_parts(run: Run) -> Iterator[TablePart]:
    """Yield the summary of a run and each table that has a row."""
    if run.summary:
        yield _part("summary", run.summary().reset_index())
    for name, table in run.tables.items():
        if run.has(name):
            yield _part(name, table)


def _part(name: str, table: pd.DataFrame) -> TablePart:
    numeric = [is_numeric_dtype(kind) and not is_bool_dtype(kind) for kind in table.dtypes]
    rows = [[_cell(value) for value in row] for row in table.head(_ROWS).itertuples(index=False, name=None)]
    csv = gzip.compress(table.to_csv(index=False).encode(), mtime=0)
    what = _WHAT.get(name, "")
    return TablePart(name, what, list(map(str, table.columns)), numeric, rows, len(table), b64encode(csv).decode())


def _cell(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
