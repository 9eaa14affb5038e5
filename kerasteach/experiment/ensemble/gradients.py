"""Gradients of many copies, measured at the optimizer that trains them all, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasteach.experiment.ensemble.stack import Stack
from kerasteach.experiment.ensemble.weight_table import WeightTable
from kerasteach.measure import statistics
from kerasteach.measure.hooks import train_function
from kerasteach.measure.hooks.attachment import Attachment
from kerasteach.measure.hooks.optimizer_hook import TrainingStep
from kerasteach.measure.recording.recording import Every, Recording
from kerasteach.tables.captures import Measured, Parameter

Tensor = Any


class CopiedGradients:
    """Gradient source of many copies whose weights lie in one table.

    Args:
        layout: How they lie there.
        names: The statistics.

    Attributes:
        entries: The owners of the table's rows: each variable of each copy.
        names: The statistics.
        columns: How many reductions they are made of, and no counts.
    """

    def __init__(self, layout: WeightTable, names: Sequence[str]) -> None:
        self._layout, self.names = layout, tuple(names)
        self.entries = range(len(layout.sizes))
        self.columns = Measured(len(statistics.columns(self.names)), 0)
        self._gradient: Tensor = None

    def prepare(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
        """The entries are known already."""

    def observe(self, step: TrainingStep, captured: Tensor | bool) -> bool:
        """Take the step's gradient."""
        (self._gradient,) = step.gradients
        return False

    def measure(self) -> Measured:
        """Return one step's numbers, `(entries, columns)`."""
        table = statistics.measure_stacked(self.names, self._gradient, self._layout.owners, self._layout.sizes)
        return Measured(table, None)

    def finish(self, measured: np.ndarray) -> np.ndarray:
        """Return the statistics."""
        return statistics.finish(self.names, measured)

    def forget(self) -> None:
        """Let the step's gradient go."""
        self._gradient = None

    def leave(self) -> None:
        """Nothing else was hooked."""


@dataclass(frozen=True)
class CopiedParameter(Parameter):
    """What a table says of one trainable variable of one copy.

    Attributes:
        copy: The copy's number.
    """

    copy: int


class GradientTable:
    """The gradients of all copies, in one table.

    Args:
        model: Whose optimizer is hooked.
        stack: The copies.
        every: A row at every n-th step, or one for each epoch.
        steps: Training steps an epoch.
    """

    def __init__(self, model: keras.Model, stack: Stack, every: Every, steps: int) -> None:
        self._copies = len(stack.parameters)
        self._entries = [
            CopiedParameter(**vars(one), copy=copy)
            for variable in zip(*stack.parameters, strict=True)
            for copy, one in enumerate(variable)
        ]  # as they lie in the table of the weights
        self._recording = Recording("gradients", CopiedParameter, statistics.DEFAULT, every)
        self._attachment = Attachment(
            model.optimizer,
            CopiedGradients(stack.layout, statistics.DEFAULT),
            model,
            every=every if isinstance(every, int) else 1,
            steps=steps,
            at_least=steps,
            variables=model.trainable_variables,  # made in the first step, the buffer would have it traced twice
        )
        train_function.make(model)

    def end_epoch(self, epoch: int, copies: Sequence[int]) -> None:
        """Take the epoch's numbers of these copies."""
        steps, measured, _ = self._attachment.fetch()
        ended = ~np.isin(np.arange(len(self._entries)) % self._copies, copies)
        measured.statistics[:, ended] = np.nan  # gives no row
        self._recording.add(self._entries, epoch, steps, measured)
        self._recording.end_epoch()

    def frame(self) -> pd.DataFrame:
        """Return the columns of `GradientCapture.frame`, and `copy`."""
        return self._recording.table()

    def release(self) -> None:
        """Leave the optimizer as it was found."""
        self._attachment.release()
