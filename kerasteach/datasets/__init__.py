"""Real and computed data that need no download, split and standardized, each with its facts."""

from kerasteach.datasets.dataset import Dataset
from kerasteach.datasets.loading import from_arrays, load, names

__all__ = ["Dataset", "from_arrays", "load", "names"]
