"""Files of a run: written whole or not at all, and read only where they are what was written. Needs no Keras."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

Entry = dict[str, Any]  # of a file in a manifest: `sha256`, and of a table its number of `rows`
Content = TypeVar("Content")

_BLOCK = 2**20  # bytes that are read at once
TEMPORARY = re.compile(r"\.kt-[0-9a-f]{16}(\.\w+)?", re.ASCII)


def check_free(path: Path, overwrite: bool) -> None:
    """Raise FileExistsError where a file exists and must stay."""
    if path.exists() and not overwrite:
        raise FileExistsError(f"The file exists; `overwrite=True` replaces it. Received: path={str(path)!r}.")


class DamagedRunError(ValueError):
    """A file of a saved run is missing, or its content is not what the run wrote.

    Args:
        file: The file.
        problem: What is wrong with it.
        readable: The files of the run that are as they were written.

    Attributes:
        file, problem, readable: As given.

    Example:
        >>> import kerasteach as kt
        >>> issubclass(kt.measure.DamagedRunError, ValueError)
        True
    """

    def __init__(self, file: Path, problem: str, readable: Sequence[Path] = ()) -> None:
        super().__init__(file, problem, readable)
        self.file, self.problem, self.readable = file, problem, list(readable)

    def __str__(self) -> str:
        message = f"{self.file} is damaged or incomplete: {self.problem}."
        if not self.readable:
            return message
        names = ", ".join(path.name for path in self.readable[:5]) + (", ..." if len(self.readable) > 5 else "")
        return (
            f"{message} {len(self.readable)} other files of the run are whole, and pandas.read_parquet or numpy.load "
            f"reads each: {names} (all of them are in the error's `readable`)."
        )


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name beside it, then move it into place, so that no half-written one stays.

    The temporary name is random, and its file is made by this call and no other; a link in the place of `path` is
    replaced, not followed.

    Args:
        path: The file.
        write: Called with the temporary path, which has the same ending.
    """
    temporary = path.with_name(f".kt-{secrets.token_hex(8)}{path.suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_temporary(directory: Path) -> None:
    """Remove the temporary files of a process that was killed; the caller knows that no other one writes there."""
    for path in directory.glob(".kt-*"):
        if TEMPORARY.fullmatch(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)


def write_table(path: Path, frame: pd.DataFrame) -> Entry:
    """Write a table as Parquet, in this thread alone (at Python's end no other can start), and return its entry."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pandas(frame, nthreads=1)
    write_atomically(path, lambda temporary: parquet.write_table(table, temporary, write_page_checksum=True))
    return {"rows": len(frame), "sha256": _digest(path)}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> Entry:
    """Write arrays as a NumPy archive, and return its entry."""
    named: dict[str, Any] = dict(arrays)
    write_atomically(path, lambda temporary: np.savez(temporary, **named))
    return {"sha256": _digest(path)}


def flattened(arrays: Mapping[int, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return numbered collections of arrays as one collection, with names such as `"3/dense/kernel"`."""
    return {f"{number}/{name}": array for number, named in arrays.items() for name, array in named.items()}


def nested(arrays: Mapping[str, np.ndarray]) -> dict[int, dict[str, np.ndarray]]:
    """Return the numbered collections that `flattened` made into one."""
    found: dict[int, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        number, _, name = key.partition("/")
        found.setdefault(int(number), {})[name] = array
    return found


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read_table(path: Path, entry: Entry) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Raises:
        DamagedRunError: If it is not the file that the entry describes.
    """
    frame = _read(path, entry, lambda data: pd.read_parquet(BytesIO(data)))
    if len(frame) != entry.get("rows"):
        raise DamagedRunError(path, f"it has {len(frame)} rows, and the run wrote {entry.get('rows')}")
    return frame


def read_arrays(path: Path, entry: Entry) -> dict[str, np.ndarray]:
    """Read arrays that `write_arrays` wrote.

    Raises:
        DamagedRunError: If it is not the file that the entry describes.
    """

    def unpack(data: bytes) -> dict[str, np.ndarray]:
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}

    return _read(path, entry, unpack)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a regular file.

    Raises:
        DamagedRunError: If there is none, or a link or a folder in its place.
    """
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        raise DamagedRunError(path, "the file is missing") from None
    if not stat.S_ISREG(kind):
        raise DamagedRunError(path, "a link, a folder or something else is in the place of the file")
    return path.read_bytes()


def _read(path: Path, entry: Entry, unpack: Callable[[bytes], Content]) -> Content:
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise DamagedRunError(path, f"its content ({len(data)} bytes) is not what was written; the SHA-256 differs")
    try:
        return unpack(data)
    except Exception as error:  # whatever the libraries raise for a file of other origin
        raise DamagedRunError(path, f"it cannot be read ({type(error).__name__}: {error})") from error


def read_files(
    directory: Path, files: Mapping[str, Entry], read: Callable[[Path, Entry], Content]
) -> dict[str, Content]:
    """Read several files of a run, by their names.

    Raises:
        DamagedRunError: If one of them is damaged; it names the first of those, and the others that can be read.
    """
    found: dict[str, Content] = {}
    damage: DamagedRunError | None = None
    for name, entry in files.items():
        try:
            found[name] = read(directory / name, entry)
        except DamagedRunError as error:
            damage = damage or error
    if damage is not None:
        raise DamagedRunError(damage.file, damage.problem, [directory / name for name in found]) from damage
    return found
