"""The command `kerasteach descent`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasteach.cli.options import Dark, FigureFormat, Files, Force, Format, Language, Look, Output, Style, style
from kerasteach.cli.terminal import start_tensorflow

if TYPE_CHECKING:
    from kerasteach.lessons.descent.descent import Descent
    from kerasteach.lessons.descent.functions import Function


class Animation(str, Enum):
    """Formats of an animation."""

    gif = "gif"
    mp4 = "mp4"


def descent(
    function: Annotated[
        str,
        typer.Option(
            help="parabola, elongated_bowl, rosenbrock, himmelblau, saddle or two_minima. Functions of your own: "
            "kerasteach.gradient_descent in Python."
        ),
    ] = "parabola",
    learning_rate: Annotated[
        list[float] | None,
        typer.Option(
            help="How far a step goes, one or more: too large misses the minimum, too small takes for ever. Without: "
            "one of each kind for this function.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        list[float] | None,
        typer.Option(help="Where to begin, a number a coordinate. Without: the function's own.", show_default=False),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="The number of steps, at most. Without: the function's own.", show_default=False),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            help="Keras optimizers to compare, such as sgd adam rmsprop. Without: w <- w - learning_rate * gradient.",
            show_default=False,
        ),
    ] = None,
    gradient_below: Annotated[
        float | None, typer.Option(help="Stop a path where the gradient's norm is below this.")
    ] = None,
    value_below: Annotated[float | None, typer.Option(help="Stop a path where the function is below this.")] = None,
    animation: Annotated[
        Animation | None,
        typer.Option(help="Write an animation too, which takes longer: gif, or mp4 where ffmpeg is installed."),
    ] = None,
    output: Output = Path("kerasteach-descent"),
    format: FigureFormat = Format.png,  # noqa: A002  the option's name
    look: Style = Look.lecture,
    dark: Dark = False,
    language: Language = "en",
    force: Force = False,
) -> None:
    """Descend a function with several learning rates, and draw the path of each.

    Writes the paths over the function, the values against the steps, and the table; prints a verdict for each path.

    \b
    kerasteach descent --function rosenbrock --learning-rate 0.001 0.002 0.01
    kerasteach descent --optimizer sgd adam --animation gif --dark
    """  # noqa: D301  the mark of lines that stay as they are
    files = Files(output, force)
    figures = [files.path(f"descent_{stem}.{format.value}") for stem in ("path", "values")]
    table_file = files.path("descent.csv")
    if animation:
        figures.append(files.path(f"descent.{animation.value}"))
    start_tensorflow()
    import kerasteach as kt

    known = kt.lessons.functions.get(function)
    if animation:
        kt.plotting.saving.check_writable(figures[-1])  # before the work
    thresholds = {"gradient_norm": gradient_below, "value": value_below}
    found = kt.gradient_descent(
        known,
        start=_point(start),
        learning_rate=learning_rate or known.learning_rates,
        steps=known.steps if steps is None else steps,
        until={name: value for name, value in thresholds.items() if value is not None} or None,
        optimizer=optimizer or None,
    )
    output.mkdir(parents=True, exist_ok=True)
    kt.storage.files.write_atomically(table_file, lambda temporary: found.frame.to_csv(temporary, index=False))
    with style(look, dark, language):
        drawn = _draw(found, known, animation is not None)
    for path, figure in zip(figures, drawn, strict=True):
        kt.plotting.save(figure, path, overwrite=force)
    _print_verdicts(found, known)
    for path in figures:
        typer.echo(path)
    typer.echo(f"Table: {table_file}")


def _point(start: list[float] | None) -> Any:
    """Return a single coordinate as a number: a function of one variable takes no list."""
    return start[0] if start and len(start) == 1 else start or None


def _draw(descent: Descent, known: Function, animated: bool) -> list[Any]:
    figures: list[Any] = [descent.plot(), descent.plot(quantity="value")]
    for ax in figures:
        ax.set_title(f"{known.name.replace('_', ' ')}: {known.formula}")
    return [*figures, *([descent.animate()] if animated else [])]


def _print_verdicts(descent: Descent, known: Function) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kerasteach.tables.descent import coordinates

    names, verdicts = coordinates(descent.frame), descent.verdicts
    text = ["optimizer"] * (set(verdicts["optimizer"]) != {"plain_sgd"}) + ["learning_rate", "verdict", "step"]
    title = Text(f"{known.name}: {known.formula}")
    shown = Table(title=title, box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False)
    for name in text:
        shown.add_column(name.replace("_", " "), no_wrap=True)
    for name in (*names, "value", "gradient_norm"):
        shown.add_column(name.replace("_", " "), overflow="fold")
    for _, row in verdicts.iterrows():
        cells = row.to_dict() | {"learning_rate": f"{row['learning_rate']:g}"}
        numbers = [f"{row[name]:.3g}" for name in (*names, "value", "gradient_norm")]
        shown.add_row(*(Text(str(cells[name])) for name in text), *numbers)
    Console().print(shown)
