"""Reductions: norms, sums and counts of a tensor's entries, computed inside the training step.

The step ends only when its last gradient is measured. So there are few operations between a gradient and these numbers,
and what can wait for the host is left to it: see `statistics.finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.measure.branches import choose, outlined

Tensor = Any
Axes = Sequence[int] | None
Sums = dict[str, Any]

_SMALL = 4096  # entries; so few are measured in float64 at no cost that shows
_PART, _LANES = 2**15, 64  # entries of small tensors that are measured at a time, and those of a row of them
_LONG = 2**17  # entries; XLA adds up one after the other, and loses digits in a longer sum
_LEAST, _MOST = 1e-25, 1e30  # the sums of squares that float32 holds with all digits
_TINY, _HUGE = 1e-150, 1e150  # between them float64 holds the squares with all digits


def wide() -> str:
    """Return the dtype that numbers are kept in: float64, but for JAX, which has none by default."""
    return "float32" if keras.backend.backend() == "jax" else "float64"


def not_a_number(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Return a tensor of NaN, by default in the widest dtype.

    On PyTorch, `keras.ops.full` would put its one value on the device, fetch it from there, and wait for it.
    """
    return ops.broadcast_to(ops.cast(np.nan, dtype or wide()), shape)


class _Exact:
    """One tensor, prepared for `Reduction.exact`: its entries in the widest dtype, divided by `scale`."""

    def __init__(self, x: Tensor, axes: Axes) -> None:
        self.axes = axes
        self.number = ops.size(x) if axes is None else ops.prod(ops.stack([ops.shape(x)[axis] for axis in axes]))
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
        self.entries, self.scale = x, scale


