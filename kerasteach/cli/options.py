"""Options that commands share, and the files that they write."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager
from enum import Enum
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer


class Format(str, Enum):
    """Formats of a figure."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


class Look(str, Enum):
    """Styles of a figure."""

    lecture = "lecture"
    paper = "paper"
    notebook = "notebook"


class TableFormat(str, Enum):
    """Formats of a table."""

    csv = "csv"


_RUN = typer.Argument(
    metavar="RUN",
    path_type=Path,  # type: ignore[arg-type]  # as Click allows; Typer 0.18 gives text without it
    help="The folder that `kerasteach compare`, Comparison.save or a capture with directory= wrote.",
    show_default=False,
)
SavedRun = Annotated[Path, _RUN]
SavedRunOrNone = Annotated[Path | None, _RUN]
FigureNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIGURE",
        help="The figures; `kerasteach plot RUN --list` names those that fit. Without: the usual ones.",
        show_default=False,
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="The folder for the figures and tables; made if it is not there.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist already.")]
FigureFormat = Annotated[Format, typer.Option("--format", help="PNG for slides, SVG or PDF for print.")]
Style = Annotated[
    Look,
    typer.Option(
        "--style", help="lecture: large text for a slide; paper: one column of a page; notebook: below a cell."
    ),
]
Dark = Annotated[bool, typer.Option("--dark", help="Draw on a dark ground, for dark slides.")]


Language = Annotated[
    str,
    typer.Option("--language", metavar="CODE", help="Language of the texts: en, or de for German."),
]
Tables = Annotated[
    TableFormat | None,
    typer.Option("--tables", help="Write the tables as CSV beside the figures, too.", show_default=False),
]

Animate = Annotated[
    bool, typer.Option("--animate", help="Write the gradient flow over the epochs as an animation (GIF), too.")
]


class Files:
    """Files that a command will write, checked before the training, so that it does not end in an error."""

    def __init__(self, folder: Path, force: bool, option: str = "--output") -> None:
        self.folder, self.force, self.option = folder, force, option
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            raise OSError(
                f"`{option}` must be a folder that can be written. Received: {option} {folder} ({error.strerror})."
            ) from None

    def path(self, name: str) -> Path:
        """Return a file's path, or raise FileExistsError where it exists and must stay."""
        path = self.folder / name
        if path.exists() and not self.force:
            raise FileExistsError(f"{path} exists already. Choose another {self.option}, or overwrite it with --force.")
        return path

    def move(self, folder: Path, names: Iterable[str]) -> list[Path]:
        """Move files out of another folder into this one, all or none, and return their paths.

        Raises:
            FileExistsError: If one exists, with another content, and must stay.
        """
        from kerasteach.storage.files import write_atomically

        names = list(names)
        for name in names:
            if (self.folder / name).is_file() and filecmp.cmp(folder / name, self.folder / name, shallow=False):
                continue
            self.path(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            write_atomically(self.folder / name, partial(shutil.copyfile, folder / name))
        return [self.folder / name for name in names]

    def check_no_run(self) -> None:
        """Raise FileExistsError where the folder holds a comparison that must stay."""
        if (self.folder / "run.json").exists() and not self.force:
            raise FileExistsError(
                f"{self.folder} holds a comparison already. Go on with it, if it was interrupted, with --resume "
                f"{quote(str(self.folder))}; choose another --output; or begin anew with --force."
            )


def style(look: Look, dark: bool, language: str) -> AbstractContextManager[None]:
    """Return the style of the figures, as `--style`, `--dark` and `--language` say."""
    import kerasteach as kt

    return kt.plotting.style(look.value, dark=dark, language=language)
