"""Lessons: gradient descent, one training step and the training loop, with every number."""

from kerasteach.lessons.training_loop import training_loop

__all__ = ["training_loop"]
