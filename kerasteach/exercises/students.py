"""Lists of students: names, or a text file of any usual form."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import Any

from kerasteach import validation
from kerasteach.datasets.tables import shortened
from kerasteach.datasets.text_file import read_text
from kerasteach.validation import did_you_mean, received, several

_SEPARATORS = (";", "\t", ",")
# First fields of a header line, in English and German. Any other first line is a student's.
_HEADINGS = {
    *("student", "students", "name", "id", "id number", "student id", "student number", "username", "user", "login"),
    *("email", "e-mail", "email address", "first name", "firstname", "last name", "lastname", "surname", "full name"),
    *("studierende", "studierender", "teilnehmer", "teilnehmende", "matrikelnummer", "matrikel-nr.", "matrikel", "nr."),
    *("kennung", "benutzername", "anmeldename", "e-mail-adresse", "vorname", "nachname", "familienname"),
    *("vollständiger name", "id-nummer", "no.", "number", "nummer"),
}


def names_of(students: Any, column: str | None = None) -> list[str]:
    """Return the students' names, each once.

    Args:
        students: Names, or the path of a text file: one student a line, fields separated by semicolons, tabs or commas,
            with or without a header line.
        column: The file's column that names the students. Defaults to `None`, its first column.

    Raises:
        TypeError: If it is neither, or a name is no text.
        ValueError: If there is no student, one stands twice or has no name, or the file has no such column.
        FileNotFoundError: If there is no such file.

    Example:
        >>> from kerasteach.exercises.students import names_of
        >>> names_of(["Ada", " Bob "])
        ['Ada', 'Bob']
    """
    if column is not None and not isinstance(column, str):
        raise TypeError(f"`column` must be the name of a column. {received('column', column)}")
    if isinstance(students, (str, PathLike)):
        names = _from_file(validation.path("students", students), column)
    elif hasattr(students, "columns"):
        raise TypeError(f"`students` must be names: of a table, one of its columns. {received('students', students)}")
    elif column is not None:
        raise ValueError(f"`column` belongs to a file of students. {received('column', column)}")
    else:
        names = several("students", students, "names, or the path of a file")
    return _checked(names)


def _checked(names: Iterable[Any]) -> list[str]:
    known: dict[str, str] = {}
    twice: list[str] = []
    for given in names:
        if not isinstance(given, str):
            raise TypeError(f"`students` must be names, as text. {received('students', given)}")
        name = unicodedata.normalize("NFC", " ".join(given.split()))
        if not name or not name.isprintable():
            raise ValueError(f"`students` must have a name each. {received('students', given)}")
        if name.casefold() in known:
            twice.append(name)
        known.setdefault(name.casefold(), name)
    if twice:
        raise ValueError(
            "`students` must have each name once; of a file, `column` names one whose entries differ, such as the "
            f"student number. Received: twice {shortened(dict.fromkeys(twice), 6)}."
        )
    if not known:
        raise ValueError("`students` must have a student. Received: none.")
    return list(known.values())


def _from_file(path: Path, column: str | None) -> list[str]:
    rows = list(_rows(read_text(path, argument="students")))
    if not rows:
        raise ValueError(f"`students` must have a student. Received: none in {path.name}.")
    header = rows[0]
    if column is not None:
        by_name = {name.casefold(): place for place, name in enumerate(header)}
        if column.strip().casefold() not in by_name:
            raise ValueError(
                f"`column` must be one of {path.name}: {shortened(header, 12)}. "
                f"{received('column', column)}{did_you_mean(column, header)}"
            )
        place = by_name[column.strip().casefold()]
        return [row[place] if place < len(row) else "" for row in rows[1:]]
    return [row[0] for row in (rows[1:] if header[0].casefold() in _HEADINGS else rows)]


def _rows(content: str) -> Iterable[list[str]]:
    """Yield the fields of each line that is not blank."""
    first = content.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)  # of several the first; without any, one field
    for row in csv.reader(StringIO(content), delimiter=separator, skipinitialspace=True):
        fields = [field.strip() for field in row]
        if any(fields):
            yield fields
