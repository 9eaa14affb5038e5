"""The nonlinearity of a layer: how a comes from z, and how dE/dz comes from dE/da."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import ops

from kerasteach import activations, layers
from kerasteach.activations import Activation, Tensor
from kerasteach.activations.autodiff import pull_back
from kerasteach.activations.lookup import called

_LEAKY = {activations.leaky_relu: 0.01, keras.activations.leaky_relu: 0.2}
_BY_LAYER: dict[type, str] = {
    layers.BinaryStep: "binary_step",
    layers.Linear: "linear",
    layers.Sigmoid: "sigmoid",
    layers.Tanh: "tanh",
    layers.ReLU: "relu",
    layers.GradientProbe: "linear",
    keras.layers.Identity: "linear",
}


@dataclass(frozen=True)
class Nonlinearity:
    """An activation function, and its derivative where it is one of the course's.

    Attributes:
        name: Its name in `kerasteach.activations`, or the function's own.
        function: Maps z to a.
        derivative: Maps z to da/dz; `None` for a function that is not one of the course's.
        negative_slope: What leaky ReLU multiplies negative z by; 0 for the others.
    """

    name: str
    function: Activation
    derivative: Activation | None = None
    negative_slope: float = 0.0

    def back(self, z: Tensor, error: Tensor) -> Tensor:
        """Return dE/dz.

        One output depends on its own z alone: `dE/dz = dE/da * da/dz`. Softmax's outputs depend on all z of the
        example: `dE/dz_i = sum_j dE/da_j * da_j/dz_i`. Functions that are not of the course's are differentiated
        automatically.

        Args:
            z: The pre-activation, `(batch, units)`.
            error: dE/da, `(batch, units)`.
        """
        if self.derivative is None:
            return pull_back(self.function, z, error)
        slope = self.derivative(z)
        if self.name != "softmax":
            return error * slope
        return ops.squeeze(ops.matmul(ops.expand_dims(error, 1), slope), 1)  # slope is (batch, units, units)


def of_function(function: Any) -> Nonlinearity | None:
    """Return the nonlinearity of an activation function, or of a layer in its place; `None` if that is another kind."""
    if isinstance(function, keras.layers.Layer):
        return of_layer(function)
    for leaky, slope in _LEAKY.items():
        if function is leaky:
            return _leaky(slope)
    name = activations.name_of(function)
    if name is not None and name in activations.names():
        return _named(name)
    return Nonlinearity(str(name or called(function)), function)


def of_layer(layer: keras.layers.Layer) -> Nonlinearity | None:
    """Return the nonlinearity of an activation layer, or `None` where the layer is another kind."""
    kind = type(layer)
    if kind in _BY_LAYER:
        return _named(_BY_LAYER[kind])
    if kind is keras.layers.Activation:
        return of_function(layer.activation)
    if kind in (keras.layers.LeakyReLU, layers.LeakyReLU):
        return _leaky(layer.negative_slope)
    if kind is keras.layers.ReLU:
        if layer.max_value is not None or layer.threshold:
            return Nonlinearity("relu of this layer", layer)
        return _leaky(layer.negative_slope) if layer.negative_slope else _named("relu")
    if kind in (keras.layers.Softmax, layers.Softmax) and layer.axis in (-1, 1):
        return _named("softmax")
    return Nonlinearity("elu", layer) if kind is keras.layers.ELU else None


def _named(name: str) -> Nonlinearity:
    return Nonlinearity(name, activations.get(name), activations.derivative(name))


def _leaky(slope: float) -> Nonlinearity:
    function = partial(activations.leaky_relu, negative_slope=slope)
    derivative = partial(activations.derivative("leaky_relu"), negative_slope=slope)
    return Nonlinearity("leaky_relu", function, derivative, float(slope))
