"""Exercises of a class: one for each student, no two alike."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from kerasteach.display import Displayed, View
from kerasteach.exercises.draw import Draw
from kerasteach.exercises.formats import FORMATS, Sheet
from kerasteach.exercises.kinds import KINDS
from kerasteach.exercises.question import Exercise, Gettext
from kerasteach.exercises.students import names_of
from kerasteach.storage.files import write_atomically
from kerasteach.translation import translations
from kerasteach.validation import choice, flag, path, received, text

_MOST_ATTEMPTS = 2000  # for numbers that are clear and no other student's
_LEAST_SECRET = 8  # characters


def names() -> tuple[str, ...]:
    """Return the kinds of exercises.

    Example:
        >>> import kerasteach as kt
        >>> kt.exercises.names()[:3]
        ('forward', 'backprop', 'batch')
    """
    return tuple(KINDS)


class Exercises(Displayed):
    """Exercises of a class, a student each; `make` returns them.

    Attributes:
        kind: The kind of exercise.
        language: The language of the texts.
    """

    def __init__(self, kind: str, language: str, by_student: dict[str, Exercise]) -> None:
        self.kind, self.language, self._by_student = kind, language, by_student

    @property
    def students(self) -> tuple[str, ...]:
        """The students, in the order of the list."""
        return tuple(self._by_student)

    @property
    def frame(self) -> pd.DataFrame:
        """The marking key: a row a question, with `student, question, answer, tolerance`.

        An answer is right if it differs from `answer` by at most `tolerance`.
        """
        rows = [
            (student, question.name, question.answer.value, question.answer.tolerance)
            for student, exercise in self._by_student.items()
            for question in exercise.questions
        ]
        return pd.DataFrame(rows, columns=["student", "question", "answer", "tolerance"])

    def save(
        self,
        directory: str | Path,
        format: Literal["moodle", "gift", "notebook", "markdown", "latex", "pdf"] = "moodle",  # noqa: A002
        *,
        solutions: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write the exercises, and the marking key as CSV; all files, or none if one cannot be made.

        Args:
            directory: The folder; made if it is not there.
            format: `"moodle"` (Moodle XML) or `"gift"`, one file for the class; `"notebook"` (a Jupyter notebook with
                cells that check the answers), `"markdown"`, `"latex"` or `"pdf"` (where pdflatex is installed), one
                file a student. Defaults to `"moodle"`.
            solutions: Whether to write the solutions, too. Defaults to `False`.
            overwrite: Whether existing files may be replaced. Defaults to `False`.

        Returns:
            The path of each file; the last is the marking key.

        Raises:
            TypeError: If an argument is of another kind.
            ValueError: If there is no such format.
            FileExistsError: If a file exists and `overwrite` is false.
            RuntimeError: If a PDF cannot be made.
        """
        folder, solutions, overwrite = (
            path("directory", directory),
            flag("solutions", solutions),
            flag("overwrite", overwrite),
        )
        write = FORMATS[choice("format", format, FORMATS)]
        _ = translations("exercises", self.language).gettext
        files = write([Sheet(student, self.kind, each) for student, each in self._by_student.items()], solutions, _)
        files[f"{self.kind}-key.csv"] = self.frame.to_csv(index=False).encode()
        existing = [folder / name for name in files if (folder / name).exists()]
        if existing and not overwrite:
            raise FileExistsError(f"The file exists; `overwrite=True` replaces it. Received: {existing[0]}.")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, lambda temporary, content=content: temporary.write_bytes(content))
        return [folder / name for name in files]

    def _view(self) -> View:
        title = f"Exercises: {self.kind}, students: {len(self.students)}, in {self.language}"
        return View(title, self.frame, (".save()", ".frame"))


def make(
    kind: str,
    students: Iterable[str] | str | Path,
    secret: str,
    *,
    column: str | None = None,
    language: str = "en",
) -> Exercises:
    """Make an exercise for each student of a class, with other numbers for each.

    A student's numbers come from the secret and the name alone, so the same call gives the same exercises again. Who
    does not know the secret can compute nobody else's. Numbers have few decimals; they are drawn anew where an answer
    would be near 0, where a typical mistake could be taken for the answer or for another mistake, and where another
    student of the list, one that stands before, has the same.

    The answers are computed in float64. Their tolerance follows from rounding
    (`kerasteach.exercises.rounding`): intermediate results may be carried with four decimals.

    Args:
        kind: One of `names()`: `"forward"` and `"backprop"`, two neurons in series; `"batch"`, one neuron and two
            examples; `"descent"`, gradient descent on a parabola; `"derivative"`, of activation functions; and, with a
            figure to read, `"slowest_layer"`, `"dead_units"` and `"gradient_ratio"`.
        students: The students' names; or a text file with a student a line, fields separated by semicolons, tabs or
            commas, with or without a header line, in any usual encoding.
        secret: A text of at least 8 characters that only the lecturer knows.
        column: The file's column that names the students. Defaults to `None`, the first one.
        language: The language of the texts, `"en"` or `"de"`. Defaults to `"en"`.

    Returns:
        The exercises, with their marking key `frame`; `save` writes them.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If there is no such kind, language or column, no student or one twice, or the secret is too short.
        FileNotFoundError: If there is no such file.
        RuntimeError: If there are more students than different exercises of a kind.

    Example:
        >>> import kerasteach as kt
        >>> exercises = kt.exercises.make("descent", ["Ada", "Bob"], secret="autumn term 26")
        >>> exercises.frame["question"].unique().tolist()
        ['df/dw(w0)', 'w1', 'w2', 'steps']
    """
    choice("kind", kind, KINDS)
    _ = translations("exercises", language).gettext
    if len(text("secret", secret)) < _LEAST_SECRET:
        raise ValueError(
            f"`secret` must have at least {_LEAST_SECRET} characters. Received: a text of {len(secret)} characters."
        )
    seen: set[tuple[Any, ...]] = set()
    made: dict[str, Exercise] = {}
    for student in names_of(students, column):
        made[student] = _different(kind, student, secret, seen, _, language)
        seen.add(made[student].given)
    return Exercises(kind, language, made)


def _different(kind: str, student: str, secret: str, seen: set[tuple[Any, ...]], _: Gettext, language: str) -> Exercise:
    """Return the first clear exercise that nobody has."""
    for attempt in count():
        if attempt == _MOST_ATTEMPTS:
            break
        exercise = KINDS[kind](Draw(secret, kind, student, attempt), _, language)
        if exercise.clear and exercise.given not in seen:
            return exercise
    raise RuntimeError(
        "There are not enough different exercises of this kind for so many students. "
        f"{received('kind', kind)} {len(seen)} students have one."
    )
