"""Data of a comparison: the forms that `compare` takes, and the line that says what is learned from what."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kerasteach import datasets
from kerasteach.datasets.loading import arranged, loaded
from kerasteach.datasets.tables import column_of, frame_of
from kerasteach.datasets.targets import checked_task
from kerasteach.validation import received

Data = str | os.PathLike[str] | datasets.Dataset | tuple[Any, Any] | Mapping[str, Any] | Any


def dataset_of(data: Data, split_seed: Any, vectors: bool = True, **reading: Any) -> datasets.Dataset:
    """Return the data set that is meant; with `vectors`, of examples that a dense layer can take.

    Args:
        data: As `compare` takes it.
        split_seed: Fixes the split.
        vectors: Whether examples of more dimensions, such as images, are to be flattened. Defaults to `True`.
        **reading: `target`, `features`, `task` and `missing`, as `compare` takes them.
    """
    if isinstance(data, datasets.Dataset):
        _check_fixed(data, reading)
        dataset = replace(data, shift=None, scale=None)  # given in these units
    elif isinstance(data, str | os.PathLike):
        dataset = loaded(data, split_seed, **reading)
        if str(data) in datasets.names():  # others can have it in the units of its Dataset alone
            dataset = replace(dataset, shift=None, scale=None)
    elif isinstance(data, tuple | list) and len(data) == 2:
        dataset = _of_arrays(data, split_seed, reading)
    elif (table := frame_of("data", data)) is not None:
        target = "target" if reading.get("target") is None else reading["target"]
        dataset = arranged(table, column_of(table, target, "the table"), None, split_seed, **_without_target(reading))
    else:
        raise ValueError(
            "`data` must be a name out of kerasteach.datasets.names(), a CSV file, arrays (x, y) or "
            "((x, y), (x_test, y_test)), a table with `target`, or a Dataset. "
            f"Received: {type(data).__name__}{f' of {len(data)}' if isinstance(data, tuple | list) else ''}."
        )
    return _flattened(dataset) if vectors and len(dataset.inputs) != 1 else dataset


def _check_fixed(data: datasets.Dataset, reading: Mapping[str, Any]) -> None:
    """Raise ValueError where an argument would change a data set that is made."""
    task = checked_task(reading.get("task"))
    given = [name for name in ("target", "features") if reading.get(name) is not None]
    given += ["task"] if task not in (None, data.task) else []
    if given:
        raise ValueError(
            f"`{given[0]}` belongs where the Dataset is made, in kerasteach.datasets.load or from_arrays. "
            f"{received(given[0], reading[given[0]])}"
        )


def _of_arrays(data: Any, split_seed: Any, reading: Mapping[str, Any]) -> datasets.Dataset:
    """Return the data set of `(x, y)`, or of `((x, y), (x_test, y_test))` as Keras's `load_data` gives them."""
    if reading.get("target") is not None:
        raise ValueError(
            "`target` names a column of a file or a table; data=(x, y) has its targets in y. "
            f"{received('target', reading['target'])}"
        )
    (x, y), test = data if all(map(_is_pair, data)) else (data, None)
    return arranged(x, y, test, split_seed, **_without_target(reading))


def _is_pair(part: Any) -> bool:
    """Say whether a part of the data is examples with their targets, rather than examples alone."""
    if not isinstance(part, tuple | list) or len(part) != 2:
        return False
    if frame_of("data", part[0]) is not None:
        return True
    try:
        return np.ndim(part[0]) >= 2
    except ValueError:  # lists of several lengths
        return False


def _without_target(reading: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reading.items() if name != "target"}


def _flattened(data: datasets.Dataset) -> datasets.Dataset:
    """Return a data set whose examples are vectors, for a network of dense layers."""
    note = f"examples of {' x '.join(map(str, data.inputs))} flattened"
    return replace(
        data,
        x_train=data.x_train.reshape(len(data.x_train), -1),
        x_test=data.x_test.reshape(len(data.x_test), -1),
        shift=None if data.shift is None else data.shift.ravel(),
        scale=None if data.scale is None else data.scale.ravel(),
        notes=(*data.notes, note),
    )


def announce(dataset: datasets.Dataset, loss: str, verbose: bool) -> None:
    """Write in one line on standard error what is learned from what; otherwise, warn of what is in doubt."""
    if verbose:
        sys.stderr.write(f"{dataset.describe()}; loss: {loss}.\n")
        return
    for doubt in dataset.doubts:
        warnings.warn(f"{dataset.name}: {doubt}.", stacklevel=3)
