"""Working folder of a directory, of one process at a time, in which the files of a run are written first.

.kerasteach-groups/   its name; a comparison keeps its groups of networks there until it is finished
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kerasteach.storage.files import TEMPORARY
from kerasteach.storage.lock import locked

WORKING = ".kerasteach-groups"
_LOCK = "lock"
_MARK = "The working folder of kerasteach: it may go when no program is writing into the folder around it.\n"
_GROUP = re.compile(r"\d{4,}", re.ASCII)
_NEW = re.compile(r"\.new-[0-9a-f]{16}", re.ASCII)
_FILE = re.compile(rf"({TEMPORARY.pattern}|(whole|claim)\.json|[a-z]+\.(parquet|npz))", re.ASCII)


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
