"""Layers: Dense with its pre-activation, a probe for gradients, and a layer for each activation function."""

from kerasteach.layers.activations import BinaryStep, LeakyReLU, Linear, ReLU, Sigmoid, Softmax, Tanh
from kerasteach.layers.dense import Dense
from kerasteach.layers.gradient_probe import GradientProbe

__all__ = ["BinaryStep", "Dense", "GradientProbe", "LeakyReLU", "Linear", "ReLU", "Sigmoid", "Softmax", "Tanh"]
