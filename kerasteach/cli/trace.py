"""The command `kerasteach trace`."""

from __future__ import annotations

import warnings
from enum import Enum
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kerasteach.activations.lookup import check_names
from kerasteach.cli.options import Dark, FigureFormat, Files, Force, Format, Language, Look, Output, Style, style
from kerasteach.cli.terminal import start_tensorflow

if TYPE_CHECKING:
    import keras

    from kerasteach.datasets.sources import Raw
    from kerasteach.lessons.backprop.traced_step import TracedStep

# The course's two neurons in series.
_WEIGHTS, _BIASES, _INPUT, _TARGET, _RATE = [0.15, 0.45], [0.40, 0.65], [0.1], [0.25], 0.4


class Form(str, Enum):
    """How the explanation is written."""

    text = "text"
    markdown = "markdown"
    latex = "latex"
    html = "html"

    @property
    def suffix(self) -> str:
        """The ending of a file in it."""
        return {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html"}[self.value]


_FORMATS: dict[Form, Literal["text", "markdown", "latex"]] = {
    Form.text: "text",
    Form.markdown: "markdown",
    Form.latex: "latex",
}


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
    form: Annotated[
        Form, typer.Option("--as", help="How the explanation is written; html is a page to show and to change.")
    ] = Form.text,
    language: Language = "en",
    output: Output = Path("kerasteach-trace"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    look: Style = Look.lecture,
    dark: Dark = False,
    force: Force = False,
) -> None:
    """Trace one training step: forward pass, error, backpropagation and update, with every number.

    Without options it is the course's example, two sigmoid neurons in series. Prints the explanation; writes it, the
    table and the network with its numbers, and prints where on standard error. As html it is a page for the browser,
    step by step, and nothing is printed.

    \b
    kerasteach trace --weights 0.5 -1 --biases 0 0.5 --input 1 --target 0
    kerasteach trace --model model.keras --data rows.csv --as latex
    kerasteach trace --as html --language de
    """  # noqa: D301  the mark of lines that stay as they are
    files = Files(output, force)
    table, figure = files.path("training_step.csv"), files.path(f"training_step.{format.value}")
    explanation = files.path(f"explanation{form.suffix}")
    _check(model, data, input, target, weights or biases)
    check_names([activation])
    start_tensorflow()
    import kerasteach as kt

    network = _load(model) if model else _chain(weights or _WEIGHTS, biases or _BIASES, activation)
    rate = _RATE if learning_rate is None and not (model and network.compiled) else learning_rate
    optimizer = None if rate is None else kt.optimizers.PlainSGD(rate)
    x, y = _examples(network, data) if data else _example(network, input or _INPUT, target or _TARGET)
    step = kt.trace_step(network, x, y, optimizer)
    written = [table]
    output.mkdir(parents=True, exist_ok=True)
    kt.storage.files.write_atomically(table, lambda path: step.frame.to_csv(path, index=False))
    explained = _explained(step, form, language, explanation, table)
    written += [explanation] if explained is not None else []
    with style(look, dark, language):
        written += _draw(step, figure, force)
    for path in written:
        typer.echo(path, err=True)
    if explained:
        typer.echo(explained)


def _check(
    model: Path | None,
    data: Path | None,
    example: list[float] | None,
    target: list[float] | None,
    own: list[float] | None,
) -> None:
    """Raise ValueError where options contradict each other, or one is missing."""
    if data is not None and (example or target):
        raise ValueError("`--data` has the examples; leave out --input and --target, or --data.")
    if model is not None and own:
        raise ValueError("`--model` has its own weights; leave out --weights and --biases, or --model.")
    if model is not None and data is None and not (example and target):
        raise ValueError("`--model` needs an example: --input and --target, or --data with a CSV file.")


def _explained(step: TracedStep, form: Form, language: str, path: Path, table: Path) -> str | None:
    """Write the explanation, and return what is to be printed; `None`, saying so, where it is too long to be read."""
    import kerasteach as kt

    try:
        if form is Form.html:
            step.report(path, language=language, overwrite=True)
            return ""
        explained = step.explain(_FORMATS[form], language=language)
        kt.storage.files.write_atomically(path, lambda temporary: temporary.write_text(explained, encoding="utf-8"))
        return explained
    except ValueError as error:
        typer.echo(f"No explanation. {str(error).replace('The table, `frame`,', str(table))}", err=True)
        return None


def _draw(step: TracedStep, path: Path, overwrite: bool) -> list[Path]:
    """Draw the network, and return the path of each page; none where it is too large, saying so."""
    import kerasteach as kt

    try:
        numbers = range(1, kt.plotting.pages(step.frame) + 1)
        pages = [kt.plotting.traced_step(step.frame, page=number) for number in numbers]
    except ValueError as error:
        typer.echo(f"No figure. {error}", err=True)
        return []
    paths = [path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in numbers]
    for page, file in zip(pages, paths, strict=True):
        kt.plotting.save(page, file, overwrite=overwrite)
    return paths


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
    with warnings.catch_warnings():
        # A model that has not been trained has no variables of its optimizer's in its file.
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer", UserWarning)
        return keras.saving.load_model(path)


def _examples(network: keras.Model, data: Path) -> tuple[Any, Any]:
    """Return the rows of a CSV file as a batch."""
    from kerasteach.datasets.own import read_csv
    from kerasteach.datasets.tables import plural

    shape = _input_shape(network)
    try:
        raw: Raw = read_csv(data, task="classification" if _by_class(network) else "regression")
    except ValueError as error:
        if "must be a column of" in str(error):  # which `--target` does not name: it has the example's numbers
            raise ValueError(f"`--data` must have a column named target. Received: --data {data}.") from error
        raise
    if raw.x.shape[1] != prod(shape):
        raise ValueError(
            f"`--data` must have {plural(prod(shape), 'number')} a row, beside the target. Received: {raw.x.shape[1]}."
        )
    for doubt in raw.doubts:
        typer.echo(f"{data.name}: {doubt}.", err=True)
    return raw.x.reshape(-1, *shape), raw.y


def _example(network: keras.Model, example: list[float], target: list[float]) -> tuple[Any, Any]:
    """Return one example as a batch, in the shape of the network's input."""
    import numpy as np

    from kerasteach.datasets.tables import plural

    shape, outputs = _input_shape(network), int(network.output_shape[-1])
    if len(example) != prod(shape):
        raise ValueError(f"`--input` must have {plural(prod(shape), 'number')}. Received: {len(example)}.")
    by_class = _by_class(network)
    if len(target) != (1 if by_class else outputs):
        numbers = f"{plural(outputs, 'number')}, as the model's loss takes it"
        wanted = "one number, that of the class" if by_class else numbers
        raise ValueError(f"`--target` must have {wanted}. Received: {len(target)}.")
    return np.reshape(example, (1, *shape)), np.array([target])


def _input_shape(network: keras.Model) -> list[int]:
    """Return the shape of one example, or raise ValueError where the network cannot be traced."""
    from kerasteach.lessons.backprop.layer_chain import read

    read(network)
    return [size or 1 for size in network.input_shape[1:]]


def _by_class(network: keras.Model) -> bool:
    """Return whether the network's loss takes the number of a class."""
    from kerasteach.lessons.model_checks import loss_of

    loss = loss_of(network)
    return str(getattr(loss, "__name__", type(loss).__name__)).lower().startswith("sparse")
