"""Exercise: the gradient of one neuron for a batch of two examples."""

from __future__ import annotations

import numpy as np

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds.neurons import STRAIGHT, explained, slope, value
from kerasteach.exercises.kinds.update import new_value
from kerasteach.exercises.kinds.wording import (
    MEAN,
    asked,
    equation,
    error_sentence,
    feedbacks,
    given,
    in_brackets,
    rounding_sentence,
)
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Question
from kerasteach.exercises.rounding import Carried, answer

_LEAST = 0.05  # of a pre-activation


class _Neuron:
    """One neuron, `a = f(w x + b)`, with the mean squared error of two examples, in float64.

    Of half the squared error, the sum over two examples and the mean without the half would be the same number.
    """

    def __init__(self, draw: Draw) -> None:
        self.activation = draw.choice(("sigmoid", "tanh", "linear"))
        targets = (-1.0, 1.0) if self.activation == "tanh" else (0.0, 1.0)
        self.targets = [draw.choice(targets), draw.choice(targets)]
        self.w, self.b = draw.signed(0.2, 1.5, 0.1), draw.signed(0.1, 1.0, 0.1)
        self.x = [self._input(draw), self._input(draw)]
        self.learning_rate = draw.choice((0.2, 0.4, 0.5))
        carried = Carried()
        z = [carried(self.w * x + self.b) for x in self.x]
        self.a = [carried(value(self.activation, each)) for each in z]
        self.slopes = [carried(slope(self.activation, each)) for each in z]

    def _input(self, draw: Draw) -> float:
        """Draw an input whose pre-activation is not near 0, where a mistake may change nothing."""
        while True:
            x = draw.signed(0.3, 2.0, 0.1)
            if abs(self.w * x + self.b) > _LEAST:
                return x

    @property
    def key(self) -> tuple[object, ...]:
        return self.activation, *self.x, *self.targets, self.w, self.b, self.learning_rate

    def gradients(self, mistake: str = "") -> dict[str, np.ndarray]:
        """Return both gradients, each `(runs,)`, right or with a mistake."""
        carried = Carried(6)
        factor = {"other_loss": 1.0, "sign": -2.0}.get(mistake, 2.0)
        slopes = [np.ones(1), np.ones(1)] if mistake == "no_slope" else self.slopes
        deltas = [carried(factor * (a - t) * s) for a, t, s in zip(self.a, self.targets, slopes, strict=True)]
        terms = {"w": [delta * x for delta, x in zip(deltas, self.x, strict=True)], "b": deltas}
        examples = {"summed": 1, "first": 1}.get(mistake, 2)
        return {name: (both[0] if mistake == "first" else both[0] + both[1]) / examples for name, both in terms.items()}


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with four questions: both gradients, and the new weight and bias."""
    neuron = _Neuron(draw)
    questions = [_gradient(neuron, variable, _) for variable in ("w", "b")]
    questions += [_update(neuron, variable, _) for variable in ("w", "b")]
    chain = [(neuron.w, neuron.b, neuron.activation)]

    def worked() -> str:
        return explained(chain, neuron.x, neuron.targets, MEAN, neuron.learning_rate, language)

    return Exercise(neuron.key, _("Gradient of a batch"), _text(neuron, _), tuple(questions), worked=worked)


def _text(neuron: _Neuron, _: Gettext) -> str:
    numbers = given({"w": neuron.w, "b": neuron.b, r"\eta": neuron.learning_rate})
    first, second = (given({"x": x, "T": t}) for x, t in zip(neuron.x, neuron.targets, strict=True))
    layer = _("One neuron: {layer}, with the activation function {name}.")
    batch = _("A batch of two examples: {first} and {second}. The error of the batch is the mean over its examples.")
    return "\n\n".join(
        [
            layer.format(layer="$z = w x + b$, $a = f(z)$", name=neuron.activation),
            _("Given are {numbers}, where {rate} is the learning rate.").format(numbers=numbers, rate=r"$\eta$"),
            batch.format(first=first, second=second),
            error_sentence(MEAN, _, "a"),
            rounding_sentence(_),
        ]
    )


def _mistakes(neuron: _Neuron) -> list[str]:
    return ["summed", "first", *(["no_slope"] if neuron.activation not in STRAIGHT else []), "sign", "other_loss"]


def _gradient(neuron: _Neuron, variable: str, _: Gettext) -> Question:
    said, right = feedbacks(_), neuron.gradients()
    symbol = rf"\partial E/\partial {variable}"
    parts = [rf"{in_brackets(float(f'{float(runs[0]):.4g}'))}" for runs in _terms(neuron, variable)]
    return Question(
        f"dE/d{variable}",
        asked(symbol, _),
        answer(right[variable]),
        tuple(Mistake(answer(neuron.gradients(name)[variable]), said[name]) for name in _mistakes(neuron)),
        equation(symbol, rf"\tfrac12 ({' + '.join(parts)})", float(right[variable][0])),
    )


def _terms(neuron: _Neuron, variable: str) -> list[np.ndarray]:
    """Return the gradient of each example."""
    first, summed = (neuron.gradients(name)[variable] for name in ("first", "summed"))
    return [first, summed - first]


def _update(neuron: _Neuron, variable: str, _: Gettext) -> Question:
    wrong = {name: neuron.gradients(name)[variable] for name in _mistakes(neuron)}
    right, rate = neuron.gradients()[variable], neuron.learning_rate
    return new_value(variable, getattr(neuron, variable), rate, right, wrong, _)
