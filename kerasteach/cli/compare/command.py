"""The command `kerasteach compare`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasteach.activations.lookup import check_names
from kerasteach.cli.compare.summary import print_summary
from kerasteach.cli.compare.training import check_resumable, interruptible, train, varied
from kerasteach.cli.options import (
    Animate,
    Dark,
    FigureFormat,
    Files,
    Force,
    Format,
    Language,
    Look,
    Output,
    Style,
    TableFormat,
    Tables,
    style,
)
from kerasteach.cli.run_files import TABLES, pages_in, write_run
from kerasteach.cli.terminal import start_tensorflow
from kerasteach.validation import whole


class Task(str, Enum):
    """Kinds of targets."""

    auto = "auto"
    classification = "classification"
    regression = "regression"


class Missing(str, Enum):
    """Treatments of rows with a missing value."""

    error = "error"
    drop = "drop"


def compare(
    ctx: typer.Context,
    activations: Annotated[
        list[str] | None,
        typer.Option(
            help="The hidden layers' activation functions, one or more: sigmoid squeezes into 0..1, tanh into -1..1, "
            "relu lets positive values pass. `kerasteach activations` draws them all. Without: these three; relu if "
            "something else varies.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            help="digits, iris, wine, breast_cancer, moons, circles, spirals, xor, line, mnist5k, or a CSV file with a "
            "header line."
        ),
    ] = "digits",
    target: Annotated[
        str | None,
        typer.Option(help="The CSV file's column to predict. Without: the one named target.", show_default=False),
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="The CSV file's columns to learn from. Without: all others.", show_default=False),
    ] = None,
    task: Annotated[
        Task, typer.Option(help="Whether the target is a class or a value; auto takes few whole numbers for classes.")
    ] = Task.auto,
    missing: Annotated[
        Missing, typer.Option(help="Rows with a missing value are an error, or are left out (drop).")
    ] = Missing.error,
    hidden: Annotated[
        list[int],
        typer.Option(help="Units of each hidden layer. More layers make the gradient vanish further."),
    ] = [32] * 6,
    depth: Annotated[
        list[int] | None, typer.Option(help="Numbers of hidden layers to compare.", show_default=False)
    ] = None,
    width: Annotated[
        list[int] | None, typer.Option(help="Numbers of units a hidden layer to compare.", show_default=False)
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare networks of your own: my_models.py:small my_models.py:large names two functions in "
            "my_models.py here, which return Keras models.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(help="The number of seeds: one run proves little, the spread over several does."),
    ] = 5,
    epochs: Annotated[int, typer.Option(help="Passes through the training data, at most.")] = 20,
    batch_size: Annotated[
        list[int],
        typer.Option(help="Examples a step: fewer give more, noisier updates an epoch. Several are compared."),
    ] = [32],  # noqa: B006
    learning_rate: Annotated[
        list[float] | None,
        typer.Option(
            help="How far a step goes: too large misses the minimum, too small takes for ever. Several are compared. "
            "Without: 0.1, and for an --optimizer its own default in Keras.",
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            help="A Keras optimizer such as sgd or adam; several are compared. Without: w <- w - learning_rate * "
            "gradient, also called plain_sgd.",
            show_default=False,
        ),
    ] = None,
    initializer: Annotated[
        list[str],
        typer.Option(
            help="How initial weights are drawn: glorot_uniform suits sigmoid and tanh, he_normal suits relu; matched "
            "gives each its own. Several are compared."
        ),
    ] = ["glorot_uniform"],  # noqa: B006
    error_below: Annotated[
        float | None, typer.Option(help="Stop a network when an epoch's mean training loss is below this.")
    ] = None,
    every: Annotated[
        str,
        typer.Option(
            help="Which gradients to keep: epoch for their means over each epoch, a number n for those of every n-th "
            "step, or none."
        ),
    ] = "epoch",
    keep_weights: Annotated[bool, typer.Option("--keep-weights", help="Keep the trained weights, too.")] = False,
    device: Annotated[
        str, typer.Option(help="auto, cpu, gpu or, say, gpu:1; `kerasteach devices` lists them.")
    ] = "auto",
    processes: Annotated[
        int, typer.Option(help="Number of processes that train at once; they share the networks, as --parts says.")
    ] = 1,
    parts: Annotated[
        int | None,
        typer.Option(
            help="In how many parts to train networks that could all train together, so that as many processes share "
            "them. The numbers depend on it, by rounding. Without: the number of processes.",
            show_default=False,
        ),
    ] = None,
    split_seed: Annotated[int, typer.Option(help="Fixes which examples are kept for testing.")] = 0,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Resume the interrupted comparison in this folder, with the options that it was begun with.",
            show_default=False,
        ),
    ] = None,
    output: Output = Path("kerasteach-comparison"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    look: Style = Look.lecture,
    dark: Dark = False,
    language: Language = "en",
    animate: Animate = False,
    tables: Tables = None,
    force: Force = False,
) -> None:
    """Train networks that differ in one thing, from the same initial weights, and draw why they differ.

    Writes a lecture figure, its parts, and the tables; prints a summary. The same options give the same numbers.
    Networks are kept as soon as they are trained: `--resume` continues after an interruption.

    \b
    kerasteach compare --activations sigmoid relu --data digits --seeds 5
    kerasteach compare --data moons --hidden 16 16 --dark --animate
    kerasteach compare --activations relu --learning-rate 0.01 0.1 --tables csv
    """  # noqa: D301  the mark of lines that stay as they are
    if resume is not None:
        check_resumable(ctx, resume)
        output = resume
    force = force or resume is not None  # the figures and the summary there are the comparison's own
    check_names(activations)
    whole("processes", processes)
    parts = processes if parts is None else whole("parts", parts)
    files = Files(output, force)
    if animate and every == "none":
        raise ValueError("`animate` shows the gradients. Received: --animate --every none, which keeps none.")
    earlier = _free(files, format, animate, tables, resume)
    start_tensorflow()
    import kerasteach as kt
    from kerasteach.experiment.saved_run import run_of
    from kerasteach.plotting.run_figures import fitting

    summary_file = output / "summary.csv"
    several: dict[str, Any] = {"depth": depth, "width": width, "learning_rate": learning_rate, "batch_size": batch_size}
    several |= {"initializer": initializer, "optimizer": optimizer}
    arguments: dict[str, Any] = {
        "activations": activations,
        "data": data,
        "target": target,
        "features": features or None,
        "task": None if task is Task.auto else task.value,
        "missing": missing.value,
        "seeds": seeds,
        "epochs": epochs,
        "every": None if every == "none" else int(every) if every.isdecimal() else every,
        "device": device,
    }
    arguments |= {"error_below": error_below, "keep_weights": keep_weights, "split_seed": split_seed}
    arguments["parts"] = parts
    arguments |= {"hidden": hidden, **varied(several)}
    with interruptible(ctx, output):
        result = train(output, None if resume else arguments, models, processes, overwrite=force)
        run = run_of(result)
        summary = result.summary()
        kt.storage.files.write_atomically(summary_file, summary.to_csv)
        with style(look, dark, language):
            written = write_run(
                run,
                fitting(run, usual=True),
                files,
                format.value,
                tables=tables is not None,
                animated=animate,
            )
        for page in earlier - set(written):  # of the comparison that was replaced
            page.unlink(missing_ok=True)
    print_summary(summary, result.facts["arguments"]["error_below"])
    for path in written:
        typer.echo(path)
    typer.echo(f"Tables: {output / 'run.json'} and, beside it, history, gradients and summary")


def _free(
    files: Files,
    format: Format,  # noqa: A002  the option's name
    animate: bool,
    tables: TableFormat | None,
    resume: Path | None,
) -> set[Path]:
    """Check that no file is in the way, and return the pages of the comparison that is to be replaced."""
    from kerasteach.plotting.run_figures import FIGURES

    names = [*(f"{name}.{format.value}" for name in FIGURES), "summary.csv"]
    names += [f"{name}.gif" for name, figure in FIGURES.items() if animate and figure.over]
    names += [f"{name}.csv" for name in TABLES] if tables else []
    there = pages_in(files.folder, FIGURES)
    for name in (*names, *sorted(page.name for page in there)):
        files.path(name)
    if resume is not None:
        return set()
    files.check_no_run()
    return there if (files.folder / "run.json").exists() else set()  # else they are no comparison's
