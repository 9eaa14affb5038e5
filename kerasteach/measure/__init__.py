"""Measuring: numbers out of gradients, the seam that takes them, the stopping rule, and the tidy tables.

The tables, the runs on disk and the rule need no Keras, so that saved runs can be read and drawn without it; what does
need it is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasteach.measure import stopping
from kerasteach.storage import runs
from kerasteach.storage.captures import read, read_raw
from kerasteach.storage.files import DamagedRunError
from kerasteach.tables import captures
from kerasteach.tables.history import history_table

if TYPE_CHECKING:
    from kerasteach.measure import gradients, statistics
    from kerasteach.measure.tape import record

__all__ = [
    "DamagedRunError",
    "gradients",
    "history_table",
    "read",
    "read_raw",
    "record",
    "records",
    "runs",
    "statistics",
    "stopping",
]


def __getattr__(name: str) -> Any:
    if name in ("gradients", "statistics"):
        return import_module(f"{__name__}.{name}")
    if name == "record":
        return import_module(f"{__name__}.tape").record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
