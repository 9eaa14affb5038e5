"""The manifest of a run: a JSON file with its facts, and with the digest of every file that the run wrote.

format   the number of this format
tables   the run's tables, and their columns with types
files    the run's files by name: `sha256`, and of a table `rows`
claimed  only while files are moved into place: the names that may be there already
seal     the digest of all of this and of the facts, without versions and settings
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasteach.storage.files import DamagedRunError, Entry, read_bytes, write_atomically
from kerasteach.validation import path as checked_path

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_OWN = ("format", "tables", "files", "claimed", "seal")
_NOT_SEALED = ("seal", "versions", "settings")  # descriptions of the machine, which decide nothing
_TABLE = re.compile(r"[a-z]+", re.ASCII)
_FILE = re.compile(r"[a-z]+(-\d{6,})?\.(parquet|npz)", re.ASCII)


@dataclass(frozen=True)
class Manifest:
    """Content of a run's JSON file.

    Attributes:
        facts: The content that its writer gave.
        tables: The columns of each table, and their types; `None` where the run is not whole yet.
        files: The run's files, in the order in which they were written.
        claimed: The names that may be in place already, of a run that is not whole yet.
    """

    facts: dict[str, Any]
    tables: Mapping[str, Mapping[str, str]] | None = None
    files: Mapping[str, Entry] = field(default_factory=dict)
    claimed: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        """The names of the files that the run wrote, or was about to write."""
        return {*self.files, *self.claimed}

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        text = self.text()
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def text(self) -> str:
        """Return it as JSON.

        Raises:
            TypeError: If the facts hold something that JSON cannot.
        """
        own: dict[str, Any] = {"format": FORMAT}
        if self.tables is not None:
            own |= {"tables": {name: dict(columns) for name, columns in self.tables.items()}, "files": dict(self.files)}
        if self.claimed:
            own["claimed"] = list(self.claimed)
        everything = json.loads(json.dumps({**self.facts, **own}))
        return json.dumps({**everything, "seal": _seal(everything)}, indent=2)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a run's numbers depend on.

    They are those of the modules: TensorFlow is `tensorflow`, whichever of its builds is installed.
    """
    import keras  # which whoever trains has imported

    names = ("kerasteach", "keras", keras.backend.backend(), "numpy", "pandas")
    return {**{name: import_module(name).__version__ for name in names}, "python": platform.python_version()}


def columns_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """Return the columns of each table with their types, as a manifest has them."""
    return {name: {str(column): str(kind) for column, kind in table.dtypes.items()} for name, table in tables.items()}


def read_manifest(directory: str | Path, name: str = "run.json") -> Manifest:
    """Read a run's manifest.

    Args:
        directory: The run's.
        name: The file's name. Defaults to `"run.json"`.

    Raises:
        FileNotFoundError: If the directory holds none.
        DamagedRunError: If it is not as it was written, or of a later format.
    """
    path = checked_path("directory", directory) / name
    if not path.exists():
        raise FileNotFoundError(f"There is no run: no {name}. Received: directory={str(directory)!r}.")
    data = read_bytes(path)
    try:
        content = json.loads(data.decode("utf-8"))
        problem = _problem(content)
    except (ValueError, RecursionError) as error:
        raise DamagedRunError(path, f"it is no JSON ({error})") from error
    if problem:
        raise DamagedRunError(path, problem)
    facts = {name: value for name, value in content.items() if name not in _OWN}
    return Manifest(facts, content.get("tables"), content.get("files", {}), tuple(content.get("claimed", ())))


def _problem(content: Any) -> str | None:
    """Return what is wrong with a manifest, or `None`."""
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        return "no `format` is in it: it is not the manifest of a run that kerasteach wrote, or its beginning is lost"
    if content["format"] > FORMAT:
        return f"it has the format {content['format']}, of a later kerasteach; this one reads {FORMAT}"
    if content.get("seal") != _seal(content):
        return "it was changed after it was written; its seal differs"
    tables, files, claimed = content.get("tables", {}), content.get("files", {}), content.get("claimed", [])
    if not all(isinstance(part, kind) for part, kind in ((tables, dict), (files, dict), (claimed, list))):
        return "its lists of tables and files are none"
    if not all(_TABLE.fullmatch(name) and _is_text(columns) for name, columns in tables.items()):
        return "it names a table as no run does"
    if not all(_FILE.fullmatch(str(name)) for name in [*files, *claimed]):
        return "it names a file as no run does"
    if not all(isinstance(entry, dict) and isinstance(entry.get("sha256"), str) for entry in files.values()):
        return "the digest of a file is missing"
    return None


def _is_text(columns: Any) -> bool:
    return isinstance(columns, dict) and all(isinstance(kind, str) for kind in columns.values())


def _seal(content: Mapping[str, Any]) -> str:
    sealed = {name: value for name, value in content.items() if name not in _NOT_SEALED}
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()
