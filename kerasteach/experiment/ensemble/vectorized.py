"""Forward pass of many copies of a network: vectorized if every operation can be, else copy by copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from kerasteach.experiment.messages import of_vectorizing, without_messages

Tensor = Any


class ManyCopies:
    """Copies of one network, which differ in the values of their variables alone.

    Args:
        network: The network. Its own variables are neither read nor written.
        copies: How many copies there are.
    """

    def __init__(self, network: keras.Model, copies: int) -> None:
        self.network, self.copies = network, copies
        self._vectorized = {True: True, False: True}  # in training, in testing: until it is tried

    def __call__(
        self,
        weights: Sequence[Tensor],
        state: Sequence[Tensor],
        x: Tensor,
        y: Tensor,
        measures: Sequence[Callable[[Tensor, Tensor], Tensor]],
        training: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return loss and metrics of the copies on a batch, and their new state.

        Args:
            weights: The stack of each trainable variable, `(copies, ...)`.
            state: The stack of each other variable.
            x: In training the examples of each copy, `(copies, batch, ...)`; in testing those of all, `(batch, ...)`.
            y: Their targets, likewise.
            measures: Functions of targets and outputs that return a number; the first is the loss.
            training: Whether the copies are trained on the batch, or tested.

        Returns:
            The measures, `(measures, copies)`, to the first of which the network's own penalties are added; and the
            new state.
        """

        def one_copy(stacks: tuple[Any, ...]) -> tuple[Tensor, list[Tensor]]:
            own_weights, own_state, *own = stacks
            own_x, own_y = own or (x, y)
            outputs, new_state, penalties = self.network.stateless_call(
                own_weights, own_state, own_x, training=training, return_losses=True
            )
            # Measured in here, where Keras finds the softmax before the loss, and takes the logits instead.
            loss, *others = (measure(own_y, outputs) for measure in measures)
            return tf.stack([tf.add_n([loss, *map(tf.reduce_sum, penalties)]), *others]), new_state

        batch = (x, y) if training else ()
        numbers, new_state = self._each(one_copy, (list(weights), list(state), *batch), training)
        return tf.transpose(numbers), new_state

    def _each(self, function: Callable[[Any], Any], stacks: Any, training: bool) -> Any:
        if self._vectorized[training]:
            try:
                with without_messages(of_vectorizing):
                    return tf.vectorized_map(function, stacks, fallback_to_while_loop=False)
            except ValueError:  # there is an operation without a vectorized form, such as a convolution
                self._vectorized[training] = False
        results = [
            function(tf.nest.map_structure(lambda stack, copy=copy: stack[copy], stacks)) for copy in range(self.copies)
        ]
        return tf.nest.map_structure(lambda *parts: tf.stack(parts), *results)
