"""What layers are called in a table, and which of those names a user means. Needs no Keras."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any


def without_model(model: Any, path: str) -> str:
    """Return the path of a layer without the name of the model around it, if there is one."""
    return path if model is None else path.removeprefix(f"{model.name}/")


def means(pattern: str, name: str) -> bool:
    """Say whether a name or wildcard means this layer: `a/b` is meant by `a/b`, by `b`, and by `a`, which holds it.

    Example:
        >>> from kerasteach.measure.names import means
        >>> [means(pattern, "encoder/dense_1") for pattern in ("dense_*", "encoder", "dense")]
        [True, True, False]
    """
    parts = name.split("/")
    names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)] + parts[-1:]
    return any(fnmatchcase(one, pattern) for one in names)
