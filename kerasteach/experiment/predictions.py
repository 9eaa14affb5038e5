"""Outputs of trained networks: on a grid over the data, and of the test examples as a confusion of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasteach.datasets import Dataset
from kerasteach.datasets.dataset import in_given_units
from kerasteach.experiment.networks import Network, paths
from kerasteach.tables.captures import with_keys
from kerasteach.tables.predictions import confusion_table, grid, predictions_table, value_names

Call = Callable[[Any], Any]

_AT_ONCE = 1024  # examples


def predictions(
    dataset: Dataset,
    networks: Sequence[Network],
    weights: Sequence[Mapping[str, np.ndarray]],
    models: Mapping[tuple[Any, ...], keras.Model],
) -> dict[str, pd.DataFrame]:
    """Return what each network of a group gives out after its training.

    Args:
        dataset: What the networks were trained and tested on.
        networks: The networks.
        weights: Their weights, by the variables' paths.
        models: A model of each variant, whose weights are changed.

    Returns:
        `predictions`, for data with two features, and a regression on one: a row a network, point of a grid and output,
        with the networks' keys, then `x_1, x_2, output, value`. The grid goes a tenth of the training data's range
        beyond them.
        The coordinates are in the units of the data before they were standardized, where the data set knows them.
        `output` is a class, and `value` its probability; in a regression, `value_1, value_2, ...` and the value.

        `confusion`, where classes are predicted: a row a network and pair of classes that occurs in the test part, with
        the networks' keys, then `true, predicted, count`.
    """
    drawn = dataset.inputs == (2,) or (dataset.inputs == (1,) and not dataset.classes)
    points = grid(dataset.x_train) if drawn else None
    outputs = list(dataset.classes) or value_names(dataset.outputs)
    tables: dict[str, list[pd.DataFrame]] = {}
    for network, call in _trained(networks, weights, models):
        if points is not None:
            shown = in_given_units(dataset, points)
            table = predictions_table(shown, outputs, _outputs(call, points))
            tables.setdefault("predictions", []).append(with_keys(table, network.keys))
        if dataset.classes:
            classes = _outputs(call, dataset.x_test).argmax(axis=-1)
            table = confusion_table(dataset.y_test, classes, dataset.classes)
            tables.setdefault("confusion", []).append(with_keys(table, network.keys))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def _trained(
    networks: Sequence[Network],
    weights: Sequence[Mapping[str, np.ndarray]],
    models: Mapping[tuple[Any, ...], keras.Model],
) -> Iterator[tuple[Network, Call]]:
    """Yield each network with its call; those of one variant share a model, and a call that is compiled once."""
    calls = {variant: _compiled(model) for variant, model in models.items()}
    for network, values in zip(networks, weights, strict=True):
        model = models[network.variant]
        model.set_weights([values[path] for path in paths(model)])
        yield network, calls[network.variant]


def _compiled(model: keras.Model) -> Call:
    """Return a function that calls a model."""
    return tf.function(lambda x: model(x, training=False), reduce_retracing=True, autograph=False)


def _outputs(call: Call, x: np.ndarray) -> np.ndarray:
    """Return a model's outputs, `(examples, outputs)`."""
    starts = range(0, len(x), _AT_ONCE)
    return np.concatenate([call(tf.constant(x[start : start + _AT_ONCE])).numpy() for start in starts])
