"""The `kerasteach` command. Keras, TensorFlow and matplotlib are imported when a command needs them, not for `--help`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    import pandas as pd

    from kerasteach import Comparison

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Make the training of neural networks visible: compare activation functions, and draw why they differ.",
)


_FIGURES = ("lecture", "learning_curves", "test_scores", "gradient_flow", "gradients_over_time")


class Format(str, Enum):
    """What a figure can be written as."""

    png = "png"
    svg = "svg"
    pdf = "pdf"


class _SeveralValues(TyperCommand):
    """A command whose list options take several values after one name: `--activations sigmoid tanh relu`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        several = {name for one in self.params if getattr(one, "multiple", False) for name in one.opts}
        spread: list[str] = []
        option = None
        for word in args:
            if word.startswith("-") and not word[1:2].isdigit():
                option = word if word in several else None
                spread += [] if option else [word]
            else:
                spread += [option, word] if option else [word]
        return super().parse_args(ctx, spread)


Output = Annotated[
    Path, typer.Option("--output", "-o", help="The folder for the figures and tables; made if it is not there.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that exist already.")]
FigureFormat = Annotated[Format, typer.Option("--format", help="PNG for slides, SVG or PDF for print.")]
Style = Annotated[bool, typer.Option("--lecture/--paper", help="Large text for the last row, or small text for a page.")]


