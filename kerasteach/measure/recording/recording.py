"""Recording on the host: collects what was fetched, in memory or on disk, and returns tables."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from kerasteach.measure import histograms
from kerasteach.measure.recording.epoch_mean import EpochMean
from kerasteach.measure.recording.tensorboard import Board
from kerasteach.storage.captures import raw_of, rows_of
from kerasteach.storage.files import DamagedRunError
from kerasteach.storage.interruption import Undivided
from kerasteach.storage.manifest import columns_of, versions
from kerasteach.storage.stream import Stream
from kerasteach.tables.captures import Measured, Output, Parameter, histogram_table, is_recorded, tidy_table
from kerasteach.validation import LONGEST, whole
from kerasteach.validation import path as checked_path

Every = int | Literal["epoch"]

_SECONDS_A_PART = 1.0  # an epoch's end writes a part when the last one is as old as this
_PARTS = 100  # but of a long training no shorter one than this part of it: `run.json` lists them all


def checked_every(every: Any) -> Every:
    """Return `every`, or raise ValueError unless it is a whole number from 1 or `"epoch"`."""
    if isinstance(every, str) and every == "epoch":
        return "epoch"
    try:
        return whole("every", every, most=LONGEST)
    except ValueError as error:
        message = str(error).replace("a whole number", "a number of steps", 1)
        raise ValueError(message.replace(". Received", ', or "epoch". Received', 1)) from None


class Recording:
    """Takes the numbers of a training, and gives them as tidy tables.

    Args:
        name: What the table is called on disk and in TensorBoard.
        kind: Which key columns it has.
        statistics: Their names, in the order of the table's columns.
        every: A row at every n-th step, or one for each epoch.
        edges: The edges of the histograms' bins; `None` for no histograms.
        directory: Where to write it meanwhile; `None` to keep it in memory.
        tensorboard: Where to write what TensorBoard shows; `None` for nowhere.

    Attributes:
        statistics: As given, or as `begin` set them.
        setting: The network and the optimizer, as values for the titles of figures, as `begin` or `note` set them.
        undivided: The context in which numbers are taken and looked at; in another thread, and for a signal, they are
            there whole or not at all.
    """

    def __init__(
        self,
        name: str,
        kind: type[Parameter] | type[Output],
        statistics: Sequence[str],
        every: Every = 1,
        edges: np.ndarray | None = None,
        directory: str | Path | None = None,
        tensorboard: str | Path | None = None,
    ) -> None:
        self._name, self._kind, self._every = name, kind, every
        self._directory = None if directory is None else checked_path("directory", directory)
        self._tensorboard = None if tensorboard is None else checked_path("tensorboard", tensorboard)
        self.undivided = Undivided()
        self.statistics, self._edges = tuple(statistics), edges
        self.setting: dict[str, Any] = {}
        self._stream: Stream | None = None
        self._thread: int | None = None  # the one that records
        self._board: Board | None = None
        self._reset()

    def _reset(self) -> None:
        self.entries: Sequence[Any] = ()
        self._epochs: list[int] = []
        self._steps: list[int] = []
        self._measured: list[Measured] = []
        self._raw: dict[int, dict[str, np.ndarray]] = {}
        self._mean: EpochMean | None = None  # of the epoch that is going on
        self._begun = self._written = time.monotonic()
        self._failed = 0  # how often in a row a part could not be written

    def begin(self, statistics: Sequence[str] | None = None, setting: Mapping[str, Any] | None = None) -> None:
        """Start a new table, with other statistics if they are given, and on disk a new run."""
        self.close()
        self.setting = dict(setting or {})
        self.statistics = self.statistics if statistics is None else tuple(statistics)
        self._reset()
        self._stream = None
        self._thread = threading.get_ident()
        if self._directory is not None:
            self._stream = self._new_run(self._directory)
        if self._tensorboard is not None:
            self._board = Board(self._tensorboard, self._name)

    def note(self, setting: Mapping[str, Any]) -> None:
        """Change what is trained, which the table has from now on, and the run on disk from its next part on."""
        with self.undivided:
            self.setting = dict(setting)
            if self._stream is not None:
                self._stream.note({"setting": self.setting})

    @property
    def is_elsewhere(self) -> bool:
        """Whether another thread, which is still there, records at this moment."""
        others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        return self._thread is not None and self._thread in others  # one that is about to start has no identity yet

    def check_thread(self, name: str) -> None:
        """Raise RuntimeError, which calls the recording by a name, if another thread records with it."""
        if self.is_elsewhere:
            raise RuntimeError(
                f"{name} records one training at a time, and another thread trains with it; give each thread its own. "
                "If that training was interrupted, call `detach()` first."
            )

    def add(self, entries: Sequence[Any], epoch: int, steps: np.ndarray, measured: Measured) -> None:
        """Take what was fetched of an epoch: the numbers of steps, and `(steps, entries, ...)`."""
        if not len(steps):
            return
        if entries is not self.entries and list(entries) != list(self.entries):
            entries, measured = self._widened(entries, measured)
        self.entries = entries
        if self._every == "epoch":
            self._mean = self._mean or EpochMean(self.statistics, epoch)
            self._mean.add(steps, measured)
        else:
            self._keep([epoch] * len(steps), [int(step) for step in steps], measured)

    def _widened(self, entries: Sequence[Any], measured: Measured) -> tuple[Sequence[Any], Measured]:
        """Have the table held in memory take further entries: a model may be compiled in the middle of a training.

        Entries that a step does not have give no row in the table.
        """
        self._close_mean()
        if not self._measured:
            return entries, measured
        everything = [*self.entries, *(entry for entry in entries if entry not in self.entries)]
        self._measured = [_spread(held, range(len(self.entries)), len(everything)) for held in self._measured]
        return everything, _spread(measured, [everything.index(entry) for entry in entries], len(everything))

    def add_raw(self, arrays: Mapping[int, Mapping[str, np.ndarray]]) -> None:
        """Take whole gradients: for each step, by path."""
        for step, gradients in arrays.items():
            self._raw.setdefault(step, {}).update(gradients)

    def end_epoch(self, room: float = np.inf) -> None:
        """Close the epoch, and write a part if the last one is old enough, or more than so many bytes are held."""
        self._close_mean()
        now = time.monotonic()
        age = max(_SECONDS_A_PART, _SECONDS_A_PART * (now - self._begun) / _PARTS)
        if now - self._written >= age or sum(numbers.nbytes for held in self._measured for numbers in held) > room:
            self.flush()

    def _close_mean(self) -> None:
        if self._mean is not None:
            mean, self._mean = self._mean, None
            self._keep([mean.epoch], [mean.last], mean.row())

    def flush(self, at_once: bool = False) -> None:
        """Write what is held in memory, where there is a directory to write to; of an epoch's mean, when it is over.

        A part that cannot be written stays in memory, and is tried again with the next one: at once, or each time after
        a longer while.

        Warns:
            UserWarning: If it could not be written, the first time.
        """
        with self.undivided:
            wait = _SECONDS_A_PART * min(2**self._failed, 60) if self._failed and not at_once else 0
            if not self._is_pending or time.monotonic() - self._written < wait:
                return
            assert self._stream is not None
            self._mean, mean = None, self._mean
            try:
                self._stream.write(self._tables(), self._raw)
            except OSError as error:
                self._keep_in_memory(error)
            else:
                self._epochs, self._steps, self._measured, self._raw = [], [], [], {}
                self._failed = 0
            self._mean = mean
            self._written = time.monotonic()

    @property
    def _is_pending(self) -> bool:
        """Whether there is something in memory that is to be written."""
        return self._stream is not None and bool(self._steps or self._raw)

    def _keep_in_memory(self, error: OSError) -> None:
        self._failed += 1
        if self._failed == 1 and self._stream is not None:
            warnings.warn(
                f"What is recorded cannot be written to {self._stream.path} ({error}). It stays in memory until the "
                "next training, and is tried again; `save` writes it elsewhere.",
                stacklevel=2,
            )

    def finish(self) -> None:
        """Write the rest: the training came to its end."""
        self.close()
        if self._stream is not None and not self._is_pending:
            try:
                self._stream.finish()
            except OSError as error:
                self._keep_in_memory(error)

    def close(self) -> None:
        """Write the rest, of an epoch that was not over too."""
        with self.undivided:
            self._close_mean()
            self.flush(at_once=True)
            if self._board is not None:
                with self._without_failing(self._board):
                    self._board.close()
            self._board = self._thread = None

    def table(self) -> pd.DataFrame:
        """Return the whole table, from disk where it is kept there."""
        return self._whole(self._name)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables, called as the figures of a run call them."""
        tables = {self._name: self.table()}
        if self._edges is not None:
            tables[f"{self._name[:-1]}_histograms"] = self.histogram_table()
        return tables

    def histogram_table(self) -> pd.DataFrame:
        """Return the histograms, a row a bin."""
        return self._whole("histograms")

    def raw(self) -> dict[int, dict[str, np.ndarray]]:
        """Return the whole gradients, for each step by path."""
        with self.undivided:
            if self._stream is None:
                return dict(self._raw)
            try:
                return raw_of(self._stream.path, self._stream.manifest) | self._raw
            except (OSError, DamagedRunError) as error:
                self._warn_of_lost(error)
                return dict(self._raw)

    def save(self, directory: str | Path) -> Path:
        """Write all tables as a new run in a directory, and return the run's own."""
        stream = self._new_run(checked_path("directory", directory))
        stream.write({name: self._whole(name) for name in self._tables()}, self.raw())
        stream.finish()
        return stream.path

    def _keep(self, epochs: list[int], steps: list[int], measured: Measured) -> None:
        self._epochs += epochs
        self._steps += steps
        self._measured.append(measured)
        if self._board is not None and steps:
            with self._without_failing(self._board):
                self._board.write(self.entries, self.statistics, steps, measured, self._edges)

    @contextmanager
    def _without_failing(self, board: Board) -> Iterator[None]:
        """Where TensorBoard's files cannot be written, warn once and go on without them."""
        try:
            yield
        except OSError as error:
            self._board = None
            warnings.warn(
                f"What TensorBoard is to show cannot be written to {board.path} ({error}). This training goes on "
                "without it; its table is complete.",
                stacklevel=3,
            )

    def _tables(self) -> dict[str, pd.DataFrame]:
        """Lay out what is held in memory."""
        epochs, steps, held = self._epochs, self._steps, self._measured
        if self._mean is not None:  # of an epoch that is not over
            epochs, steps = [*epochs, self._mean.epoch], [*steps, self._mean.last]
            held = [*held, self._mean.row()]
        widths = len(self.statistics), histograms.width(self._edges)
        nothing = Measured(*(np.empty((0, len(self.entries), width)) for width in widths))
        statistics, counts = (np.concatenate(parts) for parts in zip(nothing, *held, strict=True))
        frame = tidy_table(self._kind, self.entries, self.statistics, epochs, steps, statistics)
        tables = {self._name: frame}
        if self._edges is not None:
            keys = frame.drop(columns=list(self.statistics))
            recorded = counts[is_recorded(self.statistics, statistics)]
            tables["histograms"] = histogram_table(keys, *histograms.bounds(self._edges), recorded)
        return tables

    def _whole(self, name: str) -> pd.DataFrame:
        """Return all rows of a table, out of memory and from disk, with what was trained in its `attrs`."""
        rows = self._rows(name)
        rows.attrs = {"setting": deepcopy(self.setting)} if self.setting else {}  # which a caller may change
        return rows

    def _rows(self, name: str) -> pd.DataFrame:
        with self.undivided:
            pending = self._tables().get(name)
            if pending is None:
                raise ValueError("There are no histograms: give `histogram=True` to record them.")
            if self._stream is None:
                return pending
            try:
                written = rows_of(self._stream.path, self._stream.manifest, name)
            except (OSError, DamagedRunError) as error:
                self._warn_of_lost(error)
                return pending
        if not len(written) or not len(pending):
            return written if len(written) else pending
        return pd.concat([written, pending], ignore_index=True)

    def _warn_of_lost(self, error: Exception) -> None:
        warnings.warn(f"What was written cannot be read, and only what is in memory is here. {error}", stacklevel=2)

    def _new_run(self, directory: Path) -> Stream:
        facts = {"every": self._every, "setting": self.setting, "versions": versions()}
        return Stream(directory, columns_of(self._tables()), facts)


def _spread(measured: Measured, places: Sequence[int], number: int) -> Measured:
    """Return the numbers of so many entries: those that are there at these places, and NaN elsewhere."""
    spread = []
    for numbers in measured:
        wide = np.full((len(numbers), number, numbers.shape[2]), np.nan)
        wide[:, list(places)] = numbers
        spread.append(wide)
    return Measured(*spread)
