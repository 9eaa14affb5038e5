"""What `compare` takes: met at the door, and brought into one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from numbers import Integral
from pathlib import Path
from typing import Any

import keras

from kerasteach import activations as functions
from kerasteach import datasets
from kerasteach.activations import Activation
from kerasteach.optimizers import PlainSGD

Data = str | Path | datasets.Dataset | tuple[Any, Any]


def named(activations: Any) -> dict[str, str | Activation]:
    """Return the activations by the names that they have in the tables."""
    if isinstance(activations, Mapping):
        pairs = list(activations.items())
    else:
        single = isinstance(activations, str) or callable(activations)
        pairs = [(_name(one), one) for one in ([activations] if single else activations)]
    variants = dict(pairs)
    if not variants or len(variants) < len(pairs):
        raise ValueError(
            "`activations` must be one or more, each of another name; a dictionary gives names to functions. "
            f"Received: {[name for name, _ in pairs]}."
        )
    for activation in variants.values():
        functions.get(activation)
    return variants


def _name(activation: str | Activation) -> str:
    """Return a name of its own for a function that shares ours with one of the seven, but is another."""
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)
    if name in functions.names() and not isinstance(activation, str) and activation is not functions.get(name):
        return f"{activation.__module__.split('.')[0]}.{name}"
    return name


def whole(argument: str, value: Any, least: int = 1) -> int:
    """Return a whole number of any kind, NumPy's too, as Python's, or raise ValueError naming the argument."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"`{argument}` must be a whole number from {least}. Received: {argument}={value!r}.")
    return int(value)


def checked_seeds(seeds: Any) -> list[int]:
    """Return the seeds, which may be given by their number."""
    if not isinstance(seeds, Iterable) or isinstance(seeds, str):
        return list(range(whole("seeds", seeds)))
    numbers = [whole("seeds", seed, least=0) for seed in seeds]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"`seeds` must be a number of seeds, or different whole numbers. Received: seeds={seeds!r}.")
    return numbers


def checked_hidden(hidden: Any) -> list[int]:
    """Return the units of each hidden layer."""
    if not isinstance(hidden, Iterable) or isinstance(hidden, str):
        raise ValueError(f"`hidden` must list the units of each hidden layer, as in (32, 32). Received: {hidden!r}.")
    return [whole("hidden", units) for units in hidden]


def dataset_of(data: Data, split_seed: int) -> datasets.Dataset:
    """Return the data set that is meant, of examples that a dense layer can take."""
    if isinstance(data, tuple | list) and len(data) == 2:
        data = datasets.from_arrays(*data, split_seed=split_seed)
    elif isinstance(data, str | Path):
        data = datasets.load(data, split_seed=split_seed)
    if not isinstance(data, datasets.Dataset):
        raise ValueError(
            "`data` must be a name out of kerasteach.datasets.names(), a CSV file, arrays (x, y), or a Dataset. "
            f"Received: {type(data).__name__}."
        )
    if len(data.inputs) != 1:
        raise ValueError(
            "`data` must have examples that are vectors, for a network of dense layers: x.reshape(len(x), -1) makes "
            f"them so. Received: examples of shape {data.inputs}."
        )
    return data


def serialised(optimizer: str | keras.optimizers.Optimizer | None, learning_rate: Any) -> dict[str, Any]:
    """Return the optimizer as Keras serialises it, so that each network can have its own."""
    plain = PlainSGD(learning_rate)  # checks the learning rate, too
    if optimizer is None or (isinstance(optimizer, str) and optimizer.lower() in ("plainsgd", "plain_sgd")):
        optimizer = plain
    elif isinstance(optimizer, str):
        try:
            config = {"learning_rate": plain.get_config()["learning_rate"]}
            optimizer = keras.optimizers.get({"class_name": optimizer, "config": config})
        except ValueError:
            pass  # it stays a string, and is refused as anything else that is no optimizer
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            '`optimizer` must be a name that Keras knows, such as "sgd" or "adam", or an optimizer. '
            f"Received: optimizer={optimizer!r}."
        )
    config = keras.optimizers.serialize(optimizer)
    try:
        keras.optimizers.deserialize(deepcopy(config))
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`learning_rate` must be a number, a schedule, or a function that is registered with Keras; each network "
            f"has a copy. Received: {learning_rate!r}; Keras says: {error}"
        ) from None
    return config
