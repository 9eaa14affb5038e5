"""Activation functions: the course's, any other that Keras knows, their derivatives, and a table of both.

Importing this package imports neither Keras nor NumPy; the first function that is called does.
"""

from kerasteach.activations import functions
from kerasteach.activations.curves import table
from kerasteach.activations.derivatives import derivative
from kerasteach.activations.functions import *  # noqa: F403  the course's functions, each named there alone
from kerasteach.activations.lookup import get, name_of, names
from kerasteach.activations.properties import Activation, Tensor

__all__ = ["Activation", "Tensor", "derivative", "get", "name_of", "names", "table"]
__all__ += functions.__all__
