"""Statistics of tensors: pure functions, which know no layer, no optimizer and no table.

`compute` measures one tensor, and reduces over `axes`: to measure many copies of a network at once, leave the copies'
axis out. `measure` takes all gradients of a training step at once, in few operations: what it costs is what capturing
costs. Its numbers are reductions; `finish` makes statistics out of them, on the host.

A further statistic is one entry of `STATISTICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from keras import ops

from kerasteach.measure import reductions
from kerasteach.measure.reductions import Axes, Sums, Tensor
from kerasteach.tables.captures import KEYS
from kerasteach.validation import function, received, said, several, shown, text

Function: TypeAlias = Callable[[Tensor], Tensor]  # of a tensor, whose value is one number
Asked: TypeAlias = str | Mapping[str, Function] | Iterable[str | Mapping[str, Function]] | None


@dataclass(frozen=True)
class Statistic:
    """A statistic, as a formula of reductions.

    Attributes:
        needs: Names out of `reductions.REDUCTIONS`, or `weight_norm`, `learning_rate` and `update_norm`; `size` is
            there in any case.
        formula: Makes the statistic out of them; its second argument is Keras's `ops` or NumPy.
    """

    needs: tuple[str, ...]
    formula: Callable[[Sums, Any], Any]


def _std(sums: Sums, library: Any) -> Any:
    mean, root_mean_square = sums["sum"] / sums["size"], sums["norm"] / library.sqrt(sums["size"])
    is_zero = library.equal(root_mean_square, 0)
    share = mean / library.where(is_zero, library.ones_like(root_mean_square), root_mean_square)
    return root_mean_square * library.sqrt(library.maximum(1 - share * share, 0))


def _finite(sums: Sums, library: Any) -> Any:
    return library.where(library.isfinite(sums["sum"]), library.ones_like(sums["size"]), 0)  # so is every entry then


def _max_abs(sums: Sums, library: Any) -> Any:
    # The norm is NaN where an entry is, which a maximum may overlook.
    return library.where(library.isnan(sums["norm"]), sums["norm"], sums["max_abs"])


def _update_ratio(sums: Sums, library: Any) -> Any:
    by_rule = sums["learning_rate"] * sums["norm"]
    update = library.where(library.isnan(sums["learning_rate"]), sums["update_norm"], by_rule)
    weight = sums["weight_norm"]
    both_zero = library.logical_and(library.equal(update, 0), library.equal(weight, 0))
    return update / library.where(both_zero, library.ones_like(weight), weight)  # what stays 0 has the ratio 0


STATISTICS = {
    "norm": Statistic(("norm",), lambda sums, _: sums["norm"]),
    "mean": Statistic(("sum",), lambda sums, _: sums["sum"] / sums["size"]),
    "std": Statistic(("norm", "sum"), _std),
    "finite": Statistic(("sum",), _finite),
    "mean_abs": Statistic(("sum_abs",), lambda sums, _: sums["sum_abs"] / sums["size"]),
    "max_abs": Statistic(("max_abs", "norm"), _max_abs),
    "zero_fraction": Statistic(("zeros",), lambda sums, _: sums["zeros"] / sums["size"]),
    "weight_norm": Statistic(("weight_norm",), lambda sums, _: sums["weight_norm"]),
    "update_ratio": Statistic(("norm", "weight_norm", "learning_rate", "update_norm"), _update_ratio),
}
ALL = tuple(STATISTICS)
DEFAULT = ("norm", "mean", "std", "finite")
_OF_WEIGHTS = ("weight_norm", "learning_rate", "update_norm")  # the columns that no gradient has


class Chosen(NamedTuple):
    """Statistics that are to be recorded.

    Attributes:
        names: In the order of the table's columns: the built-in ones, then the caller's own.
        own: The functions of the caller's own ones.
    """

    names: tuple[str, ...]
    own: dict[str, Function]


def chosen(statistics: Asked, built_in: Sequence[str] = ALL, default: Sequence[str] = DEFAULT) -> Chosen:
    """Return the statistics that are asked for.

    Args:
        statistics: `None` for the default, `"all"`, names, or functions of the caller's own by name; a list may hold
            names and dictionaries of functions. `finite` is always among them. Where functions alone are named, they
            come after the default.
        built_in: The names that there are. Defaults to `ALL`.
        default: Those that `None` stands for. Defaults to `DEFAULT`.

    Raises:
        TypeError: If it is neither a name nor a list, or what a name stands for is no function.
        ValueError: If a name is unknown, there is none, or a function's name is taken.

    Example:
        >>> from kerasteach.measure import statistics
        >>> statistics.chosen(["max_abs", "norm", {"l1": lambda gradient: abs(gradient).sum()}]).names
        ('norm', 'finite', 'max_abs', 'l1')
    """
    if statistics is None:
        return Chosen(tuple(default), {})
    single = isinstance(statistics, (str, Mapping))
    asked = [statistics] if single else several("statistics", statistics, "names and dictionaries of functions")
    own = _own_functions([part for part in asked if isinstance(part, Mapping)], built_in)
    names = [part for part in asked if not isinstance(part, Mapping)]
    if not (names or own) or not all(isinstance(name, str) and name in ("all", *built_in) for name in names):
        raise ValueError(
            f'`statistics` must be "all" or names out of {", ".join(built_in)}, or functions of your own as in '
            f'{{"l1": function}}. {received("statistics", statistics)}'
        )
    everything, names = "all" in names, names or list(default)
    wanted = tuple(name for name in built_in if everything or name in names or name == "finite")
    return Chosen((*wanted, *own), own)


def _own_functions(dictionaries: Iterable[Mapping[str, Function]], built_in: Sequence[str]) -> dict[str, Function]:
    """Return the caller's own statistics, checked."""
    found: dict[str, Function] = {}
    for name, value in (item for functions in dictionaries for item in functions.items()):
        if text("statistics", name) in {"all", *ALL, *built_in, *KEYS, *found}:
            raise ValueError(
                f"`statistics` must give a function a name that is not taken, as a statistic or a column of the table "
                f"is. {received('statistics', name)}"
            )
        found[name] = function(f"statistics[{name!r}]", value, "a function of a tensor that returns one number")
    return found


