"""Question for the new value of a weight or bias after a step of plain gradient descent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kerasteach.exercises.kinds.wording import after, equation, feedbacks, in_brackets
from kerasteach.exercises.question import Gettext, Mistake, Question
from kerasteach.exercises.rounding import answer


def new_value(
    variable: str, old: float, rate: float, right: np.ndarray, wrong: Mapping[str, np.ndarray], _: Gettext
) -> Question:
    """Ask for the value after the step.

    Args:
        variable: Its symbol, such as `"w_2"`.
        old: Its value before the step.
        rate: The learning rate.
        right: The gradient, exact and with each rounding, as `kerasteach.exercises.rounding.answer` takes it.
        wrong: The gradients of typical mistakes, by the names of their feedbacks.
        _: Translates a message.
    """
    said, symbol, gradient = feedbacks(_), after(variable, _), float(right[0])
    mistakes = [
        Mistake(answer(old - rate * gradients), said[name])
        for name, gradients in wrong.items()
        if name != "sign"  # which gives the same as the next one
    ]
    mistakes += [Mistake(answer(old + rate * right), said["ascent"]), Mistake(answer(old - right), said["no_rate"])]
    return Question(
        f"new {variable.replace('_', '')}",
        _("What is {quantity}, the new value after the step?").format(quantity=f"${symbol}$"),
        answer(old - rate * right),
        tuple(mistakes),
        equation(symbol, rf"{old:g} - {rate:g} \cdot {in_brackets(float(f'{gradient:.4g}'))}", old - rate * gradient),
    )
