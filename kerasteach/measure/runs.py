"""Runs that are written at once: tables, arrays, and the `run.json` that lists them. Needs no Keras.

What is in the directory already is replaced only where a run lists it. The new files are written whole into a working
folder first, where a full disk or an interruption harms nothing, and then moved into place.

.kerasteach-groups/   the working folder, of one process at a time; a comparison keeps its groups of networks there
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.measure.files import (
    DamagedRunError,
    Entry,
    read_arrays,
    read_files,
    read_table,
    write_arrays,
    write_table,
)
from kerasteach.measure.files import write_atomically as write_atomically
from kerasteach.measure.interruption import undisturbed
from kerasteach.measure.lock import locked
from kerasteach.measure.manifest import Manifest, read_manifest
from kerasteach.validation import flag
from kerasteach.validation import path as checked_path

Tables = Mapping[str, pd.DataFrame]
Arrays = Mapping[str, Mapping[str, np.ndarray]]

WORKING = ".kerasteach-groups"
_LOCK = "lock"
_MARK = "The working folder of kerasteach: it may go when no program is writing into the folder around it.\n"
_GROUP = re.compile(r"\d{4,}", re.ASCII)
_NEW = re.compile(r"\.new-[0-9a-f]{16}", re.ASCII)
_FILE = re.compile(r"(\.kt-[0-9a-f]{16}\.\w+|(whole|claim)\.json|[a-z]+\.(parquet|npz))", re.ASCII)


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
        facts: What `run.json` says besides.
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
    Manifest(dict(facts)).text()  # what cannot be written is met before anything is touched
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
    """Read what a run's `run.json` says of the run.

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
        Manifest(dict(facts), _columns(tables), files).write(temporary / name)
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
    Manifest(dict(facts), _columns(tables), files).write(folder / "whole.json")
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


@contextmanager
def working_folder(directory: Path) -> Iterator[Path]:
    """Hold a directory to write a run into it, and yield its working folder.

    Raises:
        FileExistsError: If something else has the working folder's name.
        RuntimeError: If another process is writing there.
    """
    folder = directory / WORKING
    with suppress(FileExistsError):
        folder.mkdir()
    if folder.is_symlink() or not folder.is_dir() or not _is_marked(folder):
        raise FileExistsError(
            f"Something that kerasteach did not make is called {WORKING}; name another directory. "
            f"Received: directory={str(directory)!r}."
        )
    with locked(folder / _LOCK, directory):
        if not (folder / _LOCK).stat().st_size:
            (folder / _LOCK).write_text(_MARK, encoding="utf-8")
        _remove_files(folder)  # what a process left that was killed
        for path in folder.iterdir():
            if _NEW.fullmatch(path.name) and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
        yield folder


def _is_marked(folder: Path) -> bool:
    """Say whether a folder has the mark, or is new."""
    others = {path.name for path in folder.iterdir()} - {_LOCK}
    lock = folder / _LOCK
    mark = lock.read_text(encoding="utf-8") if lock.is_file() and not lock.is_symlink() else ""
    return mark == _MARK or not (mark or others)


def _remove_files(folder: Path) -> None:
    for path in folder.iterdir():
        if _FILE.fullmatch(path.name) and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)


def groups_of(folder: Path) -> dict[int, Path]:
    """Return the groups in a working folder, by their number."""
    paths = sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
    return {
        int(path.name): path
        for path in paths
        if _GROUP.fullmatch(path.name) and not path.is_symlink() and (path / "group.json").is_file()
    }


def remove_groups(folder: Path) -> None:
    """Remove the groups in a working folder."""
    for path in groups_of(folder).values():
        shutil.rmtree(path)


def remove(folder: Path) -> None:
    """Remove a working folder that this process holds, if nothing is left in it but what kerasteach puts there."""
    _remove_files(folder)
    (folder / _LOCK).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _columns(tables: Tables) -> dict[str, dict[str, str]]:
    return {name: {str(column): str(kind) for column, kind in one.dtypes.items()} for name, one in tables.items()}


def _write_files(folder: Path, tables: Tables, arrays: Arrays) -> dict[str, Entry]:
    files = {f"{name}.parquet": write_table(folder / f"{name}.parquet", table) for name, table in tables.items()}
    archives = {f"{name}.npz": write_arrays(folder / f"{name}.npz", one) for name, one in arrays.items() if one}
    return {**files, **archives}
