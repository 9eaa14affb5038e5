"""Keras model of many copies of a network, which the ordinary `fit` trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasteach.datasets import Dataset
from kerasteach.experiment.ensemble.dense import DenseCopies
from kerasteach.experiment.ensemble.stack import Stack
from kerasteach.experiment.ensemble.vectorized import ManyCopies

Tensor = Any

TESTED_AT_ONCE = 2**15  # examples of the test part, times copies


class Replicas(keras.Model):
    """Copies of one or several networks whose weights have the same shapes, trained side by side.

    What `fit` hands over is where in the epoch's order a batch begins; each copy has an order of its own.

    Args:
        dataset: What they are trained and tested on.
        batch_size: Examples a step.
        stack: The copies, and their first values.
        can_freeze: Whether copies may be frozen while the others go on.

    Attributes:
        table: All trainable weights.
        states: For each part, the stacks of its other variables.
        order: The order of the examples in this epoch, `(copies, examples)`.
        frozen: Which copies stay as they are, `(copies,)`.
        measured: What is measured of each copy.
    """

    def __init__(self, dataset: Dataset, batch_size: int, stack: Stack, can_freeze: bool) -> None:
        super().__init__(name="replicas", dtype="float32")
        # A list of networks Keras would take for layers of this model, and their own variables for its weights.
        self._parts: Callable[[], Sequence[ManyCopies | DenseCopies]] = lambda: stack.parts
        self._counts = [part.copies for part in stack.parts]
        self._copies = sum(self._counts)
        self._layout, self._batch_size, self._can_freeze = stack.layout, batch_size, can_freeze
        self._training = tf.constant(dataset.x_train), tf.constant(dataset.y_train)
        self._testing = tf.constant(dataset.x_test), tf.constant(dataset.y_test)
        self.table = keras.Variable(stack.weights, dtype="float32", name="table")
        self.states = [[_fixed(values, "state") for values in state] for state in stack.states]
        self.order = _fixed(np.zeros((self._copies, len(dataset.x_train)), "int32"), "order")
        self.frozen = _fixed(np.zeros(self._copies, "bool"), "frozen")
        self.built = True

    def compile(self, optimizer: keras.optimizers.Optimizer, loss: Any, metrics: Sequence[str], **options: Any) -> None:
        """Compile with the arguments of a single network; loss and accuracy become those of each copy."""
        super().compile(optimizer=optimizer, **options)
        self._measures = [loss, *({"accuracy": _accuracy}[name] for name in metrics)]
        self.measured = ["loss", *metrics]
        self._sums = _fixed(np.zeros((len(self.measured), self._copies), "float32"), "sums")
        self._examples = _fixed(np.zeros((), "float32"), "examples")
        self._test: Callable[[Tensor, Tensor], Tensor] = tf.function(
            self._test_batch,
            input_signature=[tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in self._testing],
            autograph=False,
        )

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Return none: what is measured is a number a copy, which Keras's metrics are not."""
        return []

    def begin_epoch(self, orders: np.ndarray) -> None:
        """Take the examples' order for each copy, `(copies, examples)`, and forget the last epoch's means."""
        self.order.assign(orders)
        self._sums.assign(tf.zeros_like(self._sums.value))
        self._examples.assign(0.0)

    def train_step(self, data: Tensor) -> dict[str, Tensor]:
        """Train each copy on its batch, and return the mean of their losses, for whoever watches `fit`."""
        rows = self.order.value[:, data : data + self._batch_size]
        x, y = (tf.gather(whole, rows) for whole in self._training)  # (copies, batch, ...)
        before = tf.convert_to_tensor(self.table.value)
        with tf.GradientTape() as tape:
            tape.watch(before)
            means, states = self._forward(before, x, y, training=True)
            total = self.optimizer.scale_loss(tf.reduce_sum(means[0]))
        self.optimizer.apply([tape.gradient(total, before)], [self.table])
        self._keep(before, states)
        examples = tf.cast(tf.shape(rows)[1], "float32")
        self._sums.assign_add(examples * means)
        self._examples.assign_add(examples)
        return {"loss": tf.reduce_mean(means[0])}

    def training_means(self) -> np.ndarray:
        """Return what was measured of each copy, as means over the epoch's examples: `(measures, copies)`."""
        return self._sums.numpy() / self._examples.numpy()

    def test_means(self) -> np.ndarray:
        """Return the same over the test part, with the weights as they are now."""
        x, y = self._testing
        size = max(1, TESTED_AT_ONCE // self._copies)
        sums = [self._test(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size)]
        return np.sum([batch.numpy() for batch in sums], axis=0) / np.float32(len(x))

    def _test_batch(self, x: Tensor, y: Tensor) -> Tensor:
        means, _ = self._forward(tf.convert_to_tensor(self.table.value), x, y, training=False)
        return means * tf.cast(tf.shape(x)[0], "float32")

    def _forward(self, table: Tensor, x: Tensor, y: Tensor, training: bool) -> tuple[Tensor, list[list[Tensor]]]:
        """Return what is measured of each copy, `(measures, copies)`, and for each network the new state."""
        counts = self._counts
        batches = [*zip(tf.split(x, counts), tf.split(y, counts), strict=True)] if training else [(x, y)] * len(counts)
        means, states = [], []
        for part, weights, state, batch in zip(
            self._parts(), self._layout.unpack(table, counts), self.states, batches, strict=True
        ):
            numbers, new = part(weights, [variable.value for variable in state], *batch, self._measures, training)
            means.append(numbers)
            states.append(new)
        return tf.concat(means, axis=1), states

    def _keep(self, before: Tensor, states: Sequence[Sequence[Tensor]]) -> None:
        """Put the new state in place, and take back what was done to frozen copies."""
        frozen = tf.convert_to_tensor(self.frozen.value)
        if self._can_freeze:
            rows = tf.gather(frozen, self._layout.copy_of)[:, tf.newaxis]
            self.table.assign(tf.where(rows, before, tf.convert_to_tensor(self.table.value)))
        for part, stacks, new_stacks in zip(tf.split(frozen, self._counts), self.states, states, strict=True):
            for variable, new in zip(stacks, new_stacks, strict=True):
                if self._can_freeze:
                    mask = tf.reshape(part, (-1, *(1 for _ in new.shape[1:])))
                    new = tf.where(mask, tf.convert_to_tensor(variable.value), new)
                variable.assign(new)


def _fixed(value: np.ndarray, name: str) -> keras.Variable:
    """Return a variable that is not trained."""
    return keras.Variable(value, dtype=str(value.dtype), trainable=False, name=name)


def _accuracy(y: Tensor, outputs: Tensor) -> Tensor:
    """Return which share of the examples has its own class as the likeliest."""
    return tf.reduce_mean(tf.cast(tf.equal(tf.argmax(outputs, axis=-1), tf.cast(y, "int64")), "float32"))
