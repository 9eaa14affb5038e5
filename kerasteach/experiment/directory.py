"""A comparison's directory: each group of networks is written as soon as it is trained, and nothing is trained twice.

run.json             arguments, seeds, data, device, versions; "finished" says whether all is there
groups/0003/         a group that is trained: its tables and weights, moved into place whole
history.parquet ...  the whole tables, when all groups are there; the folder groups/ then goes
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.experiment.groups import Outcome
from kerasteach.experiment.identity import check_same
from kerasteach.experiment.lock import locked
from kerasteach.measure.runs import read_facts, write_atomically, write_json

_GROUPS = "groups"
_HALF_WRITTEN = re.compile(r"\.(run|history|gradients|predictions|weights)-\d+\.(json|parquet|npz)")


@contextmanager
def run_directory(
    directory: Path, facts: Mapping[str, Any], overwrite: bool = False
) -> Iterator[dict[int, Outcome] | None]:
    """Hold a directory for a comparison, and yield the groups that were trained before, by their number.

    Args:
        directory: Made if it is not there.
        facts: What `run.json` is to say.
        overwrite: Whether a run that is there goes first. Defaults to `False`.

    Yields:
        `None` where the whole comparison is there.

    Raises:
        ValueError: If it holds a comparison with other arguments; the message names the differences.
        RuntimeError: If another process is writing it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not overwrite and _finished(directory, facts):
        _tidy(directory)
        yield None
        return
    (directory / _GROUPS).mkdir(exist_ok=True)
    with locked(directory / _GROUPS / "lock", directory):
        if overwrite:
            (directory / "run.json").unlink(missing_ok=True)
            for place in _places(directory):
                shutil.rmtree(place)
        if _finished(directory, facts):  # another process may have done it since
            clear(directory)
            yield None
            return
        for path in directory.iterdir():
            if _HALF_WRITTEN.fullmatch(path.name):  # by a process that was killed
                path.unlink()
        if not (directory / "run.json").exists():
            write_json(directory / "run.json", facts)
        yield groups_in(directory)


def _finished(directory: Path, facts: Mapping[str, Any]) -> bool:
    """Say whether the comparison is there whole, or raise ValueError if it is another one."""
    if not (directory / "run.json").exists():
        return False
    found = read_facts(directory)
    check_same(directory, found, facts)
    return bool(found["finished"])


def write_group(directory: Path, number: int, outcome: Outcome) -> None:
    """Write what a group gave, whole or not at all."""
    place = directory / _GROUPS / f"{number:04d}"
    temporary = place.with_name(f".{place.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed and had the same number
    temporary.mkdir()
    for name, table in outcome.tables.items():
        table.to_parquet(temporary / f"{name}.parquet")
    write_weights(temporary / "weights.npz", outcome.weights)
    facts = {**outcome.facts(), "tables": list(outcome.tables)}
    write_json(temporary / "group.json", facts)
    temporary.rename(place)


def groups_in(directory: Path) -> dict[int, Outcome]:
    """Return the groups that are there, by their number."""
    return {int(place.name): _read_group(place) for place in _places(directory)}


def _places(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / _GROUPS).glob("[0-9]*") if path.is_dir())


def _read_group(place: Path) -> Outcome:
    facts = json.loads((place / "group.json").read_text(encoding="utf-8"))
    tables = {name: pd.read_parquet(place / f"{name}.parquet") for name in facts["tables"]}
    return Outcome(
        facts["networks"], tables, read_weights(place / "weights.npz"), facts["how"], facts["why"], facts["seconds"]
    )


def clear(directory: Path) -> None:
    """Remove the groups, which the whole tables hold, and the lock last."""
    for place in _places(directory):
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(directory / _GROUPS, ignore_errors=True)


def _tidy(directory: Path) -> None:
    """Remove the groups of a finished comparison, which a process left that was killed at its very end."""
    groups = directory / _GROUPS
    if groups.exists():
        with suppress(RuntimeError, OSError), locked(groups / "lock", directory):  # unless another one does it
            clear(directory)


def write_weights(path: Path, weights: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Write networks' weights as a NumPy archive, if there are any; those of an earlier run go."""
    path.unlink(missing_ok=True)
    if weights:
        arrays: dict[str, Any] = {f"{i}/{name}": array for i, one in enumerate(weights) for name, array in one.items()}
        write_atomically(path, lambda temporary: np.savez(temporary, **arrays))


def read_weights(path: Path) -> list[dict[str, np.ndarray]]:
    """Read what `write_weights` wrote."""
    if not path.exists():
        return []
    weights: dict[int, dict[str, np.ndarray]] = {}
    with np.load(path) as arrays:
        for key in arrays.files:
            number, _, name = key.partition("/")
            weights.setdefault(int(number), {})[name] = arrays[key]
    return [weights[number] for number in sorted(weights)]
