"""Directory of a comparison: each group of networks is written when it is trained, and none is trained twice.

run.json                    arguments, seeds, data, device, versions; "finished" says whether all groups are trained
.kerasteach-groups/0003/    a group that is trained: its tables and weights, moved into place whole
history.parquet ...         the whole tables, when all groups are trained; the working folder is removed then
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from kerasteach.experiment.fingerprint.identity import check_same
from kerasteach.experiment.networks import Outcome
from kerasteach.storage import runs, working_folder
from kerasteach.storage.files import DamagedRunError, flattened, nested
from kerasteach.storage.manifest import Manifest, read_manifest
from kerasteach.validation import add_note

_FILES = ("history.parquet", "gradients.parquet", "predictions.parquet", "confusion.parquet", "weights.npz")
_GROUP = "group.json"


@contextmanager
def run_directory(
    directory: Path, facts: Mapping[str, Any], overwrite: bool = False
) -> Iterator[dict[int, Outcome] | None]:
    """Lock a directory for a comparison, and yield the groups that are trained already, by their number.

    Args:
        directory: Made if it is not there.
        facts: What `run.json` is to say.
        overwrite: Whether to remove an existing run first. Defaults to `False`.

    Yields:
        `None` where the comparison is finished.

    Raises:
        ValueError: If it holds a comparison with other arguments; the message names the differences.
        FileExistsError: If it holds something else under a name that the comparison needs.
        RuntimeError: If another process is writing it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not overwrite and _finished(directory, facts):
        _tidy(directory)
        yield None
        return
    runs.check_free(directory, _FILES)
    with working_folder.working_folder(directory) as folder:
        if overwrite:
            _begin(directory, folder, facts)
        elif _finished(directory, facts):  # another process may have done it since
            _clear(folder)
            yield None
            return
        elif not (directory / "run.json").exists():
            Manifest(dict(facts)).write(directory / "run.json")
        yield groups_in(directory)


def _begin(directory: Path, folder: Path, facts: Mapping[str, Any]) -> None:
    """Remove an existing run, and begin another."""
    manifest = runs.manifest_in(directory)
    names = manifest.names if manifest is not None else set()
    Manifest(dict(facts), claimed=tuple(sorted(names))).write(directory / "run.json")  # until they are removed
    for name in names:
        (directory / name).unlink(missing_ok=True)
    working_folder.remove_groups(folder)


def _finished(directory: Path, facts: Mapping[str, Any]) -> bool:
    """Say whether the comparison is finished, or raise ValueError if the directory holds another one."""
    if not (directory / "run.json").exists():
        return False
    found = read_manifest(directory)
    check_same(directory, found.facts, facts)
    return bool(found.facts["finished"]) and found.tables is not None


def write_group(directory: Path, number: int, outcome: Outcome) -> None:
    """Write the result of a group, whole or not at all."""
    place = directory / working_folder.WORKING / f"{number:04d}"
    runs.write_new(place, _GROUP, outcome.facts(), outcome.tables, {"weights": flat(outcome.weights)})


def groups_in(directory: Path) -> dict[int, Outcome]:
    """Return the groups that are trained, by their number.

    Raises:
        DamagedRunError: If a file of one is missing or is not what was written.
    """
    return {
        number: _read_group(place)
        for number, place in working_folder.groups_of(directory / working_folder.WORKING).items()
    }


def _read_group(place: Path) -> Outcome:
    try:
        facts, tables = runs.load_run(place, _GROUP)
        weights = weights_of(runs.load_arrays(place, "weights", _GROUP))
    except DamagedRunError as error:
        add_note(error, f"Without the folder {place}, the same call trains this group of networks again.")
        raise
    return Outcome(facts["networks"], tables, weights, facts["why"], facts["seconds"])


def finish(
    directory: Path, facts: Mapping[str, Any], tables: runs.Tables, weights: Sequence[Mapping[str, np.ndarray]]
) -> None:
    """Write the whole comparison, and remove the groups, which it holds, while no other process can begin."""
    folder = directory / working_folder.WORKING
    runs.put(directory, folder, facts, tables, {"weights": flat(weights)})
    _clear(folder)


def _clear(folder: Path) -> None:
    with suppress(OSError):
        working_folder.remove_groups(folder)
        working_folder.remove(folder)


def _tidy(directory: Path) -> None:
    """Remove the groups of a finished comparison, which a process left that was killed at its very end."""
    if (directory / working_folder.WORKING).exists():
        # Unless another process is doing it.
        with suppress(RuntimeError, OSError), working_folder.working_folder(directory) as folder:
            _clear(folder)


def flat(weights: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return networks' weights as one collection of arrays."""
    return flattened(dict(enumerate(weights)))


def weights_of(arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Return the networks' weights out of one collection of arrays."""
    return [weights for _, weights in sorted(nested(arrays).items())]
