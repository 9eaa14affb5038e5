"""One process at a time in a run directory: a lock of the operating system's, which dies with its process."""

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
        RuntimeError: If another process holds it.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            _take(file)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            raise RuntimeError(
                "Another process is writing this comparison; wait for it, or name another directory. "
                f"Received: directory={str(directory)!r}."
            ) from None
        yield
    finally:
        os.close(file)
