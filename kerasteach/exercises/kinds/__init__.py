"""Kinds of exercises, a module each; a new one is a module and its line in `KINDS`.

A module's `exercise(draw, _, language)` draws one exercise with its questions and their mistakes. Where the exercise is
not clear (an answer near 0, or two numbers that could be taken for each other) or another student has it, it is called
again with the student's next random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds import (
    backprop,
    batch,
    dead_units,
    derivative,
    descent,
    forward,
    gradient_ratio,
    slowest_layer,
)
from kerasteach.exercises.question import Exercise, Gettext

Kind: TypeAlias = Callable[[Draw, Gettext, str], Exercise]

KINDS: dict[str, Kind] = {
    "forward": forward.exercise,
    "backprop": backprop.exercise,
    "batch": batch.exercise,
    "descent": descent.exercise,
    "derivative": derivative.exercise,
    "slowest_layer": slowest_layer.exercise,
    "dead_units": dead_units.exercise,
    "gradient_ratio": gradient_ratio.exercise,
}
