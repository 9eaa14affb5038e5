"""The command `kerasteach trace`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasteach.cli.options import FigureFormat, Files, Force, Format, Output, Style, start_tensorflow, style

if TYPE_CHECKING:
    import keras

# The course's two neurons in series.
_WEIGHTS, _BIASES, _INPUT, _TARGET, _RATE = [0.15, 0.45], [0.40, 0.65], [0.1], [0.25], 0.4


class Language(StrEnum):
    """How the explanation is written."""

    text = "text"
    markdown = "markdown"
    latex = "latex"


def trace(
    weights: Annotated[
        list[float] | None,
        typer.Option(help="The weight of each neuron in a chain, from the input on. Without: 0.15 0.45."),
    ] = None,
    biases: Annotated[list[float] | None, typer.Option(help="The bias of each neuron. Without: 0.40 0.65.")] = None,
    activation: Annotated[str, typer.Option(help="The activation function of the chain's neurons.")] = "sigmoid",
    model: Annotated[
        Path | None,
        typer.Option(help="A saved .keras model to trace instead of the chain, with the loss and optimizer it has."),
    ] = None,
    input: Annotated[  # noqa: A002  the option's name
        list[float] | None, typer.Option(help="The example: a number for each input. Without: 0.1.")
    ] = None,
    target: Annotated[
        list[float] | None,
        typer.Option(help="Its target: a number for each output, or the number of its class. Without: 0.25."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A CSV file whose rows are the batch, with a column named target.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Update by w <- w - learning_rate * dE/dw. Without: 0.4, or the model's own optimizer."),
    ] = None,
    language: Annotated[Language, typer.Option("--as", help="How the explanation is written.")] = Language.text,
    output: Output = Path("kerasteach-trace"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    lecture: Style = True,
    force: Force = False,
) -> None:
    """Take one training step apart: forward pass, error, backpropagation and update, with every number.

    Without options it is the course's example, two sigmoid neurons in series. Prints the explanation; writes the table
    and the network with its numbers.
    """
    files = Files(output, force)
    table, figure = files.path("training_step.csv"), files.path(f"training_step.{format.value}")
    if data is not None and (input or target):
        raise ValueError("`--data` has the examples; leave out --input and --target, or --data.")
    if model is not None and (weights or biases):
        raise ValueError("`--model` has its own weights; leave out --weights and --biases, or --model.")
    start_tensorflow()
    import kerasteach as kt

    network = _load(model) if model else _chain(weights or _WEIGHTS, biases or _BIASES, activation)
    rate = _RATE if learning_rate is None and not (model and network.compiled) else learning_rate
    optimizer = None if rate is None else kt.optimizers.PlainSGD(rate)
    step = kt.trace_step(network, *_batch(network, data, input or _INPUT, target or _TARGET), optimizer)
    try:
        typer.echo(step.explain(language.value))
        with style(lecture):
            typer.echo(kt.plotting.save(kt.plotting.training_step(step.frame), figure, overwrite=force))
    except ValueError as error:  # too large to read; the table is not
        typer.echo(error)
    table.parent.mkdir(parents=True, exist_ok=True)
    kt.measure.runs.write_atomically(table, lambda path: step.frame.to_csv(path, index=False))
    typer.echo(table)


def _chain(weights: list[float], biases: list[float], activation: str) -> keras.Sequential:
    """Return single neurons in series."""
    import keras

    import kerasteach as kt

    if len(weights) != len(biases):
        raise ValueError(
            "`--weights` and `--biases` must have a number for each neuron. "
            f"Received: {len(weights)} weights, {len(biases)} biases."
        )
    constant = keras.initializers.Constant
    neurons = [
        kt.layers.Dense(
            1,
            activation,
            kernel_initializer=constant(weight),
            bias_initializer=constant(bias),
            name=f"neuron_{number}",
        )
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1)
    ]
    return keras.Sequential([keras.Input((1,)), *neurons])


def _load(path: Path) -> keras.Model:
    import keras

    if not path.is_file():
        raise FileNotFoundError(f"`--model` must be a file that Keras has saved. Received: --model {path}.")
    return keras.saving.load_model(path)


def _batch(network: Any, data: Path | None, example: list[float], target: list[float]) -> tuple[Any, Any]:
    """Return x and y, out of the CSV file or of one example in the shape of the network's input."""
    import numpy as np

    from kerasteach.datasets.own import read_csv

    if data is not None:
        loss = str(getattr(network.loss, "name", network.loss))
        raw = read_csv(data, task="classification" if "sparse" in loss else "regression")
        for doubt in raw.doubts:
            typer.echo(f"{data.name}: {doubt}.", err=True)
        return raw.x, raw.y
    shape = [size or 1 for size in network.input_shape[1:]]
    if len(example) != np.prod(shape):
        raise ValueError(f"`--input` must have {np.prod(shape)} numbers. Received: {len(example)}.")
    return np.reshape(example, (1, *shape)), np.array([target])
