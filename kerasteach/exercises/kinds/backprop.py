"""Exercise: the four gradients of two neurons, and their new weights and biases."""

from __future__ import annotations

from dataclasses import astuple

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds.neurons import Neurons
from kerasteach.exercises.kinds.update import new_value
from kerasteach.exercises.kinds.wording import asked, equation, feedbacks, given
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Question
from kerasteach.exercises.rounding import answer

VARIABLES = ("w_2", "b_2", "w_1", "b_1")  # in the order of backpropagation


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with eight questions: each gradient, and each new weight and bias."""
    neurons = Neurons.drawn(draw)
    questions = [_gradient(neurons, variable, _) for variable in VARIABLES]
    questions += [_update(neurons, variable, _) for variable in VARIABLES]
    rate = _("The learning rate is {rate}.").format(rate=given({r"\eta": neurons.learning_rate}))
    text = f"{neurons.text(_)}\n\n{rate}"
    return Exercise(astuple(neurons), _("Backpropagation"), text, tuple(questions), worked=neurons.worked(language))


def _gradient(neurons: Neurons, variable: str, _: Gettext) -> Question:
    said, right = feedbacks(_), neurons.gradients()
    mistakes = [Mistake(answer(neurons.gradients(name)[variable]), said[name]) for name in _mistakes(neurons, variable)]
    bias = variable.replace("w", "b")
    source = neurons.x if variable.endswith("1") else neurons.forward["a_1"]
    if variable.startswith("w"):
        mistakes.append(Mistake(answer(right[bias]), said["no_input"]))
    else:
        mistakes.append(Mistake(answer(right[bias] * source), said["input"]))
    symbol = rf"\partial E/\partial {variable}"
    delta = rf"\partial E/\partial z_{variable[-1]}"
    formula = delta if variable.startswith("b") else rf"{delta} \cdot {'x' if variable == 'w_1' else 'a_1'}"
    return Question(
        f"dE/d{variable.replace('_', '')}",
        asked(symbol, _),
        answer(right[variable]),
        tuple(mistakes),
        equation(symbol, formula, float(right[variable][0])),
    )


def _mistakes(neurons: Neurons, variable: str) -> list[str]:
    """Return the mistakes that change the gradient of this variable."""
    second = ("updated_first", "no_slope_1")  # mistakes in the first neuron's gradient alone
    return [name for name in neurons.mistakes if variable.endswith("1") or name not in second]


def _update(neurons: Neurons, variable: str, _: Gettext) -> Question:
    wrong = {name: neurons.gradients(name)[variable] for name in _mistakes(neurons, variable)}
    right, rate = neurons.gradients()[variable], neurons.learning_rate
    return new_value(variable, getattr(neurons, variable), rate, right, wrong, _)
