"""Figures: tidy tables in, matplotlib out. Nothing here needs Keras or TensorFlow.

Each function that draws one panel takes `ax` and returns it; each that composes several returns the figure. Nothing is
shown and no global style is changed: `with kerasteach.plotting.lecture():` makes figures for the last row.
"""

from kerasteach.plotting.activations import activation_curves, activation_functions
from kerasteach.plotting.animation import descent_animation
from kerasteach.plotting.descent import descent_path, descent_values
from kerasteach.plotting.gradients import gradient_flow
from kerasteach.plotting.heat_maps import gradient_heat_map, gradients_over_time
from kerasteach.plotting.learning import learning_curves
from kerasteach.plotting.learning_rate import learning_rate_test
from kerasteach.plotting.lecture import lecture_figure
from kerasteach.plotting.network import training_step
from kerasteach.plotting.pages import pages
from kerasteach.plotting.predictions import decision_boundary
from kerasteach.plotting.style import lecture, save
from kerasteach.plotting.surface import loss_surface

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
    "training_step",
]
