"""Intervals of means over the seeds of a comparison. Needs no Keras."""

from __future__ import annotations

import numpy as np

BOOTSTRAP = 10  # seeds from which on the interval is the bootstrap's; below, it is Student's
_RESAMPLES = 9_999
_LEVEL = 95  # per cent


def interval_name(seeds: int) -> str | None:
    """Return what the interval of a mean difference is called, or `None` where there is none.

    Args:
        seeds: How many seeds there are.

    Example:
        >>> from kerasteach.tables.intervals import interval_name
        >>> interval_name(2), interval_name(5), interval_name(10)
        (None, '95 % t interval', '95 % bootstrap interval')
    """
    if seeds <= 2:
        return None
    return f"{_LEVEL} % {'t' if seeds < BOOTSTRAP else 'bootstrap'} interval"


def mean_difference(values: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of the paired differences, and the ends of its 95 % interval.

    With one seed both networks started from the same weights and saw the same batches, so that what differs is the
    thing that was varied: `difference = mean(values - reference)`.

    - One or two seeds: no interval. Two differences say next to nothing of their spread.
    - Three to nine seeds: Student's t interval, `mean -+ t(0.975, n - 1) * s / sqrt(n)` with the standard deviation s
      of the differences. It holds the true mean in 95 % of experiments if the differences are normally distributed.
    - From ten seeds: the percentile bootstrap's. 9,999 times as many differences as there are seeds are drawn from them
      with replacement, in a random stream of its own that is the same each time, and the 2.5th and the 97.5th
      percentile of their means are taken. No distribution is assumed; with ten seeds it holds the true mean in some
      90 % of experiments, with more it comes near to 95 %. (With five it would be some 83 %.)

    Args:
        values: A number a seed, `(seeds,)`.
        reference: Those of the network that it is compared with, `(seeds,)`.

    Returns:
        The mean and both ends; the ends are NaN where there is no interval, or a difference is not finite.

    Reference:
        Student, The probable error of a mean, 1908.
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    with np.errstate(invalid="ignore"):  # infinite losses of two networks that both diverged
        return mean_interval(np.asarray(values, "float64") - np.asarray(reference, "float64"))


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of a number a seed, and the ends of its 95 % interval: see `mean_difference`.

    Args:
        values: A number a seed, `(seeds,)`.

    Returns:
        The mean and both ends; the ends are NaN where there is no interval, or a number is not finite.

    Example:
        >>> from kerasteach.tables.intervals import mean_interval
        >>> [round(end, 3) for end in mean_interval([1.0, 2.0, 3.0])]
        [2.0, -0.484, 4.484]
    """
    values = np.asarray(values, "float64")
    with np.errstate(invalid="ignore"):
        mean = float(values.mean())
    seeds = len(values)
    if interval_name(seeds) is None or not np.isfinite(values).all():
        return mean, np.nan, np.nan
    tail = (1 - _LEVEL / 100) / 2
    if seeds < BOOTSTRAP:
        from scipy.special import stdtrit  # takes half a second

        half = float(stdtrit(seeds - 1, 1 - tail) * values.std(ddof=1) / np.sqrt(seeds))
        return mean, mean - half, mean + half
    chosen = np.random.default_rng(0).integers(seeds, size=(_RESAMPLES, seeds))
    low, high = np.percentile(values[chosen].mean(axis=1), [100 * tail, 100 * (1 - tail)])
    return mean, float(low), float(high)
