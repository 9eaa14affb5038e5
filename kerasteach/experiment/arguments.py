"""What `compare` takes: met at the door, and brought into one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, cast

import keras
import numpy as np

from kerasteach import datasets
from kerasteach.optimizers import PlainSGD
from kerasteach.validation import finite, whole

PLAIN_LEARNING_RATE = 0.1  # of plain steps; Keras's optimizers have defaults of their own
Data = str | Path | datasets.Dataset | tuple[Any, Any]


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


def dataset_of(data: Data, split_seed: int, vectors: bool = True) -> datasets.Dataset:
    """Return the data set that is meant; with `vectors`, of examples that a dense layer can take."""
    if isinstance(data, tuple | list) and len(data) == 2:
        data = datasets.from_arrays(*data, split_seed=split_seed)
    elif isinstance(data, str | Path):
        data = datasets.load(data, split_seed=split_seed)
    if not isinstance(data, datasets.Dataset):
        raise ValueError(
            "`data` must be a name out of kerasteach.datasets.names(), a CSV file, arrays (x, y), or a Dataset. "
            f"Received: {type(data).__name__}."
        )
    if vectors and len(data.inputs) != 1:
        raise ValueError(
            "`data` must have examples that are vectors, for a network of dense layers: x.reshape(len(x), -1) makes "
            f"them so, and `models` takes networks for other data. Received: examples of shape {data.inputs}."
        )
    return data


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
