"""Forward pass and backpropagation through a chain of layers, as the course writes them.

The error E is that of the whole batch. Its derivatives go from layer to layer, from the output back:

    dE/da = the derivative of the loss at the output; elsewhere dE/dz W^T of the next layer
    dE/dz = dE/da * f'(z)
    dE/dW = x^T dE/dz
    dE/db = dE/dz, summed over the examples
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import keras
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.backprop.batch_error import BatchError
from kerasteach.lessons.backprop.layer_chain import Link

Values: TypeAlias = dict[str, Tensor]  # of one layer, by the letters W and b
Output: TypeAlias = tuple[Tensor, Tensor, Tensor]  # x, z and a of one layer
Signal: TypeAlias = tuple[Tensor, Tensor]  # dE/da and dE/dz of one layer


def forward(links: Sequence[Link], weights: Sequence[Values], x: Tensor) -> list[Output]:
    """Return x, z and a of each layer, each `(batch, units)`: `z = x W + b`, `a = f(z)`."""
    outputs: list[Output] = []
    for link, values in zip(links, weights, strict=True):
        z = ops.matmul(x, values["W"]) if "W" in values else x
        if "b" in values:
            z = ops.add(z, values["b"])
        a = link.nonlinearity.function(z)
        outputs.append((x, z, a))
        x = a
    return outputs


def backward(
    links: Sequence[Link], weights: Sequence[Values], outputs: Sequence[Output], error: BatchError
) -> list[Signal]:
    """Return dE/da and dE/dz of each layer, each `(batch, units)`, from the last layer to the first."""
    signals: list[Signal] = []
    signal, delta = error.signal, error.fused
    for link, values, (_, z, _) in zip(reversed(links), reversed(weights), reversed(outputs), strict=True):
        if delta is None:
            delta = link.nonlinearity.back(z, signal)
        signals.append((signal, delta))
        signal = ops.matmul(delta, ops.transpose(values["W"])) if "W" in values else delta
        delta = None
    return signals[::-1]


def gradients(weights: Sequence[Values], outputs: Sequence[Output], signals: Sequence[Signal]) -> list[Values]:
    """Return dE/dW and dE/db of each layer, by the letters W and b, summed over the examples of the batch."""
    rules: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "W": lambda x, delta: ops.matmul(ops.transpose(x), delta),
        "b": lambda _, delta: ops.sum(delta, axis=0),
    }
    return [
        {letter: rules[letter](x, delta) for letter in values}
        for values, (x, _, _), (_, delta) in zip(weights, outputs, signals, strict=True)
    ]


def penalties(link: Link, values: Values, trained: Iterable[keras.Variable]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what regularizers of trained variables add to E, and to dE/dW and dE/db, by the letters W and b."""
    tf = require_tensorflow()
    ids = {id(variable) for variable in trained}
    added = {}
    for letter, variable in link.variables.items():
        if variable.regularizer is None or id(variable) not in ids:
            continue
        with tf.GradientTape() as tape:
            tape.watch(values[letter])
            penalty = variable.regularizer(values[letter])
        zero = tf.UnconnectedGradients.ZERO
        added[letter] = penalty, tape.gradient(penalty, values[letter], unconnected_gradients=zero)
    return added
