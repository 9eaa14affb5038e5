"""Options that commands share, and the files that they write."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer


class Format(StrEnum):
    """Formats of a figure."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


Output = Annotated[
    Path, typer.Option("--output", "-o", help="The folder for the figures and tables; made if it is not there.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist already.")]
FigureFormat = Annotated[Format, typer.Option("--format", help="PNG for slides, SVG or PDF for print.")]
Style = Annotated[bool, typer.Option("--lecture/--paper", help="Large text for a lecture, or small text for a page.")]


class Files:
    """Files that a command will write, checked before the training, so that it does not end in an error."""

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder, self.force = folder, force
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            raise OSError(
                f"`--output` must be a folder that can be written. Received: --output {folder} ({error.strerror})."
            ) from None

    def path(self, name: str) -> Path:
        """Return a file's path, or raise FileExistsError where it exists and must stay."""
        path = self.folder / name
        if path.exists() and not self.force:
            raise FileExistsError(f"{path} exists already. Choose another --output, or overwrite it with --force.")
        return path

    def check_no_run(self) -> None:
        """Raise FileExistsError where the folder holds a comparison that must stay."""
        if (self.folder / "run.json").exists() and not self.force:
            raise FileExistsError(
                f"{self.folder} holds a comparison already. Go on with it, if it was interrupted, with --resume "
                f"{quote(str(self.folder))}; choose another --output; or begin anew with --force."
            )


def style(lecture: bool) -> AbstractContextManager[None]:
    """Return the lecture style, or the default one."""
    import kerasteach as kt

    return kt.plotting.style("lecture") if lecture else nullcontext()
