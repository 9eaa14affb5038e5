"""The tidy tables, their columns, and the directories that keep them. Needs no Keras."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

GRADIENT_KEYS = ("epoch", "step", "layer", "depth", "parameter", "path", "size")
STATISTICS = (
    *("norm", "mean", "std", "finite"),
    *("mean_abs", "max_abs", "zero_fraction", "weight_norm", "update_ratio"),
)
_NO_HISTORY = pd.DataFrame({"epoch": [], "metric": [], "value": []}).astype(
    {"epoch": "int64", "metric": "str", "value": "float64"}
)


@dataclass(frozen=True)
class Parameter:
    """What a table says of one trainable variable.

    Attributes:
        layer: The name of the layer that owns it.
        depth: The layer's place among those that own a trainable variable, from 1 at the input.
        parameter: `"kernel"`, `"bias"`, `"gamma"`, ...
        path: The variable's Keras path.
        size: How many entries it has.
    """

    layer: str
    depth: int
    parameter: str
    path: str
    size: int


def gradient_table(
    parameters: Sequence[Parameter],
    statistics: Sequence[str],
    epochs: Iterable[int] = (),
    steps: Iterable[int] = (),
    values: Any = (),
) -> pd.DataFrame:
    """Lay recorded statistics out as a tidy table, a row a step and variable.

    Args:
        parameters: The variables, in the order of `values`' second axis.
        statistics: The statistics, in the order of its third.
        epochs: The epoch of each step, `(steps,)`.
        steps: The number of each step, `(steps,)`.
        values: `(steps, variables, statistics)`; all NaN where a variable received no gradient, which gives no row.

    Returns:
        A frame with the columns `GRADIENT_KEYS` and the statistics; `finite` is a bool.
    """
    steps = np.asarray(list(steps), dtype="int64")
    shape = (len(steps), len(parameters), len(statistics))
    flat = np.asarray(values, dtype="float64").reshape(shape).reshape(-1, shape[-1])
    columns: dict[str, Any] = {
        "epoch": np.repeat(np.asarray(list(epochs), dtype="int64"), shape[1]),
        "step": np.repeat(steps, shape[1]),
    }
    for key, kind in (("layer", "str"), ("depth", "int64"), ("parameter", "str"), ("path", "str"), ("size", "int64")):
        one_step = pd.Series([getattr(parameter, key) for parameter in parameters], dtype=kind)
        columns[key] = one_step.take(np.tile(np.arange(shape[1]), shape[0])).array
    columns |= {name: flat[:, index] for index, name in enumerate(statistics)}
    frame = pd.DataFrame(columns)
    if "finite" in columns:
        frame = frame[frame["finite"].notna()].reset_index(drop=True).astype({"finite": bool})
    return frame


def history_table(history: Any, validation_freq: int = 1) -> pd.DataFrame:
    """Lay a Keras training history out as a tidy table, a row an epoch and metric.

    Args:
        history: What `model.fit` returns, or its `history` dictionary.
        validation_freq: What `fit` was given: validation metrics belong to every so manyth epoch. Defaults to `1`.

    Returns:
        A frame with the columns `epoch, metric, value`; `epoch` is Keras's number.

    Raises:
        ValueError: If a metric's length does not fit the number of epochs.

    Example:
        >>> from kerasteach.measure import history_table
        >>> history_table({"loss": [0.9, 0.5]})["value"].tolist()
        [0.9, 0.5]
    """
    series: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    longest = range(max(map(len, series.values()), default=0))
    trained = np.asarray(getattr(history, "epoch", longest), dtype="int64")
    validated = trained[(trained + 1) % validation_freq == 0]
    parts = [_NO_HISTORY]
    for metric, values in series.items():
        epochs = validated if metric.startswith("val_") else trained
        if len(values) != len(epochs):
            raise ValueError(
                f"`validation_freq` must be what `fit` was given. Received: validation_freq={validation_freq}, "
                f"{len(values)} values of {metric}, {len(trained)} epochs."
            )
        parts.append(pd.DataFrame({"epoch": epochs, "metric": metric, "value": np.asarray(values, "float64")}))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def with_keys(frame: pd.DataFrame, keys: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame with further key columns in front, such as `activation` and `seed`."""
    return pd.concat([pd.DataFrame(dict(keys), index=frame.index), frame], axis=1)


def epoch_means(frame: pd.DataFrame) -> pd.DataFrame:
    """Average a gradient table over the steps of each epoch, a row an epoch and variable.

    `step` becomes the epoch's last; `finite` stays true where it was at every step; every statistic becomes its mean
    over the epoch's steps, NaN where it was NaN at one of them.
    """
    groups = frame.groupby([name for name in GRADIENT_KEYS if name != "step"], sort=False)
    columns = {"step": groups["step"].max()}
    for name in frame.columns.drop([*GRADIENT_KEYS]):
        columns[name] = groups[name].all() if name == "finite" else groups[name].mean(skipna=False)
    return pd.DataFrame(columns).reset_index()[list(frame)]


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name beside it, then move it into place, so that no half-written one stays.

    Args:
        path: The file.
        write: Called with the temporary path, which has the same ending.
    """
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def save_run(
    directory: str | Path, facts: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], overwrite: bool = False
) -> None:
    """Write a run: a Parquet file for each table, and `run.json`, which comes last and says the run is whole.

    Raises:
        FileExistsError: If there is a run already and `overwrite` is false.
    """
    directory = Path(directory)
    text = json.dumps({**facts, "tables": list(tables)}, indent=2)
    if (directory / "run.json").exists():
        if not overwrite:
            raise FileExistsError(
                f"There is a run already; name another directory. Received: directory={str(directory)!r}."
            )
        (directory / "run.json").unlink()  # while tables change, this is no whole run
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_atomically(directory / f"{name}.parquet", table.to_parquet)
    write_atomically(directory / "run.json", lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_run(directory: str | Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Read a run that `save_run` wrote.

    Raises:
        FileNotFoundError: If the directory holds no whole run.
    """
    directory = Path(directory)
    if not (directory / "run.json").exists():
        raise FileNotFoundError(f"There is no run: no run.json. Received: directory={str(directory)!r}.")
    facts = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    return facts, {name: pd.read_parquet(directory / f"{name}.parquet") for name in facts.pop("tables")}
