"""How the magnitudes of a tensor's entries are spread: counts in bins on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

Tensor = Any

LOW, HIGH = 1e-12, 1e2  # what a histogram spans unless its edges are given
_MOST = 200


def checked_edges(histogram: bool | int | Sequence[float] | None) -> np.ndarray | None:
    """Return the edges of the bins that are asked for, `(bins + 1,)` float32, or `None` for no histogram.

    Args:
        histogram: `True` for two bins a decade from 1e-12 to 100, how many bins to lay there, or increasing positive
            edges.

    Raises:
        ValueError: If it is none of these.
    """
    if histogram is None or histogram is False:
        return None
    if histogram is True:
        histogram = 28
    if isinstance(histogram, (int, np.integer)) and 1 <= histogram <= _MOST:
        return np.geomspace(LOW, HIGH, int(histogram) + 1).astype("float32")
    try:
        edges = np.asarray(histogram, dtype="float32")
    except (TypeError, ValueError):
        edges = np.empty(0, "float32")
    fits = edges.ndim == 1 and 2 <= len(edges) <= _MOST + 1 and edges[0] > 0 and np.isfinite(edges[-1])
    if fits and np.all(np.diff(edges) > 0):  # which NaN is not
        return edges
    raise ValueError(
        f"`histogram` must be True, a number of bins from 1 to {_MOST}, or increasing positive edges. "
        f"Received: histogram={histogram!r}."
    )


def bounds(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest magnitude of each count: zeros, below, the bins, above, not finite.

    Returns:
        `low` and `high`, `(bins + 4,)`: exact zeros are from 0 to 0, what is not finite from inf to inf. A bin holds
        its low edge and not its high one.
    """
    low = np.concatenate([[0.0, 0.0], edges, [np.inf]])
    high = np.concatenate([[0.0], edges, [np.inf, np.inf]])
    return low, high


def counts(tensor: Tensor, edges: np.ndarray) -> Tensor:
    """Count the entries by magnitude.

    Args:
        tensor: Of any shape.
        edges: The edges of the bins, `(bins + 1,)`.

    Returns:
        `(bins + 4,)`: zeros, below the first edge, each bin, at or above the last edge, NaN and infinite.

    Example:
        >>> import numpy as np
        >>> from kerasteach.measure import histograms
        >>> counts = histograms.counts([0.0, -0.5, 3.0, float("nan")], np.array([0.1, 1.0, 10.0], "float32"))
        >>> counts.numpy().astype(int).tolist()
        [1, 0, 1, 1, 0, 1]
    """
    entries = ops.abs(ops.reshape(ops.cast(tensor, "float32"), (-1,)))
    finite = ops.isfinite(entries)
    # How many entries are at or above each edge; the bins are the differences.
    above = ops.stack([_count(ops.logical_and(finite, entries >= float(edge))) for edge in edges])
    zeros = _count(ops.equal(entries, 0))
    all_finite = _count(finite)
    upper = ops.concatenate([ops.reshape(all_finite - zeros, (1,)), above])
    lower = ops.concatenate([above, ops.zeros((1,), above.dtype)])
    ends = [ops.reshape(zeros, (1,)), ops.reshape(ops.size(entries) - all_finite, (1,))]
    return ops.concatenate([ends[0], upper - lower, ops.cast(ends[1], above.dtype)])


def _count(condition: Tensor) -> Tensor:
    return ops.sum(ops.cast(condition, "int32"))
