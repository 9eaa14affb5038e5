"""Experiments: networks that differ in one thing only, trained over several seeds."""

from kerasteach.experiment.comparison import Comparison, compare
from kerasteach.experiment.summary import summarise

__all__ = ["Comparison", "compare", "summarise"]
