"""Train networks one after the other, by the ordinary `fit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

import keras
import numpy as np
import pandas as pd

from kerasteach.callbacks import GradientCapture, StopOnError
from kerasteach.datasets import Dataset
from kerasteach.experiment.batch_order import batches
from kerasteach.experiment.networks import Network, Plan, Trained, paths
from kerasteach.experiment.serialization import optimizer_of
from kerasteach.losses import HalfSquaredError
from kerasteach.tables.captures import with_keys
from kerasteach.tables.history import history_table
from kerasteach.variables import restored

_TESTED_AT_ONCE = 1024  # examples of the test part


def train_separately(plan: Plan, networks: Sequence[Network], on_epoch: Callable[[int, int], None]) -> Trained:
    """Train each network from its own initial weights, on its seed's batches, one after the other.

    Args:
        plan: What all networks share.
        networks: The networks. Those of one variant, beside each other, are trained in one compiled model.
        on_epoch: Called with the index of a network and the number of an epoch, from 0, when that epoch is over.

    Returns:
        Tables and weights, as if each network had been trained by `fit` alone.
    """
    histories, gradients, weights, models = [], [], [], {}
    for variant, members in groupby(enumerate(networks), key=lambda numbered: numbered[1].variant):
        numbered = list(members)
        models[variant] = numbered[0][1].build()
        for network, history, frame, values in _train_variant(plan, models[variant], numbered, on_epoch):
            histories.append(with_keys(history, network.keys))
            gradients.append(with_keys(frame, network.keys))
            weights.append(values)
    return Trained(pd.concat(histories, ignore_index=True), pd.concat(gradients, ignore_index=True), weights, models)


def _train_variant(
    plan: Plan, model: keras.Model, numbered: Sequence[tuple[int, Network]], on_epoch: Callable[[int, int], None]
) -> Iterator[tuple[Network, pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]]:
    """Train the networks of one variant in one model, and yield each with its history, gradients and weights."""
    states = list(model.variables)  # before `compile` adds those of the metrics
    steps = -(-len(plan.dataset.x_train) // plan.batch_size)
    compile_for(model, plan, steps)
    _build_metrics(model, plan.dataset)
    # One `with` for all, so that the training step is compiled once.
    with GradientCapture(every=plan.every or 1, statistics=plan.statistics) as capture:
        for index, network in numbered:
            for variable, first in zip(states, network.build().variables, strict=True):
                variable.assign(first)
            with restored(model.optimizer.variables):  # each network starts with a fresh optimizer
                history = model.fit(
                    batches(plan.dataset, network.seed, plan.batch_size, plan.epochs),
                    epochs=plan.epochs,
                    steps_per_epoch=steps,
                    validation_data=(plan.dataset.x_test, plan.dataset.y_test),
                    validation_batch_size=min(len(plan.dataset.x_test), _TESTED_AT_ONCE),
                    verbose=0,
                    shuffle=False,  # the batches are shuffled already
                    callbacks=_callbacks(plan, capture, partial(on_epoch, index)),
                )
            weights = dict(zip(paths(model), model.get_weights(), strict=True))
            yield network, history_table(history), capture.frame, weights


def loss_for(dataset: Dataset) -> keras.losses.Loss:
    """Return the loss that networks are trained by: the cross-entropy of classes, or half the squared error."""
    if dataset.classes:
        return keras.losses.SparseCategoricalCrossentropy(dtype="float32")
    return HalfSquaredError(dtype="float32")


def compile_for(model: keras.Model, plan: Plan, steps: int) -> None:
    """Compile a model for a comparison, with this many training steps an execution, and build its optimizer."""
    model.compile(
        optimizer=optimizer_of(plan.optimizer),
        loss=loss_for(plan.dataset),
        metrics=["accuracy"] if plan.dataset.classes else [],
        steps_per_execution=steps,  # Python waits once an epoch, not once a batch
        jit_compile=False,  # on networks of this size, XLA's compilation takes longer than the training
        auto_scale_loss=False,  # the networks are float32 whatever the caller's policy is
    )
    model.optimizer.build(model.trainable_variables)


def _build_metrics(model: keras.Model, dataset: Dataset) -> None:
    """Make the metrics' variables before the training step is traced, which TensorFlow else does twice."""
    if dataset.classes:
        x, y = dataset.x_train[:1], dataset.y_train[:1]
        model.compute_metrics(x, y, model(x, training=False))
        model.reset_metrics()


def _callbacks(plan: Plan, capture: GradientCapture, on_epoch: Callable[[int], None]) -> list[keras.callbacks.Callback]:
    chosen = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(epoch))]
    if plan.every is not None:
        chosen.append(capture)
    if plan.error_below is not None:
        chosen.append(StopOnError(plan.error_below, verbose=0))
    return chosen
