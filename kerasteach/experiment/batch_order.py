"""In which order a seed has the training examples come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


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
