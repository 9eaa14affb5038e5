"""Files of a run: its figures, and its tables as CSV."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kerasteach.cli.options import Files, Format

if TYPE_CHECKING:
    from kerasteach.plotting.run_figures import RunFigure
    from kerasteach.tables.run import Run


TABLES = ("history", "gradients", "predictions", "confusion")  # of a comparison, besides its summary


def read_run(folder: Path) -> Run:
    """Read a run, and print on standard error what is to be known of it."""
    from kerasteach.experiment.saved_run import saved_run

    found = saved_run(folder)
    if found.note:
        typer.echo(found.note, err=True)
    return found


def pages_in(folder: Path, names: Iterable[str]) -> set[Path]:
    """Return each page of the figures of these names in a folder, in any format, and their animations."""
    pattern = re.compile(rf"({'|'.join(names)})((-\d+)?\.({'|'.join(Format)})|\.gif)")
    return {path for path in folder.glob("*") if pattern.fullmatch(path.name)}


def page_names(name: str, pages: int, ending: str) -> list[str]:
    """Return the file of each page of a figure.

    Example:
        >>> from kerasteach.cli.run_files import page_names
        >>> page_names("lecture", 2, "png")
        ['lecture.png', 'lecture-2.png']
    """
    return [f"{name}{f'-{number}' if number > 1 else ''}.{ending}" for number in range(1, pages + 1)]


def write_run(
    run: Run,
    figures: Iterable[RunFigure],
    files: Files,
    ending: str,
    *,
    title: str | None = "auto",
    tables: bool = False,
    animated: bool = False,
) -> list[Path]:
    """Draw figures in the current style, and write pages, animations and tables; where one fails, none is written.

    Args:
        run: The run.
        figures: Those to draw, which fit the run.
        files: Where to write. A table that is there already and is the same does not count as in the way.
        ending: The format of the figures, such as `"png"`.
        title: Their title; `None` for none. Defaults to `"auto"`, each figure's own.
        tables: Whether to write the tables as CSV. Defaults to `False`.
        animated: Whether to write an animation of those that can be animated, as GIF. Defaults to `False`.

    Returns:
        The path of each page, animation and table.
    """
    drawn = {figure: page_names(figure.name, figure.pages(run), ending) for figure in figures}
    moving = {figure: f"{figure.name}.gif" for figure in drawn if animated and figure.over}
    for name in (*chain(*drawn.values()), *moving.values()):
        files.path(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = [*_draw(run, drawn, folder, title), *_animate(run, moving, folder, title)]
        names += _export(run, folder) if tables else []
        return files.move(folder, names)


def _draw(run: Run, drawn: Mapping[RunFigure, list[str]], folder: Path, title: str | None) -> Iterator[str]:
    """Draw each page, write it and close it, and yield its name."""
    import matplotlib.pyplot as plt

    from kerasteach.plotting import save

    for figure, names in drawn.items():
        for name, page in zip(names, figure.draw(run, title, pages=len(names)), strict=True):
            save(page, folder / name)
            plt.close(page)
            yield name


def _animate(run: Run, moving: Mapping[RunFigure, str], folder: Path, title: str | None) -> Iterator[str]:
    """Draw each animation, write it, and yield its name."""
    import matplotlib.pyplot as plt

    from kerasteach.plotting import save

    for figure, name in moving.items():
        save(figure.animation(run, title), folder / name)
        plt.close("all")
        yield name


def _export(run: Run, folder: Path) -> Iterator[str]:
    """Write each table that has a row, and the summary, and yield its name."""
    tables = {name: table for name, table in run.tables.items() if run.has(name)}
    if run.summary:
        tables["summary"] = run.summary().reset_index()
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        yield f"{name}.csv"
