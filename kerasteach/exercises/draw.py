"""Random numbers of one student: drawn from the class's secret and the student's name, pleasant to calculate with."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Draw:
    """Random numbers that only the holder of the secret can draw again.

    They come from HMAC-SHA256 (RFC 2104) of the kind of exercise, the student and the attempt, with the secret as key:
    who knows some students' numbers can compute nobody else's.

    Args:
        secret: The class's secret.
        kind: The kind of exercise.
        student: The student.
        attempt: Which draw of this student, from 0; unclear numbers are drawn anew.

    Example:
        >>> from kerasteach.exercises.draw import Draw
        >>> draws = [Draw("secret", "forward", student, 0) for student in ("Ada", "Ada", "Bob")]
        >>> numbers = [draw.number(0.1, 2.0, 0.1) for draw in draws]
        >>> numbers[0] == numbers[1], numbers[0] == numbers[2]
        (True, False)
    """

    def __init__(self, secret: str, kind: str, student: str, attempt: int) -> None:
        message = "\0".join([kind, student, str(attempt)]).encode()
        self._random = Random(hmac.digest(secret.encode(), message, "sha256"))

    def choice(self, options: Sequence[Item]) -> Item:
        """Return one of the options."""
        return self._random.choice(options)

    def shuffled(self, options: Sequence[Item]) -> list[Item]:
        """Return the options in a random order."""
        return self._random.sample(options, len(options))

    def number(self, low: float, high: float, step: float) -> float:
        """Return a multiple of `step` from `low` to `high`, so with few decimals."""
        return round(self._random.randint(round(low / step), round(high / step)) * step, 10)

    def signed(self, low: float, high: float, step: float) -> float:
        """Return such a number, or its negative."""
        return self.choice((-1, 1)) * self.number(low, high, step)
