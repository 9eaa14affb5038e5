"""Recorder: measures inside the training step, and keeps the numbers on the device until they are fetched."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from kerasteach.measure.branches import choose
from kerasteach.measure.hooks import buffers
from kerasteach.measure.hooks.optimizer_hook import AfterUpdate, TrainingStep
from kerasteach.measure.reductions import not_a_number
from kerasteach.tables.captures import Measured

Tensor = Any

BUFFER_BYTES = 16 * 2**20  # how much of the device's memory a recorder takes at most, unless one row needs more
_STEPS_UNKNOWN = 1024  # how many steps it makes room for where their number is not known


class Source(Protocol):
    """Interface of a source of numbers: it measures a training step.

    Attributes:
        names: Those of its statistics.
        columns: How many numbers it has of each of its entries: for the statistics, and counts.
    """

    names: tuple[str, ...]
    columns: Measured

    @property
    def entries(self) -> Sequence[Any] | None:
        """The variables or layers, in the order of the rows."""

    def prepare(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
        """Fix the entries. Called once, before the first step is measured or in it."""

    def observe(self, step: TrainingStep, captured: Tensor | bool) -> bool:
        """Take the tensors of a step; called at every step, also where it is not captured, before the update.

        Returns:
            Whether `measure` must wait for the update.
        """

    def measure(self) -> Measured:
        """Return the step's numbers, `(entries, ...)`, NaN in the rows of what is not there; without counts, `None`."""

    def finish(self, measured: np.ndarray) -> np.ndarray:
        """Return the statistics, on the host, out of what was measured in their place, `(steps, entries, ...)`."""

    def forget(self) -> None:
        """Let go of what `observe` took."""

    def leave(self) -> None:
        """Remove its other hooks."""


class Recorder:
    """A listener that measures every n-th step and keeps the numbers on the device.

    Args:
        source: What is measured.
        optimizer: Whose steps are counted.
        every: Measure the steps whose number is a multiple of it. Defaults to `1`.
        steps: How many steps there will be between two calls of `fetch`. Defaults to `None`, not known.
        at_least: How many of them there must be room for, whatever the memory. Defaults to `1`.

    Attributes:
        capacity: How many steps there is room for; of more between two calls of `fetch`, the last ones are kept.
        fetched: The number of the next step at the last `fetch`.
    """

    def __init__(
        self,
        source: Source,
        optimizer: keras.optimizers.Optimizer,
        every: int = 1,
        steps: int | None = None,
        at_least: int = 1,
    ) -> None:
        buffers.backend()
        self.source = source
        self.capacity = at_least
        self._optimizer, self._every = optimizer, every
        self._wanted, self._at_least = steps or _STEPS_UNKNOWN, at_least
        self._cells: dict[str, buffers.Cell] = {}
        self.fetched = self._first = 0

    def __call__(self, step: TrainingStep) -> AfterUpdate | None:
        """Measure one step, or return what does so after the update; called inside the training step."""
        self.prepare(step.variables)
        captured = self._every == 1 or buffers.is_multiple(self._cells["steps"], self._every)
        if self.source.observe(step, captured):
            return partial(self._record, step.gradients, captured)
        self._record(step.gradients, captured)
        return None

    def _record(self, gradients: Sequence[Tensor | None], captured: Tensor | bool) -> None:
        """Write the row of a step, and count the step."""
        steps = self._cells["steps"]
        # Until a step is captured, the others write the row that it will take; no row that is not fetched is lost.
        place = self._rows(steps.value) % self._room
        if captured is True:
            row = self._measure()
        else:
            nothing = [not_a_number(buffer.value.shape[1:], buffer.value.dtype) for buffer in self._buffers]
            kind = nothing[0].dtype
            row = choose(captured, lambda: [ops.cast(numbers, kind) for numbers in self._measure()], lambda: nothing)
        for buffer, numbers in zip(self._buffers, row, strict=True):
            buffer.write(place, numbers)
        # Count the step only after a gradient exists: with exhausted data TensorFlow still runs ops that do not depend
        # on the batch.
        with buffers.after(next((gradient for gradient in reversed(gradients) if gradient is not None), row[0])):
            steps.increase(1)
        self.source.forget()

    def _measure(self) -> list[Tensor]:
        return [numbers for numbers in self.source.measure() if numbers is not None]

    def _rows(self, steps: Any) -> Any:
        """Return how many of the first so many steps are captured."""
        return steps if self._every == 1 else -(-steps // self._every)

    @property
    def _buffers(self) -> list[buffers.Cell]:
        return [self._cells[name] for name in Measured._fields if name in self._cells]

    @property
    def _room(self) -> int:
        """How many rows the buffer has: one more than are kept, for the step that is not counted yet."""
        return int(self._rows(self.capacity)) + 1

    def prepare(self, variables: Sequence[keras.Variable]) -> None:
        """Make room on the device, unless that is done."""
        if self._cells:
            return
        self.source.prepare(self._optimizer, variables)
        self.capacity = max(self._at_least, min(self._wanted, self._every * (BUFFER_BYTES // max(8, self._row_bytes))))
        columns = {name: number for name, number in self.source.columns._asdict().items() if number or name != "counts"}
        tables = {name: self._empty(self._room, number) for name, number in columns.items()}
        self._cells = {
            **{name: buffers.make(table, self._optimizer) for name, table in tables.items()},
            "steps": buffers.make(np.array(self._first, "int64"), self._optimizer),
        }

    def begin(self, first: int = 0) -> None:
        """Count the steps from this number on, and forget what was not fetched."""
        self.fetched = self._first = first
        if self._cells:
            self._cells["steps"].assign(first)

    def fetch(self) -> tuple[np.ndarray, Measured]:
        """Return what was recorded since the last call, and make room anew.

        Returns:
            The numbers of the steps, `(steps,)`, and what was measured of them, `(steps, entries, ...)`.

        Warns:
            UserWarning: If more steps were taken than there was room for; the last of them are kept.
        """
        first, self.fetched = self._rows(self.fetched), self.steps
        count = self._rows(self.fetched) - first
        if not count:
            return np.empty(0, "int64"), self._finished(*(self._empty(0, number) for number in self.source.columns))
        kept = min(count, self._room - 1)
        if count > kept:
            warnings.warn(f"Of {count} recorded steps only the last {kept} found room in the buffer.", stacklevel=2)
        rows = np.arange(first + count - kept, first + count)
        found = [buffer.read()[rows % self._room].astype("float64") for buffer in self._buffers]
        counts = found[1:] or [self._empty(kept, 0)]
        return self._every * rows, self._finished(found[0], *counts)

    def _finished(self, statistics: np.ndarray, counts: np.ndarray) -> Measured:
        return Measured(self.source.finish(statistics), counts)

    def _empty(self, steps: int, columns: int) -> np.ndarray:
        return np.zeros((steps, len(self.source.entries or ()), columns))

    @property
    def steps(self) -> int:
        """The number of the next step: asks the device."""
        return int(self._cells["steps"].read()) if self._cells else self._first

    @property
    def bytes(self) -> int:
        """How much of the device's memory the buffer takes."""
        return self._room * self._row_bytes

    @property
    def _row_bytes(self) -> int:
        return len(self.source.entries or ()) * sum(self.source.columns) * np.dtype("float64").itemsize

    def release(self) -> None:
        """Give the device's memory back."""
        for cell in self._cells.values():
            cell.release()
        self._cells = {}
