"""From gradients to numbers: pure functions of tensors, which know no layer, no optimizer and no table.

`compute` measures one tensor, and reduces over `axes`: to measure many copies of a network at once, leave the copies'
axis out. `rows` measures all gradients of a training step, in few operations: what it costs is what capturing costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.measure.records import STATISTICS

Tensor = Any
Axes = Sequence[int] | None
Sums = dict[str, Tensor]

DEFAULT = ("norm", "mean", "std", "finite")
ALL = STATISTICS

_SMALL = 4096  # entries; so few are measured in float64 at no cost that shows


def chosen(
    statistics: str | Iterable[str] | None, everything: Sequence[str] = ALL, default: Sequence[str] = DEFAULT
) -> tuple[str, ...]:
    """Return the names of the statistics that are asked for, in the order of the table's columns.

    Args:
        statistics: `None` for the default, `"all"`, or names. `finite` is always among them.
        everything: All there are. Defaults to `ALL`.
        default: Those that `None` stands for. Defaults to `DEFAULT`.

    Raises:
        ValueError: If a name is unknown, or there is none.
    """
    if statistics is None:
        return tuple(default)
    if isinstance(statistics, str) and statistics == "all":
        return tuple(everything)
    asked = tuple(statistics) if isinstance(statistics, Iterable) and not isinstance(statistics, str) else (statistics,)
    if not asked or not set(asked) <= set(everything):
        raise ValueError(
            f'`statistics` must be "all" or names out of {", ".join(everything)}. Received: {statistics!r}.'
        )
    return tuple(name for name in everything if name in asked or name == "finite")


def wide() -> str:
    """Return the dtype that numbers are kept in: float64, but for JAX, which has none by default."""
    return "float32" if keras.backend.backend() == "jax" else "float64"


def compute(names: Sequence[str], tensor: Tensor, axes: Axes = None) -> Tensor:
    """Compute several statistics of one tensor, whatever the size of its entries.

    Args:
        names: Out of `norm, mean, std, finite, mean_abs, max_abs, zero_fraction`. `std` is the population's.
        tensor: Of any shape.
        axes: The axes to reduce. Defaults to all.

    Returns:
        The statistics in the order of `names`, float64 (float32 on JAX) `(..., statistics)`: `...` are the axes that
        were not reduced.

    Example:
        >>> from kerasteach.measure import statistics
        >>> statistics.compute(["norm", "max_abs"], [3.0, -4.0]).numpy().tolist()
        [5.0, 4.0]
    """
    return _finish(names, _exact(names, ops.convert_to_tensor(tensor), axes))


def rows(
    names: Sequence[str],
    gradients: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    learning_rates: Sequence[Tensor] | None = None,
) -> Tensor:
    """Compute the statistics of all gradients of a training step.

    Small gradients are measured together in float64. Large ones are summed in float32, each in one pass; where that
    cannot hold the squares, because the entries have vanished or exploded, they are measured again in float64.

    Args:
        names: Out of `ALL`.
        gradients: Each of any shape.
        weights: The value of each gradient's variable before the update, for `weight_norm` and `update_ratio`; `None`
            where there is none, which makes them NaN.
        learning_rates: The step's learning rate for each gradient, for `update_ratio`: the norm of the change that
            `w <- w - learning_rate * gradient` makes, over the norm of the weight; NaN where it is another rule.

    Returns:
        `(gradients, statistics)`, float64 (float32 on JAX).
    """
    sums = _joined(names, gradients)
    if {"weight_norm", "update_ratio"} & set(names):
        known = [index for index, weight in enumerate(weights) if weight is not None]
        norms = [ops.full((), np.nan, dtype=wide())] * len(weights)
        for index, norm in zip(known, _unstacked(_joined(["norm"], [weights[i] for i in known])["norm"]), strict=True):
            norms[index] = norm
        sums["weight_norm"] = ops.stack(norms)
    if "update_ratio" in names and learning_rates is not None:
        sums["rate"] = ops.stack([ops.cast(rate, wide()) for rate in learning_rates])
    return _finish(names, sums)


def stacked(names: Sequence[str], table: Tensor, owners: np.ndarray, sizes: Sequence[int]) -> Tensor:
    """Compute the statistics of many tensors that lie below one another in one table, in few operations for all.

    Args:
        names: Out of `norm, mean, std, finite, mean_abs, max_abs`.
        table: `(rows, lanes)`; each tensor takes whole rows, and fills the last one up with zeros.
        owners: Which tensor each row belongs to, from 0 and not falling, `(rows,)`.
        sizes: How many entries each tensor has, without what fills it up.

    Returns:
        `(tensors, statistics)`, float64 (float32 on JAX).

    Example:
        >>> import numpy as np
        >>> from kerasteach.measure import statistics
        >>> table = np.array([[3.0, 4.0], [0.0, 0.0], [5.0, 0.0]])
        >>> statistics.stacked(["norm", "mean"], table, np.array([0, 0, 1]), [4, 1]).numpy().tolist()
        [[5.0, 1.75], [5.0, 5.0]]
    """
    ids = owners.astype("int32")

    def added(values: Tensor) -> Tensor:  # each row first: a long column of segments is slow
        return ops.segment_sum(ops.sum(values, axis=1), ids, num_segments=len(sizes))

    def largest(values: Tensor) -> Tensor:
        return ops.segment_max(ops.max(values, axis=1), ids, num_segments=len(sizes))

    return _finish(names, _by_segment(names, ops.cast(table, wide()), added, largest, sizes))


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


def _needed(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(part for name in names for part in _SUMS_OF.get(name, ())))


def _finish(names: Sequence[str], sums: Sums) -> Tensor:
    """Make statistics out of sums."""
    size = sums.get("size")

    def std() -> Tensor:
        mean, root_mean_square = sums["sum"] / size, sums["norm"] / ops.sqrt(size)
        is_zero = ops.equal(root_mean_square, 0)
        share = mean / ops.where(is_zero, ops.ones_like(root_mean_square), root_mean_square)
        return root_mean_square * ops.sqrt(ops.maximum(1 - share * share, 0))

    make: dict[str, Callable[[], Tensor]] = {
        "norm": lambda: sums["norm"],
        "mean": lambda: sums["sum"] / size,
        "std": std,
        "finite": lambda: sums["finite"],
        "mean_abs": lambda: sums["sum_abs"] / size,
        "max_abs": lambda: sums["max_abs"],
        "zero_fraction": lambda: sums["zeros"] / size,
        "weight_norm": lambda: sums["weight_norm"],
        "update_ratio": lambda: sums["rate"] * sums["norm"] / sums["weight_norm"],
    }
    return ops.stack([make[name]() for name in names], axis=-1)


def _exact(names: Sequence[str], x: Tensor, axes: Axes = None) -> Sums:
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
    return {"size": ops.cast(entries, wide())} | {part: make[part]() for part in _needed(names)}


def _joined(names: Sequence[str], tensors: Sequence[Tensor]) -> Sums:
    """Return the sums of several tensors, each `(tensors,)`."""
    tensors = [_tensor(tensor) for tensor in tensors]
    sizes = [None if None in tensor.shape else int(np.prod(tensor.shape)) for tensor in tensors]
    groups: dict[str, list[int]] = {"small": [], "large": [], "alone": []}
    for index, (tensor, size) in enumerate(zip(tensors, sizes, strict=True)):
        narrow = keras.backend.standardize_dtype(tensor.dtype) != "float64"
        small = keras.backend.backend() == "tensorflow" and size is not None and size <= _SMALL
        groups["small" if small else "large" if narrow and size is not None and size > _SMALL else "alone"].append(
            index
        )
    parts: list[tuple[list[int], Sums]] = [([index], _exact(names, tensors[index])) for index in groups["alone"]]
    for group, measure in (("small", _segments), ("large", _large)):
        if groups[group]:
            parts.append((groups[group], measure(names, [tensors[index] for index in groups[group]])))
    order = np.argsort([index for indices, _ in parts for index in indices])
    joined: Sums = {}
    for part in ["size", *_needed(names)] if parts else []:
        column = [ops.reshape(sums[part], (-1,)) for _, sums in parts]
        together = ops.concatenate(column) if len(column) > 1 else column[0]
        joined[part] = together if np.array_equal(order, np.arange(len(order))) else ops.take(together, order)
    return joined or {part: ops.zeros((0,), wide()) for part in ["size", *_needed(names)]}


def _segments(names: Sequence[str], tensors: Sequence[Tensor]) -> Sums:
    """Return the sums of many small tensors in float64, all in one go."""
    sizes = [int(np.prod(tensor.shape)) for tensor in tensors]
    number = len(tensors)
    ids = np.repeat(np.arange(number, dtype="int32"), sizes)
    x = ops.concatenate([ops.reshape(ops.cast(tensor, "float64"), (-1,)) for tensor in tensors])

    def added(values: Tensor) -> Tensor:
        return ops.segment_sum(values, ids, num_segments=number)

    def largest(values: Tensor) -> Tensor:
        return ops.segment_max(values, ids, num_segments=number)

    return _by_segment(names, x, added, largest, sizes)


def _by_segment(
    names: Sequence[str], x: Tensor, added: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor], sizes: Any
) -> Sums:
    """Return the sums of the tensors in `x`, given what adds up the entries of each and what finds the largest."""
    total = added(x)
    make: dict[str, Callable[[], Tensor]] = {
        "norm": lambda: ops.sqrt(added(ops.square(x))),
        "sum": lambda: total,
        "finite": lambda: _indicator(ops.isfinite(total)),
        "sum_abs": lambda: added(ops.abs(x)),
        "max_abs": lambda: largest(ops.abs(x)),
        "zeros": lambda: added(_indicator(ops.equal(x, 0))),
    }
    return {"size": ops.convert_to_tensor(np.array(sizes, wide()))} | {part: make[part]() for part in _needed(names)}


def _large(names: Sequence[str], tensors: Sequence[Tensor]) -> Sums:
    """Return the sums of several large tensors in float32, or all exactly where one leaves its range."""
    needed = _needed([*names, "norm"])
    fast = _fast(needed, [ops.cast(tensor, "float32") for tensor in tensors])
    squares = ops.square(fast["norm"])
    in_range = ops.logical_and(squares > 1e-25, squares < 1e30)  # where float32 holds the squares with all digits
    trusted = ops.all(ops.logical_or(ops.isnan(squares), in_range))  # of NaN there is nothing to find out
    table = ops.stack([fast[part] for part in needed])

    def exactly(*tensors: Tensor) -> Tensor:
        exact = [_exact([*names, "norm"], tensor) for tensor in tensors]
        return ops.stack([ops.stack([sums[part] for sums in exact]) for part in needed])

    table = ops.cond(trusted, lambda: table, lambda: _aside(exactly, *tensors))
    sizes = ops.convert_to_tensor(np.array([int(np.prod(tensor.shape)) for tensor in tensors], wide()))
    return {"size": sizes} | {part: table[index] for index, part in enumerate(needed)}


def _fast(needed: Sequence[str], tensors: Sequence[Tensor]) -> Sums:
    """Return the sums of several large tensors, made in float32: in few operations for each, the rest for all."""
    total = _sums(tensors) if {"sum", "finite"} & set(needed) else None
    magnitudes = [ops.abs(x) for x in tensors] if {"sum_abs", "max_abs"} & set(needed) else []
    make: dict[str, Callable[[], Tensor]] = {
        "norm": lambda: ops.sqrt(_sums_of_squares(tensors)),
        "sum": lambda: total,
        "finite": lambda: _indicator(ops.isfinite(total)),
        "sum_abs": lambda: _sums(magnitudes),
        "max_abs": lambda: ops.cast(ops.stack([ops.max(x) for x in magnitudes]), wide()),
        "zeros": lambda: _sums([ops.cast(ops.equal(x, 0), "float32") for x in tensors]),
    }
    return {part: make[part]() for part in needed}


def _sums(tensors: Sequence[Tensor]) -> Tensor:
    """Return the sums of large tensors in two stages: XLA adds one by one, and a long row of that loses digits."""
    columns = [ops.sum(x, axis=0) for x in tensors]
    columns = [column if len(column.shape) == 1 else ops.reshape(column, (-1,)) for column in columns]
    if keras.backend.backend() == "torch":  # whose segments are added up in float32
        return ops.stack([ops.sum(ops.cast(column, "float64")) for column in columns])
    ids = np.repeat(np.arange(len(columns), dtype="int32"), [column.shape[0] for column in columns])
    together = ops.cast(ops.concatenate(columns), wide())
    return ops.segment_sum(together, ids, num_segments=len(columns))


def _sums_of_squares(tensors: Sequence[Tensor]) -> Tensor:
    if keras.backend.backend() != "tensorflow":
        return _sums([ops.square(x) for x in tensors])
    import tensorflow as tf

    # In one pass, without a tensor of squares.
    return 2 * ops.cast(ops.stack([tf.nn.l2_loss(x) for x in tensors]), wide())


def _aside(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """Call the function where its operations are out of the way until they are needed."""
    if keras.backend.backend() != "tensorflow":
        return function(*tensors)
    import tensorflow as tf

    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})(*tensors)


def _unstacked(vector: Tensor) -> list[Tensor]:
    return [vector[index] for index in range(vector.shape[0])]


def _tensor(x: Any) -> Tensor:
    """Return a tensor, also of a variable, which Keras itself would hand on as it is."""
    x = ops.convert_to_tensor(x.value if isinstance(x, keras.Variable) else x)
    return x.read_value() if hasattr(x, "read_value") else x


def _indicator(condition: Tensor) -> Tensor:
    return ops.cast(condition, wide())
