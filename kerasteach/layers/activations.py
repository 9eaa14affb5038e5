"""A layer for each activation function."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from kerasteach import activations
from kerasteach.activations import Activation, Tensor
from kerasteach.validation import finite

__all__ = ["BinaryStep", "LeakyReLU", "Linear", "ReLU", "Sigmoid", "Softmax", "Tanh"]

_register = keras.saving.register_keras_serializable(package="kerasteach")


class _ActivationLayer(keras.layers.Layer):
    """Apply one activation function; the shape stays, and a mask passes on."""

    function: ClassVar[Activation]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        if type(self).build is keras.layers.Layer.build:  # there is no weight to make; a subclass may have some
            self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return type(self).function(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


@_register
class BinaryStep(_ActivationLayer):
    """Apply `kerasteach.activations.binary_step`: 1 where the input is not negative, else 0."""

    function = staticmethod(activations.binary_step)


@_register
class Linear(_ActivationLayer):
    """Apply `kerasteach.activations.linear`: the input itself."""

    function = staticmethod(activations.linear)


@_register
class Sigmoid(_ActivationLayer):
    """Apply `kerasteach.activations.sigmoid`, between 0 and 1."""

    function = staticmethod(activations.sigmoid)


@_register
class Tanh(_ActivationLayer):
    """Apply `kerasteach.activations.tanh`, between -1 and 1."""

    function = staticmethod(activations.tanh)


@_register
class ReLU(_ActivationLayer):
    """Apply `kerasteach.activations.relu`, `max(x, 0)`."""

    function = staticmethod(activations.relu)


@_register
class LeakyReLU(_ActivationLayer):
    """Apply `kerasteach.activations.leaky_relu`.

    Args:
        negative_slope: The slope where the input is negative, a finite number. Defaults to `0.01`.
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Raises:
        TypeError: If `negative_slope` is not a number.
        ValueError: If it is not finite.
    """

    def __init__(self, negative_slope: Any = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = finite("negative_slope", negative_slope)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs, the negative ones times the slope."""
        return activations.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


@_register
class Softmax(keras.layers.Softmax):
    """Apply softmax along an axis: Keras's own layer, under the name that the course's functions share.

    Args:
        axis: The axis, or axes, whose entries shall sum to 1. Defaults to `-1`.
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Call arguments:
        inputs: The logits.
        mask: Booleans that can be broadcast to the inputs; where it is False the probability is 0.
    """
