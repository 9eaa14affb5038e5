"""A recorder in its place at an optimizer: from attaching it to leaving everything as it was found."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasteach.measure import cells, gradients
from kerasteach.measure.raw import Raw
from kerasteach.measure.recorder import Recorder, Source

# What is attached to the training of each model, and what was when its training function was last made.
_ATTACHED: weakref.WeakKeyDictionary[Any, set[int]] = weakref.WeakKeyDictionary()
_MADE: weakref.WeakKeyDictionary[Any, tuple[weakref.ref[Any], frozenset[int]]] = weakref.WeakKeyDictionary()


class Attachment:
    """Attaches a recorder, and what keeps whole gradients, to an optimizer.

    Args:
        optimizer: Whose steps are recorded.
        source: What is measured.
        model: Whose training step the optimizer is called in; `None` if there is none.
        every: At which steps.
        steps: How many steps there will be between two fetches; `None` if nobody knows.
        at_least: How many of them there must be room for.
        raw: What keeps whole gradients, if any are asked for.
        variables: The variables that the optimizer updates, where they must be known before the first step: on JAX,
            and where several devices share it. `None` where the first step tells.
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
    ) -> None:
        self.optimizer, self.source, self.model, self.raw = optimizer, source, model, raw
        self.recorder = Recorder(source, optimizer, every, steps, at_least)
        self._listeners: list[Recorder | Raw] = [self.recorder]
        if raw is not None:
            self._listeners.append(raw)
        if model is not None:
            _ATTACHED.setdefault(model, set()).add(id(self))
        try:
            for listener in self._listeners:
                if variables is not None:
                    listener.prepare(variables)
                gradients.attach(optimizer, listener)
        except BaseException:
            self.release()
            raise

    def make_train_function(self) -> None:
        """Have the model's training step compiled with what is attached now in it, unless that is so.

        Keras looks its training function up at each step, and traces it at the first.
        """
        model, attached = self.model, frozenset(_ATTACHED[self.model])
        made = _MADE.get(model)
        if made is not None and made[0]() is model.train_function is not None and made[1] == attached:
            return
        model.train_function = None
        if cells.backend() == "jax" and "train_step" not in vars(model):
            # JAX knows a function that it traced before, though another hook was in it then; this one is new to it.
            model.train_step = functools.partial(type(model).train_step, model)
            try:
                model.make_train_function()
            finally:
                del model.train_step
        else:
            model.make_train_function()
        _MADE[model] = (weakref.ref(model.train_function), attached)

    def begin(self) -> None:
        """Count the steps from 0 again."""
        for listener in self._listeners:
            listener.begin()

    def sync(self) -> None:
        """Make the device's numbers readable: in an epoch, JAX keeps them beside the model."""
        if self.model is not None and cells.backend() == "jax":
            self.model.jax_state_sync()

    def fetch(self) -> tuple[np.ndarray, np.ndarray, dict[int, dict[str, np.ndarray]]]:
        """Return what was recorded since the last call: the steps' numbers, what was measured, and whole gradients."""
        self.sync()
        steps, values = self.recorder.fetch()
        return steps, values, self.raw.fetch() if self.raw is not None else {}

    def release(self) -> None:
        """Leave the optimizer, and the model, as they were found."""
        for listener in self._listeners:
            gradients.detach(self.optimizer, listener)
            listener.release()
        self.source.leave()
        if self.model is not None:
            _ATTACHED.get(self.model, set()).discard(id(self))
            made = _MADE.get(self.model)
            if made is not None and made[0]() is self.model.train_function and id(self) in made[1]:
                self.model.train_function = None  # it was compiled with the hook in it
