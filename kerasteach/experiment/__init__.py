"""Experiments: networks that differ in one thing only, trained over several seeds."""

from kerasteach.experiment.again import asked_again
from kerasteach.experiment.compare import compare
from kerasteach.experiment.comparison import Comparison
from kerasteach.experiment.summary import summarize

__all__ = ["Comparison", "asked_again", "compare", "summarize"]
