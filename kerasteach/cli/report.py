"""The command `kerasteach report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasteach.cli.options import Force, SavedRun
from kerasteach.cli.run_files import read_run
from kerasteach.cli.terminal import import_figures


def report(
    run: SavedRun,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The page's file. Without: report.html in the run.", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """Write a page about a saved run to hand out: findings, summary, figures, tables, and the call to run it again.

    The page is one file that opens in any browser and loads nothing. It prints where it is.

    \b
    kerasteach report kerasteach-comparison
    kerasteach report kerasteach-comparison --output vanishing.html
    """  # noqa: D301  the mark of lines that stay as they are
    path = run / "report.html" if output is None else output
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists already. Choose another --output, or overwrite it with --force.")
    import_figures()
    from kerasteach.experiment.about import about_saved
    from kerasteach.report.run_page import write_run_page

    found = read_run(run)
    typer.echo(write_run_page(path, found, about_saved(run), overwrite=force))
