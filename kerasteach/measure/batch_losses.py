"""Each batch's own loss, which Keras never tells: its `logs` hold the running mean of the epoch."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.measure import cells, training_function
from kerasteach.measure.gradients import replicas

Tensor = Any


class BatchLosses:
    """Stands in for the metric that averages a model's loss, and remembers what it is handed.

    Keras hands that metric the loss of each batch inside the compiled training step, on every backend and device. It
    goes on averaging as before; a file that is saved meanwhile has no trace of it. That Keras keeps it in the private
    attribute `_loss_tracker` is known here alone.

    Args:
        model: A compiled model, before its training step is compiled for a `fit`.

    Raises:
        RuntimeError: If this Keras keeps the loss elsewhere.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model, self._own = model, getattr(model, "_loss_tracker", None)
        if not isinstance(self._own, keras.metrics.Mean):
            raise RuntimeError(
                "A batch's own loss is taken from the metric that a compiled Keras model averages its loss with, and "
                f"this model has none. Received: {type(model).__name__}, Keras {keras.__version__}."
            )
        several = model.distribute_strategy.scope() if cells.backend() == "tensorflow" else nullcontext()
        with several:
            self._ring = _Ring(model.steps_per_execution)
        self._place(self._ring)
        training_function.enter(model, self)
        training_function.make(model)
        self._seen = 0

    def fetch(self, batches: int) -> list[float]:
        """Return the losses of the training batches since the last call, in their order.

        Args:
            batches: How many there were at most; there are fewer where the data ended. (What an evaluation in between
                handed to the metric came before them.)
        """
        if cells.backend() == "jax":
            self._model.jax_state_sync()  # in an epoch, JAX keeps the numbers beside the model
        losses, total = self._ring.read()
        new, self._seen = min(batches, total - self._seen), total
        return [float(losses[number % len(losses)]) for number in range(total - new, total)]

    def release(self) -> None:
        """Leave the model as it was found."""
        if getattr(self._model, "_loss_tracker", None) is self._ring:  # unless it was compiled anew
            self._place(self._own)
        training_function.leave(self._model, self)

    def _place(self, metric: keras.metrics.Metric) -> None:
        object.__setattr__(self._model, "_loss_tracker", metric)  # which Keras's own would track for good
        self._model.test_function = None  # an evaluation that was compiled before has the other one in it


class _Ring(keras.metrics.Mean):
    """The mean that it stands in for, and the last so many values."""

    def __init__(self, room: int) -> None:
        super().__init__(name="loss")
        self._room = room
        # Sums over the devices that share a batch, each with its share of the examples.
        self._losses = self.add_variable((room,), "zeros", name="losses")
        self._weights = self.add_variable((room,), "zeros", name="weights")
        self._updates = self.add_variable((), "zeros", dtype="int32", aggregation="only_first_replica", name="updates")

    def update_state(self, values: Tensor, sample_weight: Tensor = None) -> None:
        """Take a batch's loss, `()`, and its number of examples."""
        super().update_state(values, sample_weight=sample_weight)
        value = ops.cast(values, self.dtype)
        alone = replicas() == 1 or sample_weight is None
        weight = ops.ones_like(value) if alone else ops.cast(sample_weight, self.dtype)
        here = ops.equal(ops.arange(self._room), ops.convert_to_tensor(self._updates) % self._room)
        with cells.after(value):  # counted only where there was a batch
            for ring, new in ((self._losses, value if alone else value * weight), (self._weights, weight)):
                ring.assign(ops.where(here, new, ops.convert_to_tensor(ring)))
            self._updates.assign_add(1)

    def read(self) -> tuple[np.ndarray, int]:
        """Return the last values, `(room,)`, each at its number modulo the room, and how many there were in all."""
        losses, weights, updates = (
            ops.convert_to_numpy(one.value) for one in (self._losses, self._weights, self._updates)
        )
        return losses / np.maximum(weights, 1), int(updates)
