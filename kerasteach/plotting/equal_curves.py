"""Curves that lie on each other: the ones below are wider, so that each is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

_APART = 1.0  # pixel: curves that are closer everywhere lie on each other
_WIDER, _WIDEST = 1.8, 4.0  # of a width: by how much a curve is wider than the one on it, and than the one on top
_LARGER = 0.4  # of the same for markers


def show_covered(lines: Sequence[Line2D]) -> None:
    """Make lines wider, and their markers larger, which others would cover from end to end.

    Args:
        lines: Drawn on axes whose limits are set; one that was drawn later, or has a higher `zorder`, is above.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> lines = plt.figure().subplots().plot([1, 2], [[1, 1], [3, 3]], lw=2)
        >>> show_covered(lines)
        >>> [float(line.get_linewidth()) for line in lines]
        [5.6, 2.0]
    """
    groups: list[tuple[np.ndarray, list[Line2D]]] = []
    for line in sorted(lines, key=lambda line: line.get_zorder()):
        points = line.get_transform().transform(np.column_stack(line.get_data(orig=False)).astype("float64"))
        group = next((own for first, own in groups if _same(first, points)), None)
        if group is None:
            groups.append((points, [line]))
        else:
            group.append(line)
    for _, own in groups:
        step = min(_WIDER, _WIDEST / max(1, len(own) - 1))
        for above, line in enumerate(reversed(own)):
            line.set_linewidth(line.get_linewidth() * (1 + step * above))
            line.set_markersize(line.get_markersize() * (1 + _LARGER * step * above))


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Say whether two curves lie on each other, with gaps at the same places."""
    if first.shape != second.shape:
        return False
    known = np.isfinite(first)
    if not known.any() or (known != np.isfinite(second)).any():
        return False
    return bool((np.abs(first[known] - second[known]) < _APART).all())
