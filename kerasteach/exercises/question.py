"""Dataclasses of an exercise: its text, its questions, their answers and the typical mistakes.

Texts are in a small part of Markdown, which every format can be written from: paragraphs and `### headings` with blank
lines between them, `$formulas$` in a line, and `$$ formulas $$` in lines of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, TypeAlias

Gettext: TypeAlias = Callable[[str], str]

_CLEAR = 10  # an answer is at least so many tolerances away from 0


@dataclass(frozen=True)
class Number:
    """An answer: a value, and how far from it a given answer may be."""

    value: float
    tolerance: float

    def accepts(self, given: float) -> bool:
        """Return whether a given number is this one."""
        return abs(given - self.value) <= self.tolerance * (1 + 1e-9)

    def overlaps(self, other: Number) -> bool:
        """Return whether some given number could be both."""
        return abs(self.value - other.value) <= self.tolerance + other.tolerance


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and what to say about it."""

    answer: Number
    feedback: str


@dataclass(frozen=True)
class Question:
    """One question of an exercise.

    Attributes:
        name: The asked quantity in plain text, as in the marking key.
        text: The question.
        answer: The right answer.
        mistakes: Typical wrong answers.
        solution: The answer's formula with its numbers.
    """

    name: str
    text: str
    answer: Number
    mistakes: tuple[Mistake, ...]
    solution: str

    @property
    def clear(self) -> bool:
        """Whether the answer is well away from 0, and no two of answer and mistakes can be taken for each other."""
        numbers = [self.answer, *(mistake.answer for mistake in self.mistakes)]
        if abs(self.answer.value) < max(_CLEAR * self.answer.tolerance, 1e-12):
            return False
        return not any(first.overlaps(second) for first, second in combinations(numbers, 2))


@dataclass(frozen=True)
class Picture:
    """A figure of an exercise.

    Attributes:
        draw: Draws it, as the bytes of a PNG file.
        description: What it shows, for those who cannot see it.
    """

    draw: Callable[[], bytes]
    description: str

    @cached_property
    def png(self) -> bytes:
        """The figure, drawn once, as the bytes of a PNG file."""
        return self.draw()


@dataclass(frozen=True)
class Exercise:
    """One student's exercise.

    Attributes:
        given: All numbers that were drawn: no two students have the same.
        title: The title.
        text: What is given.
        questions: The questions.
        picture: The figure that the questions are about. Defaults to `None`.
        worked: Returns the whole solution, step by step. Defaults to `None`: each question has its formula.
    """

    given: tuple[Any, ...]
    title: str
    text: str
    questions: tuple[Question, ...]
    picture: Picture | None = None
    worked: Callable[[], str] | None = None

    @property
    def clear(self) -> bool:
        """Whether all questions are clear."""
        return all(question.clear for question in self.questions)

    def solution(self, _: Gettext) -> str:
        """Return the solution: worked step by step where it can be, and each question's formula with its numbers."""
        answers, title = [question.solution for question in self.questions], _("Answers")
        return "\n\n".join([self.worked(), f"### {title}", *answers] if self.worked else answers)