class _Large:
    """Large tensors, prepared for `Reduction.large`: in float32, with the sums of their squares."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.tensors = [ops.cast(tensor, "float32") for tensor in tensors]
        self.squares = 2 * ops.stack([_half_square(tensor) for tensor in self.tensors])
        self.sizes = ops.convert_to_tensor(np.array([np.prod(x.shape) for x in self.tensors], "float32"))

    @cached_property
    def magnitudes(self) -> list[Tensor]:
        return [ops.abs(x) for x in self.tensors]


class _Rows:
    """Tensors that take whole rows of a matrix, prepared for `Reduction.rows`; on TensorFlow.

    Each row is reduced first: a segment sum of all entries takes several times as long.
    """

    def __init__(self, rows: Tensor, owners: np.ndarray, sizes: Sequence[int], with_xla: bool) -> None:
        self._with_xla = with_xla
        self.entries, self.sizes = ops.cast(rows, "float64"), sizes
        self.filling = np.bincount(owners) * float(rows.shape[1]) - np.array(sizes, "float64")  # zeros at their ends
        self._owners = ops.convert_to_tensor(owners, "int32")

    @property
    def row_squares(self) -> Tensor:
        if self._with_xla:
            return ops.sum(ops.square(self.entries), axis=1)
        import tensorflow as tf

        # In one operation without a table of squares, which XLA does not have.
        return ops.square(tf.math.reduce_euclidean_norm(self.entries, axis=1))

    def largest(self, values: Tensor) -> Tensor:
        if self._with_xla:
            return ops.segment_max(values, self._owners, num_segments=len(self.sizes))
        import tensorflow as tf

        return tf.ensure_shape(tf.math.segment_max(values, self._owners), (len(self.sizes),))

    def total(self, values: Tensor) -> Tensor:
        if self._with_xla:
            return ops.segment_sum(values, self._owners, num_segments=len(self.sizes))
        import tensorflow as tf

        return tf.ensure_shape(tf.math.segment_sum(values, self._owners), (len(self.sizes),))


@dataclass(frozen=True)
class Reduction:
    """A number made of all entries of a tensor, in each way to compute it.

    A norm, not its square: the square may not fit the dtype where the norm does.

    Attributes:
        exact: Of one tensor, in float64 (float32 on JAX).
        large: Of several large tensors in float32, `(tensors,)`.
        rows: Of tensors that take whole rows of a matrix, on TensorFlow, `(tensors,)`.
    """

    exact: Callable[[_Exact], Tensor]
    large: Callable[[_Large], Tensor]
    rows: Callable[[_Rows], Tensor]


REDUCTIONS = {
    "size": Reduction(
        exact=lambda x: ops.cast(x.number, wide()),
        large=lambda x: x.sizes,
        rows=lambda x: ops.convert_to_tensor(np.array(x.sizes, "float64")),
    ),
    "norm": Reduction(
        exact=lambda x: x.scale * ops.sqrt(ops.sum(ops.square(x.entries), axis=x.axes)),
        large=lambda x: ops.sqrt(x.squares),
        rows=lambda x: ops.sqrt(x.total(x.row_squares)),
    ),
    "sum": Reduction(
        exact=lambda x: x.scale * ops.sum(x.entries, axis=x.axes),
        large=lambda x: ops.stack([_sum(tensor) for tensor in x.tensors]),
        rows=lambda x: x.total(ops.sum(x.entries, axis=1)),
    ),
    "sum_abs": Reduction(
        exact=lambda x: x.scale * ops.sum(ops.abs(x.entries), axis=x.axes),
        large=lambda x: ops.stack([_sum(tensor) for tensor in x.magnitudes]),
        rows=lambda x: x.total(ops.sum(ops.abs(x.entries), axis=1)),
    ),
    "max_abs": Reduction(
        exact=lambda x: x.scale * ops.max(ops.abs(x.entries), axis=x.axes),
        large=lambda x: ops.stack([ops.max(tensor) for tensor in x.magnitudes]),
        rows=lambda x: x.largest(ops.max(ops.abs(x.entries), axis=1)),
    ),
    "zeros": Reduction(
        exact=lambda x: ops.sum(ops.cast(ops.equal(x.entries, 0), wide()), axis=x.axes),
        large=lambda x: ops.stack([_zeros(tensor) for tensor in x.magnitudes]),
        rows=lambda x: x.total(ops.sum(ops.cast(ops.equal(x.entries, 0), "float64"), axis=1)) - x.filling,
    ),
}


def exact(names: Sequence[str], x: Tensor, axes: Axes = None) -> Sums:
    """Return reductions of one tensor in float64 (float32 on JAX), where its dtype needs it of the scaled entries."""
    prepared = _Exact(x, axes)
    return {name: REDUCTIONS[name].exact(prepared) for name in names}


def table(names: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return reductions of several tensors, `(tensors, reductions)`; `norm` must be one of them."""
    tensors = [as_tensor(tensor) for tensor in tensors]
    routes: dict[Callable[..., Tensor], list[int]] = {}
    for place, tensor in enumerate(tensors):
        routes.setdefault(_route(tensor), []).append(place)
    tables = [measure(names, [tensors[place] for place in places]) for measure, places in routes.items()]
    if len(tables) < 2:
        return tables[0] if tables else ops.zeros((0, len(names)), wide())
    return ops.take(ops.concatenate(tables), np.argsort(np.concatenate(list(routes.values()))), axis=0)


def of_rows(
    names: Sequence[str], rows: Tensor, owners: np.ndarray, sizes: Sequence[int], with_xla: bool = False
) -> Tensor:
    """Return reductions of tensors that take whole rows of a matrix: see `statistics.measure_stacked`.

    With operations that XLA has too, or with faster ones.
    """
    prepared = _Rows(rows, owners, sizes, with_xla)
    return ops.stack([REDUCTIONS[name].rows(prepared) for name in names], axis=1)


def _route(tensor: Tensor) -> Callable[[Sequence[str], Sequence[Tensor]], Tensor]:
    """Return the function that measures a tensor of this size and dtype."""
    size = 0 if None in tensor.shape else int(np.prod(tensor.shape))
    if size == 0 or keras.backend.standardize_dtype(tensor.dtype) == "float64":
        return _measure_exactly
    if size > _SMALL:
        return _measure_large
    return _measure_small if keras.backend.backend() == "tensorflow" else _measure_exactly


