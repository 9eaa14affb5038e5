"""Layers: Dense with its pre-activation, a probe for gradients, and a layer for each activation function."""

from kerasteach.layers import activations
from kerasteach.layers.activations import *  # noqa: F403  a layer for each of the course's functions, named there alone
from kerasteach.layers.dense import Dense
from kerasteach.layers.gradient_probe import GradientProbe

__all__ = ["Dense", "GradientProbe"]
__all__ += activations.__all__
