"""Figures: tidy tables in, matplotlib out. Nothing here needs Keras or TensorFlow.

Each function that draws one panel takes `ax` and returns it; each that composes several returns the figure. Nothing is
shown and no global style is changed: `with kerasteach.plotting.lecture():` makes figures for the last row.
"""

from kerasteach.plotting.activation_curves import activation_curves, activation_functions
from kerasteach.plotting.decision_boundary import decision_boundary
from kerasteach.plotting.descent_animation import descent_animation
from kerasteach.plotting.descent_path import descent_path, descent_values
from kerasteach.plotting.gradient_flow import gradient_flow
from kerasteach.plotting.gradient_heat_map import gradient_heat_map, gradients_over_time
from kerasteach.plotting.learning_curves import learning_curves
from kerasteach.plotting.learning_rate_test import learning_rate_test
from kerasteach.plotting.lecture_figure import lecture_figure
from kerasteach.plotting.loss_surface import loss_surface
from kerasteach.plotting.pages import pages
from kerasteach.plotting.saving import save
from kerasteach.plotting.style import lecture
from kerasteach.plotting.traced_step import traced_step

__all__ = [
    "activation_curves",
    "activation_functions",
    "decision_boundary",
    "descent_animation",
    "descent_path",
    "descent_values",
    "gradient_flow",
    "gradient_heat_map",
    "gradients_over_time",
    "learning_curves",
    "learning_rate_test",
    "lecture",
    "lecture_figure",
    "loss_surface",
    "pages",
    "save",
    "traced_step",
]
