"""One writer at a time: locks of the operating system, which end with their process."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover  the tests run where there is fcntl
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def locked(path: Path, directory: Path) -> Iterator[None]:
    """Hold a lock on a file while the block runs. However the process ends, the lock ends with it.

    Args:
        path: The file, which is made; its folder has to be there.
        directory: What an error says is in use.

    Raises:
        RuntimeError: If another process holds it, or removed the file meanwhile.
    """
    file = None
    try:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            _take(file)
            held = os.fstat(file).st_ino == os.stat(path).st_ino  # else it was removed by who held it
        except OSError as error:
            if error.errno not in (*_TAKEN, errno.ENOENT):
                raise
            held = False
        if not held:
            raise RuntimeError(
                "Another process is writing this comparison; wait for it, or name another directory. "
                f"Received: directory={str(directory)!r}."
            )
        yield
    finally:
        if file is not None:
            os.close(file)


def hold(directory: Path) -> int | None:
    """Lock a directory itself for as long as the returned file descriptor is open.

    Returns:
        The descriptor; `None` where the system has no such locks.

    Raises:
        BlockingIOError: If another one holds it.
    """
    if sys.platform == "win32":  # pragma: no cover
        return None
    file = os.open(directory, os.O_RDONLY)
    try:
        _take(file)
    except OSError as error:
        os.close(file)
        if error.errno in _TAKEN:
            raise BlockingIOError(error.errno, error.strerror, str(directory)) from None
        return None
    return file
