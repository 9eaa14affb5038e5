"""What statistics are made of: norms, sums and counts of tensors, made inside the training step.

The step ends only when its last gradient is measured. So the way from a gradient to these numbers is short, and what
can wait for the host is left to it: see `statistics.finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
Axes = Sequence[int] | None
Sums = dict[str, Any]

_SMALL = 4096  # entries; so few are measured in float64 at no cost that shows
_LONG = 2**17  # entries; XLA adds up one after the other, and loses digits in a longer sum
_LEAST, _MOST = 1e-25, 1e30  # the sums of squares that float32 holds with all digits
_TINY, _HUGE = 1e-150, 1e150  # between them float64 holds the squares with all digits


def wide() -> str:
    """Return the dtype that numbers are kept in: float64, but for JAX, which has none by default."""
    return "float32" if keras.backend.backend() == "jax" else "float64"


# What every statistic is made of. A norm, not its square, which may not fit the dtype where the norm does.
_SUMS_OF = {
    "norm": ("norm",),
    "mean": ("sum",),
    "std": ("norm", "sum"),
    "finite": ("sum",),  # a sum is finite where every entry is
    "mean_abs": ("sum_abs",),
    "max_abs": ("max_abs", "norm"),  # the norm is NaN where an entry is, which a maximum may overlook
    "zero_fraction": ("zeros",),
    "update_ratio": ("norm",),
}


def needed(names: Iterable[str]) -> tuple[str, ...]:
    """Return what these statistics are made of."""
    return tuple(dict.fromkeys(["size", *(part for name in names for part in _SUMS_OF.get(name, ()))]))


def exact(parts: Sequence[str], x: Tensor, axes: Axes = None) -> Sums:
    """Return the sums of one tensor in float64 (float32 on JAX), where its dtype needs it of the scaled entries."""
    entries = ops.size(x) if axes is None else ops.prod(ops.stack([ops.shape(x)[axis] for axis in axes]))
    widest = keras.backend.standardize_dtype(x.dtype) == wide()  # no dtype is left that would hold its squares
    x = ops.cast(x, wide())
    scale = ops.ones((), dtype=wide())
    if widest or wide() == "float32":
        scale = ops.max(ops.abs(x), axis=axes, keepdims=True)
        needed = ops.logical_and(ops.isfinite(scale), scale > 0)
        if wide() == "float64":  # what needs no scale keeps its last bit
            needed = ops.logical_and(needed, ops.logical_or(scale < _TINY, scale > _HUGE))
        scale = ops.where(needed, scale, ops.ones_like(scale))
        x = x / scale
        scale = ops.reshape(scale, ()) if axes is None else ops.squeeze(scale, tuple(axes))
    make: dict[str, Callable[[], Tensor]] = {
        "size": lambda: ops.cast(entries, wide()),
        "norm": lambda: scale * ops.sqrt(ops.sum(ops.square(x), axis=axes)),
        "sum": lambda: scale * ops.sum(x, axis=axes),
        "sum_abs": lambda: scale * ops.sum(ops.abs(x), axis=axes),
        "max_abs": lambda: scale * ops.max(ops.abs(x), axis=axes),
        "zeros": lambda: ops.sum(ops.cast(ops.equal(x, 0), wide()), axis=axes),
    }
    return {part: make[part]() for part in parts}


def table(parts: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the sums of several tensors, `(tensors, parts)`; `norm` must be one of the parts."""
    tensors = [_tensor(tensor) for tensor in tensors]
    ways: dict[Callable[..., Tensor], list[int]] = {}
    for place, tensor in enumerate(tensors):
        ways.setdefault(_way(tensor), []).append(place)
    tables = [measure(parts, [tensors[place] for place in places]) for measure, places in ways.items()]
    if len(tables) < 2:
        return tables[0] if tables else ops.zeros((0, len(parts)), wide())
    return ops.take(ops.concatenate(tables), np.argsort(np.concatenate(list(ways.values()))), axis=0)


def in_table(parts: Sequence[str], rows: Tensor, owners: np.ndarray, sizes: Sequence[int]) -> Tensor:
    """Return `size`, `norm` and `sum` of tensors that take whole rows of a matrix: see `statistics.measure_stacked`."""
    import tensorflow as tf

    x, numbers = tf.cast(rows, "float64"), tf.constant(owners, "int32")

    def added(values: Tensor) -> Tensor:
        return tf.ensure_shape(tf.math.segment_sum(values, numbers), (len(sizes),))

    # Each row first, in one operation without a table of squares: a long column of segments is slow, too.
    make: dict[str, Callable[[], Tensor]] = {
        "size": lambda: tf.constant(sizes, "float64"),
        "norm": lambda: tf.sqrt(added(tf.square(tf.math.reduce_euclidean_norm(x, axis=1)))),
        "sum": lambda: added(tf.reduce_sum(x, axis=1)),
    }
    return tf.stack([make[part]() for part in parts], axis=1)


def _way(tensor: Tensor) -> Callable[[Sequence[str], Sequence[Tensor]], Tensor]:
    """Return how to measure a tensor like this one."""
    size = 0 if None in tensor.shape else int(np.prod(tensor.shape))
    if size == 0 or keras.backend.standardize_dtype(tensor.dtype) == "float64":
        return _exactly
    if size > _SMALL:
        return _large
    return _small if keras.backend.backend() == "tensorflow" else _exactly


