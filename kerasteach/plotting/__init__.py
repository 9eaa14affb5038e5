"""Figures from tidy tables, and from the results that hold them. Nothing here needs Keras or TensorFlow.

A function whose name ends in `_figure` composes several panels and returns the figure; `descent_animation` returns an
animation; every other one draws one panel, takes `ax` and returns it. No global style is changed:
`with kerasteach.plotting.style("lecture"):` makes figures that can be read from the last row.
"""

from kerasteach.plotting.activation_curves import activation_curves, activations_figure
from kerasteach.plotting.activation_histograms import activation_histograms_figure
from kerasteach.plotting.activation_statistics import activation_statistics, activation_statistics_figure
from kerasteach.plotting.animate import animate
from kerasteach.plotting.captions import describe
from kerasteach.plotting.confusion_matrix import confusion_matrix, confusion_matrix_figure
from kerasteach.plotting.decision_boundary import decision_boundary, decision_boundary_figure
from kerasteach.plotting.descent_animation import descent_animation
from kerasteach.plotting.descent_path import descent_path, descent_values
from kerasteach.plotting.fitted_curve import fitted_curve
from kerasteach.plotting.fitted_surface import fitted_surface, fitted_surface_figure
from kerasteach.plotting.gradient_flow import gradient_flow
from kerasteach.plotting.gradient_heat_map import gradient_heat_map, gradient_heat_map_figure
from kerasteach.plotting.gradient_histograms import gradient_histograms_figure
from kerasteach.plotting.learning_curves import learning_curves
from kerasteach.plotting.learning_rate_test import learning_rate_test
from kerasteach.plotting.lecture_figure import lecture_figure
from kerasteach.plotting.loss_surface import loss_surface
from kerasteach.plotting.network_gradients import network_gradients, network_gradients_figure
from kerasteach.plotting.notebook import show_or_save
from kerasteach.plotting.pages import pages
from kerasteach.plotting.predictions_grid import predictions_grid
from kerasteach.plotting.saving import save
from kerasteach.plotting.score_distribution import score_distribution
from kerasteach.plotting.stills_figure import stills_figure
from kerasteach.plotting.style import style
from kerasteach.plotting.traced_step import traced_step
from kerasteach.plotting.update_ratios import update_ratios, update_ratios_figure
from kerasteach.plotting.weight_histograms import weight_histograms_figure

__all__ = [
    "activation_curves",
    "activation_histograms_figure",
    "activation_statistics",
    "activation_statistics_figure",
    "activations_figure",
    "animate",
    "confusion_matrix",
    "confusion_matrix_figure",
    "decision_boundary",
    "decision_boundary_figure",
    "descent_animation",
    "descent_path",
    "descent_values",
    "describe",
    "fitted_curve",
    "fitted_surface",
    "fitted_surface_figure",
    "gradient_flow",
    "gradient_heat_map",
    "gradient_heat_map_figure",
    "gradient_histograms_figure",
    "learning_curves",
    "learning_rate_test",
    "lecture_figure",
    "loss_surface",
    "network_gradients",
    "network_gradients_figure",
    "pages",
    "predictions_grid",
    "save",
    "score_distribution",
    "show_or_save",
    "stills_figure",
    "style",
    "traced_step",
    "update_ratios",
    "update_ratios_figure",
    "weight_histograms_figure",
]
