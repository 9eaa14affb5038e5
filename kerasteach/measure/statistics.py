"""From gradients to numbers: pure functions of tensors, which know no layer, no optimizer and no table.

`compute` measures one tensor, and reduces over `axes`: to measure many copies of a network at once, leave the copies'
axis out. `rows` measures all gradients of a training step, in few operations: what it costs is what capturing costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from keras import ops

from kerasteach.measure.records import STATISTICS
from kerasteach.measure.sums import Axes, Sums, Tensor, exact, in_table, joined, wide

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
    return _finish(names, exact(names, ops.convert_to_tensor(tensor), axes))


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
    sums = joined(names, gradients)
    if {"weight_norm", "update_ratio"} & set(names):
        known = [index for index, weight in enumerate(weights) if weight is not None]
        norms = joined(["norm"], [weights[index] for index in known])["norm"]
        if len(known) < len(weights):
            unknown = ops.full((1,), np.nan, dtype=wide())
            places = [known.index(index) if index in known else len(known) for index in range(len(weights))]
            norms = ops.take(ops.concatenate([ops.reshape(norms, (-1,)), unknown]), np.array(places))
        sums["weight_norm"] = norms
    if "update_ratio" in names and learning_rates is not None:
        sums["rate"] = ops.stack([ops.cast(rate, wide()) for rate in learning_rates])
    return _finish(names, sums)


def stacked(names: Sequence[str], table: Tensor, owners: np.ndarray, sizes: Sequence[int]) -> Tensor:
    """Compute the statistics of many tensors that lie below one another in one table, on TensorFlow.

    Args:
        names: Out of `norm, mean, std, finite`.
        table: `(rows, lanes)`; each tensor takes whole rows, and fills the last one up with zeros.
        owners: Which tensor each row belongs to, `(rows,)`: 0, 1, ..., each at least once, and not falling.
        sizes: How many entries each tensor has, without what fills it up.

    Returns:
        `(tensors, statistics)`, float64.

    Example:
        >>> import numpy as np
        >>> from kerasteach.measure import statistics
        >>> table = np.array([[3.0, 4.0], [0.0, 0.0], [5.0, 0.0]])
        >>> statistics.stacked(["norm", "mean"], table, np.array([0, 0, 1]), [4, 1]).numpy().tolist()
        [[5.0, 1.75], [5.0, 5.0]]
    """
    return _finish(names, in_table(table, owners, sizes))


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
