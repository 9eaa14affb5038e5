"""Exercise: how many units are dead, read off a figure of the shares of dead units."""

from __future__ import annotations

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds import figures
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Number, Picture, Question

LAYERS = 5
UNITS = (20, 40, 50, 60, 80)  # of which any multiple of a tenth is a whole number


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with two questions: the dead units of one layer, and those of the whole network."""
    shares = dict(enumerate(draw.shuffled([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8])[:LAYERS], start=1))
    units = {depth: draw.choice(UNITS) for depth in shares}
    asked = draw.choice(list(shares))
    picture = Picture(
        lambda: figures.dead_units(shares), _("The share of dead units of each layer, against the layer's number.")
    )
    text = _(
        "The figure shows, for each layer of a network with ReLU, the share of its units that are dead: they were "
        "0 for every example of an epoch. The layers have {units} units, from the first to the last."
    )
    listed = ", ".join(str(count) for count in units.values())
    questions = (_of_layer(shares, units, asked, _), _of_network(shares, units, _))
    given = (*shares.values(), *units.values(), asked)
    return Exercise(given, _("Dead units"), text.format(units=listed), questions, picture)


def _of_layer(shares: dict[int, float], units: dict[int, int], layer: int, _: Gettext) -> Question:
    neighbor = layer + 1 if layer < LAYERS else layer - 1
    dead, other = (round(shares[depth] * units[depth]) for depth in (layer, neighbor))
    wrong = [
        (units[layer] - dead, _("These are the units that are alive.")),
        (round(100 * shares[layer]), _("This is the percentage. The question is for the number of units.")),
        (units[layer], _("These are all units of the layer.")),
        (other, _("This is the number of another layer.")),
    ]
    solution = rf"$$ {shares[layer]:g} \cdot {units[layer]} = {dead} $$"
    text = _("How many units of layer {layer} are dead?").format(layer=layer)
    return Question(f"dead units of layer {layer}", text, Number(dead, 0.0), _mistakes(wrong), solution)


def _of_network(shares: dict[int, float], units: dict[int, int], _: Gettext) -> Question:
    dead = sum(round(shares[depth] * units[depth]) for depth in shares)
    total = sum(units.values())
    mean = _("This is the mean share times all units. The layers differ in size: count the dead units of each.")
    wrong = [
        (total - dead, _("These are the units that are alive.")),
        (total, _("These are all units of the network.")),
        (round(sum(shares.values()) / LAYERS * total), mean),
    ]
    terms = " + ".join(rf"{shares[depth]:g} \cdot {units[depth]}" for depth in shares)
    text = _("How many units of the whole network are dead?")
    return Question("dead units", text, Number(dead, 0.0), _mistakes(wrong), f"$$ {terms} = {dead} $$")


def _mistakes(wrong: list[tuple[int, str]]) -> tuple[Mistake, ...]:
    return tuple(Mistake(Number(number, 0.0), feedback) for number, feedback in wrong)
