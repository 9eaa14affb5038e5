"""Stack of networks of one architecture: their variables before the training, and each network's values after it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import keras
import numpy as np

from kerasteach.experiment.ensemble.dense import DenseCopies, is_chain
from kerasteach.experiment.ensemble.vectorized import ManyCopies
from kerasteach.experiment.ensemble.weight_table import WeightTable
from kerasteach.experiment.networks import Network, paths
from kerasteach.measure.parameters import describe
from kerasteach.tables.captures import Parameter


class Stack:
    """Networks as they are before the training, as copies of each variant's first one.

    Args:
        networks: The networks, those of one variant beside each other.

    Attributes:
        networks: The network of each variant.
        parts: What computes them: all copies of dense networks at once, else the copies of each variant.
        layout: The layout of the trainable weights in one table.
        weights: Their first values, in that table.
        states: For each part, the stack of each variable that is not trained, `(copies, ...)`.
        parameters: For each copy, the description of its trainable variables.

    Raises:
        ValueError: If the copies' trainable variables differ in shape.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks: list[keras.Model] = []
        self.states: list[list[np.ndarray]] = []
        self.parameters: list[list[Parameter]] = []
        self._paths: list[list[str]] = []
        self._counts: list[int] = []
        weights: list[list[np.ndarray]] = []
        for _, members in groupby(networks, key=lambda network: network.variant):
            network, values, names = _built(list(members))
            self._paths += names
            trained = len(network.trainable_variables)
            weights += [arrays[:trained] for arrays in values]
            self.states.append(
                [np.stack(stack) for stack in zip(*(arrays[trained:] for arrays in values), strict=True)]
            )
            self.networks.append(network)
            self._counts.append(len(values))
            self.parameters += [describe(network.trainable_variables, network)] * len(values)
        shapes = [[array.shape for array in arrays] for arrays in weights]
        if any(other != shapes[0] for other in shapes):
            raise ValueError(f"Copies must have trainable variables of the same shapes. Received: {shapes}.")
        self.parts: Sequence[ManyCopies | DenseCopies] = [*map(ManyCopies, self.networks, self._counts)]
        if all(map(is_chain, self.networks)):
            self.parts, self.states = [DenseCopies(self.networks, self._counts)], [[]]
        self.layout = WeightTable(len(weights), shapes[0])
        self.weights = self.layout.pack(weights)

    def values(self, table: np.ndarray, states: Sequence[Sequence[np.ndarray]]) -> list[dict[str, np.ndarray]]:
        """Return the weights of each copy by their path, out of the table and the stacks of the other variables."""
        names, found = iter(self._paths), []
        of_variants = states if len(states) == len(self.networks) else [[]] * len(self.networks)  # dense ones have none
        for network, count, trained, others in zip(
            self.networks, self._counts, self.layout.unpack(table, self._counts), of_variants, strict=True
        ):
            stacks = {
                id(variable): np.asarray(stack)
                for variable, stack in zip(_variables(network), [*trained, *others], strict=True)
            }
            ordered = [stacks[id(variable)] for variable in network.weights]
            for copy in range(count):
                values = (stack[copy] for stack in ordered)
                found.append(dict(zip(next(names), values, strict=True)))
        return found


def _built(networks: Sequence[Network]) -> tuple[keras.Model, list[list[np.ndarray]], list[list[str]]]:
    """Build the first network, and return for each the first values of its variables and its weights' paths."""
    first = networks[0].build()
    values, names = [[variable.numpy() for variable in first.variables]], [paths(first)]
    for network in networks[1:]:
        model = first if network.draw else network.build()
        drawn = network.draw(first) if network.draw else [variable.numpy() for variable in model.variables]
        values.append([*drawn])
        names.append(paths(model))
    place = {id(variable): index for index, variable in enumerate(first.variables)}
    return first, [[arrays[place[id(variable)]] for variable in _variables(first)] for arrays in values], names


def _variables(network: keras.Model) -> list[keras.Variable]:
    """Return the variables in the order in which `stateless_call` takes them: first those that are trained."""
    return [*network.trainable_variables, *network.non_trainable_variables]
