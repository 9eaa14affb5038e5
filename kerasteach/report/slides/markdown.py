"""Slides as Markdown, for Quarto (reveal.js) and for Marp, with the figures in a folder beside the file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from kerasteach.plotting.style import Inks, inks, style
from kerasteach.report.slides.deck import Slide

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>$~^@:])")  # letters that mean something in Markdown, or in an extension
_MARP_STYLE = """\
  section { justify-content: flex-start; padding: 30px 40px; font-size: 26px; }
  section.opening { justify-content: center; }
  h1 { font-size: 34px; margin: 0 0 10px; }
  p:has(> img) { text-align: center; margin: 0; }
  img { height: 570px; max-width: 1200px; object-fit: contain; }"""


def as_markdown(slides: Sequence[Slide], pictures: Sequence[str], form: str, dark: bool = False) -> str:
    """Return the text of a Markdown file.

    Args:
        slides: The slides.
        pictures: For each slide the path of its picture, from the file's folder; empty where it has none.
        form: `"quarto"` or `"marp"`.
        dark: Whether the slides have the ground of dark figures. Defaults to `False`.
    """
    with style("lecture", dark=dark):
        ink = inks()
    write = _quarto if form == "quarto" else _marp
    return write(slides, pictures, ink if dark else None)


def _quarto(slides: Sequence[Slide], pictures: Sequence[str], dark: Inks | None) -> str:
    first, *rest = slides
    subtitle = " · ".join(first.lines)
    head = f"title: {json.dumps(first.title, ensure_ascii=False)}\nsubtitle: {json.dumps(subtitle, ensure_ascii=False)}"
    form = "format:\n  revealjs:\n    width: 1280\n    height: 720\n    slide-number: true"
    if dark is not None:
        form += (
            "\n    theme: dark\n    include-in-header:\n      text: |\n"
            f"        <style>.reveal-viewport {{ background: {dark.surface}; }}</style>"
        )
    parts = [f"---\n{head}\n{form}\n---"]
    for slide, picture in zip(rest, pictures[1:], strict=True):
        notes = "\n\n".join(_escaped(note) for note in slide.notes)
        body = _body(slide)
        if slide.picture is not None:
            body = f"![]({picture}){{fig-alt={_quoted(slide.picture.description)} .r-stretch}}"
        parts.append(f"## {_escaped(slide.title)}\n\n{body}\n\n::: {{.notes}}\n{notes}\n:::")
    return "\n\n".join(parts) + "\n"


def _marp(slides: Sequence[Slide], pictures: Sequence[str], dark: Inks | None) -> str:
    title = json.dumps(slides[0].title, ensure_ascii=False)
    colors = f'backgroundColor: "{dark.surface}"\ncolor: "{dark.text}"\n' if dark is not None else ""
    parts = [f"---\nmarp: true\ntitle: {title}\nsize: 16:9\npaginate: true\n{colors}style: |\n{_MARP_STYLE}\n---"]
    for number, (slide, picture) in enumerate(zip(slides, pictures, strict=True)):
        body = _body(slide)
        if slide.picture is not None:
            body = f"![{_escaped(_one_line(slide.picture.description))}]({picture})"
        opening = "<!-- _class: opening -->\n\n" if number == 0 else ""
        notes = "\n\n".join(slide.notes).replace("--", "- -")  # which ends a comment
        breaks = "\n\n---\n\n" if number else "\n\n"
        parts.append(f"{breaks}{opening}# {_escaped(slide.title)}\n\n{body}\n\n<!--\n{notes}\n-->")
    return "".join(parts) + "\n"


def _body(slide: Slide) -> str:
    """Return the code and the lines of a slide."""
    code = [f"```python\n{slide.code}\n```"] if slide.code else []
    return "\n\n".join([*code, *map(_escaped, slide.lines)])


def _escaped(text: str) -> str:
    """Return a text in which no letter means anything to Markdown or HTML; lines stay lines."""
    return "  \n".join(_SPECIAL.sub(r"\\\1", _one_line(line)) for line in text.split("\n"))


def _quoted(text: str) -> str:
    return '"' + _one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_line(text: str) -> str:
    return " ".join(text.split())


def picture_names(slides: Sequence[Slide], path: Path) -> list[str]:
    """Return for each slide the path of its picture from the file's folder; empty where it has none."""
    folder = f"{path.stem}_figures"
    names = []
    for slide in slides:
        if slide.picture is None:
            names.append("")
            continue
        page, pages = slide.picture.page
        names.append(f"{folder}/{slide.picture.figure.name}{f'-{page}' if pages > 1 else ''}.png")
    return names
