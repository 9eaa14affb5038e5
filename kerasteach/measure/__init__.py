"""Measuring: numbers out of gradients, the seam that takes them, the stopping rule, and the tidy tables.

The tables and the rule need no Keras, so that saved runs can be read and drawn without it; what does need it is
imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasteach.measure import records, stopping
from kerasteach.measure.records import history_table

if TYPE_CHECKING:
    from kerasteach.measure import gradients, statistics

__all__ = ["gradients", "history_table", "records", "statistics", "stopping"]


def __getattr__(name: str) -> Any:
    if name in ("gradients", "statistics"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
