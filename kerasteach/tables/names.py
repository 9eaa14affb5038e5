"""Names of layers in a table, made distinct and matched by patterns; factors and shares as text."""

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


def times(factor: float) -> str:
    """Write a factor in two digits, in words where it has many.

    Example:
        >>> from kerasteach.tables.names import times
        >>> times(1523.0), times(2.34), times(4.0), times(3.2e9)
        ('1,500', '2.3', '4', 'more than a billion')
    """
    for least, word in ((1e9, "a billion"), (1e6, "a million")):
        if factor >= least:
            return f"more than {word}"
    return f"{float(f'{factor:.2g}'):,.10g}"


def percent(share: float) -> str:
    """Write a share in percent: whole ones from 10 on, two digits below; 0 % is none at all, and 100 % are all.

    Example:
        >>> from kerasteach.tables.names import percent
        >>> percent(0.334), percent(0.0234), percent(1e-9), percent(0.0)
        ('33 %', '2.3 %', '0.001 %', '0 %')
        >>> percent(0.9996), percent(1.0), percent(123.4)
        ('99.9 %', '100 %', '12,000 %')
    """
    points = 100 * share
    if 0 < points < 10:
        return f"{max(points, 0.001):.2g} %"
    if 99.5 <= points < 100:
        return f"{int(10 * points) / 10:g} %"
    return f"{points:.0f} %" if points < 1000 else f"{float(f'{points:.2g}'):,.10g} %"
