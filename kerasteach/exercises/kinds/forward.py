"""Exercise: a forward pass through two neurons, and its error."""

from __future__ import annotations

import numpy as np

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds.neurons import STRAIGHT, Neurons, slope, value
from kerasteach.exercises.kinds.wording import MEAN, asked, equation, in_brackets
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Question
from kerasteach.exercises.rounding import answer

NAMES = {"z_1": "z1", "a_1": "a1", "z_2": "z2", "a_2": "a2", "E": "E"}


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with the questions z_1, a_1, z_2, a_2 and E."""
    neurons = Neurons.drawn(draw)
    wrong = {"z_1": _of_z_1(neurons, _), "z_2": _of_z_2(neurons, _), "E": _of_error(neurons, _)}
    wrong |= {f"a_{i}": _of_activation(neurons, i, _) for i in (1, 2)}
    right = {**neurons.forward, "E": _error(neurons)}
    formulas = _formulas(neurons)
    questions = tuple(
        Question(
            name,
            asked(symbol, _),
            answer(right[symbol]),
            tuple(Mistake(answer(runs), feedback) for runs, feedback in wrong[symbol]),
            equation(symbol, formulas[symbol], float(right[symbol][0])),
        )
        for symbol, name in NAMES.items()
    )
    return Exercise(
        _key(neurons), _("Forward pass"), neurons.text(_), questions, worked=neurons.worked(language, forward_only=True)
    )


def _key(neurons: Neurons) -> tuple[object, ...]:
    """Return the numbers that a forward pass depends on: not the learning rate."""
    chain = neurons.w_1, neurons.b_1, neurons.f_1, neurons.w_2, neurons.b_2, neurons.f_2
    return neurons.x, neurons.target, *chain, neurons.loss


def _error(neurons: Neurons) -> np.ndarray:
    squared = (neurons.target - neurons.forward["a_2"]) ** 2
    return squared if neurons.loss == MEAN else squared / 2


Wrong = list[tuple[np.ndarray, str]]  # the runs of a mistake, and its feedback


def _of_z_1(neurons: Neurons, _: Gettext) -> Wrong:
    product = np.array(neurons.w_1 * neurons.x)
    return [
        (product, _("The bias is missing: $z = w x + b$.")),
        (product - neurons.b_1, _("The sign of the bias is wrong: $z = w x + b$.")),
        (np.array(neurons.w_2 * neurons.x + neurons.b_1), _("This is with the weight of the other neuron.")),
    ]


def _of_z_2(neurons: Neurons, _: Gettext) -> Wrong:
    a_1, z_1 = neurons.forward["a_1"], neurons.forward["z_1"]
    wrong = [
        (neurons.w_2 * a_1, _("The bias is missing: $z = w x + b$.")),
        (neurons.w_2 * a_1 - neurons.b_2, _("The sign of the bias is wrong: $z = w x + b$.")),
        (neurons.w_2 * neurons.x + neurons.b_2, _("The second neuron's input is $a_1$, not $x$.")),
    ]
    if neurons.f_1 not in STRAIGHT:
        wrong.append((neurons.w_2 * z_1 + neurons.b_2, _("The second neuron's input is $a_1$, not $z_1$.")))
    return wrong


def _of_activation(neurons: Neurons, number: int, _: Gettext) -> Wrong:
    name, z = (neurons.f_1, neurons.f_2)[number - 1], neurons.forward[f"z_{number}"]
    if name in STRAIGHT:  # of an active ReLU as of a linear neuron, the output is z
        return [(value("sigmoid", z), _("This is the sigmoid of $z$. Look at the activation that is given."))]
    return [
        (z, _("The activation is missing: $a = f(z)$.")),
        (slope(name, z), _("This is the activation's derivative. The forward pass needs the function itself.")),
    ]


def _of_error(neurons: Neurons, _: Gettext) -> Wrong:
    difference = neurons.target - neurons.forward["a_2"]
    halved = neurons.loss != MEAN
    other = _("The factor 1/2 is missing in the error.") if halved else _("There is no factor 1/2 in this error.")
    return [
        (difference**2 if halved else difference**2 / 2, other),
        (difference, _("The difference $T - a_2$ is not squared yet.")),
        (-difference, _("The difference $T - a_2$ is not squared yet.")),
    ]


def _formulas(neurons: Neurons) -> dict[str, str]:
    """Return the formula of each quantity with its numbers."""
    n, passed = neurons, {name: f"{float(runs[0]):.4g}" for name, runs in neurons.forward.items()}
    half = "" if n.loss == MEAN else r"\tfrac12 "
    return {
        "z_1": rf"{n.w_1:g} \cdot {in_brackets(n.x)} + {in_brackets(n.b_1)}",
        "a_1": rf"\mathrm{{{n.f_1}}}({passed['z_1']})",
        "z_2": rf"{n.w_2:g} \cdot {in_brackets(float(n.forward['a_1'][0]))} + {in_brackets(n.b_2)}",
        "a_2": rf"\mathrm{{{n.f_2}}}({passed['z_2']})",
        "E": rf"{half}({n.target:g} - {in_brackets(float(n.forward['a_2'][0]))})^2",
    }
