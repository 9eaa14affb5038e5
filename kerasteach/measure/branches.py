"""Branches of a training step: choices, and functions, that are one operation each in TensorFlow's graph."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import keras
from keras import ops

Tensor = Any


def choose(condition: Tensor, usual: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """Return what one of two functions returns; the other one is not computed.

    TensorFlow takes `tf.cond` apart by default. Then every tensor that a branch reads goes through an operation of its
    own, and all operations of the graph, the model's too, are scheduled in a slower way. Here the choice stays one
    operation, whose branches are graphs of their own. Where there is a second device, such as a GPU, it is taken apart,
    because TensorFlow runs such an operation, and reads its variables, on one device only.

    Args:
        condition: `()`, a boolean tensor.
        usual: Called where the condition is true; without arguments.
        other: Called where it is false. Returns tensors of the same shapes and dtypes.
    """
    chosen = ops.cond(condition, usual, other)
    if keras.backend.backend() == "tensorflow":
        _keep_whole(chosen)
    return chosen


def outlined(function: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """Call a function as one operation of the graph, so that its own are not scheduled among the others."""
    if keras.backend.backend() != "tensorflow":
        return function(*arguments)
    import tensorflow as tf

    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})(*arguments)


def _keep_whole(chosen: Any) -> None:
    """Have TensorFlow keep the operation that these tensors come from as it is, unless there are several devices."""
    import tensorflow as tf

    tensors = tf.nest.flatten(chosen)  # none where nothing is chosen, as of a layer without a gradient
    if not tensors or not tf.is_symbolic_tensor(tensors[0]) or len(tf.config.list_logical_devices()) > 1:
        return
    operation = tensors[0].op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    if operation.type in ("If", "StatelessIf"):
        with suppress(AttributeError):  # a private name of TensorFlow's: without it the step takes a little longer
            operation._set_attr("_lower_using_switch_merge", tf.compat.v1.AttrValue(b=False))
