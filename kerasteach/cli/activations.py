"""The command `kerasteach activations`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasteach.activations.lookup import check_names
from kerasteach.cli.options import Dark, FigureFormat, Files, Force, Format, Language, Look, Output, Style, style
from kerasteach.cli.terminal import start_tensorflow


def activations(
    names: Annotated[
        list[str] | None, typer.Argument(help="Functions to draw. Without: all of the course's.", show_default=False)
    ] = None,
    output: Output = Path("kerasteach-activations"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    look: Style = Look.lecture,
    dark: Dark = False,
    language: Language = "en",
    force: Force = False,
) -> None:
    """Draw the activation functions with their derivatives, and say in a line what each does."""
    path = Files(output, force).path(f"activation_functions.{format.value}")
    check_names(names)
    start_tensorflow()
    import kerasteach as kt

    table = kt.activations.table(names or None)
    with style(look, dark, language):
        figure = kt.plotting.activations_figure(table)
    kt.plotting.save(figure, path, overwrite=force)
    for name in table["activation"].unique():
        typer.echo(f"{name:12} {(kt.activations.get(name).__doc__ or '').splitlines()[0]}")
    typer.echo(path)
