"""What statistics of gradients are made of: norms, sums and counts, in few operations for all gradients of a step.

What these operations cost is what capturing costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
Axes = Sequence[int] | None
Sums = dict[str, Tensor]

_SMALL = 4096  # entries; so few are measured in float64 at no cost that shows


def wide() -> str:
    """Return the dtype that numbers are kept in: float64, but for JAX, which has none by default."""
    return "float32" if keras.backend.backend() == "jax" else "float64"


# What every statistic is made of. A norm, not its square, which may not fit the dtype where the norm does.
_SUMS_OF = {
    "norm": ("norm",),
    "mean": ("sum",),
    "std": ("norm", "sum"),
    "finite": ("finite",),
    "mean_abs": ("sum_abs",),
    "max_abs": ("max_abs",),
    "zero_fraction": ("zeros",),
    "update_ratio": ("norm",),
}


def needed(names: Iterable[str]) -> list[str]:
    """Return what these statistics are made of."""
    return list(dict.fromkeys(part for name in names for part in _SUMS_OF.get(name, ())))


def exact(names: Sequence[str], x: Tensor, axes: Axes = None) -> Sums:
    """Return the sums of one tensor in float64; without one, in float32 of the entries over their largest."""
    entries = ops.size(x) if axes is None else ops.prod(ops.stack([ops.shape(x)[axis] for axis in axes]))
    x = ops.cast(x, wide())
    scale = ops.ones((), dtype=wide())
    if wide() == "float32":
        scale = ops.max(ops.abs(x), axis=axes, keepdims=True)
        scale = ops.where(ops.logical_and(ops.isfinite(scale), scale > 0), scale, ops.ones_like(scale))
        x = x / scale
        scale = ops.reshape(scale, ()) if axes is None else ops.squeeze(scale, tuple(axes))
    total = ops.sum(x, axis=axes)
    make: dict[str, Callable[[], Tensor]] = {
        "norm": lambda: scale * ops.sqrt(ops.sum(ops.square(x), axis=axes)),
        "sum": lambda: scale * total,
        "finite": lambda: _indicator(ops.isfinite(total)),  # a sum is finite where every entry is
        "sum_abs": lambda: scale * ops.sum(ops.abs(x), axis=axes),
        "max_abs": lambda: scale * ops.max(ops.abs(x), axis=axes),
        "zeros": lambda: ops.sum(_indicator(ops.equal(x, 0)), axis=axes),
    }
    return {"size": ops.cast(entries, wide())} | {part: make[part]() for part in needed(names)}


def joined(names: Sequence[str], tensors: Sequence[Tensor]) -> Sums:
    """Return the sums of several tensors, each `(tensors,)`."""
    tensors = [_tensor(tensor) for tensor in tensors]
    sizes = [0 if None in tensor.shape else int(np.prod(tensor.shape)) for tensor in tensors]
    least = 1 if keras.backend.backend() == "tensorflow" else _SMALL + 1
    together = [index for index, size in enumerate(sizes) if size >= least and not _is_wide(tensors[index])]
    alone = [index for index in range(len(tensors)) if index not in together]
    parts = [exact(names, tensors[index]) for index in alone]
    if together:
        parts.append(_together(names, [tensors[index] for index in together]))
    if not parts:
        return {part: ops.zeros((0,), wide()) for part in ["size", *needed(names)]}
    if not alone:
        return parts[0]
    order = np.argsort([*alone, *together])
    return {
        part: ops.take(ops.concatenate([ops.reshape(one[part], (-1,)) for one in parts]), order) for part in parts[0]
    }


def _together(names: Sequence[str], tensors: Sequence[Tensor]) -> Sums:
    """Return the sums of several tensors in few operations, or exactly where one leaves the range of float32."""
    sizes = np.array([int(np.prod(tensor.shape)) for tensor in tensors], wide())
    parts = _Parts(tensors)
    wanted = needed([*names, "norm"] if parts.large else names)
    fast = {part: getattr(parts, part) for part in wanted}
    if parts.large:
        # Where float32 holds the squares with all digits; of NaN there is nothing to find out.
        large = np.isin(np.arange(len(tensors)), parts.large)
        low, high = np.where(large, 1e-25, -1).astype(wide()), np.where(large, 1e30, np.inf).astype(wide())
        squares = ops.square(fast["norm"])
        trusted = ops.logical_not(ops.any(ops.logical_or(ops.less(squares, low), ops.greater(squares, high))))

        def exactly(*tensors: Tensor) -> list[Tensor]:
            exactly_each = [exact([*names, "norm"], tensor) for tensor in tensors]
            return [ops.stack([sums[part] for sums in exactly_each]) for part in wanted]

        chosen = ops.cond(trusted, lambda: list(fast.values()), lambda: _aside(exactly, *tensors))
        fast = dict(zip(wanted, chosen, strict=True))
    return {"size": ops.convert_to_tensor(sizes)} | fast


def in_table(table: Tensor, owners: np.ndarray, sizes: Sequence[int]) -> Sums:
    """Return the sums of tensors that take whole rows of one table, on TensorFlow: see `statistics.stacked`."""
    import tensorflow as tf

    x, numbers = tf.cast(table, "float64"), tf.constant(owners, "int32")

    def added(rows: Tensor) -> Tensor:
        return tf.ensure_shape(tf.math.segment_sum(rows, numbers), (len(sizes),))

    # Each row first, in one operation without a table of squares: a long column of segments is slow, too.
    total = added(tf.reduce_sum(x, axis=1))
    norm = tf.sqrt(added(tf.square(tf.math.reduce_euclidean_norm(x, axis=1))))
    size = tf.constant(sizes, "float64")
    return {"size": size, "norm": norm, "sum": total, "finite": _indicator(ops.isfinite(total))}


class _Parts:
    """What the statistics of several tensors are made of, each part for all of them, `(tensors,)`.

    The entries of small tensors lie one after another, in float64. Large ones are added up row by row in float32: XLA
    adds one entry after the other, and a long row of that loses digits. The rows' sums then join the small entries.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.number = len(tensors)
        sizes = [int(np.prod(tensor.shape)) for tensor in tensors]
        self.large = [index for index, size in enumerate(sizes) if size > _SMALL]
        self._small = [index for index, size in enumerate(sizes) if size <= _SMALL]
        self._rows = [ops.cast(tensors[index], "float32") for index in self.large]
        self._entries = _flat([tensors[index] for index in self._small])
        self._owners = np.repeat(np.array(self._small, "int32"), [sizes[index] for index in self._small])

    @cached_property
    def sum(self) -> Tensor:
        return self._added([ops.sum(x, axis=-1) for x in self._rows], self._entries)

    @cached_property
    def norm(self) -> Tensor:
        squares = None if self._entries is None else ops.square(self._entries)
        return ops.sqrt(self._added([_squares(x) for x in self._rows], squares))

    @cached_property
    def finite(self) -> Tensor:
        return _indicator(ops.isfinite(self.sum))  # a sum is finite where every entry is

    @cached_property
    def sum_abs(self) -> Tensor:
        return self._added([ops.sum(ops.abs(x), axis=-1) for x in self._rows], self._magnitudes)

    @cached_property
    def max_abs(self) -> Tensor:
        return self._joined(ops.segment_max, ops.max, [ops.max(ops.abs(x)) for x in self._rows], self._magnitudes)

    @cached_property
    def zeros(self) -> Tensor:
        zeros = None if self._entries is None else _indicator(ops.equal(self._entries, 0))
        return self._added([ops.sum(ops.cast(ops.equal(x, 0), "float32"), axis=-1) for x in self._rows], zeros)

    @cached_property
    def _magnitudes(self) -> Tensor | None:
        return None if self._entries is None else ops.abs(self._entries)

    def _added(self, rows: Sequence[Tensor], entries: Tensor | None) -> Tensor:
        return self._joined(ops.segment_sum, ops.sum, rows, entries)

    def _joined(
        self,
        segments: Callable[..., Tensor],
        reduce: Callable[[Tensor], Tensor],
        rows: Sequence[Tensor],
        entries: Tensor | None,
    ) -> Tensor:
        if keras.backend.backend() == "torch":  # whose segments are float32, and where no tensor here is small
            return ops.stack([reduce(ops.cast(row, "float64")) for row in rows])
        owners = [np.full(int(np.prod(row.shape)), index, "int32") for index, row in zip(self.large, rows, strict=True)]
        parts = [part for part in (_flat(rows), entries) if part is not None]
        together = ops.concatenate(parts) if len(parts) > 1 else parts[0]
        return segments(together, np.concatenate([*owners, self._owners]), num_segments=self.number)


