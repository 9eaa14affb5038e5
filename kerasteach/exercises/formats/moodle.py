"""Moodle XML: a category for each student, with a numerical question for each question.

Reference:
    https://docs.moodle.org/en/Moodle_XML_format
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from xml.etree import ElementTree

from kerasteach.exercises import markup
from kerasteach.exercises.formats.sheet import Sheet, decimal
from kerasteach.exercises.question import Gettext, Number, Question

_PICTURE = "figure.png"
# Of every numerical question: no units, as Moodle writes it.
_OPTIONS = {"unitgradingtype": "0", "unitpenalty": "0.1", "showunits": "3", "unitsleft": "0"}
_COMMON = {"defaultgrade": "1", "penalty": "0.3333333", "hidden": "0", "idnumber": ""}


def files(sheets: Sequence[Sheet], solutions: bool, _: Gettext) -> dict[str, bytes]:
    """Return the file of a class."""
    quiz = ElementTree.Element("quiz")
    for sheet in sheets:
        _category(quiz, category(sheet))
        solution = markup.html(sheet.exercise.solution(_)) if solutions else ""
        picture = sheet.exercise.picture
        image = b64encode(picture.png).decode() if picture else ""
        for number, question in enumerate(sheet.exercise.questions, start=1):
            _question(quiz, sheet, number, question, solution, image, _)
    ElementTree.indent(quiz)
    stem = f"{sheets[0].kind}{'-solutions' if solutions else ''}"
    return {f"{stem}.xml": ElementTree.tostring(quiz, encoding="UTF-8", xml_declaration=True)}


def category(sheet: Sheet) -> str:
    """Return the path of a student's category; in a name, a slash is written twice."""
    title, student = (name.replace("/", "//") for name in (sheet.exercise.title, sheet.student))
    return f"$course$/top/{title}/{student}"


def question_text(sheet: Sheet, question: Question, source: str) -> str:
    """Return a question in HTML, with the whole exercise in front of it.

    Args:
        sheet: The student's exercise.
        question: The question.
        source: Where its figure is.
    """
    parts = [markup.html(sheet.exercise.text)]
    if sheet.exercise.picture:
        parts.append(f'<p><img src="{escape(source)}" alt="{escape(sheet.exercise.picture.description)}"></p>')
    return "\n".join([*parts, f"<p><strong>{markup.html_line(question.text)}</strong></p>"])


def _category(quiz: ElementTree.Element, path: str) -> None:
    element = ElementTree.SubElement(quiz, "question", type="category")
    _text(ElementTree.SubElement(element, "category"), path)
    _text(ElementTree.SubElement(element, "info", format="html"), "")
    ElementTree.SubElement(element, "idnumber")


def _question(
    quiz: ElementTree.Element, sheet: Sheet, number: int, question: Question, solution: str, image: str, _: Gettext
) -> None:
    element = ElementTree.SubElement(quiz, "question", type="numerical")
    _text(ElementTree.SubElement(element, "name"), f"{sheet.exercise.title} {number}: {question.name}")
    body = ElementTree.SubElement(element, "questiontext", format="html")
    _text(body, question_text(sheet, question, f"@@PLUGINFILE@@/{_PICTURE}"))
    if image:
        ElementTree.SubElement(body, "file", name=_PICTURE, path="/", encoding="base64").text = image
    _text(ElementTree.SubElement(element, "generalfeedback", format="html"), solution)
    for name, value in _COMMON.items():
        ElementTree.SubElement(element, name).text = value
    _answer(element, 100, question.answer, _("Right."))
    for mistake in question.mistakes:
        _answer(element, 0, mistake.answer, mistake.feedback)
    for name, value in _OPTIONS.items():
        ElementTree.SubElement(element, name).text = value


def _answer(question: ElementTree.Element, percent: int, number: Number, feedback: str) -> None:
    element = ElementTree.SubElement(question, "answer", fraction=str(percent), format="moodle_auto_format")
    _text(element, decimal(number.value))
    _text(ElementTree.SubElement(element, "feedback", format="html"), markup.html(feedback))
    ElementTree.SubElement(element, "tolerance").text = decimal(number.tolerance)


def _text(element: ElementTree.Element, content: str) -> None:
    ElementTree.SubElement(element, "text").text = content
