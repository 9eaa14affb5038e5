"""Slides of a run, written into a file: the figures are checked first, the file comes whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kerasteach.plotting.run_figures import RunFigure, named
from kerasteach.report.about import About
from kerasteach.report.figures import figures_of
from kerasteach.report.slides.deck import Slide, deck
from kerasteach.report.slides.markdown import as_markdown, picture_names
from kerasteach.report.slides.powerpoint import check_installed, write_powerpoint
from kerasteach.storage.files import check_free, write_atomically
from kerasteach.tables.run import Run
from kerasteach.validation import choice, flag, received, several, text
from kerasteach.validation import path as checked_path

# The formats of an ending, its usual one first.
_FORMATS = {".pptx": ("powerpoint",), ".qmd": ("quarto",), ".md": ("marp", "quarto")}


def write_slides(
    path: str | Path,
    run: Run,
    about: About,
    *,
    format: str | None = None,  # noqa: A002  the argument's name
    figures: Iterable[str] | None = None,
    title: str | None = None,
    dark: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write slides of a run: a title, a question for the room, a slide a figure, and how it was made.

    Args:
        path: The file: `.pptx` for PowerPoint, `.qmd` for Quarto, `.md` for Marp. Of Markdown, the figures are written
            into a folder beside it. Missing folders are made.
        run: The run.
        about: What was run.
        format: `"powerpoint"`, `"quarto"` or `"marp"`. Defaults to `None`: what the ending says.
        figures: Names of figures, as `kerasteach plot RUN --list` shows them. Defaults to `None`: all usual ones but
            `lecture`, whose panels have slides of their own.
        title: The first slide's title. Defaults to `None`: what was compared, on what.
        dark: Whether the figures have a dark ground. Defaults to `False`.
        overwrite: Whether files that are there may be replaced. Defaults to `False`.

    Returns:
        The path.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If the ending or the format is another one, there is no such figure, or none fits the run.
        FileExistsError: If a file exists and `overwrite` is false.
        ImportError: If python-pptx is needed and not installed.
    """
    path, overwrite = checked_path("path", path), flag("overwrite", overwrite)
    form = _format(path, format)
    title = None if title is None else text("title", title)
    dark = flag("dark", dark)
    chosen = _chosen(run, figures)
    check_free(path, overwrite)
    if form == "powerpoint":
        check_installed()
    slides = deck(run, about, chosen, title, dark)
    if form == "powerpoint":
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: write_powerpoint(temporary, slides, dark))
        return path
    return _write_markdown(path, slides, form, dark, overwrite)


def _format(path: Path, asked: Any) -> str:
    ending = path.suffix.lower()
    if ending not in _FORMATS:
        raise ValueError(f"`path` must end in {', '.join(_FORMATS)}. {received('path', str(path))}")
    if asked is None:
        return _FORMATS[ending][0]
    return choice("format", asked, _FORMATS[ending])


def _chosen(run: Run, figures: Any) -> list[RunFigure]:
    """Return the figures that get slides."""
    if figures is not None:
        return named(run, [figures] if isinstance(figures, str) else several("figures", figures, "names of figures"))
    usual = figures_of(run)
    if not usual:
        tables = ", ".join(name for name in run.tables if run.has(name)) or "none"
        raise ValueError(f"No figure fits this run. Its tables with a row: {tables}.")
    return usual


def _write_markdown(path: Path, slides: list[Slide], form: str, dark: bool, overwrite: bool) -> Path:
    """Write the pictures, then the file that shows them."""
    names = picture_names(slides, path)
    for name in filter(None, names):
        check_free(path.parent / name, overwrite)
    for name, slide in zip(names, slides, strict=True):
        if slide.picture is not None:
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path.parent / name, _writer(slide.picture.content))
    content = as_markdown(slides, names, form, dark)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_text(content, encoding="utf-8", newline="\n"))
    return path


def _writer(content: bytes) -> Any:
    return lambda temporary: temporary.write_bytes(content)
