"""Checks of arguments of `compare`, a function each, which bring them into one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import keras

from kerasteach.experiment.workers import workers_of
from kerasteach.measure.statistics import DEFAULT, chosen
from kerasteach.storage.runs import read_facts
from kerasteach.validation import choice, finite, is_number, received, several, whole

HIDDEN = (32,) * 6
INITIALIZER = "glorot_uniform"
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
    """Return the units of each hidden layer; a depth and a width take the place of those of `hidden`."""
    try:
        units = [whole("hidden", number) for number in several("hidden", hidden)]
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
    if depth is None:
        return units
    return [units[0] if units else whole("width", width)] * whole("depth", depth, most=MOST_LAYERS)


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


def checked_statistics(statistics: Any) -> tuple[str, ...]:
    """Return the statistics to record, the default ones among them, in the order of a table's columns.

    Raises:
        ValueError: If a name is unknown, or one is a function: the networks of a graph are measured together.
    """
    if statistics is None:
        return DEFAULT
    found = chosen(statistics)
    if found.own:
        raise ValueError(
            "`statistics` of a comparison must be names; functions of your own are for GradientCapture. "
            f"{received('statistics', list(found.own))}"
        )
    return chosen([*DEFAULT, *found.names]).names


def checked_parts(parts: Any, executor: Executor | None, begun: Path | None) -> int:
    """Return the number of parts, which may be that of an executor's workers.

    Args:
        parts: As `compare` takes it.
        executor: As `compare` takes it.
        begun: Where a comparison was begun that is to go on, whose own number stays; `None` where none was.
    """
    if not isinstance(parts, str):
        return whole("parts", parts, most=MOST_SEEDS)
    choice("parts", parts, ("workers",), otherwise="a whole number from 1")
    if begun is None:
        return workers_of(executor)
    return int(read_facts(begun).get("arguments", {}).get("parts", 1))
