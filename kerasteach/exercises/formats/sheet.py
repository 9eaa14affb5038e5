"""One student's exercise on its way into a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kerasteach.exercises.question import Exercise

_LONGEST = 50  # characters of a student's name in the name of a file


@dataclass(frozen=True)
class Sheet:
    """A student's exercise.

    Attributes:
        student: The student.
        kind: The kind of exercise.
        exercise: The exercise.
    """

    student: str
    kind: str
    exercise: Exercise


def stems(sheets: Sequence[Sheet], solutions: bool) -> Iterable[tuple[Sheet, str]]:
    """Yield each sheet with the name of its file without an ending, all different.

    Example:
        >>> from kerasteach.exercises.formats.sheet import Sheet, stems
        >>> [stem for _, stem in stems([Sheet("Ada L.", "forward", None), Sheet("ada/l", "forward", None)], False)]
        ['forward-Ada-L', 'forward-ada-l-2']
    """
    taken: set[str] = set()
    for sheet in sheets:
        name = re.sub(r"[^\w-]+", "-", sheet.student).strip("-")[:_LONGEST] or "student"
        stem, number = name, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{name}-{number}"
        taken.add(stem.casefold())
        yield sheet, f"{sheet.kind}-{stem}{'-solutions' if solutions else ''}"


def decimal(number: float) -> str:
    """Return a number with ten significant digits, without a power of ten.

    Example:
        >>> from kerasteach.exercises.formats.sheet import decimal
        >>> decimal(0.00005), decimal(1200.0)
        ('0.00005', '1200')
    """
    return format(Decimal(f"{number:.10g}"), "f")
