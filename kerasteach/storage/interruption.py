"""Interruptions: blocks that neither a signal nor another thread divides, and a last save before SIGTERM ends a fit."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAVES: list[weakref.WeakMethod[Callable[[], object]]] = []
_PROCESS: list[int] = []  # the one that set the handler; a fork of it has the handler, too


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let SIGINT (Ctrl-C) and SIGTERM take effect at the end of the block, so that they cannot divide it.

    Python runs the handlers of signals in the main thread only, so in another thread there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before: dict[signal.Signals, Any] = {}
    try:
        for kind in _SIGNALS:
            if signal.getsignal(kind) is not None:  # None: set outside of Python, where it cannot be put back
                before[kind] = signal.signal(kind, lambda number, frame: arrived.append(number))
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
        for number in arrived:
            signal.raise_signal(number)


class Undivided:
    """A context manager for blocks that run whole: no other thread enters one meanwhile, and signals wait.

    A copy, also a pickled one, is a new one.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._signals: list[Any] = []

    def __enter__(self) -> None:
        signals = undisturbed()
        signals.__enter__()
        self._lock.acquire()
        self._signals.append(signals)

    def __exit__(self, *exception: object) -> None:
        signals = self._signals.pop()
        self._lock.release()
        signals.__exit__(None, None, None)

    def __reduce__(self) -> Any:
        return Undivided, ()


def save_before_sigterm(save: Callable[[], object]) -> None:
    """Call a method of an object that still exists before SIGTERM ends the process.

    By default SIGTERM ends Python at once, without `finally` and without `atexit`. Where a program, or another thread
    than the main one, handles it already, this changes nothing: an exception, or Python's end, saves then.
    """
    _SAVES.append(weakref.WeakMethod(save))
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        _PROCESS[:] = [os.getpid()]
        signal.signal(signal.SIGTERM, _save_and_end)


def no_save_before_sigterm(save: Callable[[], object]) -> None:
    """Undo `save_before_sigterm`; with the last one SIGTERM is handled by default again."""
    _SAVES[:] = [other for other in _SAVES if other() not in (None, save)]
    if (
        not _SAVES
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is _save_and_end
    ):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _save_and_end(number: int, frame: object) -> None:
    if os.getpid() in _PROCESS:
        for reference in _SAVES:
            save = reference()
            try:
                if save is not None:
                    save()
            except Exception:  # the process ends in any case, and the others are to be saved
                traceback.print_exc(file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
