"""The parts of an explanation: sections of sentences and equations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kerasteach.lessons.backprop.explain.formulas import Formula


@dataclass(frozen=True)
class Equation:
    """A line: `left = form = ... = numbers = value`.

    Attributes:
        left: What is found.
        forms: Formulas of it; the last one is also written with its numbers.
        note: What stands behind the line.
    """

    left: Formula
    forms: tuple[Formula, ...] = ()
    note: str = ""


@dataclass
class Section:
    """One of the four steps: a title, and sentences and equations."""

    title: str
    lines: list[str | Equation] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Add a sentence."""
        self.lines.append(sentence)

    def find(self, left: Formula, *forms: Formula, note: str = "") -> None:
        """Add an equation."""
        self.lines.append(Equation(left, forms, note))

    def each(self, examples: int) -> Iterator[int]:
        """Go through the examples of a batch; where there are several, name each."""
        for example in range(examples):
            if examples > 1:
                self.say(f"Example {example}:")
            yield example
