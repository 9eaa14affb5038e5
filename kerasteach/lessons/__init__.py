"""Lessons: gradient descent, one training step and the training loop, with every number; and a clinic of faults."""

from kerasteach.lessons.backprop.trace_step import trace_step
from kerasteach.lessons.backprop.traced_step import TracedStep
from kerasteach.lessons.clinic.fault_clinic import FaultClinic, Marked, fault_clinic
from kerasteach.lessons.descent import functions
from kerasteach.lessons.descent.descent import Descent
from kerasteach.lessons.descent.gradient_descent import gradient_descent
from kerasteach.lessons.descent.landscape import landscape
from kerasteach.lessons.inspection.decision_regions import DecisionRegions, decision_regions
from kerasteach.lessons.inspection.learning_rate_test import LearningRateTest, find_learning_rate
from kerasteach.lessons.inspection.loss_surface import LossSurface, loss_surface
from kerasteach.lessons.inspection.preflight import preflight
from kerasteach.lessons.training_loop import training_loop

__all__ = [
    "DecisionRegions",
    "Descent",
    "FaultClinic",
    "LearningRateTest",
    "LossSurface",
    "Marked",
    "TracedStep",
    "decision_regions",
    "fault_clinic",
    "find_learning_rate",
    "functions",
    "gradient_descent",
    "landscape",
    "loss_surface",
    "preflight",
    "trace_step",
    "training_loop",
]
