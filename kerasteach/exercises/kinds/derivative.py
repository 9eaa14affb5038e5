"""Exercise: the derivatives of activation functions at a point."""

from __future__ import annotations

import numpy as np

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds.neurons import slope, value
from kerasteach.exercises.kinds.wording import equation, rounding_sentence
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Question
from kerasteach.exercises.rounding import Carried, answer

SLOPE = 0.01  # of the course's leaky ReLU


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with the derivatives of sigmoid, tanh and leaky ReLU, each at a point of its own."""
    points = {
        "sigmoid": draw.signed(0.3, 3.0, 0.1),
        "tanh": draw.signed(0.2, 1.5, 0.1),
        "leaky_relu": draw.signed(0.5, 3.0, 0.1),
    }
    definitions = _("The functions are {sigmoid}, {tanh}, and leaky ReLU, which is {z} for positive {z}, else {slope}.")
    text = "\n\n".join(
        [
            definitions.format(
                sigmoid=r"$\mathrm{sigmoid}(z) = 1 / (1 + e^{-z})$",
                tanh=r"$\tanh(z) = (e^z - e^{-z}) / (e^z + e^{-z})$",
                z="$z$",
                slope=rf"${SLOPE:g} \cdot z$",
            ),
            rounding_sentence(_),
        ]
    )
    questions = tuple(_question(name, z, _) for name, z in points.items())
    return Exercise(tuple(points.values()), _("Derivatives of activation functions"), text, questions)


def _question(name: str, z: float, _: Gettext) -> Question:
    a = Carried()(value(name, np.array(z)))
    function = _("This is the function's value, not its derivative.")
    written = {"sigmoid": r"\mathrm{sigmoid}", "tanh": r"\tanh", "leaky_relu": r"\mathrm{leaky\ ReLU}"}[name]
    symbol = f"{written}'({z:g})"
    if name == "sigmoid":
        right, formula = a * (1 - a), rf"a (1 - a) = {a[0]:.4g} \cdot (1 - {a[0]:.4g})"
        wrong = [
            (a, function),
            (np.array(z * (1 - z)), _("The derivative is $a (1 - a)$ with $a$ the sigmoid of $z$, not $z (1 - z)$.")),
            (1 - a, _("The factor $a$ is missing: the derivative is $a (1 - a)$.")),
            (1 - a**2, _("This is the derivative of tanh. That of sigmoid is $a (1 - a)$.")),
        ]
    elif name == "tanh":
        right, formula = 1 - a**2, rf"1 - a^2 = 1 - ({a[0]:.4g})^2"
        wrong = [
            (a, function),
            (np.array(1 - z**2), _("The derivative is $1 - a^2$ with $a$ the tanh of $z$, not $1 - z^2$.")),
            (1 - a, _("The square is missing: the derivative is $1 - a^2$.")),
            (a * (1 - a), _("This is the derivative of sigmoid. That of tanh is $1 - a^2$.")),
        ]
    else:
        right, formula = slope(name, np.array(z)), r"1 \;(z > 0)" if z > 0 else rf"{SLOPE:g} \;(z < 0)"
        wrong = [
            (a, function),
            (np.array(SLOPE if z > 0 else 1.0), _("This is the slope on the other side of 0.")),
            (np.array(0.0), _("This is the derivative of ReLU for negative $z$. Leaky ReLU lets a part pass.")),
        ]
    exact = float(slope(name, np.array(z)))
    return Question(
        f"{name}'({z:g})",
        _("What is the derivative {quantity}?").format(quantity=f"${symbol}$"),
        answer(right),
        tuple(Mistake(answer(runs), feedback) for runs, feedback in wrong),
        equation(symbol, formula, exact),
    )
