"""Properties of an activation function: what figures, initializers and captures know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Tensor: TypeAlias = Any
Activation: TypeAlias = Callable[..., Tensor]


@dataclass(frozen=True)
class Properties:
    """Properties of an activation function.

    Attributes:
        function: The function. Defaults to `None`: Keras's function of this name.
        derivative: The formula of its derivative, itself a function of `x`; of a function of the whole last axis, the
            Jacobian. Defaults to `None`: automatic differentiation.
        as_in_keras: Whether Keras's function of this name computes the same. Defaults to `False`.
        limits: The lower and upper bound of its values, which they approach far from 0. Defaults to `None`: not
            bounded on both sides.
        jumps: Where the function jumps. Defaults to nowhere.
        kinks: Where it has a kink, at which its derivative jumps. Defaults to nowhere.
        initialization: What `initializer="matched"` gives its layers: the mode and the scale of Keras's
            VarianceScaling. Defaults to `None`: no rule for it is published.
        color: Its color in every figure. Defaults to `None`: the next that is free.
        marker: Its marker, likewise.
        axis: Whether each output depends on all inputs of the last axis, as softmax's do. Defaults to `False`.
    """

    function: Activation | None = None
    derivative: Activation | None = None
    as_in_keras: bool = False
    limits: tuple[float, float] | None = None
    jumps: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    initialization: tuple[Literal["fan_in", "fan_avg"], float] | None = None
    color: str | None = None
    marker: str | None = None
    axis: bool = False


GLOROT: tuple[Literal["fan_avg"], float] = ("fan_avg", 1.0)
