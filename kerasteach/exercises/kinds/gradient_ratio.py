"""Exercise: the ratio of two gradients, read off a logarithmic scale.

All points lie on lines of the scale, at whole powers of ten, so that a ratio can be read exactly; the answer may differ
by a twentieth.
"""

from __future__ import annotations

from itertools import accumulate

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds import figures
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Number, Picture, Question

LAYERS = (5, 6)
_MOST_POWERS = 7  # that the scale labels each
_SHARE = 0.05  # by which an answer may differ


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with two questions: the ratio of last and first layer, and that of two other layers."""
    count = draw.choice(LAYERS)
    steps = [draw.choice((-1, 1, 1, 2)) for _step in range(count - 1)]
    heights = list(accumulate(steps, initial=0))
    top = draw.choice((0, -1))
    powers = {depth: height - max(heights) + top for depth, height in enumerate(heights, start=1)}
    low, high = sorted(draw.shuffled(range(1, count + 1))[:2])
    norms = {depth: 10.0**power for depth, power in powers.items()}
    picture = Picture(
        lambda: figures.gradient_flow(norms),
        _("The norm of the gradient of each layer, on a logarithmic scale, against the layer's number."),
    )
    text = _("The figure shows the norm of the gradient of each layer of a network, averaged over the first epoch.")
    scale = _("The scale is logarithmic, and each point lies at a whole power of ten.")
    readable = max(heights) - min(heights) <= _MOST_POWERS and (low, high) != (1, count)
    questions = [_ratio(powers, 1, count, _, readable), _ratio(powers, low, high, _, readable)]
    given = (*norms.values(), low, high)
    return Exercise(given, _("The ratio of two gradients"), f"{text} {scale}", tuple(questions), picture)


def _ratio(powers: dict[int, int], low: int, high: int, _: Gettext, readable: bool) -> Question:
    power = powers[high] - powers[low]
    beside = next(depth for depth in (low + 1, low - 1, high + 1) if depth in powers and depth != high)
    other = powers[high] - powers[beside]
    wrong = [
        (_number(-power), _("This is the inverse, the smaller gradient as a share of the larger one.")),
        (Number(power, _SHARE), _("This is the power of ten. The ratio is ten to this power.")),
        (_number(other), _("This is the ratio to the gradient of layer {layer}.").format(layer=beside)),
    ]
    text = _("How many times larger is the gradient of layer {high} than that of layer {low}?")
    solution = rf"$$ 10^{{{powers[high]}}} / 10^{{{powers[low]}}} = 10^{{{power}}} $$"
    return Question(
        f"ratio {high}:{low}",
        text.format(high=high, low=low),
        _number(power) if readable and power > 0 else Number(0.0, 0.0),  # 0 is no clear answer
        tuple(Mistake(number, feedback) for number, feedback in wrong),
        solution,
    )


def _number(power: int) -> Number:
    return Number(10.0**power, _SHARE * 10.0**power)
