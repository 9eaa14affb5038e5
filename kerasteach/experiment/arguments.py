"""Arguments of `compare`, one function for each: checked, and brought into one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import keras
import numpy as np

from kerasteach.experiment.copies import config_of, optimizer_of
from kerasteach.optimizers import PlainSGD
from kerasteach.validation import finite, is_number, received, several, whole

PLAIN_LEARNING_RATE = 0.1  # of plain steps; Keras's optimizers have defaults of their own
MOST_SEEDS = 100_000  # given by their number: each is a network of every variant, built and kept
MOST_LAYERS = 10_000


def checked_seeds(seeds: Any) -> list[int]:
    """Return the seeds, which may be given by their number."""
    if is_number(seeds) or isinstance(seeds, bool | str | bytes | Mapping) or not isinstance(seeds, Iterable):
        return list(range(whole("seeds", seeds, most=MOST_SEEDS)))
    numbers = [whole("seeds", seed, least=0) for seed in several("seeds", seeds, of="whole numbers")]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"`seeds` must be a number of seeds, or different whole numbers. {received('seeds', seeds)}")
    return numbers


def checked_hidden(hidden: Any, depth: Any = None, width: Any = None) -> list[int]:
    """Return the units of each hidden layer; a depth and a width of its own stand in for those of `hidden`."""
    try:
        units = [whole("hidden", one) for one in several("hidden", hidden)]
    except TypeError as error:
        raise ValueError(
            f"`hidden` must list the units of each hidden layer, as in (32, 32). {received('hidden', hidden)}"
        ) from error
    if depth is not None and len(set(units)) != 1 and width is None:
        raise ValueError(
            f"Where `depth` varies, `hidden` must have one width, as in (32, 32). Received: hidden={units!r}."
        )
    if width is not None:
        units = [whole("width", width)] * len(units)
    return (
        units
        if depth is None
        else [units[0] if units else whole("width", width)] * whole("depth", depth, most=MOST_LAYERS)
    )


def checked_initializer(initializer: Any) -> str | keras.initializers.Initializer:
    """Return a name or an initializer, or raise ValueError."""
    if not isinstance(initializer, str | keras.initializers.Initializer):
        raise ValueError(
            '`initializer` must be a name that Keras knows, such as "glorot_uniform" or "he_normal", "matched", or an '
            f"initializer. {received('initializer', initializer)}"
        )
    return initializer


def checked_error(error_below: Any) -> float | None:
    """Return the error at which to stop, as Python's number, or raise ValueError or TypeError."""
    return None if error_below is None else finite("error_below", error_below)


def learning_rate_of(optimizer: Mapping[str, Any]) -> float | str:
    """Return the learning rate of an optimizer that `serialized` returned, or the name of its schedule."""
    config = optimizer["config"]
    if "inner_optimizer" in config:
        return learning_rate_of(config["inner_optimizer"])
    rate = config.get("learning_rate", "its own")
    if isinstance(rate, Mapping):
        return str(rate["config"] if rate["class_name"] == "function" else rate["class_name"])
    return rate if isinstance(rate, str) else float(str(np.float32(rate)))  # 0.1, which Keras gives as 0.10000000149


def serialized(
    optimizer: str | keras.optimizers.Optimizer | None, learning_rate: Any = None, varied: bool = False
) -> dict[str, Any]:
    """Return the optimizer as Keras serializes it, so that each network can have its own.

    Args:
        optimizer: As `compare` takes it.
        learning_rate: As `compare` takes it. Defaults to `None`: the optimizer's own default.
        varied: Whether the learning rate takes the place of an optimizer's own. Defaults to `False`.
    """
    if isinstance(learning_rate, type):
        raise TypeError(f"`learning_rate` must be an object of this class. {received('learning_rate', learning_rate)}")
    if getattr(learning_rate, "__name__", "") == "<lambda>":  # which Keras writes down, with a warning, and never reads
        raise ValueError(f"`learning_rate` must be a function with a name. {received('learning_rate', learning_rate)}")
    own = learning_rate is None and not varied
    plain = PlainSGD(PLAIN_LEARNING_RATE if own else learning_rate)  # checks the rate, too
    rate = {} if own else {"learning_rate": plain.get_config()["learning_rate"]}
    config = config_of(_optimizer(optimizer, plain, rate))
    if varied:
        config["config"].update(rate)
    try:
        copied = optimizer_of(config)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`learning_rate` must be a number, a schedule, or a function that is registered with Keras; each network "
            f"has a copy. Received: {learning_rate!r}; Keras says: {error}"
        ) from None
    if not isinstance(copied, keras.optimizers.Optimizer):
        raise ValueError(
            "`optimizer` must be one that Keras can serialize, because each network has a copy; a class of your own "
            f"needs @keras.saving.register_keras_serializable(). {received('optimizer', optimizer)}"
        )
    return config


def _optimizer(optimizer: Any, plain: PlainSGD, rate: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """Return an optimizer, or the one of a name with this rate, or raise ValueError."""
    if optimizer is None or (isinstance(optimizer, str) and optimizer.lower() in ("plainsgd", "plain_sgd")):
        return plain
    found = optimizer
    if isinstance(optimizer, str):
        with suppress(ValueError):  # it stays a string, and is refused as anything else that is no optimizer
            found = keras.optimizers.get({"class_name": optimizer, "config": dict(rate)})
    if not isinstance(found, keras.optimizers.Optimizer):
        raise ValueError(
            '`optimizer` must be a name that Keras knows, such as "sgd" or "adam", or an optimizer. '
            f"{received('optimizer', optimizer)}"
        )
    return found
