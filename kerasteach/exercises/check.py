"""Check of an answer in a student's notebook, which holds no answer.

A question's code has, for the right answer and each typical mistake, a salted hash of the interval that it lies in:
numbers are divided into intervals as wide as two tolerances, so that all accepted numbers are one interval. Who wants
an answer from the code has to try the intervals one by one, each with thousands of rounds of SHA-256 (PBKDF2): for a
decimal number that is more work than the exercise, for a small whole number it is none. Nothing keeps anyone from
computing the exercise with kerasteach itself.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import math
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from kerasteach.exercises.question import Gettext, Number, Question
from kerasteach.validation import finite, received, text

_ITERATIONS = 10_000
_BYTES = 16  # of a hash
_EXACT = 1e-6  # half an interval of a whole number


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an answer.

    Attributes:
        correct: Whether it is right; `None` where there is no answer yet.
        feedback: A sentence for the student.
    """

    correct: bool | None
    feedback: str

    def __str__(self) -> str:
        return self.feedback

    def _repr_markdown_(self) -> str:
        mark = {True: "✅ ", False: "❌ ", None: ""}[self.correct]
        return f"{mark}{self.feedback}"


def check(code: str, answer: float | None) -> Verdict:
    """Check an answer in a notebook that `kerasteach.exercises` wrote.

    Args:
        code: The question's code, as the notebook has it.
        answer: The answer; `None` for none yet.

    Returns:
        Whether it is right, and what to say about it: of a typical mistake, what was probably done.

    Raises:
        TypeError: If `code` is no text or `answer` no number.
        ValueError: If `code` is none that a notebook has, or the answer is not finite.
    """
    content = _decoded(text("code", code))
    if answer is None:
        return Verdict(None, content["none"])
    given = finite("answer", answer)
    for number, (offset, width, digest, feedback) in enumerate(content["answers"]):
        if hmac.compare_digest(_hash(math.floor((given - offset) / width), content["salt"], number), digest):
            return Verdict(number == 0, feedback)
    return Verdict(False, content["other"])


def code_of(question: Question, salt: str, _: Gettext) -> str:
    """Return the code of a question, which `check` takes.

    Args:
        question: The question.
        salt: A text of its own for each question of each student.
        _: Translates.
    """
    numbers = [(question.answer, _("Right."))]
    numbers += [(mistake.answer, mistake.feedback) for mistake in question.mistakes]
    answers = [
        [*_interval(number)[:2], _hash(_interval(number)[2], salt, place), feedback]
        for place, (number, feedback) in enumerate(numbers)
    ]
    content = {
        "salt": salt,
        "answers": answers,
        "other": _("This is not right, and none of the typical mistakes."),
        "none": _("There is no answer yet: write it in the place of None."),
    }
    return urlsafe_b64encode(zlib.compress(json.dumps(content).encode(), 9)).decode()


def _interval(number: Number) -> tuple[float, float, int]:
    """Return where intervals begin, how wide they are, and the number of the one that holds the accepted numbers."""
    half = (number.tolerance or _EXACT) * (1 + 1e-9)
    offset = (number.value - half) % (2 * half)
    return offset, 2 * half, math.floor((number.value - offset) / (2 * half))


def _hash(interval: int, salt: str, place: int) -> str:
    salted = f"{salt}/{place}".encode()
    return hashlib.pbkdf2_hmac("sha256", str(interval).encode(), salted, _ITERATIONS, _BYTES).hex()


def _decoded(code: str) -> dict[str, Any]:
    try:
        content = json.loads(zlib.decompress(urlsafe_b64decode(code.encode())))
        if isinstance(content, dict) and {"salt", "answers", "other", "none"} <= content.keys():
            return content
    except (binascii.Error, ValueError, zlib.error):
        pass
    raise ValueError(f"`code` must be a question's code, as it stands in the notebook. {received('code', code)}")
