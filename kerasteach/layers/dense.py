"""Dense layer that shows its pre-activation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from kerasteach import activations
from kerasteach.activations import Activation, Tensor
from kerasteach.activations.functions import floats


@keras.saving.register_keras_serializable(package="kerasteach")
class Dense(keras.layers.Dense):
    """A fully connected layer, `a = activation(z)` with `z = x W + b`, that shows its `z`.

    It is Keras's own Dense, with the course's activation functions and with `pre_activation`.

    Args:
        units: The number of neurons, a positive integer.
        activation: One of `kerasteach.activations.names()`, or a function. Defaults to `None`, which is linear.
        **kwargs: What `keras.layers.Dense` takes: `use_bias`, the initializers, regularizers and constraints,
            `name`, `dtype`.

    Shapes:
        Input `(batch, ..., features)`, output `(batch, ..., units)`.

    Raises:
        ValueError: If the activation is unknown; the message lists the names.

    Example:
        >>> import numpy as np, kerasteach as kt
        >>> layer = kt.layers.Dense(2, activation="relu", kernel_initializer="ones")
        >>> x = np.array([[1.0, -3.0]])
        >>> layer.pre_activation(x).numpy().tolist()
        [[-2.0, -2.0]]
        >>> layer(x).numpy().tolist()
        [[0.0, 0.0]]
    """

    def __init__(self, units: int, activation: str | Activation | dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(units, activation=activations.get(activation), **kwargs)

    @property
    def activation(self) -> Activation:
        """The activation function. `layer.activation = None` makes it linear, as where a softmax is taken off."""
        return self._activation

    @activation.setter
    def activation(self, activation: Activation | None) -> None:
        self._activation = activations.linear if activation is None else activation

    def pre_activation(self, x: Tensor) -> Tensor:
        """Return `z = x W + b`, what the activation function receives.

        Args:
            x: The layer's input, `(batch, ..., features)`.

        Returns:
            `z`, `(batch, ..., units)`, in the layer's compute dtype.

        Raises:
            TypeError: If `x` does not hold numbers.
            ValueError: If `x` has another number of features than the layer, or is symbolic: a model of `z` needs a
                layer, `Dense(units)`, and one for the activation.
        """
        if isinstance(x, keras.KerasTensor):
            raise ValueError(
                "`x` must hold numbers; to build a model on z, use Dense(units) and an activation layer after it. "
                f"Received: x={x}."
            )
        x = ops.cast(floats(x, self.compute_dtype), self.compute_dtype)
        if x.shape == () or (self.built and x.shape[-1] not in (None, self.kernel.shape[0])):
            expected = f"(batch, ..., {self.kernel.shape[0] if self.built else 'features'})"
            raise ValueError(f"`x` must be {expected}. Received: x of shape {tuple(x.shape)}.")
        if not self.built:
            self.build(ops.shape(x))
        z = ops.matmul(x, ops.cast(self.kernel, self.compute_dtype))
        return z if self.bias is None else ops.add(z, ops.cast(self.bias, self.compute_dtype))

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return `activation(pre_activation(inputs))`."""
        return self.activation(self.pre_activation(inputs))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        name = config["activation"]
        if isinstance(name, str):  # a function of Keras's own; the bare name would be taken for ours
            module = "keras.activations"
            config["activation"] = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        return config
