"""JSON form of the arguments of `compare`: for `run.json`, for a copy of an optimizer, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import keras

from kerasteach.optimizers import PLAIN_LEARNING_RATE, PlainSGD, get
from kerasteach.tables.fit_setting import rate_as_given
from kerasteach.validation import received


def optimizer_of(config: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """Return a new optimizer of a plan's configuration.

    `keras.optimizers.deserialize` would look a class up by its name alone, and knows not all of Keras's (Lamb).
    """
    return keras.saving.deserialize_keras_object(deepcopy(dict(config)))  # Keras fills the config with objects


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
    is_named = optimizer is None or isinstance(optimizer, str)
    config = _config_of(get(optimizer, learning_rate if is_named else None))
    if varied:
        config["config"]["learning_rate"] = plain.get_config()["learning_rate"]
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


def _config_of(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """Return an optimizer's configuration, without the name in which Keras counts some optimizers."""
    config = keras.optimizers.serialize(optimizer)
    config["config"].pop("name", None)  # the same arguments have the same configuration
    return dict(config)


def learning_rate_of(optimizer: Mapping[str, Any]) -> float | str:
    """Return the learning rate of an optimizer that `serialized` returned, or the name of its schedule."""
    config = optimizer["config"]
    if "inner_optimizer" in config:
        return learning_rate_of(config["inner_optimizer"])
    rate = config.get("learning_rate", "its own")
    if isinstance(rate, Mapping):
        return str(rate["config"] if rate["class_name"] == "function" else rate["class_name"])
    return rate if isinstance(rate, str) else rate_as_given(rate)


def choices_to_json(values: Mapping[Any, Any]) -> list[Any] | dict[str, Any]:
    """Return the choices of one argument as a list, or by name where the names are others."""
    by_name = {name: to_json(value) for name, value in values.items()}
    return list(values) if all(name == value for name, value in by_name.items()) else by_name


def to_json(value: Any) -> Any:
    """Return a choice as JSON can hold it: a Keras object by its configuration, a function by its name."""
    if value is None or isinstance(value, str | int | float):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    if isinstance(value, keras.optimizers.Optimizer):
        return _config_of(value)
    if isinstance(value, keras.initializers.Initializer):
        return keras.initializers.serialize(value)
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return keras.optimizers.schedules.serialize(value)
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def from_json(value: Any) -> Any:
    """Return Keras's object where a dictionary describes one, and everything else as it is."""
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
