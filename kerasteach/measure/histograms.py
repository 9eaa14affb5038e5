"""Histograms of the magnitudes of a tensor's entries, in bins on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.keras_internals import positions
from kerasteach.validation import received

Tensor = Any

LOW, HIGH = 1e-12, 1e2  # the range of a histogram whose edges are not given
_MOST = 200


def checked_edges(histogram: bool | int | Sequence[float] | None) -> np.ndarray | None:
    """Return the edges of the bins, `(bins + 1,)` float32, or `None` for no histogram.

    Args:
        histogram: `True` for two bins a decade from 1e-12 to 100, a number of bins in that range, or increasing
            positive edges.

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
    except (TypeError, ValueError, OverflowError):
        edges = np.empty(0, "float32")
    valid = edges.ndim == 1 and 2 <= len(edges) <= _MOST + 1 and edges[0] > 0 and np.isfinite(edges[-1])
    if valid and np.all(np.diff(edges) > 0):  # which is false for NaN
        return edges
    raise ValueError(
        f"`histogram` must be True, a number of bins from 1 to {_MOST}, or increasing positive edges. "
        f"{received('histogram', histogram)}"
    )


def width(edges: np.ndarray | None) -> int:
    """Return how many counts a histogram with these edges has; none without edges."""
    return 0 if edges is None else len(edges) + 3


def bounds(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest magnitude of each count: zeros, below, the bins, above, not finite.

    Returns:
        `low` and `high`, `(bins + 4,)`: exact zeros are from 0 to 0, what is not finite from inf to inf. A bin holds
        its low edge and not its high one.
    """
    low = np.concatenate([[0.0, 0.0], edges, [np.inf]])
    high = np.concatenate([[0.0], edges, [np.inf, np.inf]])
    return low, high


def counts(tensors: Sequence[Tensor], edges: np.ndarray) -> Tensor:
    """Count the entries of each tensor by magnitude.

    Args:
        tensors: Of any shape, at least one.
        edges: The edges of the bins, `(bins + 1,)`.

    Returns:
        `(tensors, bins + 4)`, int32: zeros, below the first edge, each bin, at or above the last edge, NaN and
        infinite.

    Example:
        >>> import numpy as np
        >>> from kerasteach.measure import histograms
        >>> edges = np.array([0.1, 1.0, 10.0], "float32")
        >>> histograms.counts([np.array([0.0, -0.5, 3.0, float("nan")])], edges).numpy().tolist()
        [[1, 0, 1, 1, 0, 1]]
    """

    def count(*tensors: Tensor) -> Tensor:
        return ops.stack([_count(tensor, edges) for tensor in tensors])

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # XLA makes one loop of it, which is several times faster than TensorFlow's operations one after the other.
        if not tf.executing_eagerly():
            count = tf.function(count, autograph=False, jit_compile=True)
    return count(*[tensor if _is_double(tensor) else ops.cast(tensor, "float32") for tensor in tensors])


def _is_double(tensor: Tensor) -> bool:
    return keras.backend.standardize_dtype(tensor.dtype) == "float64"  # whose entries may be 0 in float32


def _count(tensor: Tensor, edges: np.ndarray) -> Tensor:
    entries = ops.abs(ops.reshape(tensor, (-1,)))
    bins = positions(ops.convert_to_tensor(edges, entries.dtype), entries) + 1
    bins = ops.where(ops.equal(entries, 0), 0, bins)
    bins = ops.cast(ops.where(ops.isfinite(entries), bins, len(edges) + 2), "int32")
    return ops.segment_sum(ops.ones_like(bins), bins, num_segments=width(edges))
