"""Explanation of a training step: the four steps of the course, each line with its numbers."""

from __future__ import annotations

from kerasteach.lessons.backprop.explain.backward import backward_section
from kerasteach.lessons.backprop.explain.forward import forward_section, initial_section
from kerasteach.lessons.backprop.explain.sections import Section
from kerasteach.lessons.backprop.explain.symbols import Symbols
from kerasteach.lessons.backprop.step import Step
from kerasteach.translation import SOURCE, translations

MOST_UNITS = 12
MOST_EXAMPLES = 4


def readable(step: Step) -> bool:
    """Return whether a step's explanation is short enough to read."""
    return step.units <= MOST_UNITS and step.examples <= MOST_EXAMPLES


def explained(step: Step, language: str = SOURCE) -> list[Section]:
    """Explain a step in the course's four steps.

    Args:
        step: The step.
        language: The language's code. Defaults to `"en"`.

    Raises:
        TypeError: If the language is no text.
        ValueError: If the network or the batch is too large to read, or there is no such language.
    """
    _ = translations("explain", language).gettext
    if not readable(step):
        raise ValueError(
            f"An explanation can be read for up to {MOST_UNITS} units, with inputs, and {MOST_EXAMPLES} examples. "
            f"The table, `frame`, has the numbers of any. Received: {step.units} units, {step.examples} examples."
        )
    symbols = Symbols(step, _)
    last = Section(_("4. Repeat"), _)
    ending = _(
        "With the new weights the error of this batch is {new}; it was {old}. "
        "Steps 2 and 3 are repeated until the epochs are over or the error is below a threshold."
    )
    last.sentence(ending.format(new=f"{step.next_error:.4g}", old=f"{step.total:.4g}"))
    return [initial_section(symbols), forward_section(symbols), backward_section(symbols), last]
