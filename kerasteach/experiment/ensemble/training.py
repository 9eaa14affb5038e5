"""Train many copies of a network together, in one graph, as if each had been trained alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasteach.experiment.batch_order import orders, untuned
from kerasteach.experiment.ensemble.gradients import CopiedParameter, GradientTable
from kerasteach.experiment.ensemble.model import Replicas
from kerasteach.experiment.ensemble.stack import Stack
from kerasteach.experiment.networks import Network, Plan, Trained
from kerasteach.experiment.training import compile_for
from kerasteach.stopping import Target
from kerasteach.tables.captures import tidy_table


def train_together(plan: Plan, networks: Sequence[Network], on_epoch: Callable[[int, int], None]) -> Trained:
    """Train copies of one architecture side by side, through one ordinary `fit`.

    Each network starts from the weights that its `build` gives, sees the batches that `batches` yields for its seed,
    and stops at the first epoch with a mean training loss below `plan.error_below`. The tables are those of separate
    trainings, but for rounding, which grows as networks train.

    Args:
        plan: What the networks share.
        networks: The networks, to which `can_train_together` has no objection.
        on_epoch: Called with the index of a network and the number of an epoch, from 0, when that epoch is over.

    Returns:
        Tables and weights of each network, in the order of `networks`.

    Raises:
        ValueError: If the networks' trainable variables differ in shape.
    """
    variants = list(dict.fromkeys(network.variant for network in networks))
    order = sorted(range(len(networks)), key=lambda index: variants.index(networks[index].variant))
    stack = Stack([networks[index] for index in order])
    model = Replicas(plan.dataset, plan.batch_size, stack, can_freeze=plan.error_below is not None)
    seeds = [networks[index].seed for index in order]
    progress = _Progress(plan, seeds, lambda place, epoch: on_epoch(order[place], epoch))
    gradients = _fit(plan, model, stack, progress)
    weights = stack.values(model.table.numpy(), [[variable.numpy() for variable in state] for state in model.states])
    return Trained(
        _by_network(progress.history(), networks, order),
        _by_network(gradients, networks, order),
        [weights[place] for place in np.argsort(order)],
        dict(zip(variants, stack.networks, strict=True)),
    )


def _fit(plan: Plan, model: Replicas, stack: Stack, progress: _Progress) -> pd.DataFrame:
    """Train the copies, and return the table of their gradients."""
    examples = len(plan.dataset.x_train)
    steps = -(-examples // plan.batch_size)
    compile_for(model, plan, steps)
    if plan.every is not None:
        progress.gradients = GradientTable(model, stack, plan.every, steps, plan.statistics)
    begins = untuned(tf.data.Dataset.range(0, examples, plan.batch_size, output_type=tf.int32).repeat())
    try:
        model.fit(begins, epochs=plan.epochs, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[progress])
    finally:
        if progress.gradients is not None:
            progress.gradients.release()
    if progress.gradients is None:
        return tidy_table(CopiedParameter, (), plan.statistics)
    return progress.gradients.frame()


def _by_network(frame: pd.DataFrame, networks: Sequence[Network], order: Sequence[int]) -> pd.DataFrame:
    """Put the networks in their order, and their keys in the place of the column `copy`."""
    index = np.asarray(order)[frame["copy"]]
    rows = np.argsort(index, kind="stable")
    keys = pd.DataFrame([dict(network.keys) for network in networks]).iloc[index[rows]].reset_index(drop=True)
    return pd.concat([keys, frame.drop(columns="copy").iloc[rows].reset_index(drop=True)], axis=1)


class _Progress(keras.callbacks.Callback):
    """Shuffle each copy, record its losses of each epoch, and freeze the copies that are below the error."""

    def __init__(self, plan: Plan, seeds: Sequence[int], on_epoch: Callable[[int, int], None]) -> None:
        super().__init__()
        self.gradients: GradientTable | None = None
        self._reached: list[pd.DataFrame] = []
        self._orders = [orders(seed, len(plan.dataset.x_train)) for seed in seeds]
        self._target = Target("loss", plan.error_below) if plan.error_below is not None else None
        self._going, self._on_epoch = list(range(len(seeds))), on_epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shuffle."""
        self.model.begin_epoch(np.stack([next(order) for order in self._orders]).astype("int32"))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record losses and gradients of the copies that still train."""
        if self.gradients is not None:
            self.gradients.end_epoch(epoch, self._going)
        names = [*self.model.measured, *(f"val_{name}" for name in self.model.measured)]
        reached = np.concatenate([self.model.training_means(), self.model.test_means()])  # (metrics, copies)
        for metric, values in zip(names, reached[:, self._going].astype("float64"), strict=True):
            rows = {"copy": self._going, "epoch": epoch, "metric": metric, "value": values}
            self._reached.append(pd.DataFrame(rows))
        for copy in self._going:
            self._on_epoch(copy, epoch)
        if self._target is not None:
            self._freeze(self._target, reached[0])

    def history(self) -> pd.DataFrame:
        """Return the columns `copy, epoch, metric, value`, metric after metric, as Keras has them."""
        return pd.concat(self._reached, ignore_index=True).sort_values(["metric", "epoch"], ignore_index=True)

    def _freeze(self, target: Target, losses: np.ndarray) -> None:
        self._going = [copy for copy in self._going if target.reason(float(losses[copy])) is None]
        self.model.frozen.assign(~np.isin(np.arange(len(self._orders)), self._going))
        self.model.stop_training = not self._going
