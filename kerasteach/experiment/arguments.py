"""What `compare` takes: met at the door, and brought into one form."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal, cast

import keras
import numpy as np

from kerasteach import datasets
from kerasteach.datasets.loading import arranged, loaded
from kerasteach.datasets.tables import column_of, frame_of
from kerasteach.datasets.targets import checked_task
from kerasteach.optimizers import PlainSGD
from kerasteach.validation import finite, received, whole

PLAIN_LEARNING_RATE = 0.1  # of plain steps; Keras's optimizers have defaults of their own
Data = str | os.PathLike[str] | datasets.Dataset | tuple[Any, Any] | Mapping[str, Any] | Any


def checked_seeds(seeds: Any) -> list[int]:
    """Return the seeds, which may be given by their number."""
    if not isinstance(seeds, Iterable) or isinstance(seeds, str):
        return list(range(whole("seeds", seeds)))
    numbers = [whole("seeds", seed, least=0) for seed in seeds]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"`seeds` must be a number of seeds, or different whole numbers. Received: seeds={seeds!r}.")
    return numbers


def checked_hidden(hidden: Any, depth: Any = None, width: Any = None) -> list[int]:
    """Return the units of each hidden layer; a depth and a width of its own stand in for those of `hidden`."""
    if not isinstance(hidden, Iterable) or isinstance(hidden, str):
        raise ValueError(f"`hidden` must list the units of each hidden layer, as in (32, 32). Received: {hidden!r}.")
    units = [whole("hidden", one) for one in hidden]
    if depth is not None and len(set(units)) != 1 and width is None:
        raise ValueError(
            f"Where `depth` varies, `hidden` must have one width, as in (32, 32). Received: hidden={units!r}."
        )
    if width is not None:
        units = [whole("width", width)] * len(units)
    return units if depth is None else [units[0] if units else whole("width", width)] * whole("depth", depth)


def checked_capture(capture: Any) -> Literal["epoch", "step"] | None:
    """Return which gradients to keep, or raise ValueError."""
    if capture not in ("epoch", "step", None):
        raise ValueError(f'`capture` must be "epoch", "step" or None. Received: capture={capture!r}.')
    return cast(Literal["epoch", "step"] | None, capture)


def checked_error(error_below: Any) -> float | None:
    """Return the error at which to stop, as Python's number, or raise ValueError or TypeError."""
    return None if error_below is None else finite("error_below", error_below)


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


def announce(dataset: datasets.Dataset, loss: str, progress: bool) -> None:
    """Write in one line on standard error what is learned from what; without progress, warn of what is in doubt."""
    if progress:
        sys.stderr.write(f"{dataset.describe()}; loss: {loss}.\n")
        return
    for doubt in dataset.doubts:
        warnings.warn(f"{dataset.name}: {doubt}.", stacklevel=3)


def learning_rate_of(optimizer: Mapping[str, Any]) -> float | str:
    """Return the learning rate of an optimizer that `serialised` returned, or the name of its schedule."""
    config = optimizer["config"]
    if "inner_optimizer" in config:
        return learning_rate_of(config["inner_optimizer"])
    rate = config.get("learning_rate", "its own")
    if isinstance(rate, Mapping):
        return str(rate["config"] if rate["class_name"] == "function" else rate["class_name"])
    return rate if isinstance(rate, str) else float(str(np.float32(rate)))  # 0.1, which Keras gives as 0.10000000149


def serialised(
    optimizer: str | keras.optimizers.Optimizer | None, learning_rate: Any = None, varied: bool = False
) -> dict[str, Any]:
    """Return the optimizer as Keras serialises it, so that each network can have its own.

    Args:
        optimizer: As `compare` takes it.
        learning_rate: As `compare` takes it. Defaults to `None`: the optimizer's own default.
        varied: Whether the learning rate takes the place of an optimizer's own. Defaults to `False`.
    """
    own = learning_rate is None and not varied
    plain = PlainSGD(PLAIN_LEARNING_RATE if own else learning_rate)  # checks the rate, too
    rate = {} if own else {"learning_rate": plain.get_config()["learning_rate"]}
    if optimizer is None or (isinstance(optimizer, str) and optimizer.lower() in ("plainsgd", "plain_sgd")):
        optimizer = plain
    elif isinstance(optimizer, str):
        with suppress(ValueError):  # it stays a string, and is refused as anything else that is no optimizer
            optimizer = keras.optimizers.get({"class_name": optimizer, "config": dict(rate)})
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            '`optimizer` must be a name that Keras knows, such as "sgd" or "adam", or an optimizer. '
            f"Received: optimizer={optimizer!r}."
        )
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # Keras counts some optimizers: the same arguments shall be told alike
    if varied:
        config["config"].update(rate)
    try:
        keras.optimizers.deserialize(deepcopy(config))
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`learning_rate` must be a number, a schedule, or a function that is registered with Keras; each network "
            f"has a copy. Received: {learning_rate!r}; Keras says: {error}"
        ) from None
    return config
