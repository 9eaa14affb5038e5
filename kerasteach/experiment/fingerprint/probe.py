"""Probe of a network: numbers that depend on what it computes, learns and starts from, and on no name of its parts.

A probe is taken of a few examples, on the CPU, and kept in `run.json`. Two probes of the same network differ by the
rounding of their processors at most; another function, other initial weights or another rule differ by more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasteach.datasets import Dataset
from kerasteach.experiment.initial_weights import float32
from kerasteach.experiment.training import loss_for
from kerasteach.keras_internals import sublayers

EXAMPLES = 4
_ENTRIES = 2**18  # of a tensor, evenly spread, that are looked at


def network_probe(network: keras.Model, dataset: Dataset) -> dict[str, str]:
    """Take one training step of a network by plain gradient descent, and return what comes out.

    Args:
        network: The network, with initial weights, which the step changes.
        dataset: Whose first training examples it sees; inputs that are no whole numbers also ten times as large, for
            functions that differ far from 0 alone.

    Returns:
        A digest of the variables' paths, shapes and roles as `variables`; one of the layers' decimal numbers, such as
        a rate of dropout, as `settings`; and for `weights`, `outputs`, `gradients` and the variables after the step as
        `trained`, two numbers a tensor: its norm, and its product with a fixed vector.
    """
    x, y = dataset.x_train[:EXAMPLES], dataset.y_train[:EXAMPLES]
    larger = x if np.array_equal(x, np.round(x)) else 10 * x
    with float32(), tf.device("/CPU:0"):
        weights = _numbers(network.variables)
        outputs = _numbers(network(inputs, training=False) for inputs in (x, larger))
        with tf.GradientTape() as tape:
            loss = tf.add_n([loss_for(dataset)(y, network(x, training=True)), *network.losses])
        gradients = tape.gradient(loss, network.trainable_variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        keras.optimizers.SGD(0.1).apply(gradients, network.trainable_variables)
        return {
            "variables": _variables(network),
            "settings": _settings(network),
            "weights": weights,
            "outputs": outputs,
            "gradients": _numbers(gradients),
            "trained": _numbers(network.variables),
        }


def activation_probe(function: Callable[[Any], Any]) -> dict[str, str]:
    """Return what a function and its derivative are between -10 and 10, denser near 0, and from there to 1000."""
    near, far = np.sinh(np.linspace(-3, 3, 61)), np.geomspace(10, 1000, 30)
    return {"activation": _numbers([values for x in (near, far, -far) for values in _with_derivative(function, x)])}


def _with_derivative(function: Callable[[Any], Any], points: np.ndarray) -> tuple[Any, Any]:
    x = tf.constant(points[None], "float32")
    with tf.device("/CPU:0"), tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        weighted = tf.reduce_sum(tf.convert_to_tensor(y) * tf.cast(_fixed(points.size)[None], "float32"))
    return y, tape.gradient(weighted, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def optimizer_probe(optimizer: keras.optimizers.Optimizer) -> dict[str, str]:
    """Return the values of a matrix after each of a few steps of an optimizer, the last ones late in a schedule."""
    with float32(), tf.device("/CPU:0"):
        variable = keras.Variable(_fixed(12).reshape(4, 3), dtype="float32", name="kernel")
        reached = []
        for number, step in enumerate((0, 1, 2, 30, 1000)):
            if step > 2:
                optimizer.iterations.assign(step)
            gradient = tf.constant(0.5 + _fixed(12 + number)[number:].reshape(4, 3) ** 2, "float32")
            optimizer.apply([gradient], [variable])
            reached.append(variable.numpy())
        return {"optimizer": _numbers(reached)}


def _numbers(tensors: Iterable[Any]) -> str:
    """Return norm and projection of each tensor as text, with as many digits as float32 has."""
    found = []
    for tensor in tensors:
        array = np.asarray(tensor if isinstance(tensor, keras.Variable) else tf.convert_to_tensor(tensor)).ravel()
        entries = array[:: 1 + array.size // _ENTRIES].astype("float64")
        with np.errstate(all="ignore"):  # of a network whose numbers overflow
            found += [np.linalg.norm(entries), entries @ _fixed(entries.size) / max(1.0, np.sqrt(entries.size))]
    return " ".join(f"{number:.7g}" for number in found)


def _fixed(size: int) -> np.ndarray:
    """Return numbers between -1 and 1 without a pattern that a network could share."""
    return np.cos(1.0 + np.arange(size) ** 1.5)


def _variables(network: keras.Model) -> str:
    """Return a digest of the variables' paths and shapes, and of which are trained."""
    facts = [(variable.path, list(variable.shape), variable.trainable) for variable in network.variables]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _settings(network: keras.Model) -> str:
    """Return a digest of the decimal numbers in the layers' configurations, a small change of which may not show."""
    facts = [list(_decimals(layer)) for layer in sublayers(network)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _decimals(layer: keras.layers.Layer) -> Iterator[tuple[str, float]]:
    try:
        waiting = [("", layer.get_config())]
    except Exception:  # a layer of one's own need not have a configuration
        return
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, float):
            yield name, value
        elif isinstance(value, Mapping):
            waiting += [(str(key), inner) for key, inner in value.items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(name, inner) for inner in value]
