"""From a gradient to numbers: pure functions of tensors, which know no layer, no optimizer and no table.

Each reduces over `axes`. To measure many copies of a network at once, leave the copies' axis out of `axes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keras import ops

from kerasteach.measure.records import STATISTICS

Tensor = Any
Axes = Sequence[int] | None


def norm(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return the Euclidean (L2) norm."""
    return ops.sqrt(ops.sum(ops.square(gradient), axis=axes))


def mean(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return the mean of the entries."""
    return ops.mean(gradient, axis=axes)


def std(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return the standard deviation of the entries (of the population: divided by their number).

    From the mean square and the mean, in one pass: exact to the root of the dtype's precision, relative to the root
    mean square (1e-8 in float64, 3e-4 in float32).
    """
    variance = ops.mean(ops.square(gradient), axis=axes) - ops.square(ops.mean(gradient, axis=axes))
    return ops.sqrt(ops.maximum(variance, 0))


def finite(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return 1 where every entry is finite and 0 elsewhere."""
    # A sum is finite only where every entry is, and it is at hand: the mean needs it too.
    return ops.cast(ops.isfinite(ops.sum(gradient, axis=axes)), gradient.dtype)


def mean_abs(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return the mean of the entries' absolute values."""
    return ops.mean(ops.abs(gradient), axis=axes)


def max_abs(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return the largest absolute value."""
    return ops.max(ops.abs(gradient), axis=axes)


def zero_fraction(gradient: Tensor, axes: Axes = None) -> Tensor:
    """Return the share of entries that are exactly 0."""
    return ops.mean(ops.cast(ops.equal(gradient, 0), gradient.dtype), axis=axes)


OF_GRADIENT: dict[str, Callable[..., Tensor]] = {
    function.__name__: function for function in (norm, mean, std, finite, mean_abs, max_abs, zero_fraction)
}
DEFAULT = ("norm", "mean", "std", "finite")
ALL = STATISTICS


def chosen(statistics: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the names of the statistics that are asked for, in the order of the table's columns.

    Args:
        statistics: `None` for `DEFAULT`, `"all"`, or names. `finite` is always among them.

    Raises:
        ValueError: If a name is unknown, or there is none.
    """
    if statistics is None:
        return DEFAULT
    if isinstance(statistics, str) and statistics == "all":
        return ALL
    asked = tuple(statistics) if isinstance(statistics, Iterable) and not isinstance(statistics, str) else (statistics,)
    if not asked or not set(asked) <= set(ALL):
        raise ValueError(f'`statistics` must be "all" or names out of {", ".join(ALL)}. Received: {statistics!r}.')
    return tuple(name for name in ALL if name in asked or name == "finite")


def compute(
    names: Sequence[str],
    gradient: Tensor,
    axes: Axes = None,
    *,
    weight: Tensor | None = None,
    learning_rate: Tensor | None = None,
    dtype: str = "float64",
) -> Tensor:
    """Compute several statistics of one gradient.

    Args:
        names: Out of `ALL`.
        gradient: The gradient of one variable, of any shape.
        axes: The axes to reduce. Defaults to all.
        weight: The variable's value before the update, for `weight_norm` and `update_ratio`.
        learning_rate: The step's learning rate, for `update_ratio`: the norm of the change that
            `w <- w - learning_rate * gradient` makes, over the norm of the weight.
        dtype: What to compute in. In float32 it is faster, but the squares of vanished entries are 0, and those of
            exploded ones infinite: see `in_range`. Defaults to `"float64"`.

    Returns:
        The statistics in the order of `names`, float64 `(..., statistics)`: `...` are the axes that were not reduced.

    Example:
        >>> from kerasteach.measure import statistics
        >>> statistics.compute(["norm", "max_abs"], [3.0, -4.0]).numpy().tolist()
        [5.0, 4.0]
    """
    gradient = ops.cast(gradient, dtype)
    values = {name: OF_GRADIENT[name](gradient, axes) for name in names if name in OF_GRADIENT}
    if "weight_norm" in names or "update_ratio" in names:
        values["weight_norm"] = norm(ops.cast(weight, dtype), axes)
    if "update_ratio" in names:
        values["update_ratio"] = ops.cast(learning_rate, dtype) * norm(gradient, axes) / values["weight_norm"]
    return ops.cast(ops.stack([values[name] for name in names], axis=-1), "float64")


def in_range(gradient: Tensor) -> Tensor:
    """Say whether float32 holds the squares of this gradient and their sum with all its digits."""
    squares = ops.sum(ops.square(ops.cast(gradient, "float32")))
    return ops.logical_and(squares > 1e-25, squares < 1e30)
