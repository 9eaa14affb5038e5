"""Lessons: gradient descent, one training step and the training loop, with every number."""

from kerasteach.lessons import functions
from kerasteach.lessons.descent import gradient_descent
from kerasteach.lessons.landscape import landscape

__all__ = ["functions", "gradient_descent", "landscape"]
