"""Numbers of one training step, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from kerasteach.lessons.backprop.batch_error import BatchError
from kerasteach.lessons.backprop.nonlinearity import Nonlinearity
from kerasteach.tables.training_step import Traced

_ACROSS = ("example", "unit")
_AXES = {"W": ("source", "unit"), "b": ("unit",)}


@dataclass(frozen=True)
class WeightStep:
    """One variable before and after the step."""

    letter: str  # `"W"`, `(sources, units)`, or `"b"`, `(units,)`
    before: np.ndarray
    after: np.ndarray
    # dE/dW or dE/db as the optimizer receives it; `None` where the variable is not trained
    gradient: np.ndarray | None = None
    penalty: np.ndarray | None = None  # the share of the gradient that a regularizer adds; `None` without one
    plain: bool = False  # whether the new value is the old one less the learning rate times the gradient

    def places(self) -> Iterator[tuple[int, ...]]:
        """Return the indices of its entries."""
        return np.ndindex(self.before.shape)


@dataclass(frozen=True)
class LayerStep:
    """One layer's numbers, each `(batch, units)`: input x, pre-activation z, output a, and the error signals."""

    name: str
    depth: int  # the number of dense layers up to this one
    nonlinearity: Nonlinearity  # the function from z to a
    x: np.ndarray  # the input, `(batch, sources)`
    z: np.ndarray
    a: np.ndarray
    error: np.ndarray  # dE/da
    delta: np.ndarray  # dE/dz
    weights: tuple[WeightStep, ...] = ()  # W and b, where the layer has them
    penalty: float | None = None  # what its regularizers add to E

    def traced(self, phase: str, quantity: str, values: Any, axes: tuple[str, ...]) -> Traced:
        """Return some of its numbers for the table."""
        return Traced(phase, quantity, values, axes, self.name, self.depth)

    @cached_property
    def slope(self) -> np.ndarray | None:
        """da/dz, `(batch, units)`; `None` where an output depends on more than its own z."""
        z = ops.convert_to_tensor(self.z)
        slope = ops.convert_to_numpy(self.nonlinearity.back(z, ops.ones_like(z)))
        back = ops.convert_to_numpy(self.nonlinearity.back(z, ops.convert_to_tensor(self.error)))
        return slope if np.allclose(back, self.error * slope, rtol=1e-4, equal_nan=True) else None


@dataclass(frozen=True)
class Step:
    """A whole training step."""

    layers: tuple[LayerStep, ...]  # from the input to the output
    error: BatchError  # the error of the batch; its tensors as arrays
    total: float  # E with the penalties on weights: the loss that Keras reports
    next_error: float  # the total error of the same batch with the new weights
    optimizer: str  # the optimizer's class
    learning_rate: float  # its learning rate in this step

    @property
    def examples(self) -> int:
        """The number of examples in the batch."""
        return len(self.layers[0].x)

    @property
    def units(self) -> int:
        """The number of inputs and neurons."""
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
        """Yield the numbers of the table, in the order in which the step computes them."""
        for layer in self.layers:
            for quantity, values in (("x", layer.x), ("z", layer.z), ("a", layer.a)):
                yield layer.traced("forward", quantity, values, _ACROSS)
        if self.error.each is not None:
            yield Traced("error", "E", self.error.each, ("example",))
        for layer in self.layers:
            if layer.penalty is not None:
                yield layer.traced("error", "E", layer.penalty, ())
        yield Traced("error", "E", self.total, ())
        for layer in reversed(self.layers):
            yield layer.traced("backward", "dE/da", layer.error, _ACROSS)
            yield layer.traced("backward", "dE/dz", layer.delta, _ACROSS)
            for weight in layer.weights:
                if weight.gradient is not None:
                    yield layer.traced("backward", f"dE/d{weight.letter}", weight.gradient, _AXES[weight.letter])
        for layer in self.layers:
            for weight in layer.weights:
                yield layer.traced("update", weight.letter, weight.before, _AXES[weight.letter])
                yield layer.traced("update", f"new {weight.letter}", weight.after, _AXES[weight.letter])
