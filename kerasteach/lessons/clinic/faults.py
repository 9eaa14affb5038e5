"""Faults of the clinic: how each is made, the diagnosis that it must get, and the cause in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import initializers, ops

from kerasteach import optimizers
from kerasteach.activations import Tensor

Draw = np.random.Generator


@dataclass(frozen=True)
class Training:
    """A network and how it is trained.

    Attributes:
        activation: The hidden layers' function.
        hidden: The units of each hidden layer.
        rate: The learning rate of plain gradient descent.
        options: What `kerasteach.models.mlp` takes besides.
    """

    activation: Any
    hidden: tuple[int, ...]
    rate: float
    options: dict[str, Any]

    @property
    def optimizer(self) -> Any:
        """Plain gradient descent."""
        return optimizers.PlainSGD(self.rate)


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        cause: The cause as one of six to choose from.
        explanation: What it does, and what to change.
        training: Draws a training with it.
        found: What the diagnosis finds; nothing else may be found but `beside`.
        beside: What it may find as well, which says the same.
        data: What it does to inputs and labels; `None` where the data are right.
    """

    cause: str
    explanation: str
    training: Callable[[Draw], Training]
    found: frozenset[str]
    beside: frozenset[str] = frozenset()
    data: Callable[[np.ndarray, np.ndarray, Draw], tuple[np.ndarray, np.ndarray]] | None = None


def _width(draw: Draw) -> int:
    return int(draw.choice([16, 24, 32]))


def _usual(activation: str, draw: Draw, rate: float = 0.1, **options: Any) -> Training:
    return Training(activation, (_width(draw),) * int(draw.integers(2, 5)), rate, options)


def _vanishing(draw: Draw) -> Training:
    layers = int(draw.integers(7, 11))
    return Training("sigmoid", (_width(draw),) * layers, 0.1, {"initializer": "glorot_uniform"})


def _dead(draw: Draw) -> Training:
    return _usual("relu", draw, bias_initializer=initializers.Constant(-float(draw.integers(12, 20))))


def _step(x: Tensor) -> Tensor:
    """Return -1, 0 or 1: a function without a slope."""
    return ops.sign(x)


def _without_slope(draw: Draw) -> Training:
    layers = int(draw.integers(6, 9))
    return Training(_step, (16,) * layers, 0.05, {"initializer": "glorot_uniform"})


def _too_high(draw: Draw) -> Training:
    return _usual("elu", draw, rate=float(draw.choice([1.0, 2.0, 5.0])))


def _too_low(draw: Draw) -> Training:
    return _usual("relu", draw, rate=float(draw.choice([1e-6, 3e-6, 1e-5])))


def _missing(x: np.ndarray, y: np.ndarray, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    x = x.copy()
    x[draw.integers(50, len(x)), draw.integers(x.shape[1])] = np.nan
    return x, y


def _shuffled(x: np.ndarray, y: np.ndarray, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return x, draw.permutation(y)


FAULTS = {
    "vanishing": Fault(
        "The gradient vanishes on its way through many sigmoid layers.",
        "Each sigmoid multiplies the error signal by its slope, 0.25 at most, so that the layers in front hardly "
        "move. Use ReLU or tanh, or fewer layers.",
        _vanishing,
        frozenset({"KT201"}),
        frozenset({"KT203"}),
    ),
    "dead units": Fault(
        "Most ReLU units are dead: they give 0 for every example.",
        "The biases begin so far below 0 that no example brings a unit above it; there ReLU has the slope 0, and the "
        "unit stays so. Start the biases at 0, or use leaky ReLU.",
        _dead,
        frozenset({"KT301"}),
        frozenset({"KT102"}),
    ),
    "no slope": Fault(
        "The hidden layers' function is a step, which has no slope.",
        "Where a function does not rise, its derivative is 0, and no gradient gets through: the hidden layers keep "
        "their first weights. Use a function with a slope, such as ReLU.",
        _without_slope,
        frozenset({"KT102"}),
    ),
    "rate too high": Fault(
        "The learning rate is too high.",
        "A step goes far beyond the minimum, and the next one as far back. Take a tenth of the rate, and a tenth of "
        "that, or ask `kt.find_learning_rate`.",
        _too_high,
        frozenset({"KT401"}),
        frozenset({"KT202"}),
    ),
    "rate too low": Fault(
        "The learning rate is too low.",
        "All is well but the length of the steps: the loss falls in each epoch, and by next to nothing. Take ten times "
        "the rate, and ten times that, or ask `kt.find_learning_rate`.",
        _too_low,
        frozenset({"KT402"}),
    ),
    "missing value": Fault(
        "The data hold a value that is no number (NaN).",
        "One pixel of one image is NaN. What is computed from it is NaN as well: the loss of its batch, the gradient, "
        "and from this step on all weights. Look with `numpy.isfinite(x).all()`.",
        lambda draw: _usual("tanh", draw),
        frozenset({"KT101"}),
        data=_missing,
    ),
    "labels": Fault(
        "The labels do not belong to the images: they were shuffled.",
        "The network trains as a healthy one does, and there is nothing to learn: no rule looks for it, and the "
        "diagnosis finds nothing. Compare some images with their labels before a training.",
        lambda draw: _usual("relu", draw),
        frozenset(),
        data=_shuffled,
    ),
}
