"""Symbols of a step's numbers: z1, a1, w1 in a chain of single neurons, a1[0], W1[0,1] elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import TypeAlias

import numpy as np
from keras import ops

from kerasteach.lessons.backprop.explain.formulas import Formula, Style, symbol
from kerasteach.lessons.backprop.step import LayerStep, Step, WeightStep
from kerasteach.tables.training_step import symbol as name_of

Name: TypeAlias = tuple[str, int | None]  # a letter, and the depth of the layer


class Symbols:
    """The symbols of a step's numbers, with their values.

    An activation layer turns the z of the dense layer before it into a, if that has no nonlinearity of its own; a
    further one turns a into a'. Indices count from 0, as in the table, and are left out where there is only one unit.

    Args:
        step: The step.
        gettext: Translates the words among the symbols.

    Attributes:
        inputs: The name of each layer's input.
        pre_activations: The name of each layer's z.
        outputs: The name of each layer's a; that of its z where they are the same numbers, written once.
    """

    def __init__(self, step: Step, gettext: Callable[[str], str] = str) -> None:
        self.step, self.gettext = step, gettext
        self.inputs: list[Name] = []
        self.pre_activations: list[Name] = []
        self.outputs: list[Name] = []
        name: Name = ("x", None)
        for layer, after in zip_longest(step.layers, step.layers[1:]):
            self.inputs.append(name)
            z: Name = ("z", layer.depth) if layer.weights else name
            self.pre_activations.append(z)
            name = z if _passes(layer, after) else ("a", layer.depth)
            while name != z and name in self.outputs:
                name = (f"{name[0]}'", layer.depth)
            self.outputs.append(name)

    def x(self, number: int, example: int) -> list[Formula]:
        """Return the inputs of a layer for an example."""
        return _each(self.inputs[number], self.step.layers[number].x[example])

    def z(self, number: int, example: int) -> list[Formula]:
        """Return the pre-activations of a layer for an example."""
        return _each(self.pre_activations[number], self.step.layers[number].z[example])

    def a(self, number: int, example: int) -> list[Formula]:
        """Return the outputs of a layer for an example."""
        return _each(self.outputs[number], self.step.layers[number].a[example])

    def errors(self, number: int, example: int) -> list[Formula]:
        """Return dE/da of a layer for an example."""
        return [_by(a) for a in _each(self.outputs[number], self.step.layers[number].error[example])]

    def deltas(self, number: int, example: int) -> list[Formula]:
        """Return dE/dz of a layer for an example."""
        return [_by(z) for z in _each(self.pre_activations[number], self.step.layers[number].delta[example])]

    def targets(self, example: int) -> list[Formula]:
        """Return T for an example, if the loss has a formula."""
        targets = self.step.error.targets
        return [] if targets is None else _each(("T", None), ops.convert_to_numpy(targets)[example])

    def passes(self, number: int) -> bool:
        """Return whether a layer's a is its z, written once."""
        return self.outputs[number] == self.pre_activations[number]

    def weight(self, number: int, weight: WeightStep, place: tuple[int, ...], values: np.ndarray) -> Formula:
        """Return an entry of a layer's W or b, with its value out of `values`."""
        single = weight.before.size == 1
        letter = weight.letter.lower() if single else weight.letter
        depth = self.step.layers[number].depth
        return _symbol((letter, depth), () if single else place, float(values[place]))

    def new(self, of: Formula, value: float) -> Formula:
        """Return the new value of a weight."""
        _, (text, latex) = self.gettext, _written(of)
        mark = _("new")
        return symbol(_("new {weight}").format(weight=text), rf"{latex}^{{\mathrm{{{mark}}}}}", value)

    def rate(self) -> Formula:
        """Return the learning rate."""
        _ = self.gettext
        return symbol(_("learning_rate"), r"\eta", self.step.learning_rate)


def gradient(of: Formula, value: float) -> Formula:
    """Return dE/d(of)."""
    return _by(Formula(of.write, value))


def penalty(of: Formula, value: float) -> Formula:
    """Return dR/d(of), which a regularizer adds to the gradient."""
    text, latex = _written(of)
    return symbol(f"dR/d{text}", rf"\frac{{\partial R}}{{\partial {latex}}}", value)


def _passes(layer: LayerStep, after: LayerStep | None) -> bool:
    if layer.nonlinearity.name != "linear":
        return False
    return not layer.weights or (after is not None and not after.weights)


def _each(name: Name, values: np.ndarray) -> list[Formula]:
    return [_symbol(name, (unit,) if len(values) > 1 else (), float(value)) for unit, value in enumerate(values)]


def _symbol(name: Name, index: tuple[int, ...], value: float) -> Formula:
    return symbol(name_of(*name, index), name_of(*name, index, latex=True), value)


def _by(of: Formula) -> Formula:
    text, latex = _written(of)
    return symbol(f"dE/d{text}", rf"\frac{{\partial E}}{{\partial {latex}}}", of.value)


def _written(formula: Formula) -> tuple[str, str]:
    return formula.write(Style()), formula.write(Style(latex=True))
