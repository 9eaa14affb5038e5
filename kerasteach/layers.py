"""A dense layer that shows its pre-activation, a probe for gradients, and a layer for each activation function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import keras
from keras import ops

from kerasteach import activations
from kerasteach.activations import Activation, Tensor
from kerasteach.activations.functions import floats
from kerasteach.validation import finite

_register = keras.saving.register_keras_serializable(package="kerasteach")


@_register
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


@_register
class GradientProbe(keras.layers.Identity):
    """Pass the input on, and let a capture hear the gradient that flows back: dL/d(input) of the batch's loss L.

    It can stand anywhere in a model, and changes no number of the training. (Only inside a loop, or in a function that
    is compiled by itself, what it hears does not last until the end of the step: a warning says so, and there is no
    row.) Where `GradientCapture` or `kerasteach.measure.record` watches the training, the table has a row a step for
    each probe: its statistics go over the examples of the batch and all units, `parameter` is `"signal"`, `size` is the
    number of units an example, and `depth` that of the last layer with weights before it (0 before the first). This is
    the signal that back-propagation hands from layer to layer; a weight's gradient is that signal times the layer's
    input.

    Without a capture it is Keras's `Identity`. A probe that is called more than once a step records its last call in
    the order of back-propagation, which is its first in the model's.

    Args:
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Shapes:
        Input and output `(batch, ...)`.

    Raises:
        RuntimeError: In training, if a capture listens and Keras runs on JAX, where a layer can hand nothing out of
            the backward pass.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential(
        ...     [keras.Input((2,)), keras.layers.Dense(3), kt.layers.GradientProbe(), keras.layers.Dense(1)]
        ... )
        >>> model.compile("sgd", "mse")
        >>> capture = kt.callbacks.GradientCapture()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), verbose=0, callbacks=[capture])
        >>> capture.frame[["depth", "parameter", "size"]].values.tolist()[-1]
        [1, 'signal', 3]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ears = _Ears()
        self.units = 0

    @property
    def listeners(self) -> list[Callable[[GradientProbe, Tensor], None]]:
        """Who is called with the probe and the gradient, `(batch, ...)`, when the training step is traced."""
        return self._ears.listeners

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        if not self.listeners or isinstance(inputs, keras.KerasTensor):
            return inputs
        self.units = math.prod(size or 0 for size in inputs.shape[1:])
        return self._ears.watch(inputs, self._hear)

    def _hear(self, gradient: Tensor) -> None:
        for listener in self.listeners:
            listener(self, gradient)


class _Ears:
    """What a probe needs to hear: an object that Keras does not track, as it does lists and variables."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[GradientProbe, Tensor], None]] = []
        self._trained: Any = None

    def watch(self, x: Tensor, hear: Callable[[Tensor], None]) -> Tensor:
        """Return x, such that `hear` is called with the gradient that flows back to it.

        Nothing flows back to where nothing before it is trained: so x is made to depend on something that could be.
        """
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            if self._trained is None:
                with tf.init_scope():
                    self._trained = tf.Variable(0.0)

            @tf.custom_gradient
            def identity(x: Tensor, trained: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, None]]]:
                def gradient(upstream: Tensor) -> tuple[Tensor, None]:
                    hear(upstream)
                    return upstream, None

                return tf.identity(x), gradient

            return identity(x, self._trained.read_value())
        if keras.backend.backend() == "torch":
            x = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
            x.register_hook(hear)
            return x
        raise RuntimeError(
            f"No gradient can be heard with Keras on {keras.backend.backend()!r}, only on TensorFlow or torch."
        )


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
    """Apply softmax along an axis: Keras's own layer, under the name that the course's seven share.

    Args:
        axis: The axis, or axes, whose entries shall sum to 1. Defaults to `-1`.
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Call arguments:
        inputs: The logits.
        mask: Booleans that can be broadcast to the inputs; where it is False the probability is 0.
    """
