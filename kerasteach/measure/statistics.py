"""From gradients to numbers: pure functions of tensors, which know no layer, no optimizer and no table.

`compute` measures one tensor, and reduces over `axes`: to measure many copies of a network at once, leave the copies'
axis out. `measure` takes all gradients of a training step at once, in few operations: what it costs is what capturing
costs. Its numbers are sums; `finish` makes statistics out of them, on the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from keras import ops

from kerasteach.measure import reductions
from kerasteach.measure.reductions import Axes, Sums, Tensor
from kerasteach.tables.captures import STATISTICS
from kerasteach.validation import received, several

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
        TypeError: If it is neither a name nor a list.
        ValueError: If a name is unknown, or there is none.
    """
    if statistics is None:
        return tuple(default)
    if isinstance(statistics, str) and statistics == "all":
        return tuple(everything)
    asked = [statistics] if isinstance(statistics, str) else several("statistics", statistics, "names")
    if not asked or not all(isinstance(name, str) and name in everything for name in asked):
        raise ValueError(
            f'`statistics` must be "all" or names out of {", ".join(everything)}. {received("statistics", statistics)}'
        )
    return tuple(name for name in everything if name in asked or name == "finite")


def compute(names: Sequence[str], tensor: Tensor, axes: Axes = None) -> Tensor:
    """Compute several statistics of one tensor, whatever the size of its entries.

    Of a float32 tensor any size but the subnormal: TensorFlow takes entries below 1.2e-38 for 0 (those of a float64
    tensor below 2.2e-308). NaN where an entry is NaN, but for `finite` and `zero_fraction`.

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
    return _statistics(names, reductions.exact(reductions.needed(names), ops.convert_to_tensor(tensor), axes), ops)


def columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the numbers that `measure` makes for these statistics."""
    weights = ("weight_norm",) if {"weight_norm", "update_ratio"} & set(names) else ()
    rate = ("learning_rate",) if "update_ratio" in names else ()
    return (*reductions.needed([*names, "norm"]), *weights, *rate)


def measure(
    names: Sequence[str],
    gradients: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    learning_rates: Tensor | None = None,
) -> Tensor:
    """Measure all gradients of a training step, for `finish` to make statistics of.

    Small gradients are measured together in float64. Large ones are summed in float32, each in one pass; where that
    cannot hold the squares, because the entries have vanished or exploded, they are measured again in float64.

    Two limits are float32's own. TensorFlow takes entries below 1.2e-38, which are subnormal, for 0: a gradient that
    has no others has norm 0 and `zero_fraction` 1. And `std` comes from the norm and the mean, so that of more than
    4,096 entries which lie close together far from 0 it has few digits: its relative error is about 1e-7 times the
    square of mean / std, up to 40 % where the mean is 1,000 standard deviations away from 0.

    Args:
        names: The statistics, out of `ALL`.
        gradients: Each of any shape.
        weights: The value of each gradient's variable before the update, for `weight_norm` and `update_ratio`; `None`
            where there is none, which makes them NaN.
        learning_rates: The step's learning rate for each gradient, `(gradients,)`, for `update_ratio`: the norm of the
            change that `w <- w - learning_rate * gradient` makes, over the norm of the weight; NaN where it is another
            rule. Defaults to `None`, for which all are NaN.

    Returns:
        `(gradients, columns)`, float64 (float32 on JAX): the numbers that `columns(names)` lists.

    Example:
        >>> from kerasteach.measure import statistics
        >>> sums = statistics.measure(["norm", "mean"], [[3.0, -4.0], [2.0]], [None, None])
        >>> statistics.finish(["norm", "mean"], sums.numpy()).tolist()
        [[5.0, -0.5], [2.0, 2.0]]
    """
    asked = columns(names)
    table = [reductions.table(reductions.needed([*names, "norm"]), gradients)]
    if "weight_norm" in asked:
        known = [place for place, weight in enumerate(weights) if weight is not None]
        norms = reductions.table(["norm"], [weights[place] for place in known])
        if len(known) < len(weights):
            unknown = ops.full((1, 1), np.nan, dtype=reductions.wide())
            places = [known.index(place) if place in known else len(known) for place in range(len(weights))]
            norms = ops.take(ops.concatenate([norms, unknown]), np.array(places), axis=0)
        table.append(norms)
    if "learning_rate" in asked:
        rates = np.full(len(gradients), np.nan) if learning_rates is None else learning_rates
        table.append(ops.reshape(ops.cast(rates, reductions.wide()), (-1, 1)))
    return ops.concatenate(table, axis=1) if len(table) > 1 else table[0]


