"""The numbers of one training step, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from keras import ops

from kerasteach.lessons.backprop.batch_error import BatchError
from kerasteach.lessons.backprop.nonlinearity import Nonlinearity
from kerasteach.tables.training_step import Traced


@dataclass(frozen=True)
class WeightStep:
    """One variable before and after the step.

    Attributes:
        letter: `"W"`, `(sources, units)`, or `"b"`, `(units,)`.
        before: Its values before.
        after: Its values after.
        gradient: dE/dW or dE/db as the optimizer receives it; `None` where the variable is not trained.
        penalty: The share of the gradient that a regularizer adds; `None` without one.
        plain: Whether the new value is the old one less the learning rate times the gradient.
    """

    letter: str
    before: np.ndarray
    after: np.ndarray
    gradient: np.ndarray | None = None
    penalty: np.ndarray | None = None
    plain: bool = False

    def places(self) -> Iterator[tuple[int, ...]]:
        """Return the indices of its entries."""
        return np.ndindex(self.before.shape)


@dataclass(frozen=True)
class LayerStep:
    """One layer's numbers, each `(batch, units)`: input x, pre-activation z, output a, and the error signals.

    Attributes:
        name: The layer's name.
        depth: The number of dense layers up to this one.
        nonlinearity: What makes a of z.
        x: The input, `(batch, sources)`.
        z: The pre-activation.
        a: The output.
        error: dE/da.
        delta: dE/dz.
        weights: W and b, as far as the layer has them.
        penalty: What its regularizers add to E.
    """

    name: str
    depth: int
    nonlinearity: Nonlinearity
    x: np.ndarray
    z: np.ndarray
    a: np.ndarray
    error: np.ndarray
    delta: np.ndarray
    weights: tuple[WeightStep, ...] = ()
    penalty: float | None = None

    @cached_property
    def slope(self) -> np.ndarray | None:
        """da/dz, `(batch, units)`; `None` where an output depends on more than its own z."""
        z = ops.convert_to_tensor(self.z)
        slope = ops.convert_to_numpy(self.nonlinearity.back(z, ops.ones_like(z)))
        back = ops.convert_to_numpy(self.nonlinearity.back(z, ops.convert_to_tensor(self.error)))
        return slope if np.allclose(back, self.error * slope, rtol=1e-4, equal_nan=True) else None


@dataclass(frozen=True)
class Step:
    """A whole training step.

    Attributes:
        layers: From the input to the output.
        error: The error of the batch; its tensors as arrays.
        total: E with the penalties on weights: the loss that Keras reports.
        next_error: The total error of the same batch with the new weights.
        optimizer: The optimizer's class.
        learning_rate: Its learning rate in this step.
    """

    layers: tuple[LayerStep, ...]
    error: BatchError
    total: float
    next_error: float
    optimizer: str
    learning_rate: float

    @property
    def examples(self) -> int:
        """How many examples the batch has."""
        return len(self.layers[0].x)

    @property
    def units(self) -> int:
        """How many inputs and neurons there are."""
        return int(self.layers[0].x.shape[1] + sum(layer.z.shape[1] for layer in self.layers if layer.weights))

    @property
    def mean(self) -> bool:
        """Whether E is the mean over the examples, not their sum."""
        each = ops.convert_to_numpy(self.error.each)
        return bool(np.isclose(each.mean(), float(self.error.value)))

    @property
    def single(self) -> bool:
        """Whether it is one example in a chain of single neurons, each with a derivative of its own."""
        widths = {width for layer in self.layers for width in (layer.x.shape[1], layer.z.shape[1])}
        return (
            widths == {1}
            and self.examples == 1
            and bool(self.error.formula)
            and all(layer.slope is not None and layer.nonlinearity.name != "softmax" for layer in self.layers)
        )

    def parts(self) -> Iterator[Traced]:
        """Return the rows of the table, in the order in which the step computes them."""
        across = ("example", "unit")
        for layer in self.layers:
            yield Traced("forward", "x", layer.x, across, layer.name, layer.depth)
            yield Traced("forward", "z", layer.z, across, layer.name, layer.depth)
            yield Traced("forward", "a", layer.a, across, layer.name, layer.depth)
        if self.error.each is not None:
            yield Traced("error", "E", self.error.each, ("example",))
        for layer in self.layers:
            if layer.penalty is not None:
                yield Traced("error", "E", layer.penalty, (), layer.name, layer.depth)
        yield Traced("error", "E", self.total, ())
        for layer in reversed(self.layers):
            yield Traced("backward", "dE/da", layer.error, across, layer.name, layer.depth)
            yield Traced("backward", "dE/dz", layer.delta, across, layer.name, layer.depth)
            for one in layer.weights:
                if one.gradient is not None:
                    yield Traced(
                        "backward", f"dE/d{one.letter}", one.gradient, axes(one.letter), layer.name, layer.depth
                    )
        for layer in self.layers:
            for one in layer.weights:
                yield Traced("update", one.letter, one.before, axes(one.letter), layer.name, layer.depth)
                yield Traced("update", f"new {one.letter}", one.after, axes(one.letter), layer.name, layer.depth)


def axes(letter: str) -> tuple[str, ...]:
    """Return what the axes of W or b count."""
    return ("source", "unit") if letter == "W" else ("unit",)
