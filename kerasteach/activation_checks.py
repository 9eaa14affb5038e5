"""Check of a hidden layer's activation: it is applied to a symbolic input, before training."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

import keras
import numpy as np

from kerasteach import activations
from kerasteach.validation import received, shown

_UNITS = 8  # of the symbolic input


def check_activation(name: str, activation: Any) -> None:
    """Raise an error unless every hidden layer of several networks can have this activation.

    Args:
        name: Its name in the comparison.
        activation: As `kerasteach.activations.get` takes it.

    Raises:
        ValueError: If the name is unknown; if a layer has weights, which all would share; if a function does not
            return a value for each that it receives, or fails on a tensor.
        TypeError: If it is a class, a function of NumPy's, or no function at all.

    Example:
        >>> from kerasteach.activation_checks import check_activation
        >>> check_activation("mine", "gelu")
    """
    try:
        function = activations.get(activation)
    except TypeError as error:
        if not isinstance(activation, type | np.ufunc):
            raise
        advice = ", and a layer with weights is for `models=`" if isinstance(activation, type) else ""
        raise TypeError(f"{error} That is the activation {name!r}{advice}.") from None
    if isinstance(activation, str) or activations.name_of(function) is not None:
        return
    if isinstance(function, keras.layers.Layer):
        check_layer(name, function)
    else:
        _try(name, function)


def check_layer(name: str, layer: keras.layers.Layer) -> None:
    """Raise ValueError if a layer has weights, or a random state, which several layers and networks would share."""
    with suppress(Exception):  # a layer that cannot be copied is tried itself
        layer = deepcopy(layer)
    _try(name, layer)
    if layer.variables:
        raise ValueError(
            f"`activations` must be without weights. A {type(layer).__name__} has variables of its own, which all "
            "layers and networks would share; with `models=`, a builder makes one for each layer: "
            f"keras.Sequential([keras.layers.Dense(8), keras.layers.{type(layer).__name__}(), ...]). "
            f"Received: {name}={shown(layer)}."
        )


def _try(name: str, function: activations.Activation) -> None:
    trial = _Trial(function)
    try:
        output = trial(keras.KerasTensor((None, _UNITS)))
    except Exception as error:
        raise ValueError(
            "`activations` must be functions of tensors, written with keras.ops or TensorFlow, and without Python's "
            f"`if` about values (keras.ops.where). {received(name, function)} It fails: {trial.failure or error}"
        ) from error
    if tuple(getattr(output, "shape", ())) != (None, _UNITS):
        raise ValueError(
            "`activations` must return a value for each value that they receive. "
            f"{received(name, function)} It makes {shown(output)} of (None, {_UNITS})."
        )


class _Trial(keras.layers.Layer):
    """A layer that applies a function, so that Keras traces it as in training, on any backend."""

    def __init__(self, function: activations.Activation) -> None:
        super().__init__(name="trial")
        self.function = function
        self.failure = ""

    def call(self, inputs: Any) -> Any:
        try:
            return self.function(inputs)
        except Exception as error:  # without the text that Keras adds to it
            self.failure = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
            raise