def measure_stacked(names: Sequence[str], rows: Tensor, owners: np.ndarray, sizes: Sequence[int]) -> Tensor:
    """Measure many tensors that lie below one another in one matrix, on TensorFlow, as `measure` does.

    Args:
        names: Out of `norm, mean, std, finite`.
        rows: `(rows, lanes)`; each tensor takes whole rows, and fills the last one up with zeros.
        owners: Which tensor each row belongs to, `(rows,)`: 0, 1, ..., each at least once, and not falling.
        sizes: How many entries each tensor has, without what fills it up.

    Returns:
        `(tensors, columns)`, float64: the numbers that `columns(names)` lists.

    Example:
        >>> import numpy as np
        >>> from kerasteach.measure import statistics
        >>> rows = np.array([[3.0, 4.0], [0.0, 0.0], [5.0, 0.0]])
        >>> sums = statistics.measure_stacked(["norm", "mean"], rows, np.array([0, 0, 1]), [4, 1])
        >>> statistics.finish(["norm", "mean"], sums.numpy()).tolist()
        [[5.0, 1.75], [5.0, 5.0]]
    """
    return reductions.in_table(columns(names), rows, owners, sizes)


def finish(names: Sequence[str], measured: np.ndarray) -> np.ndarray:
    """Make statistics out of what `measure` measured.

    Args:
        names: The statistics.
        measured: `(..., columns)`; NaN throughout where there was no gradient.

    Returns:
        `(..., statistics)`, float64; NaN throughout where there was no gradient.
    """
    measured = np.asarray(measured, "float64")
    by_name = {name: measured[..., place] for place, name in enumerate(columns(names))}
    with np.errstate(all="ignore"):  # diverged gradients are infinite, and NaN
        table: np.ndarray = _statistics(names, by_name, np)
    table[np.isnan(by_name["size"])] = np.nan  # else not finite
    return table


def _statistics(names: Sequence[str], sums: Sums, library: Any) -> Any:
    """Make statistics out of sums, in Keras or in NumPy, which call what is needed here alike."""
    size = sums["size"]

    def std() -> Any:
        mean, root_mean_square = sums["sum"] / size, sums["norm"] / library.sqrt(size)
        is_zero = library.equal(root_mean_square, 0)
        share = mean / library.where(is_zero, library.ones_like(root_mean_square), root_mean_square)
        return root_mean_square * library.sqrt(library.maximum(1 - share * share, 0))

    make: dict[str, Callable[[], Any]] = {
        "norm": lambda: sums["norm"],
        "mean": lambda: sums["sum"] / size,
        "std": std,
        "finite": lambda: library.where(library.isfinite(sums["sum"]), library.ones_like(size), 0),
        "mean_abs": lambda: sums["sum_abs"] / size,
        "max_abs": lambda: library.where(library.isnan(sums["norm"]), sums["norm"], sums["max_abs"]),
        "zero_fraction": lambda: sums["zeros"] / size,
        "weight_norm": lambda: sums["weight_norm"],
        "update_ratio": lambda: sums["learning_rate"] * sums["norm"] / sums["weight_norm"],
    }
    return library.stack([make[name]() for name in names], axis=-1)
