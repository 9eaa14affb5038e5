"""The `kerasteach` command.

Keras, TensorFlow and matplotlib are imported when a command needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Annotated

import typer

from kerasteach.cli.activations import activations
from kerasteach.cli.base import Command, CommandError, UsageError, help_of
from kerasteach.cli.compare.command import compare
from kerasteach.cli.descent import descent
from kerasteach.cli.devices import devices
from kerasteach.cli.diagnose import diagnose
from kerasteach.cli.exercises import exercises
from kerasteach.cli.plot import plot
from kerasteach.cli.report import report
from kerasteach.cli.slides import slides
from kerasteach.cli.terminal import accept_any_encoding
from kerasteach.cli.trace import trace
from kerasteach.cli.tutorials import tutorials

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make the training of neural networks visible: compare activation functions, and draw why they differ.",
)
for _command in (compare, plot, diagnose, report, slides, activations, descent, devices, trace, exercises, tutorials):
    app.command(cls=Command, help=help_of(_command))(_command)


def main() -> None:
    """Run the command; an error of the caller's is one line and exit status 2."""
    accept_any_encoding()
    atexit.register(gc.freeze)  # or Python searches all that TensorFlow made for garbage as it ends, for a second
    try:
        raise SystemExit(app(sys.argv[1:] or ["--help"], prog_name="kerasteach", standalone_mode=False) or 0)
    except typer.Abort:
        raise SystemExit("Interrupted.") from None
    except (CommandError, UsageError) as error:
        if os.environ.get("KERASTEACH_TRACEBACK"):
            raise
        text = getattr(error, "format_message", error.__str__)()
        print(f"kerasteach: error: {' '.join(text.split())}", file=sys.stderr)  # noqa: T201  to a terminal
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        from kerasteach import __version__

        typer.echo(f"kerasteach {__version__}")
        raise typer.Exit
