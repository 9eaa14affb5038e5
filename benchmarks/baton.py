"""Fits that take turns, epoch by epoch: ratios of their times that hold on a machine that does other work meanwhile.

Each fit runs in a thread of its own and trains only while it has the baton: a callback in front of all others waits for
it at each epoch's begin, one behind them passes it on at the epoch's end. So the epochs of one round follow each other
within a second, and meet the same machine. The order within a round changes from round to round, so that none of the
fits always comes second; over all rounds each order is equally frequent.

    times = baton.times({"plain": fit, "plain again": fit_again, "captured": captured_fit}, rounds=100)
    print(baton.ratios(times))  # to the first fit, in the same round

Let an epoch take about a tenth of a second. The seconds of the processor are noted as well: they change less with what
else the machine does, but count what a second core does in the meantime as if it were waited for.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import pandas as pd

AGAIN = "plain again"  # the row of a fit that is as the first one; other than 1 shows how noisy the machine is
_TOLERANCE = 0.02

Callbacks = Callable[[list[keras.callbacks.Callback]], list[keras.callbacks.Callback]]
Fit = Callable[[Callbacks, int], object]


class Times(NamedTuple):
    """The seconds of each fit's epochs, a row a round and a column a fit."""

    wall: pd.DataFrame
    processor: pd.DataFrame


class _Baton:
    """The right to compute, which one thread has at a time; `order` says whose turns they are, one after the other."""

    def __init__(self, order: Sequence[str]) -> None:
        self._order, self._turn = order, 0
        self._changed = threading.Condition()
        self.error: BaseException | None = None

    def wait(self, name: str) -> None:
        """Wait for the next turn of this name."""
        with self._changed:
            self._changed.wait_for(lambda: self.error is not None or self._order[self._turn] == name)
            if self.error is not None:
                raise RuntimeError("Another fit failed.") from self.error

    def pass_on(self, error: BaseException | None = None) -> None:
        """End the turn, with an error if it failed, which ends all others."""
        with self._changed:
            self._turn, self.error = self._turn + 1, self.error or error
            self._changed.notify_all()


class _Wait(keras.callbacks.Callback):
    """Wait at each epoch's begin, and note the time."""

    def __init__(self, wait: Callable[[], None]) -> None:
        super().__init__()
        self.wait, self.began = wait, (0.0, 0.0)

    def on_epoch_begin(self, epoch, logs=None):
        """Wait, but for the first epoch, whose turn began with the fit."""
        if epoch:
            self.wait()
        self.began = _now()


class _PassOn(keras.callbacks.Callback):
    """Note the epoch's seconds, and pass the baton on at its end, but for the last one: its turn ends with the fit."""

    def __init__(self, pass_on: Callable[[], None], waiting: _Wait, epochs: int) -> None:
        super().__init__()
        self.pass_on, self.waiting, self.last = pass_on, waiting, epochs - 1
        self.seconds: list[tuple[float, float]] = []

    def on_epoch_end(self, epoch, logs=None):
        """Pass the baton on."""
        wall, processor = (end - begin for end, begin in zip(_now(), self.waiting.began, strict=True))
        self.seconds.append((wall, processor))
        if epoch < self.last:
            self.pass_on()


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def times(fits: dict[str, Fit], rounds: int, warm_up: int = 2) -> Times:
    """Return how long each fit's epoch took in each round.

    Args:
        fits: Each calls `fit` with two arguments: a function that puts the baton's callbacks around a list of others,
            and a number of epochs.
        rounds: How many epochs count.
        warm_up: How many do not count, at the beginning: the first one compiles.
    """
    epochs = warm_up + rounds
    order = _order(list(fits), epochs)
    baton = _Baton([*order, ""])  # nobody's turn comes last
    found: dict[str, list[tuple[float, float]]] = {}

    def run(name: str, fit: Fit) -> None:
        try:
            baton.wait(name)
            waiting = _Wait(lambda: baton.wait(name))
            passing = _PassOn(baton.pass_on, waiting, epochs)
            fit(lambda callbacks: [waiting, *callbacks, passing], epochs)
            found[name] = passing.seconds
            baton.pass_on()
        except BaseException as error:  # the others wait for this one
            baton.pass_on(error)

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in fits.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if baton.error is not None:
        raise baton.error
    return Times(
        *(_table({name: found[name][warm_up:] for name in fits}, clock) for clock in range(len(Times._fields)))
    )


def _table(found: dict[str, list[tuple[float, float]]], clock: int) -> pd.DataFrame:
    return pd.DataFrame({name: [turn[clock] for turn in turns] for name, turns in found.items()})


def _order(names: list[str], rounds: int) -> list[str]:
    """Return whose turn it is, round by round: each order of the names equally often, as far as that goes."""
    drawn = random.Random(0)
    if len(names) > 4:
        return [name for _ in range(rounds) for name in drawn.sample(names, len(names))]
    orders = list(itertools.permutations(names))
    found: list[str] = []
    while len(found) < rounds * len(names):
        found += itertools.chain.from_iterable(drawn.sample(orders, len(orders)))
    return found[: rounds * len(names)]


def ratios(times: Times) -> pd.DataFrame:
    """Return the median over the rounds of each ratio to the first fit, its quartiles, and the processor's ratio."""
    relative, processor = (table.div(table.iloc[:, 0], axis=0).iloc[:, 1:] for table in times)
    columns = {"ratio": relative.median(), "from": relative.quantile(0.25), "to": relative.quantile(0.75)}
    return pd.DataFrame({**columns, "processor": processor.median()})


def is_quiet(ratio: float) -> bool:
    """Say whether the ratio of a fit to one that is the same shows that the machine allows a judgment."""
    return abs(ratio - 1) <= _TOLERANCE
