"""Builders of a variant's network, of dense layers or the caller's own: each checked, and tried once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from kerasteach.datasets import Dataset
from kerasteach.experiment.arguments import HIDDEN, INITIALIZER, checked_hidden
from kerasteach.experiment.initial_weights import fair_network, float32
from kerasteach.models import mlp
from kerasteach.validation import add_note
from kerasteach.variables import restored

Builder: TypeAlias = Callable[..., keras.Model]


def checked_builders(models: Any, hidden: Sequence[int], initializer: Any) -> dict[str, Builder] | None:
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
    if tuple(hidden) != HIDDEN or initializer != INITIALIZER:
        raise ValueError(
            "`hidden` and `initializer` are for networks without `models`: a builder lays its own layers. "
            f"Received: hidden={tuple(hidden)}, initializer={initializer!r}."
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


def own_builder(name: str, build: Builder, given: Mapping[str, Any], dataset: Dataset) -> Builder:
    """Return a builder of the caller's as a function of the seed, which can be pickled if the builder can."""
    check_parameters(name, build, given)
    return partial(fair_network, partial(build, **given), dataset.x_train[:2])


def dense_builder(settings: Mapping[str, Any], dataset: Dataset) -> Builder:
    """Return the builder of a network of dense layers, as a function of the seed."""
    return partial(
        mlp,
        settings["activation"],
        checked_hidden(settings["hidden"], settings.get("depth"), settings.get("width")),
        inputs=dataset.inputs[0],
        outputs=dataset.outputs,
        output_activation="softmax" if dataset.classes else None,
        initializer=settings["initializer"],
        dtype="float32",
    )


def built(build: Builder, seed: int) -> keras.Model:
    """Build a network to look at, on the CPU; as for the training, in float32."""
    with float32(), tf.device("/CPU:0"):
        return build(seed=seed)


def own_prototype(name: str, build: Builder, seed: int, dataset: Dataset) -> keras.Model:
    """Build a network of the caller's once, or raise ValueError where it does not fit the comparison or the data."""
    received = f"Received: models[{name!r}]"
    try:
        network = built(build, seed)
    except Exception as error:
        add_note(error, f"This happened when models[{name!r}] was built and called on {dataset.inputs} a first time.")
        raise
    if not isinstance(network, keras.Model):
        raise ValueError(f"A builder must return a Keras model. {received} returns {type(network).__name__}.")
    if network.compiled:
        raise ValueError(
            "A builder must return a model that is not compiled: loss, metrics and optimizer are the comparison's, the "
            f"same for all. {received} calls compile()."
        )
    with restored(network.variables):  # a call may change a layer's state
        outputs = keras.ops.convert_to_numpy(network(dataset.x_train[:8]))
    if outputs.shape[1:] != (dataset.outputs,):
        kind = f"{dataset.outputs} classes" if dataset.classes else f"{dataset.outputs} values"
        raise ValueError(f"The data have {kind}: the last layer needs so many units. {received} gives {outputs.shape}.")
    if dataset.classes and not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
        raise ValueError(f'A classifier must end in probabilities: activation="softmax". {received} does not.')
    return network
