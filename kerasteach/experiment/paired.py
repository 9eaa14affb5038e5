"""Whether networks differ, seed by seed: the mean difference, and how sure one can be of it."""

from __future__ import annotations

import numpy as np

_RESAMPLES = 9_999
_LEVEL = 95  # per cent


def mean_difference(values: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of the paired differences, and the ends of its 95 % bootstrap interval.

    With one seed both networks started from the same weights and saw the same batches, so that what differs is the
    thing that was varied: `difference = mean(values - reference)`. The interval is the percentile bootstrap's: 9,999
    times as many differences as there are seeds are drawn from them with replacement, in a random stream of its own
    that is the same each time, and the 2.5th and the 97.5th percentile of their means are taken. With fewer than about
    ten seeds it is too narrow: an interval from five seeds holds the true mean in some 80 to 85 % of experiments.

    Args:
        values: A number a seed, `(seeds,)`.
        reference: Those of the network that it is compared with, `(seeds,)`.

    Returns:
        The mean and both ends; the ends are NaN for a single seed, or where a difference is not finite.

    Reference:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    with np.errstate(invalid="ignore"):  # infinite losses of two networks that both diverged
        differences = np.asarray(values, "float64") - np.asarray(reference, "float64")
        mean = float(differences.mean())
    if len(differences) < 2 or not np.isfinite(differences).all():
        return mean, np.nan, np.nan
    chosen = np.random.default_rng(0).integers(len(differences), size=(_RESAMPLES, len(differences)))
    low, high = np.percentile(differences[chosen].mean(axis=1), [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
    return mean, float(low), float(high)
