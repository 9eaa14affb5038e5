"""What `compare` takes: met at the door, and brought into one form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from kerasteach import activations as functions
from kerasteach import datasets
from kerasteach.activations import Activation
from kerasteach.optimizers import PlainSGD

Data = str | Path | datasets.Dataset | tuple[Any, Any]


def named(activations: Sequence[str | Activation]) -> dict[str, str | Activation]:
    """Return the activations by the names that they have in the tables."""
    if isinstance(activations, str) or callable(activations):
        activations = [activations]
    for activation in activations:
        functions.get(activation)
    variants = {one if isinstance(one, str) else one.__name__: one for one in activations}
    if not variants or len(variants) < len(activations):
        received = [one if isinstance(one, str) else one.__name__ for one in activations]
        raise ValueError(f"`activations` must be one or more, each of another name. Received: {received}.")
    return variants


def checked_seeds(seeds: Any) -> list[int]:
    """Return the seeds, which may be given by their number."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        check_positive(seeds=seeds)
        return list(range(seeds))
    numbers = list(seeds)
    if not numbers or len(set(numbers)) < len(numbers) or any(not isinstance(n, int) or n < 0 for n in numbers):
        raise ValueError(f"`seeds` must be a number of seeds, or different whole numbers. Received: seeds={seeds!r}.")
    return numbers


def check_positive(**arguments: Any) -> None:
    """Raise ValueError, naming the argument, unless each is a whole number from 1."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a whole number from 1. Received: {name}={value!r}.")


def dataset_of(data: Data, split_seed: int) -> datasets.Dataset:
    """Return the data set that is meant, of examples that a dense layer can take."""
    if isinstance(data, tuple):
        data = datasets.from_arrays(*data, split_seed=split_seed)
    elif isinstance(data, str | Path):
        data = datasets.load(data, split_seed=split_seed)
    if len(data.inputs) != 1:
        raise ValueError(
            "`data` must have examples that are vectors, for a network of dense layers: x.reshape(len(x), -1) makes "
            f"them so. Received: examples of shape {data.inputs}."
        )
    return data


def serialised(optimizer: str | keras.optimizers.Optimizer | None, learning_rate: float) -> dict[str, Any]:
    """Return the optimizer as Keras serialises it, so that each network can have its own."""
    if optimizer is None:
        optimizer = PlainSGD(learning_rate)
    elif isinstance(optimizer, str):
        try:
            optimizer = keras.optimizers.get(
                {
                    "class_name": optimizer,
                    "config": {"learning_rate": PlainSGD(learning_rate).get_config()["learning_rate"]},
                }
            )
        except ValueError:
            raise ValueError(
                '`optimizer` must be a name that Keras knows, such as "sgd" or "adam", or an optimizer. '
                f"Received: optimizer={optimizer!r}."
            ) from None
    return keras.optimizers.serialize(optimizer)
