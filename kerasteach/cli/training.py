"""From the options of `kerasteach compare` to what it trains."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kerasteach.cli.options import start_tensorflow

if TYPE_CHECKING:
    from kerasteach import Comparison

_WITH_RESUME = {"resume", "models", "processes", "format", "lecture", "force"}


def check_alone(ctx: typer.Context) -> None:
    """Raise ValueError where `--resume` comes with an option that the comparison has from its beginning."""
    given = [name for name in ctx.params if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE"]
    others = [f"--{name.replace('_', '-')}" for name in given if name not in _WITH_RESUME]
    if others:
        raise ValueError(
            f"`--resume` goes on with the options that the comparison was begun with. "
            f"Received: also {', '.join(others)}."
        )


def varied(several: Mapping[str, Sequence[Any] | None]) -> dict[str, Any]:
    """Return the arguments of `compare` for options that take one value, or several to compare."""
    given = {name: list(values) for name, values in several.items() if values}
    single = {name: values[0] for name, values in given.items() if len(values) == 1 and name not in ("depth", "width")}
    vary = {name: values for name, values in given.items() if name not in single}
    return {**single, "vary": vary or None}


def train(
    directory: Path, arguments: Mapping[str, Any] | None, models: list[str] | None, processes: int, overwrite: bool
) -> Comparison:
    """Train what the arguments of `compare` say, or without them what a directory says, and write it there."""
    import kerasteach as kt

    again = kt.experiment.asked_again(directory, own_models=bool(models)) if arguments is None else arguments
    with _executor(processes) as executor:
        try:
            return kt.compare(
                **again,
                models=_builders(models),
                directory=directory,
                overwrite=overwrite and arguments is not None,
                executor=executor,
            )
        except KeyboardInterrupt as interrupt:
            notes = " ".join(getattr(interrupt, "__notes__", []))
            raise SystemExit(f"Interrupted. {notes} To go on: kerasteach compare --resume {directory}") from None


def _executor(processes: int) -> AbstractContextManager[Executor | None]:
    if processes == 1:
        return nullcontext()
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    """Prepare a worker process, which ends when the command does, however that came."""
    start_tensorflow()  # first, because the import below starts it too, and not quietly
    from kerasteach.experiment.workers import end_with_parent

    end_with_parent()


def _builders(models: list[str] | None) -> dict[str, Any] | None:
    """Return the functions that `module:function` names, looked for in the current folder, too."""
    if not models:
        return None
    if "" not in sys.path:
        sys.path.insert(0, "")
    builders = {}
    for one in models:
        module, _, name = one.partition(":")
        try:
            builders[name] = reduce(getattr, name.split("."), import_module(module))
        except (ImportError, AttributeError, ValueError) as error:
            raise ValueError(
                "`--models` must name functions, as in my_models:small for the function small in my_models.py. "
                f"Received: --models {one} ({error})."
            ) from None
    return builders
