r"""GIFT, Moodle's text format: a category for each student, with a numerical question for each question.

Reference:
    https://docs.moodle.org/en/GIFT_format
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kerasteach.exercises import markup
from kerasteach.exercises.formats.moodle import category, question_text
from kerasteach.exercises.formats.sheet import Sheet, decimal, stems
from kerasteach.exercises.question import Gettext, Number, Question


def files(sheets: Sequence[Sheet], solutions: bool, _: Gettext) -> dict[str, bytes]:
    """Return the file of a class, and the figures of its exercises, which have to be uploaded beside it."""
    parts, pictures = [], {}
    for sheet, stem in stems(sheets, False):
        parts.append(f"$CATEGORY: {category(sheet)}")
        if sheet.exercise.picture:
            pictures[f"{stem}.png"] = sheet.exercise.picture.png
        solution = markup.html(sheet.exercise.solution(_)) if solutions else ""
        for number, question in enumerate(sheet.exercise.questions, start=1):
            text = question_text(sheet, question, f"{stem}.png")
            parts.append(_question(f"{sheet.exercise.title} {number}: {question.name}", text, question, solution, _))
    name = f"{sheets[0].kind}{'-solutions' if solutions else ''}.gift.txt"
    return {name: ("\n\n".join(parts) + "\n").encode(), **pictures}


def _question(name: str, text: str, question: Question, solution: str, _: Gettext) -> str:
    answers = [_answer(100, question.answer, _("Right."))]
    answers += [_answer(0, mistake.answer, mistake.feedback) for mistake in question.mistakes]
    general = [f"\t####{_escaped(solution)}"] if solution else []
    return "\n".join([f"::{_escaped(name)}::[html]{_escaped(text)}{{#", *answers, *general, "}"])


def _answer(percent: int, number: Number, feedback: str) -> str:
    return f"\t=%{percent}%{decimal(number.value)}:{decimal(number.tolerance)}#{_escaped(markup.html(feedback))}"


def _escaped(text: str) -> str:
    r"""Return a text with a backslash before each character that GIFT gives a meaning to, and `\n` for a new line."""
    return re.sub(r"([\\#=~{}:])", r"\\\1", text).replace("\n", r"\n")
