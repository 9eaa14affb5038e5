"""Copies of a network, built and laid one upon the other, and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import keras
import numpy as np

from kerasteach.experiment.copies import Copy
from kerasteach.experiment.many_copies import ManyCopies
from kerasteach.experiment.weight_table import WeightTable
from kerasteach.measure.gradients import describe
from kerasteach.measure.records import Parameter


def variant(copy: Copy) -> tuple[Any, ...]:
    """Return the keys of a copy but for the seed: copies that share them differ in the values of variables alone."""
    return tuple(copy.keys.values())[:-1]


class Stack:
    """Copies as they are before the training.

    Args:
        copies: The copies, those of one variant beside each other.

    Attributes:
        parts: The network of each variant, with its number of copies.
        layout: How the trainable weights lie in one table.
        weights: Their first values, in that table.
        states: For each variant, the stack of each variable that is not trained, `(copies, ...)`.
        parameters: For each copy, what there is to say of its trainable variables.

    Raises:
        ValueError: If the copies' trainable variables differ in shape.
    """

    def __init__(self, copies: Sequence[Copy]) -> None:
        self.parts: list[ManyCopies] = []
        self.states: list[list[np.ndarray]] = []
        self.parameters: list[list[Parameter]] = []
        weights: list[list[np.ndarray]] = []
        for _, members in groupby(copies, key=variant):
            network, values = None, []
            for copy in members:
                built = copy.build()
                network = network or built
                values.append([[one.numpy() for one in group] for group in _variables(built)])
            trained, states = zip(*values, strict=True)
            weights += trained
            self.parts.append(ManyCopies(network, len(trained)))
            self.states.append([np.stack(state) for state in zip(*states, strict=True)])
            self.parameters += [describe(network.trainable_variables, network)] * len(trained)
        shapes = [[one.shape for one in values] for values in weights]
        if any(one != shapes[0] for one in shapes):
            raise ValueError(f"Copies must have trainable variables of the same shapes. Received: {shapes}.")
        self.layout = WeightTable(len(weights), shapes[0])
        self.weights = self.layout.pack(weights)

    def values(self, table: np.ndarray, states: Sequence[Sequence[np.ndarray]]) -> list[dict[str, np.ndarray]]:
        """Return the weights of each copy by their path, out of the table and the stacks of the other variables."""
        counts = [part.copies for part in self.parts]
        found = []
        for part, trained, others in zip(self.parts, self.layout.unpack(table, counts), states, strict=True):
            variables = [one for group in _variables(part.network) for one in group]
            stacks = {id(one): np.asarray(stack) for one, stack in zip(variables, [*trained, *others], strict=True)}
            found += [{one.path: stacks[id(one)][copy] for one in part.network.weights} for copy in range(part.copies)]
        return found


def _variables(network: keras.Model) -> tuple[list[keras.Variable], list[keras.Variable]]:
    """Return the variables in the order in which `stateless_call` takes them."""
    return network.trainable_variables, network.non_trainable_variables
