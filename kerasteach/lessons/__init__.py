"""Lessons: gradient descent, one training step and the training loop, with every number."""

from kerasteach.lessons.traced_step import TracedStep
from kerasteach.lessons.training_loop import training_loop
from kerasteach.lessons.training_step import trace_step

__all__ = ["TracedStep", "trace_step", "training_loop"]
