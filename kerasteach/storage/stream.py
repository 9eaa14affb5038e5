"""A run that is written part by part while it goes on. Needs no Keras.

A part is a Parquet file for each table that has rows, and an archive of whole gradients. It counts once `run.json`
lists all of its files: until then it is not read, and a part that failed is written again under the same number.
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.storage.files import flattened, remove_temporary, write_arrays, write_table
from kerasteach.storage.lock import hold
from kerasteach.storage.manifest import Manifest

RAW = "raw"


class Stream:
    """A run in a numbered directory of its own. Every part that was completed can be read, however the process ends.

    Args:
        directory: Where the runs are; made if it is not there. This run becomes `run-0001` in it, or the next number
            that is free.
        tables: The columns of each table and their types; the first is the one that `read` gives.
        facts: Further content of `run.json`.

    Attributes:
        path: The run's own directory.
        manifest: The content of `run.json`.
    """

    def __init__(self, directory: Path, tables: Mapping[str, Mapping[str, str]], facts: Mapping[str, Any]) -> None:
        for path in runs_in(directory, "run").values():
            _tidy(path)
        self.path = numbered(directory, "run")
        held = None
        with suppress(BlockingIOError):  # held for a moment by a new run beside it, which looks for temporary files
            held = hold(self.path)
        self._unlock = weakref.finalize(self, os.close, held) if held is not None else None
        self._parts = 0
        self.manifest = Manifest({**facts, "finished": False}, tables)
        self.manifest.write(self.path / "run.json")

    def write(self, tables: Mapping[str, pd.DataFrame], raw: Mapping[int, Mapping[str, np.ndarray]]) -> None:
        """Add a part.

        Args:
            tables: The rows of each table.
            raw: Whole gradients, for each step by path.

        Raises:
            OSError: If it could not be written; then nothing of it is there.
        """
        self.path.mkdir(parents=True, exist_ok=True)  # it may have been removed
        suffix = f"-{self._parts + 1:06d}"
        written = {f"{name}{suffix}.parquet": table for name, table in tables.items() if len(table)}
        arrays = flattened(raw)
        archives = {f"{RAW}{suffix}.npz": arrays} if arrays else {}
        try:
            files = {
                **self.manifest.files,
                **{name: write_table(self.path / name, table) for name, table in written.items()},
                **{name: write_arrays(self.path / name, named) for name, named in archives.items()},
            }
            manifest = Manifest(self.manifest.facts, self.manifest.tables, files)
            manifest.write(self.path / "run.json")
        except BaseException:
            for name in (*written, *archives):
                with suppress(OSError):
                    (self.path / name).unlink()
            raise
        self.manifest = manifest
        self._parts += 1

    def note(self, facts: Mapping[str, Any]) -> None:
        """Change facts of `run.json`, which has them from the next part on, or from the end."""
        self.manifest = Manifest({**self.manifest.facts, **facts}, self.manifest.tables, self.manifest.files)

    def finish(self) -> None:
        """Note that the run came to its end."""
        facts = {**self.manifest.facts, "finished": True}
        self.manifest = Manifest(facts, self.manifest.tables, self.manifest.files)
        self.manifest.write(self.path / "run.json")
        if self._unlock is not None:
            self._unlock()


def _tidy(run: Path) -> None:
    """Remove the temporary files of a run whose process was killed while it wrote one."""
    if not any(run.glob(".kt-*")):
        return
    with suppress(OSError):  # another process writes there, or writing is not allowed
        held = hold(run)
        if held is not None:
            try:
                remove_temporary(run)
            finally:
                os.close(held)


def numbered(directory: Path, name: str) -> Path:
    """Make and return a new directory inside one, `name-0001` or the next number that is free."""
    directory.mkdir(parents=True, exist_ok=True)
    number = max(runs_in(directory, name), default=0) + 1
    while True:
        path = directory / f"{name}-{number:04d}"
        try:
            path.mkdir()
            return path
        except FileExistsError:  # another process took it
            number += 1


def runs_in(directory: Path, name: str) -> dict[int, Path]:
    """Return the directories `name-0001`, ... inside one, by their number."""
    pattern = re.compile(rf"{name}-(\d{{4,18}})", re.ASCII)
    found = {}
    for path in directory.glob(f"{name}-*"):
        match = pattern.fullmatch(path.name)
        if match and path.is_dir():
            found[int(match[1])] = path
    return found
