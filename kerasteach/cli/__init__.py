"""The `kerasteach` command.

Keras, TensorFlow and matplotlib are imported when a command needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from kerasteach.cli.compare import compare
from kerasteach.cli.descent import descent
from kerasteach.cli.options import SeveralValues
from kerasteach.cli.show import activations, devices
from kerasteach.cli.trace import trace

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Make the training of neural networks visible: compare activation functions, and draw why they differ.",
)
_UsageError: Any = typer.BadParameter.__mro__[
    1
]  # what typer raises for any wrong use; it has no public name of its own
app.command(cls=SeveralValues)(compare)
app.command(cls=SeveralValues)(activations)
app.command(cls=SeveralValues)(descent)
app.command()(devices)
app.command(cls=SeveralValues)(trace)


def main() -> None:
    """Run the command; an error of the user's is one line and exit status 2."""
    try:
        raise SystemExit(app(sys.argv[1:] or ["--help"], standalone_mode=False) or 0)
    except typer.Abort:
        raise SystemExit("Interrupted.") from None
    except (ValueError, TypeError, OSError, ImportError, RuntimeError, _UsageError) as error:
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
