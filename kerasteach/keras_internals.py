"""Private names of Keras, each behind a function, and what differs between its versions.

A Keras that renames one fails in `tests/test_keras_internals.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import keras
from keras.src.backend.common import global_state

_LAYER_NAMES, _SEED_GENERATOR = "object_name_uids", "global_seed_generator"


def loss_metric(model: keras.Model) -> keras.metrics.Metric | None:
    """Return the metric that a compiled model averages its loss with; `None` where there is none."""
    return getattr(model, "_loss_tracker", None)


def replace_loss_metric(model: keras.Model, metric: keras.metrics.Metric) -> None:
    """Have a compiled model average its loss with another metric, which it does not track."""
    object.__setattr__(model, "_loss_tracker", metric)


def updated_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return the variables that a built optimizer updates; none before it is built."""
    return list(optimizer._trainable_variables)


def carry(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> None:
    """Add a variable to an optimizer's own, which the compiled step carries."""
    optimizer._track_variable(variable)


def drop(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> None:
    """Take a variable out of an optimizer's own."""
    optimizer._untrack_variable(variable)


@contextmanager
def without_variables(optimizer: keras.optimizers.Optimizer, variables: Iterable[keras.Variable]) -> Iterator[None]:
    """Leave some variables out of an optimizer's own while the block runs."""
    attributes = vars(optimizer)  # past Keras's tracking of what is set
    everything, left_out = attributes["_variables"], {id(variable) for variable in variables}
    attributes["_variables"] = [variable for variable in everything if id(variable) not in left_out]
    try:
        yield
    finally:
        attributes["_variables"] = everything


def copy_weight_decay_exclusions(optimizer: keras.optimizers.Optimizer, copy: keras.optimizers.Optimizer) -> None:
    """Exclude from a copy's weight decay what is excluded from the optimizer's; its config leaves that out."""
    for name, value in vars(optimizer).items():
        if name.startswith("_exclude_from_weight_decay"):
            setattr(copy, name, value)


def sublayers(layer: keras.layers.Layer, recursive: bool = True) -> list[keras.layers.Layer]:
    """Return the layers inside a layer, or only those that it holds itself."""
    return list(layer._flatten_layers(include_self=False, recursive=recursive))


def made_by(tensor: keras.KerasTensor) -> tuple[Any, keras.KerasTensor]:
    """Return the operation of a model that a symbolic tensor comes from, and the first input of that call."""
    operation, call, _ = tensor._keras_history
    return operation, operation._inbound_nodes[call].input_tensors[0]


def positions(edges: Any, entries: Any) -> Any:
    """Return where entries stand among increasing edges, right of an equal one: `keras.ops.searchsorted`.

    Before Keras 3.12 that fails on TensorFlow in a compiled step, where it asks for the `len` of a symbolic tensor.
    """
    if keras.backend.backend() != "tensorflow":
        return keras.ops.searchsorted(edges, entries, side="right")
    import tensorflow as tf

    return tf.searchsorted(edges, entries, side="right")


def fresh_layer_names() -> AbstractContextManager[None]:
    """Count the layers of each kind from the start while the block runs: the first Dense is called `dense`."""
    return _without(_LAYER_NAMES)


def without_seed_generator() -> AbstractContextManager[None]:
    """Hide the generator of random numbers that have no seed while the block runs.

    Keras makes it with the first such number. One that is made while a function is traced never gets a value, and
    breaks every later random number of the process; so what the block makes is dropped.
    """
    return _without(_SEED_GENERATOR)


@contextmanager
def _without(attribute: str) -> Iterator[None]:
    """Hide an attribute of Keras's global state while the block runs."""
    value = global_state.get_global_attribute(attribute)
    global_state.set_global_attribute(attribute, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(attribute, value)