def call(name: str, own: Function, tensor: Tensor) -> Tensor:
    """Return the value of a caller's own statistic, `()`, float64 (float32 on JAX).

    Raises:
        ValueError: If the function fails, or returns anything but one number; the message names it.
    """
    tensor = reductions.as_tensor(tensor)
    try:
        value = own(tensor)
    except Exception as error:
        raise ValueError(
            f"`statistics[{name!r}]` fails for a tensor of shape {tuple(tensor.shape)}: {said(error)}"
        ) from error
    try:
        found = ops.convert_to_tensor(value)
        scalar = tuple(found.shape) == () and "complex" not in str(found.dtype)
    except Exception:  # whatever the backend raises for something else
        scalar = False
    if not scalar:
        raise ValueError(
            f"`statistics[{name!r}]` must return one number, as a tensor of shape (). "
            f"Received: {shown(value)}, of a tensor of shape {tuple(tensor.shape)}."
        )
    return ops.cast(found, reductions.wide())


def _needed(names: Iterable[str]) -> tuple[str, ...]:
    """Return the reductions that these statistics are made of."""
    needs = dict.fromkeys(["size", *(part for name in names if name in STATISTICS for part in STATISTICS[name].needs)])
    return tuple(part for part in needs if part not in _OF_WEIGHTS)


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
    return _statistics(names, reductions.exact(_needed(names), ops.convert_to_tensor(tensor), axes), ops)


def columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the numbers that `measure` makes for these statistics."""
    needs = {part for name in names if name in STATISTICS for part in STATISTICS[name].needs}
    own = (_own_column(name) for name in names if name not in STATISTICS)
    return (*_needed([*names, "norm"]), *(part for part in _OF_WEIGHTS if part in needs), *own)


def _own_column(name: str) -> str:
    return f"own {name}"  # which no reduction is called


def measure(
    names: Sequence[str],
    gradients: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    learning_rate: Tensor | None = None,
    updates: Sequence[Tensor | None] | None = None,
    own: Mapping[str, Function] | None = None,
) -> Tensor:
    """Measure all gradients of a training step, for `finish` to make statistics of.

    Small gradients are measured together in float64. Large ones are summed in float32, each in one pass; where that
    cannot hold the squares, because the entries have vanished or exploded, they are measured again in float64.

    Two limits are float32's own. TensorFlow takes entries below 1.2e-38, which are subnormal, for 0: a gradient that
    has no others has norm 0 and `zero_fraction` 1. And `std` comes from the norm and the mean, so that of more than
    4,096 entries which lie close together far from 0 it has few digits: its relative error is about 1e-7 times the
    square of mean / std, up to 40 % where the mean is 1,000 standard deviations away from 0.

    Args:
        names: The statistics, out of `ALL` and `own`.
        gradients: Each of any shape.
        weights: The value of each gradient's variable before the update, for `weight_norm` and `update_ratio`; `None`
            where there is none, which makes them NaN.
        learning_rate: For `update_ratio`, the step's learning rate, `()`, where `w <- w - learning_rate * gradient` is
            all that changes the weights: then their change has that norm. Defaults to `None`, another rule.
        updates: For `update_ratio` with another rule, the change of each gradient's variable; `None` where there is
            none, which makes the ratio NaN. Defaults to `None`, none at all.
        own: Further statistics by name, functions of a gradient. Defaults to `None`, none.

    Returns:
        `(gradients, columns)`, float64 (float32 on JAX): the numbers that `columns(names)` lists.

    Example:
        >>> from kerasteach.measure import statistics
        >>> sums = statistics.measure(["norm", "mean"], [[3.0, -4.0], [2.0]], [None, None])
        >>> statistics.finish(["norm", "mean"], sums.numpy()).tolist()
        [[5.0, -0.5], [2.0, 2.0]]
    """
    asked = columns(names)
    table = [reductions.table(_needed([*names, "norm"]), gradients)]
    if "weight_norm" in asked:
        table.append(_norms(weights))
    if "learning_rate" in asked:
        rate = np.nan if learning_rate is None else learning_rate
        table.append(ops.broadcast_to(ops.cast(rate, reductions.wide()), (len(gradients), 1)))
        table.append(_norms([None] * len(gradients) if updates is None else updates))
    for name in names if gradients else ():
        if name not in STATISTICS:
            values = [call(name, (own or {})[name], gradient) for gradient in gradients]
            table.append(ops.reshape(ops.stack(values), (-1, 1)))
    return ops.concatenate(table, axis=1) if len(table) > 1 else table[0]


def _norms(tensors: Sequence[Tensor | None]) -> Tensor:
    """Return the norm of each tensor, `(tensors, 1)`; NaN where there is none."""
    known = [place for place, tensor in enumerate(tensors) if tensor is not None]
    if not known:
        return reductions.not_a_number((len(tensors), 1))
    norms = reductions.table(["norm"], [tensors[place] for place in known])
    if len(known) == len(tensors):
        return norms
    unknown = reductions.not_a_number((1, 1))
    places = [known.index(place) if place in known else len(known) for place in range(len(tensors))]
    return ops.take(ops.concatenate([norms, unknown]), np.array(places), axis=0)


def measure_stacked(
    names: Sequence[str],
    rows: Tensor,
    owners: np.ndarray,
    sizes: Sequence[int],
    weights: Tensor | None = None,
    learning_rate: Tensor | None = None,
    updates: Tensor | None = None,
) -> Tensor:
    """Measure many tensors that lie below one another in one matrix, on TensorFlow, as `measure` does.

    Args:
        names: Out of `ALL`.
        rows: `(rows, lanes)`; each tensor takes whole rows, and fills the last one up with zeros.
        owners: Which tensor each row belongs to, `(rows,)`: 0, 1, ..., each at least once, and not falling.
        sizes: How many entries each tensor has, without what fills it up.
        weights: The tensors' variables before the update, which lie alike. Defaults to `None`, for which what needs
            them is NaN.
        learning_rate: As for `measure`. Defaults to `None`.
        updates: As for `measure`, laid out alike. Defaults to `None`.

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

    def norms(matrix: Tensor | None) -> Tensor:
        if matrix is None:
            return reductions.not_a_number((len(sizes), 1))
        return reductions.of_rows(["norm"], matrix, owners, sizes)

    asked = columns(names)
    table = [reductions.of_rows(_needed([*names, "norm"]), rows, owners, sizes)]
    if "weight_norm" in asked:
        table.append(norms(weights))
    if "learning_rate" in asked:
        rate = np.nan if learning_rate is None else learning_rate
        table += [ops.broadcast_to(ops.cast(rate, "float64"), (len(sizes), 1)), norms(updates)]
    return ops.concatenate(table, axis=1) if len(table) > 1 else table[0]


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
    """Make statistics out of reductions, in Keras or in NumPy, which call what is needed here alike."""
    columns = [
        STATISTICS[name].formula(sums, library) if name in STATISTICS else sums[_own_column(name)] for name in names
    ]
    return library.stack(columns, axis=-1)
