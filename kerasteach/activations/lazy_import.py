"""Import of a module on its first use, so that the names of activation functions need neither Keras nor NumPy."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LazyModule:
    """A module that is imported when one of its attributes is first used.

    Args:
        name: The module's full name.

    Example:
        >>> from kerasteach.activations.lazy_import import LazyModule
        >>> LazyModule("math").sqrt(9.0)
        3.0
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


keras: Any = LazyModule("keras")
ops: Any = LazyModule("keras.ops")
