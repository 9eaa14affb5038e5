"""One row for an epoch out of the rows of its steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_LEAST = ("finite", "dead_fraction")  # become the least of the steps' values; everything else its mean


class EpochMean:
    """Folds the steps of an epoch, as they come, into one row for each entry.

    Statistics become their means over the steps in which the entry was there, and NaN if one of those is; `finite`
    stays where it held in all of them; `dead_fraction` is that of the whole epoch; counts are added up.

    Args:
        statistics: The names of the first columns, `finite` among them; the others are counts.
        epoch: The epoch's number.

    Attributes:
        last: The number of the last step.
    """

    def __init__(self, statistics: Sequence[str], epoch: int) -> None:
        self.epoch, self.last = epoch, -1
        self._statistics = tuple(statistics)
        self._sum: np.ndarray | None = None
        self._least: np.ndarray | None = None
        self._present: np.ndarray | None = None

    def add(self, steps: np.ndarray, values: np.ndarray) -> None:
        """Take some steps: their numbers, `(steps,)`, and `(steps, entries, columns)`."""
        present = ~np.isnan(values[:, :, self._statistics.index("finite")])
        total = np.where(present[:, :, np.newaxis], values, 0).sum(axis=0)
        least = np.where(present[:, :, np.newaxis], values, np.inf).min(axis=0)
        number = present.sum(axis=0)
        if self._sum is None or self._least is None or self._present is None:
            self._sum, self._least, self._present = total, least, number
        else:
            self._sum, self._least = self._sum + total, np.minimum(self._least, least)
            self._present = self._present + number
        self.last = int(steps[-1])

    def values(self) -> np.ndarray:
        """Return the epoch's row, `(entries, columns)`, NaN for an entry that was never there."""
        if self._sum is None or self._least is None or self._present is None:
            raise RuntimeError("No step was added.")
        there = self._present[:, np.newaxis] > 0
        folded = self._sum.copy()
        number = len(self._statistics)
        folded[:, :number] /= np.maximum(self._present, 1)[:, np.newaxis]
        for index, name in enumerate(self._statistics):
            if name in _LEAST:
                folded[:, index] = self._least[:, index]
        return np.where(there, folded, np.nan)
