"""`write_report`: the page of a training out of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from kerasteach import validation
from kerasteach.report.about import About
from kerasteach.report.run_page import write_run_page
from kerasteach.storage.manifest import versions
from kerasteach.tables.checks import frame_of
from kerasteach.tables.history import history_table
from kerasteach.tables.run import Run

_MADE_BY = {
    "gradients": "GradientCapture.frame",
    "activations": "ActivationCapture.frame",
    "history": "kerasteach.measure.history_table(model.fit(...))",
}
_NEEDED = {
    "gradients": ("epoch", "step", "layer", "depth", "parameter", "norm", "finite"),
    "activations": ("epoch", "step", "layer", "depth", "size", "finite"),
    "history": ("epoch", "metric", "value"),
}


def write_report(
    path: str | Path,
    gradients: Any = None,
    activations: Any = None,
    history: Any = None,
    *,
    title: str | None = None,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    verbose: int = 1,
) -> Path:
    """Write a page about a training out of its tables: the findings, figures, charts and the tables themselves.

    It is one file that opens from disk and loads nothing. With the extra `report` it has charts besides that answer: a
    slider for the epochs, seeds to switch on and off. A comparison and the captures write their own page, with what
    they know of the training: `Comparison.report`, `GradientCapture.report`, `ActivationCapture.report`.

    Args:
        path: The file, which ends in `.html`. Missing folders are made.
        gradients: A `GradientCapture`, or its table. Defaults to `None`: there are none.
        activations: An `ActivationCapture`, or its table. Defaults to `None`: there are none.
        history: What `model.fit` returned, or its table by `kerasteach.measure.history_table`. Defaults to `None`.
        title: The page's heading. Defaults to `None`: `"Training"`.
        settings: What was run, in words: `{"data": "our measurements", "learning rate": 0.1}`. Defaults to `None`.
        overwrite: Whether an existing file may be replaced. Defaults to `False`.
        verbose: `1` for a progress bar on a terminal, `0` for none. Defaults to `1`.

    Returns:
        The path.

    Raises:
        ValueError: If there is no table, one lacks columns or has no row, or another argument will not do.
        TypeError: If an argument is of the wrong kind.
        FileExistsError: If the file exists and `overwrite` is false.

    Example:
        >>> import tempfile, kerasteach as kt
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     kt.report.write_report(f"{folder}/page.html", history={"loss": [0.9, 0.4]}, verbose=0).name
        'page.html'
    """
    given = {"gradients": gradients, "activations": activations, "history": history}
    tables = {name: _table(name, value) for name, value in given.items() if value is not None}
    if not tables:
        raise ValueError("`gradients`, `activations` or `history` must be given. Received: gradients=None.")
    for name, kind in (("gradients", "gradient_histograms"), ("activations", "activation_histograms")):
        with suppress(AttributeError, ValueError):  # a table, or a capture without `histogram=`
            tables[kind] = given[name].histograms
    heading = "Training" if title is None else validation.text("title", title)
    about = About(heading, _words(settings), versions=versions())
    return write_run_page(path, Run(tables), about, overwrite=overwrite, verbose=verbose)


def _table(name: str, value: Any) -> pd.DataFrame:
    """Return a table that has what the figures and the diagnosis need."""
    if name == "history" and not isinstance(value, pd.DataFrame) and not hasattr(value, "frame"):
        return history_table(value)
    frame = validation.table(name, frame_of(name, value), _NEEDED[name], _MADE_BY[name])
    if frame.empty:
        raise ValueError(f"`{name}` has no row: was the network trained? Received: {name} with 0 rows.")
    return frame


def _words(settings: Any) -> dict[str, str]:
    if settings is None:
        return {}
    if not isinstance(settings, Mapping):
        raise TypeError(f"`settings` must be a dictionary of what was run. {validation.received('settings', settings)}")
    return {str(name): str(value) for name, value in settings.items()}
