"""Builders of the caller's own networks: checked before anything is trained."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import keras
import numpy as np

from kerasteach.datasets import Dataset
from kerasteach.experiment.initial_weights import fair_network

Builder: TypeAlias = Callable[..., keras.Model]


def checked_builders(models: Any) -> dict[str, Builder] | None:
    """Return the builders by their names, `None` where there are none, or raise ValueError or TypeError."""
    if models is None:
        return None
    if not isinstance(models, Mapping) or not models:
        raise ValueError(
            f'`models` must name functions that build a network, as in {{"mine": build}}. Received: models={models!r}.'
        )
    for name, build in models.items():
        if isinstance(build, keras.Model) or not callable(build):
            raise TypeError(
                f"`models` must hold functions that build a network, so that each seed has a new one: "
                f"def build(): return keras.Sequential([...]). Received: {type(build).__name__} for {name!r}."
            )
    return {str(name): build for name, build in models.items()}


def check_parameters(name: str, build: Builder, varied: Mapping[str, Any]) -> None:
    """Raise ValueError unless a builder takes what varies of the architecture, and needs nothing else."""
    try:
        inspect.signature(build).bind(**varied)
    except TypeError as error:
        raise ValueError(
            "A builder must take what varies of the network by name, and nothing else without a default, as in "
            f"def build(activation). Received: models[{name!r}], for {', '.join(varied) or 'no argument'}: {error}."
        ) from None


def builds(build: Builder, settings: Mapping[str, Any], example: np.ndarray, seed: int) -> Callable[[], keras.Model]:
    """Return a function, which can be pickled if the builder can, that builds the network of one seed."""
    return partial(fair_network, partial(build, **settings), example, seed)


def check_network(name: str, make: Callable[[], keras.Model], dataset: Dataset) -> keras.Model:
    """Build a network once and return it, or raise ValueError where it does not fit the comparison or the data."""
    received = f"Received: models[{name!r}]"
    try:
        network = make()
    except Exception as error:
        error.add_note(f"This happened when models[{name!r}] was built and called on {dataset.inputs} a first time.")
        raise
    if not isinstance(network, keras.Model):
        raise ValueError(f"A builder must return a Keras model. {received} returns {type(network).__name__}.")
    if network.compiled:
        raise ValueError(
            "A builder must return a model that is not compiled: loss, metrics and optimizer are the comparison's, the "
            f"same for all. {received} calls compile()."
        )
    outputs = keras.ops.convert_to_numpy(network(dataset.x_train[:8]))
    if outputs.shape[1:] != (dataset.outputs,):
        kind = f"{dataset.outputs} classes" if dataset.classes else f"{dataset.outputs} values"
        raise ValueError(f"The data have {kind}: the last layer needs so many units. {received} gives {outputs.shape}.")
    if dataset.classes and not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
        raise ValueError(f'A classifier must end in probabilities: activation="softmax". {received} does not.')
    return network
