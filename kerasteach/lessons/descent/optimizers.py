"""Optimizers of a descent, each with the learning rates to try."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from kerasteach.activations import Tensor
from kerasteach.optimizers import get
from kerasteach.tables.fit_setting import rate_as_given
from kerasteach.validation import finite, is_number, received, several, shown

_USUAL = 0.1


@dataclass(frozen=True)
class Candidate:
    """One optimizer to compare."""

    name: str  # in the table
    learning_rates: tuple[float, ...]  # in the table
    # returns a new optimizer, given a function of the learning rate, which Keras, unlike a number, does not round
    make: Callable[[Callable[[], Tensor]], keras.optimizers.Optimizer]


def candidates(optimizer: Any, learning_rate: Any) -> list[Candidate]:
    """Return the optimizers to compare, with their learning rates.

    Args:
        optimizer: `None` for `PlainSGD`, a name, an optimizer, several of these, or a dictionary that names them.
        learning_rate: A number above 0, several, or `None` for the usual one, or an optimizer's own.

    Raises:
        ValueError: If a learning rate is none, an optimizer is unknown, cannot be copied or has no learning rate, or
            two of either are alike.
    """
    rates = None if learning_rate is None else _checked_rates(learning_rate)
    if isinstance(optimizer, Mapping):
        pairs = list(optimizer.items())
    else:
        pairs = [(None, entry) for entry in (optimizer if isinstance(optimizer, list | tuple) else [optimizer])]
    compared = [_candidate(name, entry, rates) for name, entry in pairs]
    names = [candidate.name for candidate in compared]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            "`optimizer` must be one or more, each of another name; a dictionary names them, as in "
            f'{{"heavy": keras.optimizers.SGD(momentum=0.9)}}. Received: {names}.'
        )
    return compared


def _checked_rates(learning_rate: Any) -> tuple[float, ...]:
    given = (
        [learning_rate]
        if is_number(learning_rate)
        else several("learning_rate", learning_rate, "finite numbers above 0, or one")
    )
    rates = tuple(finite("learning_rate", rate) for rate in given)
    if any(rate <= 0 for rate in rates):
        raise ValueError(
            f"`learning_rate` must be a finite number above 0, or several. {received('learning_rate', learning_rate)}"
        )
    if not rates or len(set(rates)) < len(rates):
        raise ValueError(
            f"`learning_rate` must be one or more different numbers. {received('learning_rate', learning_rate)}"
        )
    return rates


def _candidate(name: str | None, optimizer: Any, rates: tuple[float, ...] | None) -> Candidate:
    if optimizer is None or isinstance(optimizer, str):
        rates = rates or (_USUAL,)
        name = name or optimizer
    optimizer = get(optimizer)
    config, own = _copyable(optimizer)

    def make(learning_rate: Callable[[], Tensor]) -> keras.optimizers.Optimizer:
        scheduled = rates is None and isinstance(config["learning_rate"], dict)
        return type(optimizer).from_config({**config, **({} if scheduled else {"learning_rate": learning_rate})})

    return Candidate(str(name or _name(optimizer)), rates or (own,), make)


def _name(optimizer: keras.optimizers.Optimizer) -> str:
    """Return the optimizer's name, without the number that Keras adds to each further one of a class."""
    kind = type(optimizer).__name__
    return kind.lower() if re.fullmatch(rf"{kind}(_\d+)?", optimizer.name, re.IGNORECASE) else str(optimizer.name)


def _copyable(optimizer: keras.optimizers.Optimizer) -> tuple[dict[str, Any], float]:
    """Return the configuration of a copy, and its first learning rate."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a lambda, which is refused below
            config = optimizer.get_config()
        rate = type(optimizer).from_config(dict(config)).learning_rate if "learning_rate" in config else None
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(
            "`optimizer` must be one that Keras can copy by its `get_config`; a function as its learning rate must be "
            f"registered with Keras. Received: optimizer={shown(optimizer)}; Keras says: {error}"
        ) from None
    if rate is None:
        raise ValueError(
            "`optimizer` must have a learning rate of its own: give the one inside, not what wraps it. "
            f"{received('optimizer', optimizer)}"
        )
    return config, rate_as_given(rate)
