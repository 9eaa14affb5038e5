"""Reading of the runs that captures wrote, part by part. Needs no Keras."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from kerasteach.storage.files import DamagedRunError, Entry, nested, read_arrays, read_files, read_table
from kerasteach.storage.manifest import Manifest, read_manifest
from kerasteach.storage.stream import RAW, runs_in
from kerasteach.validation import path as checked_path
from kerasteach.validation import whole

Content = TypeVar("Content")
_OURS = re.compile(r"run\.json|[a-z]+-\d{6,}\.(parquet|npz)", re.ASCII)


def read(directory: str | Path, run: int | None = None, table: str | None = None) -> pd.DataFrame:
    """Read a table that a capture wrote with `directory=` or `save`, also while it is still being written.

    Every file is compared with the digest that the run noted of it.

    Args:
        directory: What the capture was given, or one run's folder in it, also a moved or renamed one.
        run: Which of the runs in it, from 1. Defaults to `None`, the latest, or the latest that has the table.
        table: `"gradients"`, `"activations"` or `"histograms"`. Defaults to `None`: the run's main table.

    Returns:
        The rows of every part that is complete; none, but the right columns, where there is no such part yet. Its
        `attrs["finished"]` is false where the training goes on, or did not come to its end; `attrs["setting"]` has the
        network and the optimizer, for the titles of figures.

    Raises:
        FileNotFoundError: If there is no such run.
        ValueError: If the run has no such table; the message lists those it has.
        DamagedRunError: If a file of the run is missing or is not what was written; the error names it, and the files
            that can still be read.

    Warns:
        UserWarning: If there are files that look like the run's and are not; they are left out.

    Example:
        >>> import tempfile, keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     capture = kt.callbacks.GradientCapture(directory=directory)
        ...     _ = model.fit(np.ones((4, 2)), np.zeros(4), verbose=0, callbacks=[capture])
        ...     kt.measure.read(directory)["parameter"].tolist()
        ['kernel', 'bias']
    """
    path, manifest = _find_run(directory, run, table)
    tables = manifest.tables or {}
    name = next(iter(tables)) if table is None else table
    if not isinstance(name, str) or name not in tables:
        raise ValueError(f"`table` must be one of {', '.join(tables)}. Received: table={table!r}.")
    frame = rows_of(path, manifest, name)
    frame.attrs["finished"] = manifest.facts.get("finished") is True
    return frame


def read_raw(directory: str | Path, run: int | None = None) -> dict[int, dict[str, np.ndarray]]:
    """Read the whole gradients that a capture wrote with `raw=` and `directory=` or `save`.

    Args:
        directory: What the capture was given.
        run: Which of the runs in it, from 1. Defaults to `None`, the latest.

    Returns:
        For each step the gradients, by the path of their variable.

    Raises:
        FileNotFoundError: If there is no such run.
        DamagedRunError: As for `read`.
    """
    return raw_of(*_find_run(directory, run))


def read_tables(directory: str | Path) -> tuple[dict[str, pd.DataFrame], bool]:
    """Read all tables that captures wrote into a directory: those of the latest run of each kind.

    Args:
        directory: What the captures were given, or one run's folder in it.

    Returns:
        The tables by name, the histograms of `gradients` as `gradient_histograms`, those of `activations` as
        `activation_histograms`; and whether all of the runs are finished.

    Raises:
        FileNotFoundError, DamagedRunError: As for `read`.
    """
    tables, finished = {}, True
    for main in ("gradients", "activations"):
        path, manifest = _find_run(directory, None, main)
        if main in (manifest.tables or {}):
            finished = finished and manifest.facts.get("finished") is True
            for name in manifest.tables or {}:
                tables[f"{main[:-1]}_{name}" if name == "histograms" else name] = rows_of(path, manifest, name)
    return tables, finished


def rows_of(path: Path, manifest: Manifest, name: str) -> pd.DataFrame:
    """Return the rows of a table, out of all parts of a run."""
    columns = (manifest.tables or {})[name]
    parts = _parts(path, manifest, f"{name}-", read_table)
    nothing = pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in columns.items()})
    rows = pd.concat(parts, ignore_index=True) if parts else nothing
    if manifest.facts.get("setting"):  # which runs of earlier releases do not have
        rows.attrs["setting"] = manifest.facts["setting"]
    return rows


def raw_of(path: Path, manifest: Manifest) -> dict[int, dict[str, np.ndarray]]:
    """Return the whole gradients out of all parts of a run."""
    found: dict[int, dict[str, np.ndarray]] = {}
    for arrays in _parts(path, manifest, f"{RAW}-", read_arrays):
        for step, gradients in nested(arrays).items():
            found.setdefault(step, {}).update(gradients)
    return found


def _parts(path: Path, manifest: Manifest, beginning: str, read: Callable[[Path, Entry], Content]) -> list[Content]:
    """Read the files of one kind of all parts, in their order."""
    files = {file: entry for file, entry in manifest.files.items() if file.startswith(beginning)}
    return list(read_files(path, files, read).values())


def _find_run(directory: str | Path, run: int | None, table: str | None = None) -> tuple[Path, Manifest]:
    """Return a run's directory and manifest: where no run is named, of the latest that has the table."""
    number = None if run is None else whole("run", run)
    runs = _runs(checked_path("directory", directory))
    candidates = [number] if number in runs else sorted(runs, reverse=True) if number is None else []
    found = None
    for candidate in candidates:
        names = {path.name for path in runs[candidate].iterdir()}  # before run.json is read, which may list more then
        if "run.json" not in names:
            raise DamagedRunError(runs[candidate] / "run.json", "it is missing, and parts of a run are there")
        manifest = read_manifest(runs[candidate])
        if not manifest.tables:
            raise DamagedRunError(runs[candidate] / "run.json", "it names no table")
        has_it = table is None or (isinstance(table, str) and table in manifest.tables)
        if has_it or found is None:
            found = runs[candidate], manifest, names
        if has_it:
            break
    if found is None:
        there = ", ".join(map(str, sorted(runs))) or "none"
        raise FileNotFoundError(f"There is no such run; there are: {there}. Received: {str(directory)!r}, run={run!r}.")
    _warn_of_others(*found)
    return found[:2]


def _runs(directory: Path) -> dict[int, Path]:
    """Return the runs in a directory by their number, also one that lost its run.json; or the directory, if it is one.

    A capture writes in parts with a number, which the files of a saved comparison have not.
    """
    found = runs_in(directory, "run")
    if not found and (directory / "run.json").is_file():
        manifest = read_manifest(directory)
        return {1: directory} if manifest.tables and all("-" in file for file in manifest.files) else {}
    return {
        number: path for number, path in found.items() if any(_OURS.fullmatch(file.name) for file in path.iterdir())
    }


def _warn_of_others(path: Path, manifest: Manifest, names: set[str]) -> None:
    """Warn of files that are called as those of the run, but are not in its manifest.

    A part that is being written, or was when its process was killed, has the next number.
    """
    pattern = re.compile(rf"({'|'.join([*(manifest.tables or {}), RAW])})-.*\.(parquet|npz)")
    written = [int(match[1]) for file in manifest.files if (match := re.search(r"-(\d+)\.", file))]
    coming = "" if manifest.facts.get("finished") else f"-{max(written, default=0) + 1:06d}"
    others = sorted(
        name
        for name in names
        if pattern.fullmatch(name) and name not in manifest.files and not (coming and Path(name).stem.endswith(coming))
    )
    if others:
        warnings.warn(
            f"{path} holds {', '.join(others)}, which the run did not write; what is in them is left out.",
            stacklevel=4,
        )
