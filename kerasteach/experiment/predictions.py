"""Outputs of trained networks on a grid over the plane, for data with two features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasteach.datasets import Dataset
from kerasteach.datasets.dataset import in_given_units
from kerasteach.experiment.networks import Network, paths
from kerasteach.tables.captures import with_keys

POINTS = 60  # along each side of the grid
_MARGIN = 0.1  # of the data's range, beyond them


def predictions(
    dataset: Dataset, networks: Sequence[Network], weights: Sequence[Mapping[str, np.ndarray]]
) -> pd.DataFrame:
    """Return the outputs of each network of a group on a grid over the training data.

    Args:
        dataset: Data whose examples are two features; the grid goes a tenth of their range beyond them, with 60
            points a side.
        networks: The networks.
        weights: Their weights, by the variables' paths.

    Returns:
        A row a network, point and output: the networks' keys, then `x_1, x_2, output, value`. The coordinates are in
        the units of the data before they were standardized, where the data set knows them. `output` is a class, and
        `value` its probability; in a regression, `value_1, value_2, ...` and the value.
    """
    x = grid(dataset.x_train)
    shown = in_given_units(dataset, x)
    outputs = list(dataset.classes) or [f"value_{number + 1}" for number in range(dataset.outputs)]
    tables, models = [], dict[tuple[Any, ...], keras.Model]()
    for network, values in zip(networks, weights, strict=True):
        if network.variant not in models:
            models[network.variant] = network.build()
        model = models[network.variant]
        model.set_weights([values[path] for path in paths(model)])
        value = keras.ops.convert_to_numpy(model(x, training=False))  # (points, outputs)
        table = pd.DataFrame(
            {
                "x_1": np.repeat(shown[:, 0], len(outputs)),
                "x_2": np.repeat(shown[:, 1], len(outputs)),
                "output": np.tile(outputs, len(x)),
                "value": value.ravel(),
            }
        )
        tables.append(with_keys(table, network.keys))
    return pd.concat(tables, ignore_index=True)


def grid(x: np.ndarray) -> np.ndarray:
    """Return the points of a grid over examples `(examples, 2)`, `(60 * 60, 2)`, the second feature varying fastest."""
    low, high = x.min(axis=0), x.max(axis=0)
    margin = _MARGIN * (high - low)
    sides = [np.linspace(low[axis] - margin[axis], high[axis] + margin[axis], POINTS) for axis in (0, 1)]
    return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2).astype("float32")
