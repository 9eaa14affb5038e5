"""Verdict on the path of a descent: converged, still going, oscillating or diverged."""

from __future__ import annotations

from typing import Literal

import numpy as np

Verdict = Literal["converged", "still going", "oscillating", "diverged"]

CONVERGED = 1e-4  # of the gradient's norm at the start
_RISE = 0.1  # above the first half's highest value: beyond it a path has diverged, as a share of that half's height
_ROUNDING = 1e-6  # as a share of the value: smaller differences may be rounding


def verdict(points: np.ndarray, values: np.ndarray, norms: np.ndarray, met: bool = False) -> Verdict:
    """Return the verdict on a path, by the rule that `gradient_descent` documents.

    Args:
        points: `(rows, coordinates)`.
        values: `(rows,)`.
        norms: The gradient's norms, `(rows,)`.
        met: Whether the path ended because it met `until`. Defaults to `False`.

    Example:
        >>> import numpy as np
        >>> from kerasteach.lessons.descent.verdicts import verdict
        >>> x = 2.0 * (1 - 2 * 1.0) ** np.arange(51)  # learning rate 1 on x^2: from 2 to -2 and back, for ever
        >>> verdict(x[:, np.newaxis], x**2, np.abs(2 * x))
        'oscillating'
    """
    last = len(values) - 1
    if not all(np.isfinite(numbers).all() for numbers in (points, values, norms)):
        return "diverged"
    if met or (norms[-max(1, last // 10) :] <= CONVERGED * norms[0]).all():
        return "converged"
    if _flies_off(values, last // 2):
        return "diverged"
    return "oscillating" if _swings(points[last // 2 :], values[last // 2 :]) else "still going"


def _flies_off(values: np.ndarray, half: int) -> bool:
    values = values / max(np.abs(values).max(), np.finfo("float64").tiny)  # differences of huge values would overflow
    highest, lowest = values[: half + 1].max(), values.min()
    rounding = _ROUNDING * np.abs(values[: half + 1]).max()
    return bool(values[-1] - highest > _RISE * (highest - lowest) + rounding)


def _swings(points: np.ndarray, values: np.ndarray) -> bool:
    points = points / max(np.abs(points).max(), np.finfo("float64").tiny)
    moves = np.diff(points, axis=0)
    turns = np.sum(moves[1:] * moves[:-1], axis=1) < 0
    changes = np.diff(values / max(np.abs(values).max(), np.finfo("float64").tiny))
    changes[np.abs(changes) <= _ROUNDING * np.abs(changes).max(initial=0)] = 0
    rise, fall = changes[changes > 0].sum(), -changes[changes < 0].sum()
    return bool(turns.size and turns.mean() >= 0.5) or bool(rise > 0 and rise >= fall / 2)
