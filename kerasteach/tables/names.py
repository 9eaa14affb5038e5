"""Names of layers in a table: made distinct, and matched by patterns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase


def distinct(names: Iterable[str]) -> list[str]:
    """Return names in their order, with a number after a repeated one.

    Example:
        >>> from kerasteach.tables.names import distinct
        >>> distinct(["a", "b", "a"])
        ['a', 'b', 'a #2']
    """
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return numbered


def means(pattern: str, name: str) -> bool:
    """Return whether a name or wildcard means a layer: any part of `a/b/c` does, such as `c`, `b` or `a/b`.

    Example:
        >>> from kerasteach.tables.names import means
        >>> [means(pattern, "encoder/dense_1") for pattern in ("dense_*", "encoder", "dense")]
        [True, True, False]
    """
    parts = name.split("/")
    stops = range(1, len(parts) + 1)
    return any(fnmatchcase("/".join(parts[start:stop]), pattern) for stop in stops for start in range(stop))
