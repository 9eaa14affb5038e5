"""The command `kerasteach slides`."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from kerasteach.cli.options import Dark, FigureNames, Force, SavedRun
from kerasteach.cli.run_files import read_run
from kerasteach.cli.terminal import import_figures


class SlideFormat(str, Enum):
    """Formats of slides."""

    powerpoint = "powerpoint"
    quarto = "quarto"
    marp = "marp"


def slides(
    run: SavedRun,
    figures: FigureNames = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The file: .pptx for PowerPoint, .qmd for Quarto, .md for Marp. Without: slides.pptx in RUN.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        SlideFormat | None,
        typer.Option("--format", help="Where the ending leaves it open: quarto for a .md.", show_default=False),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The first slide's title.", show_default=False)] = None,
    dark: Dark = False,
    force: Force = False,
) -> None:
    """Write slides of a saved run: the findings as titles, the numbers in the speaker's notes, a question for the room.

    \b
    kerasteach slides kerasteach-comparison --output vanishing.pptx
    kerasteach slides kerasteach-comparison gradient_flow --output vanishing.qmd
    """  # noqa: D301  the mark of lines that stay as they are
    import_figures()
    from kerasteach.experiment.about import about_saved
    from kerasteach.report.slides import write_slides

    found, about = read_run(run), about_saved(run)
    if not about.call:  # of a capture, which knows no call that trains again
        about = replace(about, call=f"kerasteach slides {quote(str(run))}")
    written = write_slides(
        run / "slides.pptx" if output is None else output,
        found,
        about,
        format=None if format is None else format.value,
        figures=figures,
        title=title,
        dark=dark,
        overwrite=force,
    )
    typer.echo(written)