def _flat(tensors: Sequence[Tensor]) -> Tensor | None:
    """Return all entries one after another, in the dtype that numbers are kept in; `None` if there is no tensor."""
    if not tensors:
        return None
    if all(len(tensor.shape) == 0 for tensor in tensors):
        return ops.cast(ops.stack(tensors), wide())
    columns = [tensor if len(tensor.shape) == 1 else ops.reshape(tensor, (-1,)) for tensor in tensors]
    if len({keras.backend.standardize_dtype(column.dtype) for column in columns}) > 1:
        columns = [ops.cast(column, wide()) for column in columns]
    return ops.cast(ops.concatenate(columns) if len(columns) > 1 else columns[0], wide())


def _squares(x: Tensor) -> Tensor:
    """Return the sum of the squares of a large tensor, or of each of its rows."""
    return ops.sum(ops.square(x), axis=-1)


def _aside(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """Call the function where its operations are out of the way until they are needed."""
    if keras.backend.backend() != "tensorflow":
        return function(*tensors)
    import tensorflow as tf

    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})(*tensors)


def _is_wide(tensor: Tensor) -> bool:
    return keras.backend.standardize_dtype(tensor.dtype) == "float64"


def _tensor(x: Any) -> Tensor:
    """Return a tensor, also of a variable, which Keras itself would hand on as it is."""
    x = ops.convert_to_tensor(x.value if isinstance(x, keras.Variable) else x)
    return x.read_value() if hasattr(x, "read_value") else x


def _indicator(condition: Tensor) -> Tensor:
    return ops.cast(condition, wide())
