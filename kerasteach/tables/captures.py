"""Tidy tables of captures, and their columns. Needs no Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Measured(NamedTuple):
    """Numbers of each variable or layer, of one or several steps.

    Attributes:
        statistics: `(..., entries, statistics)`, or the reductions that they are made of; NaN where there was nothing
            to record.
        counts: Those of a histogram, `(..., entries, bins)`.
    """

    statistics: Any
    counts: Any


@dataclass(frozen=True)
class Parameter:
    """Key columns of one trainable variable, or of one probe.

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
    """Key columns of one call of one layer.

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


KEYS = ("epoch", "step", *(field.name for field in fields(Parameter)), "call", "low", "high", "count")  # of any table


def is_recorded(names: Sequence[str], statistics: np.ndarray) -> np.ndarray:
    """Say of each row whether there was something to record.

    Args:
        names: Of the statistics.
        statistics: `(..., statistics)`. Where there was no gradient, or no such call of a layer, `finite` is NaN.

    Returns:
        Booleans, `(...)`.
    """
    return ~np.isnan(statistics[..., list(names).index("finite")])


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
        values: `(steps, entries, statistics)`; what `is_recorded` denies gives no row.

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
    return frame[is_recorded(statistics, flat)].reset_index(drop=True).astype({"finite": bool})


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


def with_keys(frame: pd.DataFrame, keys: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame with further key columns in front, such as `activation` and `seed`."""
    return pd.concat([pd.DataFrame(dict(keys), index=frame.index), frame], axis=1)
