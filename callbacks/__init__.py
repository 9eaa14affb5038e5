"""Callbacks for any Keras model: import them as `kerasteach.callbacks`."""

from kerasteach.callbacks.activation_capture import ActivationCapture
from kerasteach.callbacks.diagnosis import Diagnosis
from kerasteach.callbacks.gradient_capture import GradientCapture
from kerasteach.callbacks.live_plot import LivePlot
from kerasteach.callbacks.stop_on_error import StopOnError
from kerasteach.callbacks.weight_snapshots import WeightSnapshots

__all__ = ["ActivationCapture", "Diagnosis", "GradientCapture", "LivePlot", "StopOnError", "WeightSnapshots"]
