"""Training of `kerasteach compare`: its options as arguments of `compare`, worker processes, interruption."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from functools import reduce
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from kerasteach.cli.terminal import start_tensorflow

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kerasteach import Comparison

_WITH_RESUME = {"resume", "models", "processes", "format", "look", "dark", "animate", "tables", "force"}


def check_resumable(ctx: typer.Context, folder: Path) -> None:
    """Raise an error where `--resume` names no comparison, or comes with an option that it has from its beginning."""
    given = [name for name in ctx.params if _given(ctx, name)]
    others = [f"--{name.replace('_', '-')}" for name in given if name not in _WITH_RESUME]
    if others:
        raise ValueError(
            f"`--resume` goes on with the options that the comparison was begun with. "
            f"Received: also {', '.join(others)}."
        )
    if not (folder / "run.json").is_file():
        raise FileNotFoundError(
            f"`--resume` must name the folder of a comparison, which has a run.json. Received: --resume {folder}."
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
    """Call `compare` with these arguments, or without them with those of the comparison in the directory."""
    import kerasteach as kt

    again = kt.experiment.asked_again(directory, own_models=bool(models)) if arguments is None else arguments
    with _executor(processes) as executor:
        return kt.compare(
            **again,
            models=builders(models),
            directory=directory,
            overwrite=overwrite and arguments is not None,
            executor=executor,
        )


@contextmanager
def interruptible(ctx: typer.Context, directory: Path) -> Iterator[None]:
    """On Ctrl-C, end with what is kept in a comparison's directory, and the command that goes on with it."""
    before = _written(directory)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if ctx.params["resume"] is None and _written(directory) == before:
            raise SystemExit("Interrupted before the training began.") from None
        counted, _, _ = "".join(getattr(interrupt, "__notes__", [])).partition(";")
        kept = counted or f"What is trained is kept in {directory}"
        raise SystemExit(f"Interrupted. {kept}. To go on: {' '.join(_again(ctx, directory))}") from None


def _written(directory: Path) -> int | None:
    file = directory / "run.json"
    return file.stat().st_mtime_ns if file.exists() else None


def _again(ctx: typer.Context, directory: Path) -> Iterator[str]:
    """Yield the words of the command that resumes, quoted for a shell."""
    yield from (program(), "compare", "--resume", quote(str(directory)))
    for param in ctx.command.params:
        if param.name in _WITH_RESUME - {"resume", "force"} and _given(ctx, str(param.name)):
            value = ctx.params[str(param.name)]
            if isinstance(value, bool):
                yield (param.opts if value else param.secondary_opts)[0]
            else:
                values = value if isinstance(value, list | tuple) else [value]
                words = (str(value.value if isinstance(value, Enum) else value) for value in values)
                yield from (param.opts[0], *map(quote, words))


def program() -> str:
    """Return how this command was called, to be called again from the same folder."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{quote(sys.executable)} -m kerasteach.cli"
    found = shutil.which("kerasteach")
    if called.name != "kerasteach" or not called.exists() or (found and called.samefile(found)):
        return "kerasteach"
    return quote(sys.argv[0])


def _given(ctx: typer.Context, name: str) -> bool:
    return getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE"


def _executor(processes: int) -> AbstractContextManager[Executor | None]:
    if processes == 1:
        return nullcontext()
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    """Prepare a worker process, which ends when the command does, however that ended."""
    start_tensorflow()  # first, because the import below starts it too, and not quietly
    from kerasteach.experiment.workers import end_with_parent

    end_with_parent()


def builders(models: list[str] | None) -> dict[str, Any] | None:
    """Return the functions that `module:function` or `file.py:function` names, of the current folder, too."""
    if not models:
        return None
    functions = [_function(model) for model in models]
    names = [model.rpartition(":")[2] for model in models]
    alike = len(set(names)) < len(names)  # as in small_net:build large_net:build
    if len(set(models)) < len(models):
        raise ValueError(f"`--models` must name each function once. Received: --models {' '.join(models)}.")
    return dict(zip(models if alike else names, functions, strict=True))


def _function(named: str) -> Any:
    module, _, name = named.rpartition(":")
    folder = ""
    if module.endswith(".py"):
        file = Path(module)
        folder, module = "" if file.parent == Path() else str(file.parent.absolute()), file.stem
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except Exception as error:  # whatever the module does when it is imported
        raise ValueError(
            "`--models` must name functions, as in my_models.py:small for the function small in my_models.py. "
            f"Received: --models {named} ({type(error).__name__}: {error})."
        ) from error
