"""Content of slides: titles, lines, pictures and notes, before they are written in a format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kerasteach.plotting.comparison_tables import GRADIENTS, HISTORY, names_of, networks_in
from kerasteach.plotting.run_figures import RunFigure
from kerasteach.report.about import About
from kerasteach.report.slides.numbers import numbers
from kerasteach.report.slides.pictures import Picture, pictures
from kerasteach.report.slides.question import question
from kerasteach.tables.run import Run

_ORIGIN = ("recorded in", "data", "source", "license of the data")  # settings that the last slide names


class Slide(NamedTuple):
    """A slide.

    Attributes:
        title: One sentence or name.
        lines: Lines of text below it.
        notes: Paragraphs for the speaker.
        picture: The picture below the title; `None` for none.
        code: Lines that are shown as code.
    """

    title: str
    lines: Sequence[str] = ()
    notes: Sequence[str] = ()
    picture: Picture | None = None
    code: str = ""


def deck(
    run: Run, about: About, figures: Iterable[RunFigure], title: str | None = None, dark: bool = False
) -> list[Slide]:
    """Return the slides of a run: a title, a question for the room, a slide a page of a figure, how it was made.

    Args:
        run: The run.
        about: What was run.
        figures: Those that are shown; each fits the run.
        title: The first slide's title. Defaults to `None`: that of `about`.
        dark: Whether the figures have a dark ground. Defaults to `False`.
    """
    names = _names(run)
    shown = [_of_picture(run, picture, names) for picture in pictures(run, figures, dark)]
    return [_first(run, about, title), _ask(run, shown), *shown, _last(about)]


def _first(run: Run, about: About, title: str | None) -> Slide:
    lines = [about.lead, _counts(run, seeds=not about.lead), run.note]
    notes = "The next slide asks the room; the slides after it show what was measured, with the numbers in the notes."
    return Slide(title or about.title, [line for line in lines if line], [notes])


def _counts(run: Run, seeds: bool) -> str:
    """Return how many networks, epochs and, where no other line says it, seeds there are."""
    table = next(run.tables[name] for name in run.tables if run.has(name))
    columns = list(table.columns)
    keys = [name for name in columns[: columns.index("epoch") if "epoch" in columns else 0] if name != "seed"]
    parts = [_counted(len(table[keys].drop_duplicates()), "network")] if keys else []
    parts += [_counted(table["seed"].nunique(), "seed")] if seeds and "seed" in columns else []
    parts += [_counted(int(table["epoch"].max()) + 1, "epoch")] if "epoch" in columns else []
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _ask(run: Run, shown: Sequence[Slide]) -> Slide:
    """Ask before the figures show the answer, which stands in the notes."""
    asked = question(run)
    places = [number for number, slide in enumerate(shown, 3) if slide.picture and _shows(slide.picture, asked.figure)]
    place = f"Slide {places[0]} shows it." if places else ""
    lead = "Let everyone decide before you go on, for instance by a show of hands." if asked.choices else ""
    choices = [f"{letter}   {_plain(choice)}" for letter, choice in zip("ABCDEFGH", asked.choices, strict=False)]
    notes = [lead, f"Answer: {_plain(asked.answer)}", place]
    return Slide(asked.text, choices, [part for part in notes if part])


def _shows(picture: Picture, name: str) -> bool:
    return picture.figure.name in (name, "lecture")


def _of_picture(run: Run, picture: Picture, names: Sequence[str]) -> Slide:
    """Return the slide of a page: the finding as its title, numbers and how to read it in the notes."""
    figure = picture.figure
    found = numbers(figure.name, run)
    title = picture.finding or found.finding or figure.shows
    page, pages = picture.page
    many = f" ({page} of {pages})" if pages > 1 else ""
    lines = found.lines or picture.panels
    notes = ["\n".join(["Numbers:", *map(_plain, lines)])] if lines else []
    notes += [f"How to read it: {figure.reading}"] if figure.reading else []
    return Slide(f"{_plain(_begun(title, names))}{many}", (), notes, picture)


def _begun(title: str, names: Iterable[str]) -> str:
    """Begin a title with a capital letter, unless a name is its first word, which stays as it is."""
    return title if title.startswith(tuple(names)) else f"{title[:1].upper()}{title[1:]}"


def _names(run: Run) -> list[str]:
    """Return the names of the networks."""
    argument, kinds = ("history", HISTORY) if run.has("history") else ("gradients", GRADIENTS)
    return (
        [name for name in names_of(networks_in(argument, run.tables[argument], kinds)) if name]
        if run.has(argument)
        else []
    )


def _last(about: About) -> Slide:
    versions = ", ".join(f"{name} {version}" for name, version in about.versions.items())
    lines = [about.call_note, f"With {versions}." if versions else ""]
    lines += [f"{name[:1].upper()}{name[1:]}: {about.settings[name]}" for name in _ORIGIN if name in about.settings]
    notes = [about.call] if about.call else []
    return Slide("How these figures were made", [line for line in lines if line], notes, None, about.call)


def _plain(text: str) -> str:
    r"""Return a text with names as they are, where figures have `\$` for `$`; no line begins with a `%`."""
    return text.replace(r"\$", "$").replace(" %", "\N{NO-BREAK SPACE}%")
