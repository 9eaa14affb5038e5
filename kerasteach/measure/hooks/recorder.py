"""Recorder: measures inside the training step, and keeps the numbers on the device until they are fetched."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from kerasteach.measure.hooks import buffers

Tensor = Any

BUFFER_BYTES = 16 * 2**20  # how much of the device's memory a recorder takes at most, unless one row needs more
_STEPS_UNKNOWN = 1024  # how many steps it makes room for where their number is not known


class Source(Protocol):
    """Type of what a recorder records: it turns a training step into numbers.

    Attributes:
        columns: How many numbers it has of each of its entries: variables, or layers.
    """

    columns: int

    @property
    def entries(self) -> Sequence[Any] | None:
        """The variables or layers, in the order of the rows."""

    def prepare(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
        """Fix the entries. Called once, before the first step is measured or in it."""

    def observe(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Tensor | None],
        variables: Sequence[keras.Variable],
        captured: Tensor,
    ) -> None:
        """Take what the step has to offer; called at every step, also where it is not captured."""

    def measure(self) -> Tensor:
        """Return the step's numbers, `(entries, columns)`, NaN in the rows of what is not there."""

    def finish(self, measured: np.ndarray) -> np.ndarray:
        """Turn what was measured, `(steps, entries, columns)`, into what is recorded, on the host."""

    def forget(self) -> None:
        """Let go of what `observe` took."""

    def leave(self) -> None:
        """Take back whatever else it hooked."""


class Recorder:
    """A listener that measures every n-th step and keeps the numbers on the device.

    Args:
        source: What is measured.
        optimizer: Whose steps are counted.
        every: At which steps: those whose number is a multiple of it. Defaults to `1`.
        steps: How many steps there will be between two calls of `fetch`. Defaults to `None`, not known.
        at_least: How many of them there must be room for, whatever the memory. Defaults to `1`.

    Attributes:
        capacity: How many steps there is room for; what comes between two calls of `fetch` beyond them is not kept.
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

    def __call__(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Tensor | None],
        variables: Sequence[keras.Variable],
    ) -> None:
        """Measure one step; called inside the training step."""
        self.prepare(variables)
        buffer, rows, steps = self._cells["buffer"], self._cells["rows"], self._cells["steps"]
        room = len(self._kept) - 1  # the last row takes what is not kept
        place = ops.minimum(rows.value, room)
        captured = ops.ones((), "bool") if self._every == 1 else ops.equal(steps.value % self._every, 0)
        self.source.observe(optimizer, gradients, variables, captured)
        if self._every == 1:
            row = self.source.measure()
        else:
            nothing = ops.full(buffer.value.shape[1:], np.nan, dtype=buffer.value.dtype)
            row = ops.cond(captured, lambda: ops.cast(self.source.measure(), nothing.dtype), lambda: nothing)
            place = ops.where(captured, place, room)
        buffer.write(place, row)
        # Counted only after a gradient exists: when the data have ended, TensorFlow still runs what needs no batch.
        with buffers.after(next((one for one in reversed(gradients) if one is not None), row)):
            rows.assign(rows.value + ops.cast(captured, rows.value.dtype))
            steps.assign(steps.value + 1)
        self.source.forget()

    @property
    def _kept(self) -> range:
        return range(-(-self.capacity // self._every) + 1)

    def prepare(self, variables: Sequence[keras.Variable]) -> None:
        """Make room on the device, unless that is done."""
        if self._cells:
            return
        self.source.prepare(self._optimizer, variables)
        shape = (len(self.source.entries or ()), self.source.columns)
        one_row = max(1, int(np.prod(shape))) * np.dtype("float64").itemsize
        self.capacity = max(self._at_least, min(self._wanted, self._every * (BUFFER_BYTES // one_row)))
        self._cells = {
            "buffer": buffers.make(np.zeros((len(self._kept), *shape)), self._optimizer),
            "rows": buffers.make(np.zeros((), "int64"), self._optimizer),
            "steps": buffers.make(np.array(self._first, "int64"), self._optimizer),
        }

    def begin(self, first: int = 0) -> None:
        """Count the steps from this number on, and forget what was not fetched."""
        self.fetched = self._first = first
        for name, value in (("rows", 0), ("steps", first)):
            if name in self._cells:
                self._cells[name].assign(ops.full_like(self._cells[name].value, value))

    def fetch(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what was recorded since the last call, and make room anew.

        Returns:
            The numbers of the steps, `(steps,)`, and what was recorded of them, `(steps, entries, ...)`.

        Warns:
            UserWarning: If more steps were taken than there was room for; the first of them are kept.
        """
        shape = (len(self.source.entries or ()), self.source.columns)
        first, self.fetched = -(-self.fetched // self._every) * self._every, self.steps
        count = int(self._cells["rows"].read()) if self._cells else 0
        if not count:
            return np.empty(0, "int64"), self.source.finish(np.empty((0, *shape)))
        rows, room = self._cells["rows"], len(self._kept) - 1
        rows.assign(ops.zeros_like(rows.value))
        if count > room:
            warnings.warn(f"Of {count} recorded steps only the first {room} found room in the buffer.", stacklevel=2)
        kept = min(count, room)
        measured = self._cells["buffer"].read(slice(0, kept)).astype("float64")
        return first + self._every * np.arange(kept), self.source.finish(measured)

    @property
    def steps(self) -> int:
        """The number of the next step: asks the device."""
        return int(self._cells["steps"].read()) if self._cells else self._first

    @property
    def bytes(self) -> int:
        """How much of the device's memory the buffer takes."""
        return len(self._kept) * len(self.source.entries or ()) * self.source.columns * np.dtype("float64").itemsize

    def release(self) -> None:
        """Give the device's memory back."""
        for cell in self._cells.values():
            cell.release()
        self._cells = {}
