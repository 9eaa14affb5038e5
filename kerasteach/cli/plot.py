"""The command `kerasteach plot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasteach.cli.options import (
    Animate,
    Dark,
    FigureFormat,
    FigureNames,
    Files,
    Force,
    Format,
    Language,
    Look,
    SavedRun,
    Style,
    Tables,
    style,
)
from kerasteach.cli.run_files import read_run, write_run
from kerasteach.cli.terminal import import_figures

if TYPE_CHECKING:
    from kerasteach.tables.run import Run


def plot(
    run: SavedRun,
    figures: FigureNames = None,
    list_them: Annotated[bool, typer.Option("--list", help="List the figures that fit this run, and leave.")] = False,
    title: Annotated[
        str | None,
        typer.Option(help='A title instead of each figure\'s own; "" for none.', show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder for the figures. Without: the run's.", show_default=False),
    ] = None,
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    look: Style = Look.lecture,
    dark: Dark = False,
    language: Language = "en",
    animate: Animate = False,
    tables: Tables = None,
    force: Force = False,
) -> None:
    """Draw the figures of a saved run again, in another format or style, without training and without TensorFlow.

    \b
    kerasteach plot kerasteach-comparison --list
    kerasteach plot kerasteach-comparison gradient_flow --format svg --style paper
    kerasteach plot kerasteach-comparison --dark --output slides
    """  # noqa: D301  the mark of lines that stay as they are
    import_figures()
    found = read_run(run)
    from kerasteach.plotting.captions import AUTO
    from kerasteach.plotting.run_figures import fitting, named

    if list_them:
        _print_list(found)
        return
    chosen = named(found, figures) if figures else fitting(found, usual=True)
    if not chosen:
        raise ValueError(f"No figure fits this run. Its tables: {', '.join(found.tables) or 'none'}.")
    if animate and not any(figure.over for figure in chosen):
        moving = ", ".join(figure.name for figure in fitting(found) if figure.over) or "none of this run"
        names = " ".join(figure.name for figure in chosen)
        raise ValueError(f"`animate` needs a figure that can be animated: {moving}. Received: FIGURE {names}.")
    files = Files(run if output is None else output, force)
    own_title = AUTO if title is None else title or None
    with style(look, dark, language):
        written = write_run(
            found, chosen, files, format.value, title=own_title, tables=tables is not None, animated=animate
        )
    for path in written:
        typer.echo(path)


def _print_list(run: Run) -> None:
    from kerasteach.plotting.run_figures import fitting

    figures = fitting(run)
    width = max((len(figure.name) for figure in figures), default=0)
    for figure in figures:
        typer.echo(f"{figure.name:{width}}  {figure.shows}{'' if figure.usual else ' (only where it is named)'}")
