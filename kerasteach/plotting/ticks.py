"""Ticks at whole and even numbers: epochs, layers and steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

_STEPS = (1, 2, 5, 10)  # times a power of ten: the distance of two ticks


def whole_ticks(axis: Axis, most: int = 6) -> None:
    """Number an axis at multiples of 1, 2, 5, 10, 20, ...: two at least, where it has two whole numbers."""
    axis.set_major_locator(_WholeLocator(nbins=most, integer=True, steps=_STEPS))


class _WholeLocator(MaxNLocator):
    """Ticks at whole numbers. matplotlib's own takes fractions where it is asked for more ticks than whole numbers."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        low, high = sorted((vmin, vmax))
        self.set_params(min_n_ticks=2 if np.floor(high) - np.ceil(low) >= 1 else 1)
        return super().tick_values(vmin, vmax)


def evenly(numbers: Sequence[int], most: int = 5) -> list[int]:
    """Return the places of the whole numbers that have a tick: those that are multiples of 1, 2, 5, 10, 20, ...

    Numbers that are no run, such as every fourth epoch, have a tick at every so many of them.

    Example:
        >>> evenly(range(1, 21))
        [4, 9, 14, 19]
        >>> evenly([1, 11, 21])
        [0, 1, 2]
    """
    whole = list(numbers)
    if len(whole) <= most:
        return list(range(len(whole)))
    step, power = 1, 1
    while len(whole) // step > most:
        step, power = next(((n * power, power) for n in _STEPS if n * power > step), (10 * power, 10 * power))
    if whole[-1] - whole[0] == len(whole) - 1:
        return [place for place, number in enumerate(whole) if number % step == 0]
    return list(range(0, len(whole), step))
