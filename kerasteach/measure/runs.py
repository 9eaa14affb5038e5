"""Runs on disk: directories with Parquet tables, each file written whole or not at all. Needs no Keras."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name beside it, then move it into place, so that no half-written one stays.

    Args:
        path: The file.
        write: Called with the temporary path, which has the same ending.
    """
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as a JSON file, whole or not at all."""
    text = json.dumps(facts, indent=2)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def save_run(
    directory: str | Path,
    facts: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    overwrite: bool = False,
    write_more: Callable[[Path], None] = lambda directory: None,
) -> None:
    """Write a run: a Parquet file for each table, and `run.json`, which comes last and says the run is whole.

    Args:
        directory: Made if it is not there.
        facts: What `run.json` says besides.
        tables: By name.
        overwrite: Whether a run that is there may be replaced. Defaults to `False`.
        write_more: Called with the directory, to write what is no table, before `run.json` is there.

    Raises:
        FileExistsError: If there is a run already and `overwrite` is false.
    """
    directory = Path(directory)
    json.dumps(dict(facts))  # what cannot be written is met before anything is touched
    if (directory / "run.json").exists():
        if not overwrite:
            raise FileExistsError(
                f"There is a run already; name another directory. Received: directory={str(directory)!r}."
            )
        (directory / "run.json").unlink()  # while tables change, this is no whole run
    directory.mkdir(parents=True, exist_ok=True)
    write_more(directory)
    write_run(directory, facts, tables)


def write_run(directory: Path, facts: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Write a run's tables, and then the `run.json` that says they are all there, over what there is."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_atomically(directory / f"{name}.parquet", table.to_parquet)
    write_json(directory / "run.json", {**facts, "tables": list(tables)})


def load_run(directory: str | Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Read a run that `save_run` wrote.

    Raises:
        FileNotFoundError: If the directory holds no whole run.
    """
    facts = read_facts(directory)
    return facts, {name: pd.read_parquet(Path(directory) / f"{name}.parquet") for name in facts.pop("tables")}


def read_facts(directory: str | Path) -> dict[str, Any]:
    """Read what a run's `run.json` says.

    Raises:
        FileNotFoundError: If the directory holds none.
    """
    path = Path(directory) / "run.json"
    if not path.exists():
        raise FileNotFoundError(f"There is no run: no run.json. Received: directory={str(directory)!r}.")
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


class Stream:
    """A run that is written part by part while it goes on, in a numbered directory of its own.

    Whatever happens to the process, every part that was completed can be read.

    Args:
        directory: Where the runs are; made if it is not there. This run becomes `run-0001` in it, or the next number
            that is free.
        tables: The columns of each table and their types; the first is the one that `read` gives.
        facts: What else `run.json` says.

    Attributes:
        path: The run's own directory.
    """

    def __init__(
        self, directory: str | Path, tables: Mapping[str, Mapping[str, str]], facts: Mapping[str, Any]
    ) -> None:
        self._facts = {**facts, "tables": {name: dict(columns) for name, columns in tables.items()}}
        self._parts = 0
        self.path = numbered(Path(directory), "run")
        self._write_facts(finished=False)

    def write(self, tables: Mapping[str, pd.DataFrame], raw: Mapping[int, Mapping[str, np.ndarray]]) -> None:
        """Add a part: a Parquet file of each table that has a row, and a NumPy archive of whole gradients, if any."""
        self._parts += 1
        for name, table in tables.items():
            if len(table):
                write_atomically(self.path / f"{name}-{self._parts:06d}.parquet", table.to_parquet)
        if raw:
            arrays = {f"{step}/{path}": array for step, one in raw.items() for path, array in one.items()}
            write_atomically(
                self.path / f"raw-{self._parts:06d}.npz", lambda path: np.savez(path, **cast(dict[str, Any], arrays))
            )

    def finish(self) -> None:
        """Note that the run came to its end."""
        self._write_facts(finished=True)

    def _write_facts(self, finished: bool) -> None:
        write_json(self.path / "run.json", {**self._facts, "finished": finished})


def read(directory: str | Path, run: int | None = None, table: str | None = None) -> pd.DataFrame:
    """Read a table that a capture wrote with `directory=` or `save`, also while it is still being written.

    Args:
        directory: What the capture was given.
        run: Which of the runs in it, from 1. Defaults to `None`, the latest, or the latest that has the table.
        table: `"gradients"`, `"activations"` or `"histograms"`. Defaults to `None`: the run's main table.

    Returns:
        The rows of every part that is complete; none, but the right columns, where there is no such part yet.

    Raises:
        FileNotFoundError: If there is no such run.
        ValueError: If the run has no such table; the message lists those it has.

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
    path, facts = _find_run(directory, run, table)
    name = next(iter(facts["tables"])) if table is None else table
    if name not in facts["tables"]:
        raise ValueError(f"`table` must be one of {', '.join(facts['tables'])}. Received: table={table!r}.")
    columns = facts["tables"][name]
    nothing = pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in columns.items()})
    parts = [pd.read_parquet(part) for part in sorted(path.glob(f"{name}-*.parquet"))]
    return pd.concat(parts, ignore_index=True) if parts else nothing


def read_raw(directory: str | Path, run: int | None = None) -> dict[int, dict[str, np.ndarray]]:
    """Read the whole gradients that a capture wrote with `raw=` and `directory=` or `save`.

    Args:
        directory: What the capture was given.
        run: Which of the runs in it, from 1. Defaults to `None`, the latest.

    Returns:
        For each step the gradients, by the path of their variable.

    Raises:
        FileNotFoundError: If there is no such run.
    """
    path, _ = _find_run(directory, run)
    found: dict[int, dict[str, np.ndarray]] = {}
    for part in sorted(path.glob("raw-*.npz")):
        with np.load(part) as arrays:
            for key in arrays.files:
                step, _, name = key.partition("/")
                found.setdefault(int(step), {})[name] = arrays[key]
    return found


def numbered(directory: Path, name: str) -> Path:
    """Make and return a new directory inside one, `name-0001` or the next number that is free."""
    directory.mkdir(parents=True, exist_ok=True)
    number = max(_runs(directory, name), default=0) + 1
    while True:
        path = directory / f"{name}-{number:04d}"
        try:
            path.mkdir()
            return path
        except FileExistsError:  # another process took it
            number += 1


def _runs(directory: Path, name: str = "run") -> dict[int, Path]:
    found = {}
    for path in directory.glob(f"{name}-*"):
        number = path.name.removeprefix(f"{name}-")
        if number.isdigit() and path.is_dir():
            found[int(number)] = path
    return found


def _find_run(directory: str | Path, run: int | None, table: str | None = None) -> tuple[Path, dict[str, Any]]:
    """Return a run's directory and facts: where no run is named, of the latest that has the table."""
    runs = {number: path for number, path in _runs(Path(directory)).items() if (path / "run.json").exists()}
    if run is None and table is not None:
        facts = {number: json.loads((path / "run.json").read_text(encoding="utf-8")) for number, path in runs.items()}
        run = max((number for number, one in facts.items() if table in one["tables"]), default=None)
    number = max(runs, default=None) if run is None else run
    if number not in runs:
        there = ", ".join(map(str, sorted(runs))) or "none"
        raise FileNotFoundError(f"There is no such run; there are: {there}. Received: {str(directory)!r}, run={run!r}.")
    return runs[number], json.loads((runs[number] / "run.json").read_text(encoding="utf-8"))