def main() -> None:
    """Run the command; an error of the user's is one line and exit status 2."""
    try:
        app()
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        if os.environ.get("KERASTEACH_TRACEBACK"):
            raise
        print(f"kerasteach: error: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201  to a terminal
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        from kerasteach import __version__

        typer.echo(f"kerasteach {__version__}")
        raise typer.Exit


@app.command(cls=_SeveralValues)
def compare(
    activations: Annotated[
        list[str],
        typer.Option(
            help="The hidden layers' activation functions, one or more: sigmoid squeezes into 0..1, tanh into -1..1, "
            "relu lets positive values pass. `kerasteach activations` draws all seven."
        ),
    ] = ["sigmoid", "tanh", "relu"],  # noqa: B006  typer copies it
    data: Annotated[
        str,
        typer.Option(
            help="digits, iris, wine, breast_cancer, moons, circles, spirals, xor, line, mnist5k, or a CSV file with a "
            "column named target."
        ),
    ] = "digits",
    hidden: Annotated[
        list[int],
        typer.Option(help="Units of each hidden layer. More layers make the gradient vanish further."),
    ] = [32] * 6,  # noqa: B006
    seeds: Annotated[
        int,
        typer.Option(help="How many seeds to train from: one run proves little, the spread over several does."),
    ] = 5,
    epochs: Annotated[int, typer.Option(help="How often to go through the training data, at most.")] = 20,
    batch_size: Annotated[
        int, typer.Option(help="Examples a step: fewer give more, noisier updates an epoch.")
    ] = 32,
    learning_rate: Annotated[
        float, typer.Option(help="How far a step goes: too large misses the minimum, too small takes for ever.")
    ] = 0.1,
    optimizer: Annotated[
        str | None,
        typer.Option(help="A Keras optimizer such as sgd or adam. Without: w <- w - learning_rate * gradient."),
    ] = None,
    initializer: Annotated[
        str,
        typer.Option(help="How initial weights are drawn: glorot_uniform suits sigmoid and tanh, he_normal suits relu."),
    ] = "glorot_uniform",
    error_below: Annotated[
        float | None, typer.Option(help="Stop a network when an epoch's mean training loss is below this.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, gpu or, say, gpu:1; `kerasteach devices` lists them.")] = "auto",
    split_seed: Annotated[int, typer.Option(help="Fixes which examples are kept for testing.")] = 0,
    output: Output = Path("kerasteach-comparison"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    lecture: Style = True,
    force: Force = False,
) -> None:
    """Train the same network with each activation function, from the same initial weights, and draw why they differ.

    Writes a lecture figure, its parts, and the tables; prints a summary. The same options give the same numbers.
    """
    files = _Files(output, force)
    figures = [files.path(f"{stem}.{format.value}") for stem in _FIGURES]
    summary_file = files.path("summary.csv")
    for name in ("run.json", "history.parquet", "gradients.parquet"):
        files.path(name)
    _start_tensorflow()
    import kerasteach as kt

    result = kt.compare(
        activations,
        data=data,
        hidden=hidden,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        initializer=initializer,
        error_below=error_below,
        device=device,
        split_seed=split_seed,
    )
    summary = result.summary()
    result.save(output, overwrite=force)
    kt.measure.records.write_atomically(summary_file, summary.to_csv)
    _print_summary(summary, error_below)
    drawn = _draw_comparison(result, lecture)
    for path, figure in zip(figures, drawn, strict=True):
        typer.echo(kt.plotting.save(figure, path, overwrite=force))
    typer.echo(f"Tables: {output / 'run.json'} and, beside it, history, gradients and summary")


@app.command(cls=_SeveralValues)
def activations(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which functions; all seven if none is named.", show_default=False)
    ] = None,
    output: Output = Path("kerasteach-activations"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    lecture: Style = True,
    force: Force = False,
) -> None:
    """Draw the activation functions with their derivatives, and say in a line what each does."""
    path = _Files(output, force).path(f"activation_functions.{format.value}")
    _start_tensorflow()
    import kerasteach as kt

    table = kt.activations.table(names or None)
    for name in table["activation"].unique():
        typer.echo(f"{name:12} {(kt.activations.get(name).__doc__ or '').splitlines()[0]}")
    with _style(lecture):
        figure = kt.plotting.activation_functions(table)
    typer.echo(kt.plotting.save(figure, path, overwrite=force))


@app.command()
def devices() -> None:
    """List what TensorFlow can compute on here, as `--device` takes it."""
    _start_tensorflow()
    import kerasteach as kt

    found = kt.devices.available()
    for device in found:
        typer.echo(f"{device.name:8} {device.description}")
    if not any(device.name.startswith("gpu") for device in found):
        typer.echo(f"No GPU. {kt.devices.gpu_advice()}")


class _Files:
    """The files that a command will write: met before the work, so that no hour of training ends in an error."""

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder, self.force = folder, force
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            raise OSError(
                f"`--output` must be a folder that can be written. Received: --output {folder} ({error.strerror})."
            ) from None

    def path(self, name: str) -> Path:
        """Return the file's path, or raise FileExistsError where it is there and must stay."""
        path = self.folder / name
        if path.exists() and not self.force:
            raise FileExistsError(f"{path} exists already. Choose another --output, or overwrite it with --force.")
        return path


def _start_tensorflow() -> None:
    """Start TensorFlow quietly, draw without a screen, and have the same options give the same numbers each time."""
    import matplotlib

    matplotlib.use("Agg")
    with nullcontext() if "TF_CPP_MIN_LOG_LEVEL" in os.environ else _quiet():
        import tensorflow as tf

        tf.config.list_logical_devices()
    tf.config.experimental.enable_op_determinism()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ code writes to standard error at its start; show it after all where that fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def _style(lecture: bool) -> AbstractContextManager[None]:
    import kerasteach as kt

    return kt.plotting.lecture() if lecture else nullcontext()


def _draw_comparison(result: Comparison, lecture: bool) -> list[Any]:
    """Draw the figures of `_FIGURES`, in that order."""
    import kerasteach as kt

    arguments = result.facts["arguments"]
    hidden = arguments["hidden"]
    plural = "s" if len(hidden) > 1 else ""
    units = f"{len(hidden)} hidden layer{plural} of {hidden[0]}" if len(set(hidden)) == 1 else f"hidden layers {hidden}"
    title = f"{arguments['data']}: {units}"
    if arguments["error_below"] is not None:
        title += f", trained to a loss below {arguments['error_below']:g}"
    score = "val_accuracy" if "val_accuracy" in set(result.history["metric"]) else "val_loss"
    with _style(lecture):
        return [
            kt.plotting.lecture_figure(result.history, result.gradients, title),
            kt.plotting.learning_curves(result.history),
            kt.plotting.learning_curves(result.history, score),
            kt.plotting.gradient_flow(result.gradients),
            kt.plotting.gradients_over_time(result.gradients),
        ]


def _print_summary(summary: pd.DataFrame, error_below: float | None) -> None:
    from rich.console import Console
    from rich.table import Table

    seeds = int(summary["seeds"].iloc[0])
    table = Table(title=f"median of {seeds} seeds, and lowest to highest" if seeds > 1 else "one seed", show_lines=True)
    table.add_column(summary.index.name)
    quantities = [name for name in summary if f"{name}_min" in summary]
    for quantity in quantities:
        name = quantity.replace("_", " ")
        table.add_column(f"{name} < {error_below:g}" if quantity == "epochs_to_error" else name)
    for variant, row in summary.iterrows():
        table.add_row(str(variant), *(_with_spread(row, quantity, seeds) for quantity in quantities))
    Console().print(table)


def _with_spread(row: pd.Series, quantity: str, seeds: int) -> str:
    if row[quantity] != row[quantity]:  # NaN: no seed came there
        return "never" if quantity == "epochs_to_error" else "-"
    text = f"{row[quantity]:.3g}"
    if seeds > 1:
        text += f"\n[dim]{row[f'{quantity}_min']:.3g}–{row[f'{quantity}_max']:.3g}[/dim]"  # noqa: RUF001  a range's dash
    if quantity == "epochs_to_error" and row["seeds_below_error"] < seeds:
        text += f"\n[dim]{int(row['seeds_below_error'])} of {seeds} seeds[/dim]"
    return text


if __name__ == "__main__":
    main()
