"""Lessons: gradient descent, one training step and the training loop, with every number."""

from kerasteach.lessons.learning_rate import RangeTest, find_learning_rate
from kerasteach.lessons.surface import LossSurface, loss_surface

__all__ = ["LossSurface", "RangeTest", "find_learning_rate", "loss_surface"]
