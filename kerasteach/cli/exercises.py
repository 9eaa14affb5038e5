"""The command `kerasteach exercises`."""

from __future__ import annotations

import secrets
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kerasteach.cli.options import Files, Force
from kerasteach.cli.terminal import start_tensorflow
from kerasteach.translation import languages
from kerasteach.validation import choice


class Sheets(StrEnum):
    """Formats of exercises."""

    moodle = "moodle"
    gift = "gift"
    notebook = "notebook"
    markdown = "markdown"
    latex = "latex"
    pdf = "pdf"


def exercises(
    kind: Annotated[
        str,
        typer.Option(
            help="forward, backprop, batch, descent or derivative; with a figure to read: slowest_layer, dead_units or "
            "gradient_ratio."
        ),
    ],
    students: Annotated[
        Path,
        typer.Option(help="A text file with a student a line: a CSV file, with or without a header line."),
    ],
    column: Annotated[
        str | None,
        typer.Option(help="The column that names the students. Without: the first one.", show_default=False),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="KERASTEACH_SECRET",
            help="At least 8 characters that only you know: with the same secret each student gets the same numbers "
            "again. Without: a new one, which is printed.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        Sheets,
        typer.Option(
            help="moodle (XML) or gift: one file for the class. notebook (Jupyter, checks the answers), markdown, "
            "latex or pdf (with pdflatex): one file a student."
        ),
    ] = Sheets.moodle,
    solutions: Annotated[bool, typer.Option("--solutions", help="Write the solutions, too.")] = False,
    language: Annotated[str, typer.Option(help="The language of the texts: en or de.")] = "en",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for the files; made if it is not there.")
    ] = Path("kerasteach-exercises"),
    force: Force = False,
) -> None:
    """Make an exercise for each student of a class, with other numbers for each, and the marking key.

    \b
    kerasteach exercises --kind backprop --students students.csv
    kerasteach exercises --kind backprop --students students.csv --format pdf --solutions --language de
    """  # noqa: D301  the mark of lines that stay as they are
    from kerasteach.exercises.kinds import KINDS
    from kerasteach.exercises.students import names_of

    files = Files(output, force)
    choice("kind", kind, KINDS)
    choice("language", language, languages())
    listed = names_of(students, column)
    chosen = secrets.token_urlsafe(12) if secret is None else secret
    start_tensorflow()
    import kerasteach as kt

    made = kt.exercises.make(kind, listed, chosen, language=language)
    with tempfile.TemporaryDirectory() as temporary:
        written = made.save(temporary, format.value, solutions=solutions)
        paths = files.move(Path(temporary), [path.name for path in written])
    if secret is None:
        typer.echo(f"Secret, for the same numbers again: --secret={chosen}", err=True)
    typer.echo(f"{kind}: {len(made.students)} students")
    for path in paths if len(paths) <= 4 else [*paths[:2], "...", paths[-1]]:
        typer.echo(path)
