"""Layout of the weights of many copies of a network in one table, so that one variable holds them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any

LANES = 32  # numbers in a row; a row is summed at once where gradients are measured


class WeightTable:
    """Layout of the weights of copies of one architecture in a table `(rows, LANES)`.

    The table holds variable after variable, and of each variable copy after copy. Each copy of a variable takes whole
    rows; what it leaves of the last one is zero, and stays zero, because its gradient is. So one optimizer updates all
    weights of all copies in the few operations that one variable costs.

    Args:
        copies: How many copies there are.
        shapes: The shape of each variable of one copy.

    Attributes:
        shape: The table's shape.
        owners: For each row the variable and copy that it belongs to: `variable * copies + copy`, `(rows,)`.
        copy_of: For each row which copy it belongs to, `(rows,)`.
        sizes: How many entries each of those owners has.
    """

    def __init__(self, copies: int, shapes: Sequence[tuple[int, ...]]) -> None:
        self._copies, self._shapes = copies, [tuple(shape) for shape in shapes]
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        self._rows = [max(1, -(-size // LANES)) for size in sizes]  # of one copy
        self.shape = (copies * sum(self._rows), LANES)
        self.owners = np.repeat(np.arange(len(sizes) * copies), np.repeat(self._rows, copies))
        self.copy_of = self.owners % copies
        self.sizes = np.repeat(sizes, copies).tolist()

    def pack(self, weights: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
        """Return the table of the copies' weights, given for each copy variable by variable."""
        table = np.zeros(self.shape, "float32")
        start = 0
        for number, rows in enumerate(self._rows):
            stack = np.stack([variables[number].ravel() for variables in weights])  # (copies, size)
            block = table[start : start + self._copies * rows].reshape(self._copies, rows * LANES)  # a view
            block[:, : stack.shape[1]] = stack
            start += self._copies * rows
        return table

    def unpack(self, table: Tensor, copies: Sequence[int]) -> list[list[Tensor]]:
        """Split a table, or its gradient, into its variables.

        Args:
            table: `(rows, LANES)`.
            copies: How many neighboring copies each part is to hold; they add up to all.

        Returns:
            For each part the stack of each variable, `(copies, ...)`.
        """
        blocks = tf.split(table, [count * rows for rows in self._rows for count in copies])
        stacks = [
            self._stack(block, count, number)
            for block, (number, count) in zip(
                blocks, ((number, count) for number in range(len(self._rows)) for count in copies), strict=True
            )
        ]
        return [stacks[part :: len(copies)] for part in range(len(copies))]

    def _stack(self, block: Tensor, copies: int, number: int) -> Tensor:
        shape, room = self._shapes[number], self._rows[number] * LANES
        size = int(np.prod(shape))
        if size < room:
            block = tf.reshape(block, (copies, room))[:, :size]
        return tf.reshape(block, (copies, *shape))
