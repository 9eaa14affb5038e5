"""Hook of the import system that calls a function as soon as Keras is there, whoever imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def once_keras_is_there(call: Callable[[], object]) -> None:
    """Call a function now, if Keras is imported, or at the end of its import.

    A package for this, wrapt, takes a third of the time that `kerasteach --help` has.
    """
    if "keras" in sys.modules:
        call()
    else:
        sys.meta_path.insert(0, _Finder(call))


class _Finder:
    """A finder that leaves the finding to the others, and has Keras's loader call a function at its end."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of Keras that another finder has; of other modules, nothing."""
        if name != "keras":
            return None
        found = (finder.find_spec(name, path, target) for finder in list(sys.meta_path) if finder is not self)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._extend(spec.loader)
        return spec

    def _extend(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            self._call()

        loader.exec_module = exec_module
