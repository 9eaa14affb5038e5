"""Measure what happens inside a training step: the hook, the statistics, and their recording.

Reading a saved run needs no Keras; what does need it is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasteach.storage.captures import read, read_raw
from kerasteach.storage.files import DamagedRunError
from kerasteach.tables.history import history_table

if TYPE_CHECKING:
    from kerasteach.measure import statistics
    from kerasteach.measure.recording.record import record

__all__ = [
    "DamagedRunError",
    "history_table",
    "read",
    "read_raw",
    "record",
    "statistics",
]


def __getattr__(name: str) -> Any:
    if name == "statistics":
        return import_module(f"{__name__}.{name}")
    if name == "record":
        return import_module(f"{__name__}.recording.record").record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
