"""Arguments of a comparison on disk, to call `compare` with again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kerasteach import datasets
from kerasteach.experiment.serialization import from_json, optimizer_of
from kerasteach.storage.runs import read_facts
from kerasteach.validation import flag, path, text


def asked_again(directory: str | Path, own_models: bool = False, data: str | Path | None = None) -> dict[str, Any]:
    """Return the arguments with which the comparison in a directory was begun, to call `compare` with again.

    Args:
        directory: What `compare` was given.
        own_models: Whether the caller adds `models=`, of which `run.json` has probes only. Defaults to `False`.
        data: The file that the data are in, of which `run.json` has the name only. Defaults to `None`: the file of that
            name in the current folder, in the directory or beside it.

    Raises:
        FileNotFoundError: If the directory holds no run.
        ValueError: If some of them are in no file; only the same call again goes on then.
    """
    own_models = flag("own_models", own_models)
    if data is not None:
        data = text("data", str(data) if isinstance(data, os.PathLike) else data)
    facts = read_facts(directory)
    arguments = dict(facts.get("arguments") or {})
    if not arguments or (arguments.pop("models") is not None) != own_models:
        raise ValueError(
            "There is no comparison, or one with models of your own, which goes on with the same call again, or here "
            "with `own_models=True` (the command needs its --models again). "
            f"Received: {str(directory)!r}, own_models={own_models}."
        )
    arguments["data"] = str(_data(arguments["data"], path("directory", directory)) if data is None else data)
    optimizer = optimizer_of(arguments.pop("optimizer"))
    vary = {
        name: {key: from_json(value) for key, value in values.items()} if isinstance(values, dict) else values
        for name, values in arguments.pop("vary").items()
    }
    given = {name: from_json(value) for name, value in arguments.items() if value is not None or name == "every"}
    return {**given, "vary": vary, "optimizer": optimizer, "device": facts["device"]}


def _data(name: str, directory: Path) -> str | Path:
    """Return the name of a data set, or the file of this name."""
    if name in datasets.names():
        return name
    if name == "yours":
        raise ValueError(
            "`data` must name a file. The comparison there has arrays for data, which no file holds; the same call "
            f"again goes on with it. Received: data=None for {str(directory)!r}."
        )
    for folder in (Path.cwd(), directory, directory.parent):
        if (folder / name).is_file():
            return folder / name
    raise ValueError(
        f"`data` must name the file. The data of the comparison there, {name}, are neither a file in the current "
        f"folder nor one beside {directory}: go to the folder that has it, or call compare again as at first. "
        f"Received: data=None for {str(directory)!r}."
    )
