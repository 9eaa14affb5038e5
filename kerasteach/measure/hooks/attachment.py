"""Attachment of a recorder to an optimizer, until everything is left as it was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasteach.measure.hooks import buffers, optimizer_hook, train_function
from kerasteach.measure.hooks.full_gradients import Raw
from kerasteach.measure.hooks.optimizer_hook import AfterUpdate, TrainingStep
from kerasteach.measure.hooks.recorder import Recorder, Source
from kerasteach.tables.captures import Measured


class Attachment:
    """Attaches a recorder, and what keeps whole gradients, to an optimizer.

    Args:
        optimizer: Whose steps are recorded.
        source: What is measured.
        model: Whose training step the optimizer is called in; `None` if there is none.
        every: At which steps.
        steps: How many steps there will be between two fetches; `None` if that is not known.
        at_least: How many of them there must be room for.
        raw: Keeps whole gradients, if any are asked for.
        variables: The variables that the optimizer updates, where they must be known before the first step: on JAX,
            and where several devices share it. `None` where the first step shows them.
        only_in_step: Whether to record only what is applied inside the model's `train_step`. Defaults to `False`.

    Attributes:
        on_interruption: What to call when another training of the model begins. Defaults to `None`.
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        source: Source,
        model: Any,
        every: int = 1,
        steps: int | None = None,
        at_least: int = 1,
        raw: Raw | None = None,
        variables: Sequence[keras.Variable] | None = None,
        only_in_step: bool = False,
    ) -> None:
        self.optimizer, self.source, self.model, self.raw = optimizer, source, model, raw
        self.recorder = Recorder(source, optimizer, every, steps, at_least)
        self.on_interruption: Callable[[], None] | None = None
        self._only_in_step = only_in_step and model is not None
        self._listeners: list[Recorder | Raw] = [self.recorder]
        if raw is not None:
            self._listeners.append(raw)
        if model is not None:
            train_function.enter(model, self)
        try:
            for listener in self._listeners:
                if variables is not None:
                    listener.prepare(variables)
            optimizer_hook.attach(optimizer, self._on_step)
        except BaseException:
            self.release()
            raise

    def begin(self, first: int = 0) -> None:
        """Count the steps from here on, starting with this number."""
        for listener in self._listeners:
            listener.begin(first)

    def sync(self) -> None:
        """Make the device's numbers readable: in an epoch, JAX keeps them beside the model."""
        if self.model is not None and buffers.backend() == "jax":
            self.model.jax_state_sync()

    def fetch(self) -> tuple[np.ndarray, Measured, dict[int, dict[str, np.ndarray]]]:
        """Return what was recorded since the last call: the steps' numbers, what was measured, and whole gradients."""
        self.sync()
        steps, measured = self.recorder.fetch()
        return steps, measured, self.raw.fetch() if self.raw is not None else {}

    def interrupted(self) -> None:
        """React to another training of the model."""
        if self.on_interruption is not None:
            self.on_interruption()

    def release(self) -> None:
        """Leave the optimizer, and the model, as they were found."""
        optimizer_hook.detach(self.optimizer, self._on_step)
        for listener in self._listeners:
            listener.release()
        self.source.leave()
        if self.model is not None:
            train_function.leave(self.model, self)

    def _on_step(self, step: TrainingStep) -> AfterUpdate | None:
        if self._only_in_step and not train_function.in_step(self.model):
            return None
        if self.raw is not None:
            self.raw(step)
        return self.recorder(step)
