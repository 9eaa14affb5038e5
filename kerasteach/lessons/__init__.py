"""Lessons: gradient descent, one training step and the training loop, with every number."""

from kerasteach.lessons import functions
from kerasteach.lessons.descent import gradient_descent
from kerasteach.lessons.landscape import landscape
from kerasteach.lessons.learning_rate import RangeTest, find_learning_rate
from kerasteach.lessons.surface import LossSurface, loss_surface
from kerasteach.lessons.traced_step import TracedStep
from kerasteach.lessons.training_loop import training_loop
from kerasteach.lessons.training_step import trace_step

__all__ = [
    "LossSurface",
    "RangeTest",
    "TracedStep",
    "find_learning_rate",
    "functions",
    "gradient_descent",
    "landscape",
    "loss_surface",
    "trace_step",
    "training_loop",
]
