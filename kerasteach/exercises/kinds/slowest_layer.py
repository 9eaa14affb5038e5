"""Exercise: the layer that learns slowest, and the one that learns fastest, in a figure of the gradient flow."""

from __future__ import annotations

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds import figures
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Number, Picture, Question

LAYERS = (5, 6, 7)


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with the questions for the slowest and the fastest layer, neither of them at an end."""
    depths = range(1, draw.choice(LAYERS) + 1)
    slowest, fastest = draw.shuffled(depths[1:-1])[:2]
    powers = dict(zip(depths, draw.shuffled([-1.2, -1.5, -1.8, -2.1, -2.4, -2.7, -3.0]), strict=False))
    powers |= {slowest: -draw.number(3.6, 5.0, 0.2), fastest: -draw.number(0.0, 0.6, 0.2)}
    norms = {depth: 10**power for depth, power in powers.items()}
    picture = Picture(
        lambda: figures.gradient_flow(norms),
        _("The norm of the gradient of each layer, on a logarithmic scale, against the layer's number."),
    )
    text = _("The figure shows the norm of the gradient of each layer of a network, averaged over the first epoch.")
    questions = (
        _layer("slowest", _("Which layer learns slowest? Give its number."), slowest, fastest, len(depths), _),
        _layer("fastest", _("Which layer learns fastest? Give its number."), fastest, slowest, len(depths), _),
    )
    return Exercise(tuple(norms.values()), _("The layer that learns slowest"), text, questions, picture)


def _layer(name: str, text: str, right: int, opposite: int, last: int, _: Gettext) -> Question:
    wrong = {
        opposite: _(
            "This is the opposite: a weight changes by the learning rate times its gradient, so a small "
            "gradient means slow learning."
        ),
        1: _("The first layer is often, but not always, the slowest. Here the figure shows another one."),
        last: _("The last layer is often, but not always, the fastest. Here the figure shows another one."),
        right - 1 if right - 1 not in (1, opposite) else -1: _("Layers count from 1 at the input, and not from 0."),
    }
    if name == "slowest":
        solution = _("Layer {layer} has the smallest gradient, so its weights change least.")
    else:
        solution = _("Layer {layer} has the largest gradient, so its weights change most.")
    mistakes = tuple(Mistake(Number(layer, 0.0), feedback) for layer, feedback in wrong.items() if layer > 0)
    return Question(name, text, Number(right, 0.0), mistakes, solution.format(layer=right))
