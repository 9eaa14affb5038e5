"""Forward pass of many copies of dense networks: a layer of all copies, of all variants, in one product of matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from types import FunctionType
from typing import Any

import keras
import tensorflow as tf

from kerasteach import layers
from kerasteach.activations import Activation

Tensor = Any

_DENSE = (keras.layers.Dense, layers.Dense)
_KNOWN = ("keras.", "kerasteach.")  # whose functions work entry by entry, or along the last axis


def is_chain(network: keras.Model) -> bool:
    """Say whether a network is a chain of dense layers, whose activations do not mix examples.

    Functions of the caller's own may do anything with the axis of the examples, which here is not the first.
    """
    if type(network) is not keras.Sequential or len(network.input_shape) != 2:
        return False
    return all(type(layer) in _DENSE and _is_plain(layer) for layer in network.layers)


def _is_plain(layer: keras.layers.Dense) -> bool:
    """Say whether a layer is `activation(x W + b)`, with weights that are trained, and nothing more."""
    function, variables = layer.activation, [layer.kernel, layer.bias] if layer.use_bias else [layer.kernel]
    known = isinstance(function, FunctionType) and function.__module__.startswith(_KNOWN)
    penalties = (layer.kernel_regularizer, layer.bias_regularizer, layer.activity_regularizer)
    own = len(layer.variables) == len(layer.trainable_variables) == len(variables)  # no LoRA, no quantization
    return known and own and not any(penalties)


class DenseCopies:
    """Copies of chains of dense layers, whose variants differ in their activations.

    Args:
        networks: The network of each variant. Their own variables are neither read nor written.
        copies: How many copies of each there are.

    Attributes:
        networks: The networks.
        copies: How many copies there are in all.
    """

    def __init__(self, networks: Sequence[keras.Model], copies: Sequence[int]) -> None:
        self.networks, self.copies = list(networks), sum(copies)
        self._layers = [*zip(*(network.layers for network in networks), strict=True)]
        self._counts = list(copies)

    def __call__(
        self,
        weights: Sequence[Tensor],
        state: Sequence[Tensor],
        x: Tensor,
        y: Tensor,
        measures: Sequence[Callable[[Tensor, Tensor], Tensor]],
        training: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return loss and metrics of the copies on a batch, and no state; arguments are those of `ManyCopies`."""
        rest, values = iter(weights), x
        for layer in self._layers:
            values = tf.matmul(values, next(rest))  # (copies, batch, units)
            if layer[0].use_bias:
                values += next(rest)[:, tf.newaxis]
            if layer is not self._layers[-1]:
                values = _joined([function(part) for function, part in self._by_function(layer, values)])
        targets = y if training else tf.broadcast_to(y, tf.concat([[self.copies], tf.shape(y)], axis=0))
        parts = self._by_function(self._layers[-1], values, targets)
        numbers = [_measured(function, z, own, measures) for function, z, own in parts]
        return tf.transpose(_joined(numbers)), []

    def _by_function(self, layer: Sequence[keras.layers.Dense], *stacks: Tensor) -> Iterator[tuple[Any, ...]]:
        """Yield each activation of a layer, once for neighboring variants that share it, with the copies' entries."""
        runs = [
            (function, sum(count for _, count in run))
            for function, run in groupby(
                zip((one.activation for one in layer), self._counts, strict=True), key=lambda pair: pair[0]
            )
        ]
        parts = [tf.split(stack, [count for _, count in runs]) if len(runs) > 1 else [stack] for stack in stacks]
        for (function, _), *entries in zip(runs, *parts, strict=True):
            yield function, *entries


def _measured(
    function: Activation, z: Tensor, y: Tensor, measures: Sequence[Callable[[Tensor, Tensor], Tensor]]
) -> Tensor:
    """Return the measures of each copy, `(copies, measures)`, out of the last layer's pre-activation."""

    def one_copy(own: tuple[Tensor, Tensor]) -> Tensor:
        outputs = function(own[0])  # in here, where Keras finds the softmax before the loss, and takes the logits
        return tf.stack([measure(own[1], outputs) for measure in measures])

    return tf.vectorized_map(one_copy, (z, y), fallback_to_while_loop=False)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=0)
