"""Worker processes: which pools can train, and the end of a worker whose parent has died."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from kerasteach.validation import shown

_WATCH = "kerasteach: end with the parent process"


def checked_executor(executor: Any) -> Executor | None:
    """Return the executor, or `None` where there is none.

    Raises:
        TypeError: If it is no `concurrent.futures.Executor`.
        ValueError: If it is a pool of forked processes, in which TensorFlow waits for ever for threads of its own.
    """
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            "`executor` must be a concurrent.futures.Executor, such as ProcessPoolExecutor(...) or Dask's "
            f"client.get_executor(). Received: {type(executor).__name__}."
        )
    context = getattr(executor, "_mp_context", None) if isinstance(executor, ProcessPoolExecutor) else None
    if context is not None and context.get_start_method() == "fork":
        raise ValueError(
            "`executor` must start new processes, because TensorFlow does not survive a fork: "
            'ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")). '
            "Received: a ProcessPoolExecutor that forks."
        )
    return executor


def workers_of(executor: Executor | None) -> int:
    """Return how many tasks an executor works at once: the processes or threads of a pool, or of Dask's workers.

    Python has no public name for it, and each kind of executor another private one.

    Raises:
        ValueError: If there is no executor, or it does not say.
    """
    client = getattr(executor, "_client", None)  # Dask's, whose workers may come later
    threads = getattr(client, "nthreads", None)
    count = getattr(executor, "_max_workers", None) if threads is None else sum(threads().values())
    if executor is None or not isinstance(count, int) or count < 1:
        raise ValueError(
            '`parts="workers"` needs an `executor` that has workers and says how many, as those of Python and Dask do; '
            f"a number will do for all, as in parts=4. Received: executor={shown(executor)}, which says {count}."
        )
    return count


def end_with_parent() -> None:
    """End this process when the process that started it with `multiprocessing` has ended, however it ended.

    A worker of a process pool waits for tasks at a pipe whose writing end it holds itself, and would wait for ever. In
    a process that `multiprocessing` did not start, nothing happens; nor when it is called again.
    """
    parent = multiprocessing.parent_process()
    if parent is None or any(thread.name == _WATCH for thread in threading.enumerate()):
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name=_WATCH, daemon=True).start()
