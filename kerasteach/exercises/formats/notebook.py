"""Jupyter notebooks with cells that check the answers, one for each student.

Reference:
    https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from kerasteach.exercises import markup
from kerasteach.exercises.check import code_of
from kerasteach.exercises.formats.sheet import Sheet, stems
from kerasteach.exercises.question import Gettext

_PICTURE = "figure.png"


def files(sheets: Sequence[Sheet], solutions: bool, _: Gettext) -> dict[str, bytes]:
    """Return a notebook for each student."""
    return {f"{stem}.ipynb": _notebook(sheet, solutions, _) for sheet, stem in stems(sheets, solutions)}


def _notebook(sheet: Sheet, solutions: bool, _: Gettext) -> bytes:
    exercise = sheet.exercise
    salt = hashlib.sha256(f"{sheet.kind}/{sheet.student}/{exercise.given}".encode()).hexdigest()[:16]
    codes = {question.name: code_of(question, f"{salt}/{question.name}", _) for question in exercise.questions}
    cells = [_introduction(sheet), _code("\n".join(_setup(codes)), hidden=True)]
    for number, question in enumerate(exercise.questions, start=1):
        cells.append(_markdown(f"**{number}.** {question.text}"))
        cells.append(_code(f"answer = None\nkt.exercises.check(codes[{question.name!r}], answer)"))
    if solutions:
        title = _("Solution")
        cells.append(_markdown(f"## {title}\n\n{markup.markdown(exercise.solution(_))}"))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _introduction(sheet: Sheet) -> dict[str, Any]:
    exercise = sheet.exercise
    parts = [f"# {exercise.title}", markup.markdown_escaped(sheet.student), markup.markdown(exercise.text)]
    if not exercise.picture:
        return _markdown("\n\n".join(parts))
    description = markup.markdown_escaped(exercise.picture.description)
    cell = _markdown("\n\n".join([*parts, f"![{description}](attachment:{_PICTURE})"]))
    cell["attachments"] = {_PICTURE: {"image/png": b64encode(exercise.picture.png).decode()}}
    return cell


def _setup(codes: dict[str, str]) -> list[str]:
    return [
        "import kerasteach as kt",
        "",
        "codes = {",
        *(f"    {name!r}: {code!r}," for name, code in codes.items()),
        "}",
    ]


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str, *, hidden: bool = False) -> dict[str, Any]:
    metadata = {"jupyter": {"source_hidden": True}} if hidden else {}
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}
