"""Forward pass and backpropagation through a chain of layers, written out as the course writes them.

The error E is that of the whole batch. Its derivatives go from layer to layer, from the output back:

    dE/da = what the loss says at the output; elsewhere, from the layer after it, dE/dz W^T
    dE/dz = dE/da * f'(z)
    dE/dW = x^T dE/dz
    dE/db = dE/dz, summed over the examples
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    for link, own in zip(links, weights, strict=True):
        z = ops.matmul(x, own["W"]) if "W" in own else x
        if "b" in own:
            z = ops.add(z, own["b"])
        a = link.nonlinearity.function(z)
        outputs.append((x, z, a))
        x = a
    return outputs


def backward(
    links: Sequence[Link], weights: Sequence[Values], outputs: Sequence[Output], error: BatchError
) -> list[Signal]:
    """Return dE/da and dE/dz of each layer, each `(batch, units)`; found from the last layer to the first."""
    signals: list[Signal] = []
    signal, delta = error.signal, error.fused
    for link, own, (_, z, _) in zip(reversed(links), reversed(weights), reversed(outputs), strict=True):
        if delta is None:
            delta = link.nonlinearity.back(z, signal)
        signals.append((signal, delta))
        signal = ops.matmul(delta, ops.transpose(own["W"])) if "W" in own else delta
        delta = None
    return signals[::-1]


def gradients(weights: Sequence[Values], outputs: Sequence[Output], signals: Sequence[Signal]) -> list[Values]:
    """Return dE/dW and dE/db of each layer, by the letters W and b, summed over the examples of the batch."""
    found: list[Values] = []
    for own, (x, _, _), (_, delta) in zip(weights, outputs, signals, strict=True):
        both = {"W": ops.matmul(ops.transpose(x), delta), "b": ops.sum(delta, axis=0)}
        found.append({letter: both[letter] for letter in own})
    return found


def penalties(link: Link, own: Values, trained: Iterable[keras.Variable]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what regularizers add to E for one layer, and to dE/dW and dE/db, by the letters W and b.

    Keras counts the trained variables only.
    """
    tf = require_tensorflow()
    ids = {id(variable) for variable in trained}
    found = {}
    for letter, variable in link.variables.items():
        if variable.regularizer is None or id(variable) not in ids:
            continue
        with tf.GradientTape() as tape:
            tape.watch(own[letter])
            value = variable.regularizer(own[letter])
        found[letter] = value, tape.gradient(value, own[letter], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return found