def _exactly(parts: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the sums of tensors, each by itself."""
    return ops.stack([ops.stack(list(exact(parts, tensor).values())) for tensor in tensors])


def _small(parts: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the sums of small tensors, all together in float64."""
    sizes = [int(np.prod(tensor.shape)) for tensor in tensors]
    owners, number = np.repeat(np.arange(len(sizes), dtype="int32"), sizes), len(sizes)
    flat = [ops.reshape(tensor, (-1,)) for tensor in tensors]
    if len({tensor.dtype for tensor in flat}) > 1:
        flat = [ops.cast(tensor, wide()) for tensor in flat]
    entries = ops.cast(ops.concatenate(flat) if number > 1 else flat[0], wide())

    def added(values: Tensor) -> Tensor:
        return ops.segment_sum(values, owners, num_segments=number)

    make: dict[str, Callable[[], Tensor]] = {
        "size": lambda: ops.convert_to_tensor(np.array(sizes, wide())),
        "norm": lambda: ops.sqrt(added(ops.square(entries))),
        "sum": lambda: added(entries),
        "sum_abs": lambda: added(ops.abs(entries)),
        "max_abs": lambda: ops.segment_max(ops.abs(entries), owners, num_segments=number),
        "zeros": lambda: added(ops.cast(ops.equal(entries, 0), wide())),
    }
    return ops.stack([make[part]() for part in parts], axis=1)


def _large(parts: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the sums of large tensors in float32, or exactly where one leaves its range."""
    tensors = [ops.cast(tensor, "float32") for tensor in tensors]
    squares = 2 * ops.stack([_half_square(tensor) for tensor in tensors])
    sizes = ops.convert_to_tensor(np.array([np.prod(x.shape) for x in tensors], "float32"))
    magnitudes = [ops.abs(x) for x in tensors] if {"sum_abs", "max_abs", "zeros"} & set(parts) else []
    make: dict[str, Callable[[], Tensor]] = {
        "size": lambda: sizes,
        "norm": lambda: ops.sqrt(squares),
        "sum": lambda: ops.stack([_sum(x) for x in tensors]),
        "sum_abs": lambda: ops.stack([_sum(x) for x in magnitudes]),
        "max_abs": lambda: ops.stack([ops.max(x) for x in magnitudes]),
        "zeros": lambda: ops.stack([_zeros(x) for x in magnitudes]),
    }
    fast = ops.cast(ops.stack([make[part]() for part in parts], axis=1), wide())
    in_range = ops.logical_and(squares >= _LEAST, squares <= _MOST)

    def again(tensors: Sequence[Tensor]) -> Tensor:
        # The gradient of a dead layer is all zeros, at every step, and measured right.
        zero = ops.stack([ops.logical_not(ops.any(ops.not_equal(x, 0))) for x in tensors])
        right = ops.all(ops.logical_or(in_range, zero))
        return ops.cond(right, lambda: fast, lambda: _aside(partial(_exactly, parts), tensors))

    return ops.cond(ops.all(in_range), lambda: fast, lambda: _aside(again, tensors))


def _half_square(x: Tensor) -> Tensor:
    """Return half the sum of the squares."""
    if keras.backend.backend() != "tensorflow":
        return _sum(ops.square(x)) / 2
    import tensorflow as tf

    return tf.nn.l2_loss(x)  # in one operation, which keeps its digits under XLA too


def _sum(x: Tensor) -> Tensor:
    """Return the sum of all entries; of a long tensor, of its rows first."""
    return ops.sum(x) if np.prod(x.shape) <= _LONG else _total(_row_sums(x))


def _zeros(magnitudes: Tensor) -> Tensor:
    """Return how many entries are 0, without a table of truths."""
    there = ops.sign(magnitudes)
    size = int(np.prod(there.shape))
    if size <= _LONG:
        return size - ops.sum(there)
    sums = _row_sums(there)  # row by row, because float32 counts up to 2^24 only
    width = _width(there)
    lengths = np.full(sums.shape, width, "float32")
    if size % width:
        lengths[-1] = size % width
    return _total(lengths - sums)


def _width(x: Tensor) -> int:
    """Return how many entries of a long tensor are added up first: a row, or some of a row that is long itself."""
    return int(x.shape[-1]) if x.shape[-1] <= _LONG else _SMALL


def _row_sums(x: Tensor) -> Tensor:
    """Return the sums of so many entries each of a long tensor."""
    width = _width(x)
    if width == x.shape[-1]:
        return ops.reshape(ops.sum(x, axis=-1), (-1,))
    flat = ops.reshape(x, (-1,))
    end = flat.shape[0] // width * width
    sums = ops.sum(ops.reshape(flat[:end], (-1, width)), axis=-1)
    return sums if end == flat.shape[0] else ops.concatenate([sums, ops.reshape(ops.sum(flat[end:]), (1,))])


def _total(sums: Tensor) -> Tensor:
    if wide() == "float32":  # XLA makes one long sum of a sum of sums, but not of this
        return ops.segment_sum(sums, np.zeros(sums.shape, "int32"), num_segments=1)[0]
    return ops.cast(ops.sum(ops.cast(sums, wide())), sums.dtype)


def _aside(function: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """Call the function where its operations are out of the way until they are needed."""
    if keras.backend.backend() != "tensorflow":
        return function(*arguments)
    import tensorflow as tf

    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})(*arguments)


def _tensor(x: Any) -> Tensor:
    """Return a tensor, also of a variable, which Keras itself would hand on as it is."""
    x = ops.convert_to_tensor(x.value if isinstance(x, keras.Variable) else x)
    return x.read_value() if hasattr(x, "read_value") else x
