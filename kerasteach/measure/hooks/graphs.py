"""Scope of tensors in a training step that is being traced: whether one can be used at the end of the step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import keras

Tensor = Any
Function = TypeVar("Function", bound=Callable[..., Any])


def as_written(function: Function) -> Function:
    """Return a function whose source TensorFlow does not rewrite in a `tf.function` that calls it.

    Rewriting what a listener computes takes seconds in each training function of one's own. `fit` does not do it.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    unchanged: Function = tf.autograph.experimental.do_not_convert(function)
    return unchanged


def outside() -> AbstractContextManager[None]:
    """Return a context in which nothing is traced, whatever is being traced around it."""
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    return tf.init_scope()


def is_here(tensor: Tensor) -> bool:
    """Say whether a tensor can be used where the step is being traced.

    On TensorFlow one from inside a loop, a branch, or a `tf.function` of its own cannot.
    """
    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    return _graph(tensor) is (None if tf.executing_eagerly() else tf.compat.v1.get_default_graph())


def is_inside(tensor: Tensor) -> bool:
    """Say whether a tensor belongs to a loop, branch or function inside the step that is being traced.

    Keras builds a model in a graph of its own, and a function that is called there belongs to that one, which nobody
    keeps: TensorFlow refers to it weakly, and may have collected it by the end of the step.
    """
    import tensorflow as tf

    graph, here = _graph(tensor), tf.compat.v1.get_default_graph()
    if tf.executing_eagerly():
        return graph is not None
    while graph is not None and graph is not here:
        around = getattr(graph, "_weak_outer_graph", None)
        if around is not None and around() is None:
            return True
        graph = getattr(graph, "outer_graph", None)
    return graph is here


def after_reading(tensor: Tensor) -> Tensor:
    """Return a tensor that is there once all that reads it so far has been computed; on TensorFlow.

    Nobody else needs its memory then, and an optimizer that multiplies it by the learning rate writes the product there
    instead of into memory of its own.
    """
    import tensorflow as tf

    with tf.control_dependencies(list(_readers(tensor))):
        return tf.identity(tensor)


def _readers(tensor: Tensor) -> Iterator[Any]:
    """Yield the operations that read a tensor's memory, also where it has another shape."""
    for operation in tensor.consumers():
        yield operation
        if operation.type in ("Reshape", "Identity"):
            yield from _readers(operation.outputs[0])


def _graph(tensor: Tensor) -> Any:
    """Return the TensorFlow graph that a tensor belongs to; `None` for numbers."""
    return getattr(tensor, "graph", None) if type(tensor).__name__ == "SymbolicTensor" else None
