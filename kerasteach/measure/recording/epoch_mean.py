"""Means over the steps of an epoch: one row for each entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasteach.tables.captures import Measured, is_recorded

_LEAST = ("finite", "dead_fraction")  # become the least of the steps' values; everything else its mean


class EpochMean:
    """Folds the steps of an epoch, as they come, into one row for each entry.

    Statistics become their means over the steps in which the entry was there, and NaN if one of those is; `finite`
    stays where it held in all of them; `dead_fraction` is that of the whole epoch; counts are added up.

    Args:
        names: Of the statistics, `finite` among them.
        epoch: The epoch's number.

    Attributes:
        last: The number of the last step.
    """

    def __init__(self, names: Sequence[str], epoch: int) -> None:
        self.epoch, self.last = epoch, -1
        self._names = tuple(names)
        self._sum: Any = 0.0
        self._counts: Any = 0.0
        self._least: Any = np.inf
        self._number: Any = 0  # of the steps in which each entry was there

    def add(self, steps: np.ndarray, measured: Measured) -> None:
        """Take some steps: their numbers, `(steps,)`, and `(steps, entries, ...)`."""
        present = is_recorded(self._names, measured.statistics)[:, :, np.newaxis]
        self._sum = self._sum + np.where(present, measured.statistics, 0).sum(axis=0)
        self._counts = self._counts + np.where(present, measured.counts, 0).sum(axis=0)
        self._least = np.minimum(self._least, np.where(present, measured.statistics, np.inf).min(axis=0))
        self._number = self._number + present.sum(axis=0)
        self.last = int(steps[-1])

    def row(self) -> Measured:
        """Return the epoch's row, `(1, entries, ...)`, NaN for an entry that was never there."""
        if self.last < 0:
            raise RuntimeError("No step was added.")
        least = np.isin(self._names, _LEAST)
        folded = np.where(least, self._least, self._sum / np.maximum(self._number, 1))
        return Measured(
            *(np.where(self._number > 0, numbers, np.nan)[np.newaxis] for numbers in (folded, self._counts))
        )
