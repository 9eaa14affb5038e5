"""Tolerance of an answer: how far correct rounding of intermediate results can lead away from the exact value.

A student carries intermediate results with `DECIMALS` decimals and rounds the answer to as many. Each of these
roundings is wrong by half a unit of the last decimal at most, h = 10^-DECIMALS / 2. To first order the answer y is then
wrong by

    tolerance = h + sum over the intermediate results v of |y(v + h) - y(v)|

at most, rounded up to two significant digits. The numbers on the sheet are exact as they stand there.
"""

from __future__ import annotations

import math

import numpy as np

from kerasteach.exercises.question import Number

DECIMALS = 4
_MOST_RESULTS = 24  # intermediate results of one exercise


class Carried:
    """Intermediate results of a calculation, each of them rounded in a run of its own.

    A calculation is written once, for arrays `(runs,)`: run 0 is exact, and in run i the i-th intermediate result is
    half a unit of its last decimal too large.
    """

    def __init__(self, results: int = 0) -> None:
        """Begin after so many intermediate results, which an earlier part of the calculation had."""
        self._results = results

    def __call__(self, value: np.ndarray | float) -> np.ndarray:
        """Return an intermediate result, in the next run with its error."""
        self._results += 1
        runs = np.array(np.broadcast_to(value, _MOST_RESULTS + 1), dtype="float64")
        runs[self._results] += _half_unit()
        return runs


def _half_unit() -> float:
    return 0.5 * 10.0**-DECIMALS


def answer(runs: np.ndarray | float) -> Number:
    """Return the exact value of a calculation, and its tolerance.

    Args:
        runs: The calculation's result, `(runs,)`; a single number where there was no intermediate result.

    Example:
        >>> from kerasteach.exercises.rounding import Carried, answer
        >>> carried = Carried()
        >>> answer(3 * carried(0.5))
        Number(value=1.5, tolerance=0.0002)
    """
    values = np.atleast_1d(np.asarray(runs, dtype="float64"))
    tolerance = _half_unit() + float(np.sum(np.abs(values[1:] - values[0])))
    return Number(float(values[0]), _rounded_up(tolerance))


def _rounded_up(number: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return float(f"{math.ceil(number / unit - 1e-6) * unit:.3g}")
