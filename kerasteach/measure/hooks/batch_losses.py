"""Loss of each training batch. Keras's `logs` hold the running mean of the epoch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.keras_internals import loss_metric, replace_loss_metric
from kerasteach.measure.hooks import buffers, train_function
from kerasteach.measure.hooks.optimizer_hook import replicas

Tensor = Any


class BatchLosses:
    """Replaces the metric that averages a model's loss by one that also keeps the losses of training batches.

    Keras updates that metric with the loss of each batch inside the compiled training step, on every backend and
    device. The replacement averages as before. It keeps only the losses of `train_step`, so no evaluation counts. A
    file that is saved meanwhile does not contain it.

    When a callback compiles or trains the model in the middle of a `fit`, the replacement is removed, and put back as
    the next batch begins.

    Args:
        model: A compiled model, before its training step is compiled for a `fit`.

    Raises:
        RuntimeError: If this Keras keeps the loss elsewhere.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._ring: _Ring | None = None
        self._before = 0  # training updates before the batches that run now
        self._left: list[float] = []  # losses that an interruption found
        self._enter()

    @property
    def present(self) -> bool:
        """Whether the model trains with the replacement now."""
        ring, model = self._ring, self._model
        return ring is not None and loss_metric(model) is ring and model.train_function is not None

    def begin(self) -> None:
        """Begin to count batches."""
        if not self.present:
            self.release()
            self._enter()
        self._left = []
        self._before = self._ring.count_updates() if self._ring is not None else 0

    def fetch(self, batches: int) -> list[float]:
        """Return the losses of the training batches since `begin`, in their order.

        Args:
            batches: How many there were at most; there are fewer where the data ended.
        """
        if self._ring is None:
            return self._left[:batches]
        if buffers.backend() == "jax":
            self._model.jax_state_sync()  # in an epoch, JAX keeps the numbers beside the model
        losses, total = self._ring.read()
        new = total - self._before
        each = max(1, new // batches)  # a train_step of one's own may update the metric more than once
        numbers = range(self._before + each - 1, total, each)
        return [float(losses[number % len(losses)]) for number in numbers if total - number <= len(losses)]

    def interrupted(self) -> None:
        """Leave the model to another training, or to its compilation."""
        if self._ring is not None:
            self._left = self.fetch(self._ring.room)
        self.release()

    def release(self) -> None:
        """Leave the model as it was found."""
        ring, self._ring = self._ring, None
        if ring is not None and loss_metric(self._model) is ring:  # unless it was compiled anew
            _copy_mean(ring, self._own)
            self._place(self._own)
        train_function.leave(self._model, self)

    def _enter(self) -> None:
        self._own = loss_metric(self._model)
        if not isinstance(self._own, keras.metrics.Mean):
            raise RuntimeError(
                "A batch's own loss is taken from the metric that a compiled Keras model averages its loss with, and "
                f"this model has none. Received: {type(self._model).__name__}, Keras {keras.__version__}."
            )
        if buffers.backend() == "jax":
            self._model.jax_state_sync()
        several = self._model.distribute_strategy.scope() if buffers.backend() == "tensorflow" else nullcontext()
        with several:
            self._ring = _Ring(self._model.steps_per_execution, partial(train_function.in_step, self._model))
        _copy_mean(self._own, self._ring)
        self._place(self._ring)
        train_function.enter(self._model, self)
        train_function.make(self._model)

    def _place(self, metric: keras.metrics.Metric) -> None:
        replace_loss_metric(self._model, metric)
        self._model.test_function = None  # a compiled evaluation has the other metric in it


def _copy_mean(source: keras.metrics.Mean, target: keras.metrics.Mean) -> None:
    """Give a mean the state of another one."""
    target.total.assign(source.total.value)
    target.count.assign(source.count.value)


class _Ring(keras.metrics.Mean):
    """A mean that also keeps the last values of training batches.

    Args:
        room: How many.
        training: Says whether the batch that runs is one of a training.
    """

    def __init__(self, room: int, training: Callable[[], bool]) -> None:
        super().__init__(name="loss")
        self.room, self._training = room, training
        # Sums over the devices that share a batch, each with its share of the examples.
        self._losses = self.add_variable((room,), "zeros", name="losses")
        self._weights = self.add_variable((room,), "zeros", name="weights")
        self._updates = self.add_variable((), "zeros", dtype="int32", aggregation="only_first_replica", name="updates")

    def update_state(self, values: Tensor, sample_weight: Tensor = None) -> None:
        """Take a batch's loss, `()`, and its number of examples."""
        super().update_state(values, sample_weight=sample_weight)
        if not self._training():
            return
        value = ops.cast(values, self.dtype)
        alone = replicas() == 1 or sample_weight is None
        weight = ops.ones_like(value) if alone else ops.cast(sample_weight, self.dtype)
        here = ops.equal(ops.arange(self.room), ops.convert_to_tensor(self._updates) % self.room)
        with buffers.after(value):  # counted only where there was a batch
            for ring, new in ((self._losses, value if alone else value * weight), (self._weights, weight)):
                ring.assign(ops.where(here, new, ops.convert_to_tensor(ring)))
            self._updates.assign_add(1)

    def count_updates(self) -> int:
        """Return how many training batches there were in all."""
        return int(ops.convert_to_numpy(self._updates.value))

    def read(self) -> tuple[np.ndarray, int]:
        """Return the last losses, `(room,)`, each at its number modulo the room, and how many there were in all."""
        losses, weights = (ops.convert_to_numpy(ring.value) for ring in (self._losses, self._weights))
        return losses / np.maximum(weights, 1), self.count_updates()
