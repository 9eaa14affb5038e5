"""The command `kerasteach compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasteach.cli.options import FigureFormat, Files, Force, Format, Output, Style, start_tensorflow, style

if TYPE_CHECKING:
    import pandas as pd

    from kerasteach import Comparison

_FIGURES = ("lecture", "learning_curves", "test_scores", "gradient_flow", "gradients_over_time")


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
    ] = [32] * 6,
    seeds: Annotated[
        int,
        typer.Option(help="How many seeds to train from: one run proves little, the spread over several does."),
    ] = 5,
    epochs: Annotated[int, typer.Option(help="How often to go through the training data, at most.")] = 20,
    batch_size: Annotated[int, typer.Option(help="Examples a step: fewer give more, noisier updates an epoch.")] = 32,
    learning_rate: Annotated[
        float, typer.Option(help="How far a step goes: too large misses the minimum, too small takes for ever.")
    ] = 0.1,
    optimizer: Annotated[
        str | None,
        typer.Option(help="A Keras optimizer such as sgd or adam. Without: w <- w - learning_rate * gradient."),
    ] = None,
    initializer: Annotated[
        str,
        typer.Option(
            help="How initial weights are drawn: glorot_uniform suits sigmoid and tanh, he_normal suits relu."
        ),
    ] = "glorot_uniform",
    error_below: Annotated[
        float | None, typer.Option(help="Stop a network when an epoch's mean training loss is below this.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, gpu or, say, gpu:1; `kerasteach devices` lists them.")
    ] = "auto",
    split_seed: Annotated[int, typer.Option(help="Fixes which examples are kept for testing.")] = 0,
    output: Output = Path("kerasteach-comparison"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    lecture: Style = True,
    force: Force = False,
) -> None:
    """Train the same network with each activation function, from the same initial weights, and draw why they differ.

    Writes a lecture figure, its parts, and the tables; prints a summary. The same options give the same numbers.
    """
    files = Files(output, force)
    figures = [files.path(f"{stem}.{format.value}") for stem in _FIGURES]
    summary_file = files.path("summary.csv")
    for name in ("run.json", "history.parquet", "gradients.parquet"):
        files.path(name)
    start_tensorflow()
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
    kt.measure.runs.write_atomically(summary_file, summary.to_csv)
    _print_summary(summary, error_below)
    drawn = _draw_comparison(result, lecture)
    for path, figure in zip(figures, drawn, strict=True):
        typer.echo(kt.plotting.save(figure, path, overwrite=force))
    typer.echo(f"Tables: {output / 'run.json'} and, beside it, history, gradients and summary")


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
    with style(lecture):
        return [
            kt.plotting.lecture_figure(result.history, result.gradients, title),
            kt.plotting.learning_curves(result.history),
            kt.plotting.learning_curves(result.history, score),
            kt.plotting.gradient_flow(result.gradients),
            kt.plotting.gradients_over_time(result.gradients),
        ]


def _print_summary(summary: pd.DataFrame, error_below: float | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    seeds = int(summary["seeds"].iloc[0])
    title = f"median of {seeds} seeds, and lowest to highest" if seeds > 1 else "one seed"
    table = Table(title=title, box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False, show_lines=True)
    table.add_column(str(summary.index.name))
    quantities = [str(name) for name in summary if f"{name}_min" in summary]
    for quantity in quantities:
        name = quantity.replace("_", " ")
        table.add_column(f"{name} < {error_below:g}" if quantity == "epochs_to_error" else name, overflow="fold")
    for variant, row in summary.iterrows():
        table.add_row(str(variant), *(_with_spread(row, quantity, seeds) for quantity in quantities))
    Console().print(table)


def _with_spread(row: pd.Series, quantity: str, seeds: int) -> str:
    if row[quantity] != row[quantity]:  # NaN: no seed came there
        return "never" if quantity == "epochs_to_error" else "-"
    text = f"{row[quantity]:.3g}"
    if seeds > 1:
        text += f"\n[dim]{row[f'{quantity}_min']:.2g}–{row[f'{quantity}_max']:.2g}[/dim]"  # noqa: RUF001  a range's dash
    if quantity == "epochs_to_error" and row["seeds_below_error"] < seeds:
        text += f"\n[dim]{int(row['seeds_below_error'])} of {seeds} seeds[/dim]"
    return text
