"""The tidy tables and their columns. Needs no Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.validation import array, received, whole

STATISTICS = (
    *("norm", "mean", "std", "finite"),
    *("mean_abs", "max_abs", "zero_fraction", "weight_norm", "update_ratio"),
)
OUTPUT_STATISTICS = ("mean", "std", "finite", "zero_fraction", "dead_fraction", "saturated_fraction")
_STEP_TYPES = dict.fromkeys(("phase", "layer", "quantity"), "str") | dict.fromkeys(
    ("depth", "example", "unit", "source"), "Int64"
)
DESCENT_KEYS = ("optimizer", "learning_rate", "step")
DESCENT_COLUMNS = (*DESCENT_KEYS, "value", "gradient_norm", "verdict")  # of a descent, besides its coordinates
_NO_HISTORY = pd.DataFrame({"epoch": [], "metric": [], "value": []}).astype(
    {"epoch": "int64", "metric": "str", "value": "float64"}
)


@dataclass(frozen=True)
class Parameter:
    """What a table says of one trainable variable, or of one probe.

    Attributes:
        layer: The name of the layer that owns it.
        depth: The layer's place among those that own a trainable variable, from 1 at the input.
        parameter: `"kernel"`, `"bias"`, `"gamma"`, ...; of a probe, `"signal"`.
        path: The variable's Keras path.
        size: How many entries it has; of a probe, how many units an example.
    """

    layer: str
    depth: int
    parameter: str
    path: str
    size: int


@dataclass(frozen=True)
class Output:
    """What a table says of one call of one layer.

    Attributes:
        layer: The layer's name.
        depth: The layer's place among those that are recorded, from 1 at the input.
        call: Which of its calls in the step, from 1: a shared layer has several.
        path: The layer's Keras path.
        size: How many units it puts out for an example.
    """

    layer: str
    depth: int
    call: int
    path: str
    size: int


@dataclass(frozen=True)
class Traced:
    """Numbers of one kind in a traced step: what they are of, and what their axes count.

    Attributes:
        phase: `"forward"`, `"error"`, `"backward"` or `"update"`.
        quantity: `x, z, a, E, dE/da, dE/dz, dE/dW, dE/db, W, b, new W` or `new b`.
        values: The numbers.
        axes: What each axis of the values counts, from 0: `"example"`, `"unit"`, `"source"`.
        layer: The layer's name; `None` for what belongs to the whole network.
        depth: The number of dense layers up to this one, from 1 at the input.
    """

    phase: str
    quantity: str
    values: Any
    axes: tuple[str, ...]
    layer: str | None = None
    depth: int | None = None


def tidy_table(
    kind: type[Parameter] | type[Output],
    entries: Sequence[Parameter | Output],
    statistics: Sequence[str],
    epochs: Iterable[int] = (),
    steps: Iterable[int] = (),
    values: Any = (),
) -> pd.DataFrame:
    """Lay recorded statistics out as a tidy table, a row a step and entry.

    Args:
        kind: What the entries are.
        entries: What the numbers are of, in the order of `values`' second axis.
        statistics: Their names, in the order of its third; `finite` among them.
        epochs: The epoch of each step, `(steps,)`.
        steps: The number of each step, `(steps,)`.
        values: `(steps, entries, statistics)`; `finite` is NaN where there was nothing to record, which gives no row.

    Returns:
        A frame with the columns `epoch, step`, the entries' keys, and the statistics; `finite` is a bool.
    """
    steps = np.asarray(list(steps), dtype="int64")
    shape = (len(steps), len(entries), len(statistics))
    flat = np.asarray(values, dtype="float64").reshape(shape).reshape(-1, shape[-1])
    columns: dict[str, Any] = {
        "epoch": np.repeat(np.asarray(list(epochs), dtype="int64"), shape[1]),
        "step": np.repeat(steps, shape[1]),
    }
    for field in fields(kind):
        column_type = {"str": "str", "int": "int64"}[str(field.type)]
        one_step = pd.Series([getattr(entry, field.name) for entry in entries], dtype=column_type)
        columns[field.name] = one_step.take(np.tile(np.arange(shape[1]), shape[0])).array
    columns |= {name: flat[:, index] for index, name in enumerate(statistics)}
    frame = pd.DataFrame(columns)
    return frame[frame["finite"].notna()].reset_index(drop=True).astype({"finite": bool})


def step_table(parts: Iterable[Traced]) -> pd.DataFrame:
    """Lay out the numbers of a traced step as a tidy table, one number a row.

    Returns:
        The columns `phase, layer, depth, quantity, example, unit, source, value`; what does not apply is missing.
    """
    frames = []
    for part in parts:
        values = np.asarray(part.values, "float64")
        places = dict(zip(part.axes, np.indices(values.shape).reshape(values.ndim, values.size), strict=True))
        columns: dict[str, Any] = {"phase": part.phase, "layer": part.layer, "depth": part.depth}
        columns["quantity"] = part.quantity
        columns |= {axis: places.get(axis) for axis in ("example", "unit", "source")}
        frames.append(pd.DataFrame({**columns, "value": values.ravel()}).astype(_STEP_TYPES))
    return pd.concat(frames, ignore_index=True)


def histogram_table(keys: pd.DataFrame, low: np.ndarray, high: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """Lay histograms out as a tidy table, a row a bin.

    Args:
        keys: The key columns of each histogram, a row each.
        low: The lowest magnitude of each bin, `(bins,)`.
        high: The highest magnitude of each bin, `(bins,)`, outside it.
        counts: `(histograms, bins)`.

    Returns:
        The key columns, then `low, high, count`.
    """
    frame = keys.loc[keys.index.repeat(len(low))].reset_index(drop=True)
    return frame.assign(
        low=np.tile(np.asarray(low, "float64"), len(keys)),
        high=np.tile(np.asarray(high, "float64"), len(keys)),
        count=np.asarray(counts, "int64").ravel(),
    )


def history_table(history: Any, validation_freq: int = 1) -> pd.DataFrame:
    """Lay a Keras training history out as a tidy table, a row an epoch and metric.

    Args:
        history: What `model.fit` returns, or its `history` dictionary.
        validation_freq: What `fit` was given: validation metrics belong to every n-th epoch. Defaults to `1`.

    Returns:
        A frame with the columns `epoch, metric, value`; `epoch` is Keras's number.

    Raises:
        TypeError: If `history` is no history, or holds anything but numbers.
        ValueError: If a metric's length does not fit the number of epochs.

    Example:
        >>> from kerasteach.measure import history_table
        >>> history_table({"loss": [0.9, 0.5]})["value"].tolist()
        [0.9, 0.5]
    """
    series = getattr(history, "history", history)
    if not isinstance(series, Mapping):
        raise TypeError(
            "`history` must be what `model.fit` returned, or a dictionary of lists of numbers. "
            f"{received('history', history)}"
        )
    numbers = {metric: array(f"history[{metric!r}]", values, ndim=1) for metric, values in series.items()}
    longest = range(max(map(len, numbers.values()), default=0))
    trained = np.asarray(getattr(history, "epoch", longest), dtype="int64")
    validated = trained[(trained + 1) % whole("validation_freq", validation_freq) == 0]
    parts = [_NO_HISTORY]
    for metric, values in numbers.items():
        epochs = validated if str(metric).startswith("val_") else trained
        if len(values) != len(epochs):
            raise ValueError(
                f"`validation_freq` must be what `fit` was given. Received: validation_freq={validation_freq}, "
                f"{len(values)} values of {metric}, {len(trained)} epochs."
            )
        parts.append(pd.DataFrame({"epoch": epochs, "metric": str(metric), "value": values}))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def coordinates(descent: pd.DataFrame) -> list[str]:
    """Return the columns of a descent's table that are its coordinates: those between `step` and `value`.

    Example:
        >>> import kerasteach as kt
        >>> kt.measure.records.coordinates(kt.gradient_descent("rosenbrock", steps=1))
        ['x', 'y']
    """
    names = [str(column) for column in descent]
    if not {"step", "value"} <= set(names):
        return []
    return names[names.index("step") + 1 : names.index("value")]


def with_keys(frame: pd.DataFrame, keys: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame with further key columns in front, such as `activation` and `seed`."""
    return pd.concat([pd.DataFrame(dict(keys), index=frame.index), frame], axis=1)
