"""Activation functions by name: which names are known, and properties that need no Keras.

`kerasteach.activations` has the functions. Figures, and commands before TensorFlow starts, read this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kerasteach.validation import did_you_mean, received, several


@dataclass(frozen=True)
class Properties:
    """Properties of an activation function.

    Attributes:
        limits: The values that it comes near to, far from 0, and cannot pass. Defaults to `None`.
        jumps: Where the function jumps. Defaults to nowhere.
        kinks: Where it has a kink, at which its derivative jumps. Defaults to nowhere.
        initialization: What `initializer="matched"` gives its layers: the mode and the scale of Keras's
            VarianceScaling. Defaults to `None`: no rule for it is published.
        color: Its color in every figure. Defaults to `None`: the next that is free.
        marker: Likewise its marker.
        axis: Whether each output depends on all inputs of the last axis, as softmax's do. Defaults to `False`.
    """

    limits: tuple[float, float] | None = None
    jumps: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    initialization: tuple[Literal["fan_in", "fan_avg"], float] | None = None
    color: str | None = None
    marker: str | None = None
    axis: bool = False


_GLOROT: tuple[Literal["fan_avg"], float] = ("fan_avg", 1.0)

# Sigmoid, tanh and ReLU have the three colors of Paul Tol's high-contrast scheme, which stay apart for color-blind
# eyes and in a gray printout (lightness 49, 73 and 29 of 100); markers tell the others apart where lightness does not.
COURSE = {
    "binary_step": Properties(jumps=(0.0,), initialization=_GLOROT, color="#000000", marker="P"),
    "linear": Properties(initialization=_GLOROT, color="#888888", marker="D"),
    "sigmoid": Properties(limits=(0.0, 1.0), initialization=_GLOROT, color="#BB5566", marker="o"),
    "tanh": Properties(limits=(-1.0, 1.0), initialization=_GLOROT, color="#DDAA33", marker="s"),
    "relu": Properties(kinks=(0.0,), initialization=("fan_in", 2.0), color="#004488", marker="^"),
    # He et al. (2015): letting the share a of negative values pass keeps the variance at 2 / ((1 + a^2) n_in).
    "leaky_relu": Properties(kinks=(0.0,), initialization=("fan_in", 2 / (1 + 0.01**2)), color="#33A0C8", marker="v"),
    "softmax": Properties(limits=(0.0, 1.0), initialization=_GLOROT, color="#882288", marker="X", axis=True),
}

# Keras's other functions. The scales are He's condition for any function f: a layer whose input has the mean square 1
# passes it on where the variance of its kernel is 1 / (n_in E[f(z)^2]), z from N(0, 1); 2 / n_in for ReLU.
KERAS = {
    "celu": Properties(initialization=("fan_in", 1.5505)),
    "elu": Properties(initialization=("fan_in", 1.5505)),
    "exponential": Properties(),
    "gelu": Properties(initialization=("fan_in", 2.3517)),
    "hard_shrink": Properties(jumps=(-0.5, 0.5), kinks=(-0.5, 0.5)),
    "hard_sigmoid": Properties(kinks=(-3.0, 3.0)),
    "hard_silu": Properties(kinks=(-3.0, 3.0)),
    "hard_swish": Properties(kinks=(-3.0, 3.0)),
    "hard_tanh": Properties(kinks=(-1.0, 1.0)),
    "log_sigmoid": Properties(),
    "log_softmax": Properties(axis=True),
    "mish": Properties(initialization=("fan_in", 2.2107)),
    "relu6": Properties(kinks=(0.0, 6.0)),
    "selu": Properties(kinks=(0.0,), initialization=("fan_in", 1.0)),
    "silu": Properties(initialization=("fan_in", 2.8108)),
    "soft_shrink": Properties(kinks=(-0.5, 0.5)),
    "softplus": Properties(),
    "softsign": Properties(),
    "sparse_plus": Properties(),
    "sparse_sigmoid": Properties(kinks=(-1.0, 1.0)),
    "sparsemax": Properties(axis=True),
    "squareplus": Properties(),
    "swish": Properties(initialization=("fan_in", 2.8108)),
    "tanh_shrink": Properties(),
}

ACTIVATIONS = {**COURSE, **KERAS}

# Names of Keras's that stand for no activation function of a layer.
UNFIT = {
    "glu": "it returns half as many values as it receives, so a layer cannot have it as its activation",
    "threshold": "it needs a threshold and a value: name a function such as "
    "lambda x: keras.activations.threshold(x, 0.5, 0.0)",
}


def check_names(names: Iterable[str] | None) -> None:
    """Raise an error unless every name is one of an activation function. Needs no Keras, and takes no time.

    Args:
        names: The names. `None` is as good as none.

    Raises:
        TypeError: If they are not several, or one is no text.
        ValueError: If a name is unknown; the message lists those there are, and the nearest.

    Example:
        >>> from kerasteach.activation_names import check_names
        >>> check_names(["relu", "gelu"])
    """
    for name in several("activations", () if names is None else names, "names"):
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise unknown(name)


def unknown(name: object, otherwise: str = "") -> ValueError | TypeError:
    """Return the error for what is no activation's name.

    Args:
        name: What was given.
        otherwise: What else is valid: `", or a function"`. Defaults to nothing.
    """
    if isinstance(name, str) and name in UNFIT:
        return ValueError(f"`activation` cannot be {name}: {UNFIT[name]}. {received('activation', name)}")
    error = ValueError if isinstance(name, str) else TypeError
    return error(
        f"`activation` must be one of {', '.join(COURSE)}; of Keras's others, {', '.join(KERAS)}{otherwise}. "
        f"{received('activation', name)}{did_you_mean(name, ACTIVATIONS)}"
    )
