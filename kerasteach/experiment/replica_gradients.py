"""The gradients of many copies, taken at the one optimizer that trains them, and laid out a table a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasteach.experiment.replica_stack import Stack
from kerasteach.experiment.weight_table import WeightTable
from kerasteach.measure import statistics
from kerasteach.measure.attachment import Attachment
from kerasteach.measure.recording import Every, Recording
from kerasteach.measure.records import Parameter

Tensor = Any


class CopiedGradients:
    """What a recorder is told of the gradients of many copies that lie in one table.

    Args:
        layout: How they lie there.
        names: The statistics.

    Attributes:
        entries: The owners of the table's rows: each variable of each copy.
        columns: How many statistics there are.
    """

    def __init__(self, layout: WeightTable, names: Sequence[str]) -> None:
        self._layout, self._names = layout, tuple(names)
        self.entries = range(len(layout.sizes))
        self.columns = len(self._names)
        self._gradient: Tensor = None

    def prepare(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
        """The entries are known already."""

    def observe(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Tensor | None],
        variables: Sequence[keras.Variable],
        captured: Tensor,
    ) -> None:
        """Take the step's gradient."""
        (self._gradient,) = gradients

    def measure(self) -> Tensor:
        """Return one step's numbers, `(entries, columns)`."""
        return statistics.stacked(self._names, self._gradient, self._layout.owners, self._layout.sizes)

    def forget(self) -> None:
        """Let the step's gradient go."""
        self._gradient = None

    def leave(self) -> None:
        """Nothing else was hooked."""


class GradientTables:
    """The gradient table of each copy.

    Args:
        model: Whose optimizer is hooked.
        stack: The copies.
        every: A row a step, or one for each epoch.
        steps: Training steps an epoch.
    """

    def __init__(self, model: keras.Model, stack: Stack, every: Every, steps: int) -> None:
        self._parameters = stack.parameters
        self._recordings = [Recording("gradients", Parameter, every) for _ in self._parameters]
        for recording in self._recordings:
            recording.begin(statistics.DEFAULT, None)
        source = CopiedGradients(stack.layout, statistics.DEFAULT)
        self._attachment = Attachment(model.optimizer, source, model, steps=steps, at_least=steps)
        self._attachment.make_train_function()

    def end_epoch(self, epoch: int, copies: Sequence[int]) -> None:
        """Take the epoch's numbers of these copies."""
        steps, values, _ = self._attachment.fetch()
        # (steps, variables, copies, columns)
        values = values.reshape(len(steps), -1, len(self._recordings), values.shape[-1])
        for copy in copies:
            self._recordings[copy].add(self._parameters[copy], epoch, steps, values[:, :, copy])
            self._recordings[copy].end_epoch()

    def frames(self) -> list[pd.DataFrame]:
        """Return a table for each copy: the columns of `GradientCapture.frame`."""
        return [recording.table() for recording in self._recordings]

    def release(self) -> None:
        """Leave the optimizer as it was found."""
        self._attachment.release()
