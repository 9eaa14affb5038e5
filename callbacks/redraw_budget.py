"""Budget of redrawing: so seldom that a training takes at most a small share longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

SHARE = 0.05  # of the training time


class RedrawBudget:
    """Decides when a picture may be drawn anew, from what the last one cost.

    Args:
        expected: Seconds that a redraw takes, as far as is known before the first.

    Attributes:
        count: How many redraws there were.
        expected: Seconds that the last one took.
    """

    def __init__(self, expected: float) -> None:
        self.expected = expected
        self.count, self._spent = 0, 0.0
        self._begun, self._last = perf_counter(), -float("inf")

    @property
    def trained(self) -> float:
        """Seconds since the beginning without those of the redraws."""
        return perf_counter() - self._begun - self._spent

    @property
    def share(self) -> float:
        """What the redraws took, as a share of the training time."""
        return self._spent / max(self.trained, 1e-9)

    def allows(self, pause: float = 0.0) -> bool:
        """Say whether one more redraw keeps to the share, and so many seconds have passed since the last one."""
        paused = perf_counter() - self._last >= pause
        return paused and self._spent + self.expected <= SHARE * self.trained

    @contextmanager
    def redraw(self) -> Iterator[None]:
        """Measure what is done in this block."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._last = perf_counter()
            self.expected = self._last - begun
            self._spent += self.expected
            self.count += 1
