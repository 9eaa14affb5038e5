"""Order of the training examples, which a seed fixes, and the batches in this order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import tensorflow as tf

from kerasteach.datasets import Dataset


def orders(seed: int, examples: int) -> Iterator[np.ndarray]:
    """Yield the order of the examples in one epoch after the other, `(examples,)`, which the seed alone fixes.

    Example:
        >>> from kerasteach.experiment.batch_order import orders
        >>> sorted(next(orders(seed=0, examples=4)).tolist())
        [0, 1, 2, 3]
    """
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    while True:
        yield random.permutation(examples)


def batches(dataset: Dataset, seed: int, batch_size: int, epochs: int) -> tf.data.Dataset:
    """Return the training batches of all epochs, in the orders of a seed.

    Each element is `(x, y)`, `(batch, features)` and `(batch, ...)`; the last batch of an epoch may be smaller. An
    epoch's order is drawn when it begins.
    """
    examples = len(dataset.x_train)
    with tf.device("/CPU:0"):  # where input pipelines run
        x, y = tf.constant(dataset.x_train), tf.constant(dataset.y_train)
    of_epochs = tf.data.Dataset.from_generator(
        lambda: islice(orders(seed, examples), epochs), output_signature=tf.TensorSpec((examples,), tf.int64)
    )
    rows = of_epochs.flat_map(lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size))
    return untuned(rows.map(lambda chosen: (tf.gather(x, chosen), tf.gather(y, chosen))).prefetch(2))


def untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Return the same batches, made without the thread that tunes a pipeline while it runs.

    These pipelines gain nothing by it, and the end of a training sometimes waits for that thread, for a second or more.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
