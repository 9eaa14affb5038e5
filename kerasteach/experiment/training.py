"""Train one variant of a comparison over several seeds, fairly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasteach.callbacks import GradientCapture, StopOnError
from kerasteach.datasets import Dataset
from kerasteach.experiment.copies import Plan
from kerasteach.losses import HalfSquaredError
from kerasteach.measure.recording import Every
from kerasteach.measure.records import history_table, with_keys


def train(
    plan: Plan,
    build: Callable[[int], keras.Model],
    seeds: Sequence[int],
    on_epoch: Callable[[int, int], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train a network from each seed's initial weights, on each seed's batches.

    Args:
        plan: What all networks share.
        build: Makes the network with the initial weights of a seed.
        seeds: The seeds.
        on_epoch: Called with a seed and the number of an epoch, from 0, when that epoch is over.

    Returns:
        The tables `seed, epoch, metric, value` and `seed` with the columns of `GradientCapture.frame`.
    """
    model = build(seeds[0])
    steps = -(-len(plan.dataset.x_train) // plan.batch_size)
    _compile(model, plan, steps)
    fresh = [variable.numpy() for variable in model.optimizer.variables]
    histories, gradients = [], []
    every: Every = "epoch" if plan.capture == "epoch" else 1
    with GradientCapture(
        every=every
    ) as capture:  # one `with` for all seeds, so that the training step is compiled once
        for seed in seeds:
            model.set_weights(build(seed).get_weights())
            for variable, value in zip(model.optimizer.variables, fresh, strict=True):
                variable.assign(value)
            history = model.fit(
                batches(plan.dataset, seed, plan.batch_size, plan.epochs),
                epochs=plan.epochs,
                steps_per_epoch=steps,
                validation_data=(plan.dataset.x_test, plan.dataset.y_test),
                validation_batch_size=len(plan.dataset.x_test),
                verbose=0,
                shuffle=False,  # the batches are shuffled already
                callbacks=_callbacks(plan, capture, seed, on_epoch),
            )
            histories.append(with_keys(history_table(history), {"seed": seed}))
            gradients.append(with_keys(capture.frame, {"seed": seed}))
    return pd.concat(histories, ignore_index=True), pd.concat(gradients, ignore_index=True)


def batches(dataset: Dataset, seed: int, batch_size: int, epochs: int) -> tf.data.Dataset:
    """Return the training batches of all epochs, shuffled anew for each epoch in an order that the seed alone fixes.

    Each element is `(x, y)`, `(batch, features)` and `(batch, ...)`; the last batch of an epoch may be smaller.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    orders = np.stack([random.permutation(len(dataset.x_train)) for _ in range(epochs)])
    with tf.device("/CPU:0"):  # where input pipelines run
        x, y = tf.constant(dataset.x_train), tf.constant(dataset.y_train)
    rows = tf.data.Dataset.from_tensor_slices(orders).flat_map(
        lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    )
    return rows.map(lambda chosen: (tf.gather(x, chosen), tf.gather(y, chosen))).prefetch(tf.data.AUTOTUNE)


def _compile(model: keras.Model, plan: Plan, steps: int) -> None:
    if plan.dataset.classes:
        loss, metrics = keras.losses.SparseCategoricalCrossentropy(dtype="float32"), ["accuracy"]
    else:
        loss, metrics = HalfSquaredError(dtype="float32"), []
    model.compile(
        optimizer=keras.optimizers.deserialize(deepcopy(plan.optimizer)),  # Keras fills the config with objects
        loss=loss,
        metrics=metrics,
        steps_per_execution=steps,  # Python waits once an epoch, not once a batch
        jit_compile=False,  # on networks of this size, XLA's compilation takes longer than the training
        auto_scale_loss=False,  # the networks are float32 whatever the caller's policy is
    )
    model.optimizer.build(model.trainable_variables)


def _callbacks(
    plan: Plan, capture: GradientCapture, seed: int, on_epoch: Callable[[int, int], None]
) -> list[keras.callbacks.Callback]:
    chosen = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(seed, epoch))]
    if plan.capture is not None:
        chosen.append(capture)
    if plan.error_below is not None:
        chosen.append(StopOnError(plan.error_below, verbose=0))
    return chosen
