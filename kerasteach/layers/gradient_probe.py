"""Probe layer for the gradient that flows back through one place of a model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras

from kerasteach.activations import Tensor


@keras.saving.register_keras_serializable(package="kerasteach")
class GradientProbe(keras.layers.Identity):
    """Pass the input on, and let a capture record the gradient that flows back: dL/d(input) of the batch's loss L.

    It can stand anywhere in a model, and changes no number of the training. (Only inside a loop, or in a function that
    is compiled by itself, the gradient does not last until the end of the step: a warning says so, and there is no
    row.) Where `GradientCapture` or `kerasteach.measure.record` records the training, the table has a row a step for
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
        RuntimeError: In training, if a capture records and Keras runs on JAX, where a layer can return nothing from
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
        self._tap = _GradientTap()
        self.units = 0

    @property
    def listeners(self) -> list[Callable[[GradientProbe, Tensor], None]]:
        """Functions that are called with the probe and the gradient, `(batch, ...)`, as the training step is traced."""
        return self._tap.listeners

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        if not self.listeners or isinstance(inputs, keras.KerasTensor):
            return inputs
        self.units = math.prod(size or 0 for size in inputs.shape[1:])
        return self._tap.watch(inputs, self._on_gradient)

    def _on_gradient(self, gradient: Tensor) -> None:
        for listener in self.listeners:
            listener(self, gradient)


class _GradientTap:
    """A probe's listeners, in an object that Keras does not track, as it does lists and variables."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[GradientProbe, Tensor], None]] = []
        self._trained: Any = None

    def watch(self, x: Tensor, on_gradient: Callable[[Tensor], None]) -> Tensor:
        """Return x, such that `on_gradient` is called with the gradient that flows back to it.

        No gradient flows back to a place before which nothing is trained. So x is made to depend on a variable.
        """
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            if self._trained is None:
                with tf.init_scope():
                    self._trained = tf.Variable(0.0)

            @tf.custom_gradient
            def identity(x: Tensor, trained: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, None]]]:
                def gradient(upstream: Tensor) -> tuple[Tensor, None]:
                    on_gradient(upstream)
                    return upstream, None

                return tf.identity(x), gradient

            return identity(x, self._trained.read_value())
        if keras.backend.backend() == "torch":
            x = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
            x.register_hook(on_gradient)
            return x
        raise RuntimeError(
            f"A GradientProbe records with Keras on TensorFlow or PyTorch. Received: {keras.backend.backend()!r}."
        )
