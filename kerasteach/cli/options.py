"""What the commands share: options, the files that they write, and how TensorFlow starts."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


class Format(StrEnum):
    """What a figure can be written as."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


class SeveralValues(TyperCommand):
    """A command whose list options take several values after one name: `--activations sigmoid tanh relu`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option's name before each of its values, as Click wants it."""
        several = {name for one in self.params if getattr(one, "multiple", False) for name in one.opts}
        spread: list[str] = []
        option = ""
        for word in [part for one in args for part in self._parts(one, several)]:
            if word.startswith("-") and not word[1:].lstrip(".")[:1].isdigit():  # -0.5 and -.5 are values
                spread.append(word)
                option = word if word in several else ""
            elif option and spread[-1] != option:
                spread += [option, word]
            else:
                spread.append(word)
        return super().parse_args(ctx, spread)

    @staticmethod
    def _parts(word: str, several: set[str]) -> list[str]:
        """Split `--activations=relu`, so that more values may follow."""
        name, equals, value = word.partition("=")
        return [name, value] if equals and name in several else [word]


Output = Annotated[
    Path, typer.Option("--output", "-o", help="The folder for the figures and tables; made if it is not there.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist already.")]
FigureFormat = Annotated[Format, typer.Option("--format", help="PNG for slides, SVG or PDF for print.")]
Style = Annotated[
    bool, typer.Option("--lecture/--paper", help="Large text for the last row, or small text for a page.")
]


class Files:
    """The files that a command will write: met before the work, so that no hour of training ends in an error."""

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder, self.force = folder, force
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            raise OSError(
                f"`--output` must be a folder that can be written. Received: --output {folder} ({error.strerror})."
            ) from None

    def path(self, name: str) -> Path:
        """Return the file's path, or raise FileExistsError where it is there and must stay."""
        path = self.folder / name
        if path.exists() and not self.force:
            raise FileExistsError(f"{path} exists already. Choose another --output, or overwrite it with --force.")
        return path

    def check_no_run(self) -> None:
        """Raise FileExistsError where a comparison is there already, and must stay."""
        if (self.folder / "run.json").exists() and not self.force:
            raise FileExistsError(
                f"{self.folder} holds a comparison already. Go on with it, if it was interrupted, with --resume "
                f"{self.folder}; choose another --output; or begin anew with --force."
            )


def start_tensorflow() -> None:
    """Start TensorFlow quietly, draw without a screen, and have the same options give the same numbers each time."""
    import matplotlib

    matplotlib.use("Agg")
    with nullcontext() if "TF_CPP_MIN_LOG_LEVEL" in os.environ else _quiet():
        import tensorflow as tf

        tf.config.list_logical_devices()
    tf.config.experimental.enable_op_determinism()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ code writes to standard error at its start; show it after all where that fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def style(lecture: bool) -> AbstractContextManager[None]:
    """Return the lecture style, or the default one."""
    import kerasteach as kt

    return kt.plotting.lecture() if lecture else nullcontext()
