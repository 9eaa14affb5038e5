"""Train many copies of a network together, in one graph, as if each had been trained alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasteach.experiment.copies import Copy, Plan, Trained
from kerasteach.experiment.orders import orders
from kerasteach.experiment.replica_gradients import GradientTables
from kerasteach.experiment.replica_model import Replicas
from kerasteach.experiment.replica_stack import Stack, variant
from kerasteach.experiment.training import _compile
from kerasteach.measure import statistics
from kerasteach.measure.records import Parameter, history_table, tidy_table, with_keys
from kerasteach.measure.stopping import Target


def train_together(plan: Plan, copies: Sequence[Copy], on_epoch: Callable[[int, int], None]) -> Trained:
    """Train copies of one architecture side by side, through one ordinary `fit`.

    Each copy starts from the weights that its `build` gives, sees the batches that `batches` yields for its seed, and
    stops at the first epoch with a mean training loss below `plan.error_below`. What comes out is what separate
    trainings give, but for the last digits of float32.

    Args:
        plan: What the copies share.
        copies: The networks, to which `can_train_together` has no objection.
        on_epoch: Called with the index of a copy and the number of an epoch, from 0, when that epoch is over.

    Returns:
        Tables and weights of each copy, in the order of `copies`.

    Raises:
        ValueError: If the copies' trainable variables differ in shape.
    """
    variants = list(dict.fromkeys(map(variant, copies)))
    order = sorted(range(len(copies)), key=lambda index: variants.index(variant(copies[index])))
    stack = Stack([copies[index] for index in order])
    model = Replicas(plan.dataset, plan.batch_size, stack, can_freeze=plan.error_below is not None)
    progress = _Progress(
        plan, [copies[index].seed for index in order], lambda place, epoch: on_epoch(order[place], epoch)
    )
    gradients = _fit(plan, model, stack, progress)
    weights = stack.values(model.table.numpy(), [[one.numpy() for one in state] for state in model.states])
    places = np.argsort(order)
    return Trained(
        pd.concat(
            [
                with_keys(history_table(progress.histories[place]), copy.keys)
                for place, copy in zip(places, copies, strict=True)
            ],
            ignore_index=True,
        ),
        pd.concat(
            [with_keys(gradients[place], copy.keys) for place, copy in zip(places, copies, strict=True)],
            ignore_index=True,
        ),
        [weights[place] for place in places],
        "together",
    )


def _fit(plan: Plan, model: Replicas, stack: Stack, progress: _Progress) -> list[pd.DataFrame]:
    """Train the copies, and return a table of gradients for each."""
    examples = len(plan.dataset.x_train)
    steps = -(-examples // plan.batch_size)
    _compile(model, plan, steps)
    begins = tf.data.Dataset.range(0, examples, plan.batch_size, output_type=tf.int32).repeat()
    if plan.capture is not None:
        progress.gradients = GradientTables(model, stack, "epoch" if plan.capture == "epoch" else 1, steps)
    try:
        model.fit(begins, epochs=plan.epochs, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[progress])
    finally:
        if progress.gradients is not None:
            progress.gradients.release()
    if progress.gradients is None:
        return [tidy_table(Parameter, (), statistics.DEFAULT)] * len(stack.parameters)
    return progress.gradients.frames()


class _Progress(keras.callbacks.Callback):
    """Gives the copies their orders, takes down what each epoch brought, and freezes those that came to their end."""

    def __init__(self, plan: Plan, seeds: Sequence[int], on_epoch: Callable[[int, int], None]) -> None:
        super().__init__()
        self.gradients: GradientTables | None = None
        self.histories: list[dict[str, list[float]]] = [{} for _ in seeds]
        self._orders = [orders(seed, len(plan.dataset.x_train)) for seed in seeds]
        self._target = Target("loss", plan.error_below) if plan.error_below is not None else None
        self._going, self._on_epoch = list(range(len(seeds))), on_epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shuffle."""
        self.model.begin_epoch(np.stack([next(one) for one in self._orders]).astype("int32"))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write down what the copies that are going on have reached."""
        if self.gradients is not None:
            self.gradients.end_epoch(epoch, self._going)
        names = [*self.model.measured, *(f"val_{name}" for name in self.model.measured)]
        reached = dict(zip(names, [*self.model.training_means(), *self.model.test_means()], strict=True))
        for copy in self._going:
            for name in sorted(reached):  # as Keras has them
                self.histories[copy].setdefault(name, []).append(float(reached[name][copy]))
            self._on_epoch(copy, epoch)
        if self._target is not None:
            self._freeze(self._target)

    def _freeze(self, target: Target) -> None:
        self._going = [copy for copy in self._going if target.reason(self.histories[copy]["loss"][-1]) is None]
        self.model.frozen.assign(~np.isin(np.arange(len(self.histories)), self._going))
        self.model.stop_training = not self._going
