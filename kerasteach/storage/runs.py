"""Runs that are written at once: tables, arrays, and the `run.json` that lists them. Needs no Keras.

What is in the directory already is replaced only where a run lists it. The new files are written whole into a working
folder first, where a full disk or an interruption harms nothing, and then moved into place.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.storage.files import (
    DamagedRunError,
    Entry,
    read_arrays,
    read_files,
    read_table,
    write_arrays,
    write_table,
)
from kerasteach.storage.interruption import undisturbed
from kerasteach.storage.manifest import Manifest, columns_of, read_manifest
from kerasteach.storage.working_folder import groups_of, remove, remove_groups, working_folder
from kerasteach.validation import flag
from kerasteach.validation import path as checked_path

Tables = Mapping[str, pd.DataFrame]
Arrays = Mapping[str, Mapping[str, np.ndarray]]


def save_run(
    directory: str | Path,
    facts: Mapping[str, Any],
    tables: Tables,
    overwrite: bool = False,
    arrays: Arrays | None = None,
) -> None:
    """Write a run: a Parquet file for each table, a NumPy archive for each collection of arrays, and `run.json`.

    Args:
        directory: Made if it is not there.
        facts: Further content of `run.json`.
        tables: By name.
        overwrite: Whether a run that is there may be replaced; until the new one is written whole, it stays. Defaults
            to `False`.
        arrays: By name. Defaults to `None`, none.

    Raises:
        FileExistsError: If there is a run already and `overwrite` is false, or a file with a name that the run needs
            and that no run wrote.
        RuntimeError: If another process is writing there.
    """
    directory, overwrite = checked_path("directory", directory), flag("overwrite", overwrite)
    Manifest(dict(facts)).text()  # facts that JSON cannot hold are refused before anything is touched
    directory.mkdir(parents=True, exist_ok=True)
    with working_folder(directory) as folder:
        try:
            if manifest_in(directory) is not None and not overwrite:
                raise FileExistsError(
                    f"There is a run already; name another directory. Received: directory={str(directory)!r}."
                )
            put(directory, folder, facts, tables, arrays)
            remove_groups(folder)  # of the run that was replaced
        finally:
            if not groups_of(folder):
                remove(folder)


def read_facts(directory: str | Path) -> dict[str, Any]:
    """Read the facts of a run in its `run.json`.

    Raises:
        FileNotFoundError: If the directory holds none.
        DamagedRunError: If it is not as it was written.
    """
    return read_manifest(directory).facts


def load_run(directory: str | Path, name: str = "run.json") -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Read the facts and tables of a run that `save_run` wrote.

    Raises:
        FileNotFoundError: If the directory holds no run.
        DamagedRunError: If a file of the run is missing or is not what was written.
    """
    directory = checked_path("directory", directory)
    manifest = read_manifest(directory, name)
    if manifest.tables is None:
        raise DamagedRunError(directory / name, "its process ended before the run was whole")
    files = {f"{table}.parquet": table for table in manifest.tables}
    missing = sorted(files.keys() - manifest.files.keys())
    if missing:
        raise DamagedRunError(directory / name, f"it does not list {missing[0]}")
    found = read_files(directory, {file: manifest.files[file] for file in files}, read_table)
    return manifest.facts, {table: found[file] for file, table in files.items()}


def load_arrays(directory: str | Path, name: str, manifest: str = "run.json") -> dict[str, np.ndarray]:
    """Read a collection of arrays of a run that `save_run` wrote; none if it has no such collection.

    Raises:
        FileNotFoundError, DamagedRunError: As for `load_run`.
    """
    directory = checked_path("directory", directory)
    file, files = f"{name}.npz", read_manifest(directory, manifest).files
    return read_arrays(directory / file, files[file]) if file in files else {}


def write_new(place: Path, name: str, facts: Mapping[str, Any], tables: Tables, arrays: Arrays) -> None:
    """Write a run into a new directory, which is there whole or not at all."""
    temporary = place.with_name(f".new-{secrets.token_hex(8)}")
    temporary.mkdir()
    try:
        files = _write_files(temporary, tables, arrays)
        Manifest(dict(facts), columns_of(tables), files).write(temporary / name)
        temporary.rename(place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def put(directory: Path, folder: Path, facts: Mapping[str, Any], tables: Tables, arrays: Arrays | None = None) -> None:
    """Write a run's files into a working folder, and then move them into place, instead of those of the run there."""
    there = manifest_in(directory)
    old = there.names if there is not None else set()
    files = _write_files(folder, tables, arrays or {})
    check_free(directory, files)
    Manifest(dict(facts), columns_of(tables), files).write(folder / "whole.json")
    Manifest(dict(facts), claimed=tuple(sorted({*old, *files}))).write(folder / "claim.json")
    with undisturbed():
        (folder / "claim.json").replace(directory / "run.json")  # from now on the names are the run's
        for file in files:
            (folder / file).replace(directory / file)
        for file in old - files.keys():
            (directory / file).unlink(missing_ok=True)
        (folder / "whole.json").replace(directory / "run.json")


def manifest_in(directory: Path) -> Manifest | None:
    """Return the manifest of the run in a directory; `None` if there is no run.

    Raises:
        FileExistsError: If there is a `run.json`, and no run of kerasteach has it like this.
    """
    if not os.path.lexists(directory / "run.json"):
        return None
    try:
        return read_manifest(directory)
    except (DamagedRunError, FileNotFoundError) as error:
        raise FileExistsError(
            f"There is a run.json that cannot be replaced, because kerasteach did not write it, or not like this; name "
            f"another directory. Received: directory={str(directory)!r} ({error})"
        ) from error


def check_free(directory: Path, names: Iterable[str]) -> None:
    """Raise FileExistsError if a directory holds something under names that a run needs, which no run there lists."""
    there = manifest_in(directory)
    mine = there.names if there is not None else set()
    others = [name for name in names if name not in mine and os.path.lexists(directory / name)]
    if others:
        raise FileExistsError(
            f"The directory holds {', '.join(others)}, which no run there wrote, and which a run would replace; name "
            f"another directory. Received: directory={str(directory)!r}."
        )


def _write_files(folder: Path, tables: Tables, arrays: Arrays) -> dict[str, Entry]:
    files = {f"{name}.parquet": write_table(folder / f"{name}.parquet", table) for name, table in tables.items()}
    archives = {f"{name}.npz": write_arrays(folder / f"{name}.npz", named) for name, named in arrays.items() if named}
    return {**files, **archives}
