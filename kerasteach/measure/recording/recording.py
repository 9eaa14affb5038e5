"""The host's side of a recording: it takes what was fetched, in memory or to disk, and gives tables back."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Mapping, Sequence
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
from kerasteach.tables.captures import Output, Parameter, histogram_table, tidy_table
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
        kind: What its rows tell of.
        every: A row at every n-th step, or one for each epoch.
        directory: Where to write it meanwhile; `None` to keep it in memory.
        tensorboard: Where to write what TensorBoard shows; `None` for nowhere.

    Attributes:
        undivided: The context in which numbers are taken and looked at; in another thread, and for a signal, they are
            there whole or not at all.
    """

    def __init__(
        self,
        name: str,
        kind: type[Parameter] | type[Output],
        every: Every,
        directory: str | Path | None = None,
        tensorboard: str | Path | None = None,
    ) -> None:
        self._name, self._kind, self._every = name, kind, every
        self._directory = None if directory is None else checked_path("directory", directory)
        self._tensorboard = None if tensorboard is None else checked_path("tensorboard", tensorboard)
        self.undivided = Undivided()
        self.statistics: tuple[str, ...] = ()
        self.edges: np.ndarray | None = None
        self._stream: Stream | None = None
        self._thread: int | None = None  # the one that records
        self._board: Board | None = None
        self._reset()

    def _reset(self) -> None:
        self.entries: Sequence[Any] = ()
        self._epochs: list[int] = []
        self._steps: list[int] = []
        self._values: list[np.ndarray] = []
        self._raw: dict[int, dict[str, np.ndarray]] = {}
        self._mean: EpochMean | None = None  # of the epoch that is going on
        self._begun = self._written = time.monotonic()
        self._failed = 0  # how often in a row a part could not be written

    def begin(self, statistics: Sequence[str], edges: np.ndarray | None) -> None:
        """Start a new table, and on disk a new run."""
        self.close()
        self.statistics, self.edges = tuple(statistics), edges
        self._reset()
        self._stream = None
        self._thread = threading.get_ident()
        if self._directory is not None:
            self._stream = self._new_run(self._directory)
        if self._tensorboard is not None:
            self._board = Board(self._tensorboard, self._name)

    @property
    def is_elsewhere(self) -> bool:
        """Whether another thread, which is still there, records at this moment."""
        others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        return self._thread in others

    def check_thread(self, name: str) -> None:
        """Raise RuntimeError, which calls the recording by a name, if another thread records with it."""
        if self.is_elsewhere:
            raise RuntimeError(
                f"{name} records one training at a time, and another thread trains with it; give each thread its own. "
                "If that training was interrupted, call `detach()` first."
            )

    def add(self, entries: Sequence[Any], epoch: int, steps: np.ndarray, values: np.ndarray) -> None:
        """Take what was fetched of an epoch: the numbers of steps, and `(steps, entries, statistics and bins)`."""
        if not len(steps):
            return
        if entries is not self.entries and list(entries) != list(self.entries):
            entries, values = self._widened(entries, values)
        self.entries = entries
        if self._every == "epoch":
            self._mean = self._mean or EpochMean(self.statistics, epoch)
            self._mean.add(steps, values)
        else:
            self._keep([epoch] * len(steps), [int(step) for step in steps], values)

    def _widened(self, entries: Sequence[Any], values: np.ndarray) -> tuple[Sequence[Any], np.ndarray]:
        """Have the table held in memory take further entries: a model may be compiled in the middle of a training.

        A row that is NaN is of an entry that is not there, and gives none in the table.
        """
        self._close_mean()
        if not self._values:
            return entries, values
        everything = [*self.entries, *(entry for entry in entries if entry not in self.entries)]
        self._values = [_spread(held, range(len(self.entries)), len(everything)) for held in self._values]
        return everything, _spread(values, [everything.index(entry) for entry in entries], len(everything))

    def add_raw(self, arrays: Mapping[int, Mapping[str, np.ndarray]]) -> None:
        """Take whole gradients: for each step, by path."""
        for step, gradients in arrays.items():
            self._raw.setdefault(step, {}).update(gradients)

    def end_epoch(self, room: float = np.inf) -> None:
        """Close the epoch, and write a part if the last one is old enough, or more than so many bytes are held."""
        self._close_mean()
        now = time.monotonic()
        age = max(_SECONDS_A_PART, _SECONDS_A_PART * (now - self._begun) / _PARTS)
        if now - self._written >= age or sum(one.nbytes for one in self._values) > room:
            self.flush()

    def _close_mean(self) -> None:
        if self._mean is not None:
            mean, self._mean = self._mean, None
            self._keep([mean.epoch], [mean.last], mean.values()[np.newaxis])

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
                self._epochs, self._steps, self._values, self._raw = [], [], [], {}
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
                self._board.close()
            self._board = self._thread = None

    def table(self) -> pd.DataFrame:
        """Return the whole table, from disk where it is kept there."""
        return self._whole(self._name)

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

    def _keep(self, epochs: list[int], steps: list[int], values: np.ndarray) -> None:
        if self._board is not None and steps:
            statistics, counts = self._split(values)
            self._board.write(self.entries, self.statistics, steps, statistics, self.edges, counts)
        self._epochs += epochs
        self._steps += steps
        self._values.append(values)

    def _split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return values[..., : len(self.statistics)], values[..., len(self.statistics) :]

    def _tables(self) -> dict[str, pd.DataFrame]:
        """Lay out what is held in memory."""
        epochs, steps, values = self._epochs, self._steps, self._values
        if self._mean is not None:  # of an epoch that is not over
            mean = self._mean
            epochs, steps = [*epochs, mean.epoch], [*steps, mean.last]
            values = [*values, mean.values()[np.newaxis]]
        shape = (0, len(self.entries), len(self.statistics) + histograms.width(self.edges))
        statistics, counts = self._split(np.concatenate(values) if values else np.empty(shape))
        frame = tidy_table(self._kind, self.entries, self.statistics, epochs, steps, statistics)
        tables = {self._name: frame}
        if self.edges is not None:
            index = self.statistics.index("finite")
            counts = counts.reshape(-1, counts.shape[-1])[~np.isnan(statistics[..., index].ravel())]
            keys = frame.drop(columns=list(self.statistics))
            tables["histograms"] = histogram_table(keys, *histograms.bounds(self.edges), counts)
        return tables

    def _whole(self, name: str) -> pd.DataFrame:
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
        return Stream(directory, columns_of(self._tables()), {"every": self._every, "versions": versions()})


def _spread(values: np.ndarray, places: Sequence[int], number: int) -> np.ndarray:
    """Return `(steps, number, columns)`, with the rows of each step at these places and NaN elsewhere."""
    spread = np.full((len(values), number, values.shape[2]), np.nan)
    spread[:, list(places)] = values
    return spread
