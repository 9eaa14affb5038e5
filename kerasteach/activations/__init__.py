"""Activation functions: the course's, any other that Keras knows, their derivatives, and a table of both.

What is known of them by name, without Keras, stands in `kerasteach.activation_names`.
"""

from kerasteach.activations.curves import table
from kerasteach.activations.derivatives import derivative
from kerasteach.activations.functions import (
    Activation,
    Tensor,
    binary_step,
    leaky_relu,
    linear,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from kerasteach.activations.lookup import get, name_of, names

__all__ = [
    "Activation",
    "Tensor",
    "binary_step",
    "derivative",
    "get",
    "leaky_relu",
    "linear",
    "name_of",
    "names",
    "relu",
    "sigmoid",
    "softmax",
    "table",
    "tanh",
]
