"""The command `kerasteach diagnose`."""

from __future__ import annotations

from typing import Annotated

import typer

from kerasteach.cli.options import SavedRunOrNone
from kerasteach.cli.run_files import read_run


def diagnose(
    run: SavedRunOrNone = None,
    mute: Annotated[
        list[str] | None,
        typer.Option(metavar="RULES", help="Rules to leave out, such as KT201.", show_default=False),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="Explain a rule, such as KT201, and leave.", show_default=False),
    ] = None,
) -> None:
    """Say in words what is wrong with a saved run, with the evidence and what to try.

    \b
    kerasteach diagnose kerasteach-comparison
    kerasteach diagnose --explain KT201
    """  # noqa: D301  the mark of lines that stay as they are
    from kerasteach import diagnosis

    if explain is not None:
        typer.echo(diagnosis.explain(explain))
        return
    if run is None:
        raise ValueError("`run` must be the folder of a run, or --explain a rule. Received: neither.")

    found = read_run(run)
    if not found.has("gradients"):
        raise ValueError(f"`run` must hold gradients. Received: {run}, with {', '.join(found.tables) or 'no table'}.")
    tables = [found.tables.get(name) for name in ("gradients", "activations", "history")]
    typer.echo(diagnosis.diagnose(*tables, mute=mute or ()))
