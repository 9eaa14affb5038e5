"""What layers are called in a table, which of those names a user means, and what a step's numbers are called."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any


def without_model(model: Any, path: str) -> str:
    """Return the path of a layer without the name of the model around it, if there is one."""
    return path if model is None else path.removeprefix(f"{model.name}/")


def means(pattern: str, name: str) -> bool:
    """Say whether a name or wildcard means this layer: `a/b/c` is meant by any part of it, such as `c`, `b` or `a/b`.

    Example:
        >>> from kerasteach.measure.names import means
        >>> [means(pattern, "encoder/dense_1") for pattern in ("dense_*", "encoder", "dense")]
        [True, True, False]
    """
    parts = name.split("/")
    stops = range(1, len(parts) + 1)
    return any(fnmatchcase("/".join(parts[start:stop]), pattern) for stop in stops for start in range(stop))


def symbol(letter: str, depth: int | None = None, index: tuple[int, ...] = (), latex: bool = False) -> str:
    """Return what a number of a training step is called: `a2[0]` is output 0 of the second dense layer.

    Example:
        >>> from kerasteach.measure.names import symbol
        >>> symbol("W", 1, (0, 2)), symbol("x"), symbol("a'", 1, (0,), latex=True)
        ('W1[0,2]', 'x', "a_{1}'[0]")
    """
    place = f"[{','.join(map(str, index))}]" if index else ""
    if not latex or depth is None:
        return f"{letter.rstrip(chr(39))}{'' if depth is None else depth}{letter[1:]}{place}"
    return f"{letter[0]}_{{{depth}}}{letter[1:]}{place}"