def _measure_exactly(names: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the reductions of tensors, each by itself."""
    return ops.stack([ops.stack(list(exact(names, tensor).values())) for tensor in tensors])


def _measure_small(names: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the reductions of small tensors in float64, some dozens in each operation."""
    tables = [of_rows(names, *_in_rows(part), with_xla=True) for part in _parts(tensors)]
    return ops.concatenate(tables) if len(tables) > 1 else tables[0]


def _parts(tensors: Sequence[Tensor]) -> list[list[Tensor]]:
    """Divide small tensors into parts that a processor's cache holds, so that each is measured while the next comes."""
    parts: list[list[Tensor]] = []
    entries = _PART
    for tensor in tensors:
        size = int(np.prod(tensor.shape))
        if entries + size > _PART:
            parts.append([])
            entries = 0
        parts[-1].append(tensor)
        entries += size
    return parts


def _in_rows(tensors: Sequence[Tensor]) -> tuple[Tensor, np.ndarray, list[int]]:
    """Lay tensors below one another in a matrix, and return it with the owners of its rows and the tensors' sizes."""
    sizes = [int(np.prod(tensor.shape)) for tensor in tensors]
    rows = [-(-size // _LANES) for size in sizes]
    flat = [ops.reshape(tensor, (-1,)) for tensor in tensors]
    if len({tensor.dtype for tensor in flat}) > 1:
        flat = [ops.cast(tensor, "float64") for tensor in flat]
    pieces: list[Tensor] = []
    for tensor, size, length in zip(flat, sizes, rows, strict=True):
        pieces += [tensor, ops.zeros(length * _LANES - size, tensor.dtype)][: 1 + (size % _LANES > 0)]
    matrix = ops.reshape(ops.concatenate(pieces) if len(pieces) > 1 else pieces[0], (-1, _LANES))
    return matrix, np.repeat(np.arange(len(sizes), dtype="int32"), rows), sizes


def _measure_large(names: Sequence[str], tensors: Sequence[Tensor]) -> Tensor:
    """Return the reductions of large tensors in float32, or exact ones where the squares of one leave its range."""
    prepared = _Large(tensors)
    tensors = prepared.tensors
    fast = ops.cast(ops.stack([REDUCTIONS[name].large(prepared) for name in names], axis=1), wide())
    in_range = ops.logical_and(prepared.squares >= _LEAST, prepared.squares <= _MOST)

    def again(tensors: Sequence[Tensor]) -> Tensor:
        # The gradient of a dead layer is all zeros, at every step, and measured right.
        zero = ops.stack([ops.logical_not(ops.any(ops.not_equal(x, 0))) for x in tensors])
        right = ops.all(ops.logical_or(in_range, zero))
        return choose(right, lambda: fast, lambda: outlined(partial(_measure_exactly, names), tensors))

    return choose(ops.all(in_range), lambda: fast, lambda: outlined(again, tensors))


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
    signs = ops.sign(magnitudes)
    size = int(np.prod(signs.shape))
    if size <= _LONG:
        return size - ops.sum(signs)
    sums = _row_sums(signs)  # row by row, because float32 counts up to 2^24 only
    width = _width(signs)
    lengths = np.full(sums.shape, width, "float32")
    if size % width:
        lengths[-1] = size % width
    return _total(ops.subtract(lengths, sums))


def _width(x: Tensor) -> int:
    """Return how many entries of a long tensor are added up first: a row, or some of a row that is long itself."""
    return int(x.shape[-1]) if x.shape[-1] <= _LONG else _SMALL


def _row_sums(x: Tensor) -> Tensor:
    """Return the sums of the rows of a long tensor, or of parts of them: see `_width`."""
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


def as_tensor(x: Any) -> Tensor:
    """Return a tensor, also of a variable, which Keras itself would hand on as it is."""
    x = ops.convert_to_tensor(x.value if isinstance(x, keras.Variable) else x)
    return x.read_value() if hasattr(x, "read_value") else x
