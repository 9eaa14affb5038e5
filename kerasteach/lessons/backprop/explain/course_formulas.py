"""Formulas of activation functions, losses and their derivatives, as the course writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kerasteach.lessons.backprop.batch_error import (
    BINARY,
    BINARY_LOGITS,
    CATEGORICAL,
    CATEGORICAL_LOGITS,
    HALF_SQUARED,
    MEAN_SQUARED,
)
from kerasteach.lessons.backprop.explain.formulas import (
    Formula,
    Style,
    beside,
    constant,
    difference,
    function,
    negative,
    product,
    quotient,
    squared,
    symbol,
    total,
)
from kerasteach.lessons.backprop.nonlinearity import Nonlinearity

ONE = constant(1)


def activated(nonlinearity: Nonlinearity, z: Sequence[Formula], unit: int, a: float) -> list[Formula]:
    """Return a as a function of z: its name, and its formula where that is short."""
    if nonlinearity.name == "softmax":
        powers = [_exp(score) for score in z]
        return [quotient(powers[unit], total(*powers))]
    if nonlinearity.name == "linear":
        return [z[unit]]
    named = function(nonlinearity.name, z[unit], a)
    return [named, quotient(ONE, total(ONE, _exp(negative(z[unit]))))] if nonlinearity.name == "sigmoid" else [named]


def slope(nonlinearity: Nonlinearity, z: Formula, a: Formula, value: float) -> list[Formula]:
    """Return the factors of da/dz, none of them where it is 1 everywhere.

    Args:
        nonlinearity: A function whose outputs each depend on their own z alone.
        z: The pre-activation.
        a: The output.
        value: The derivative, for a function that has no formula in a.
    """
    if nonlinearity.name == "linear":
        return []
    if nonlinearity.name == "sigmoid":
        return [beside(a, difference(ONE, a))]
    if nonlinearity.name == "tanh":
        return [difference(ONE, squared(a))]
    text = f"{nonlinearity.name}'({z.write(Style())})"
    latex = rf"\mathrm{{{nonlinearity.name.replace('_', '~')}}}'({z.write(Style(latex=True))})"
    return [symbol(text, latex, value)]


def softmax_back(errors: Sequence[Formula], a: Sequence[Formula], unit: int) -> Formula:
    """Return dE/dz of one unit before softmax: `sum_j dE/da_j * a_j (1 - a_i)` for j = i, `a_j (0 - a_i)` elsewhere."""
    terms = [
        product(error, beside(output, difference(constant(j == unit), a[unit])))
        for j, (error, output) in enumerate(zip(errors, a, strict=True))
    ]
    return total(*terms)


def probabilities(formula: str | None, a: Sequence[Formula]) -> list[Formula]:
    """Return the probabilities that the loss makes of outputs that are logits, and other outputs as they are."""
    if formula not in (CATEGORICAL_LOGITS, BINARY_LOGITS):
        return list(a)
    name = "softmax" if formula == CATEGORICAL_LOGITS else "sigmoid"
    powers = [math.exp(logit.value - max(other.value for other in a)) for logit in a]
    outputs = []
    for logit, power in zip(a, powers, strict=True):
        value = power / sum(powers) if formula == CATEGORICAL_LOGITS else 1 / (1 + _exp(negative(logit)).value)
        # The index comes last, because softmax is a function of all outputs.
        base, bracket, index = logit.write(Style()).partition("[")
        latex, _, _ = logit.write(Style(latex=True)).partition("[")
        index = bracket + index
        outputs.append(symbol(f"{name}({base}){index}", rf"\mathrm{{{name}}}({latex}){index}", value))
    return outputs


def error_of_example(formula: str, t: Sequence[Formula], p: Sequence[Formula]) -> Formula:
    """Return the error of one example, of targets t and outputs (or their probabilities) p."""
    pairs = list(zip(t, p, strict=True))
    if formula in (HALF_SQUARED, MEAN_SQUARED):
        squares = total(*(squared(difference(target, output)) for target, output in pairs))
        if formula == HALF_SQUARED:
            return beside(constant(0.5, "1/2", r"\frac{1}{2}"), squares)
        return quotient(squares, constant(len(pairs)))
    terms = [product(target, _ln(output)) for target, output in pairs]
    if formula in (BINARY, BINARY_LOGITS):
        terms += [product(difference(ONE, target), _ln(difference(ONE, output))) for target, output in pairs]
        return quotient(negative(total(*terms)), constant(len(pairs)))
    return negative(total(*terms))


def error_signal(formula: str, t: Formula, p: Formula, divisor: int) -> Formula:
    """Return dE/da of one output."""
    by = constant(divisor)
    if formula == MEAN_SQUARED:
        return quotient(beside(constant(2), difference(p, t)), by)
    if formula == CATEGORICAL:
        return negative(quotient(t, p if divisor == 1 else product(by, p)))
    if formula == BINARY:
        both = beside(p, difference(ONE, p))
        return quotient(difference(p, t), both if divisor == 1 else product(by, both))
    return quotient(difference(p, t), by)


def _ln(x: Formula) -> Formula:
    return function("ln", x, math.log(x.value) if x.value > 0 else -math.inf)


def _exp(x: Formula) -> Formula:
    return function("exp", x, math.exp(min(x.value, 700.0)))  # the largest that a Python float holds
