"""From a gradient to numbers: pure functions of tensors, which know no layer, no optimizer and no table.

Each reduces over `axes`. To measure many copies of a network at once, leave the copies' axis out of `axes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
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


OF_TENSOR: dict[str, Callable[..., Tensor]] = {
    function.__name__: function for function in (norm, mean, std, finite, mean_abs, max_abs, zero_fraction)
}
DEFAULT = ("norm", "mean", "std", "finite")
ALL = STATISTICS


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


def compute(
    names: Sequence[str],
    gradient: Tensor,
    axes: Axes = None,
    *,
    weight: Tensor | None = None,
    learning_rate: Tensor | None = None,
) -> Tensor:
    """Compute several statistics of one gradient.

    Args:
        names: Out of `ALL`.
        gradient: The gradient of one variable, of any shape.
        axes: The axes to reduce. Defaults to all.
        weight: The variable's value before the update, for `weight_norm` and `update_ratio`.
        learning_rate: The step's learning rate, for `update_ratio`: the norm of the change that
            `w <- w - learning_rate * gradient` makes, over the norm of the weight.

    Returns:
        The statistics in the order of `names`, float64 `(..., statistics)`: `...` are the axes that were not reduced.

    Example:
        >>> from kerasteach.measure import statistics
        >>> statistics.compute(["norm", "max_abs"], [3.0, -4.0]).numpy().tolist()
        [5.0, 4.0]
    """
    dtype = wide()
    gradient = ops.cast(gradient, dtype)
    values = {name: OF_TENSOR[name](gradient, axes) for name in names if name in OF_TENSOR}
    if "weight_norm" in names or "update_ratio" in names:
        values["weight_norm"] = norm(ops.cast(weight, dtype), axes)
    if "update_ratio" in names:
        values["update_ratio"] = ops.cast(learning_rate, dtype) * norm(gradient, axes) / values["weight_norm"]
    return ops.stack([values[name] for name in names], axis=-1)
