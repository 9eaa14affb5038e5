"""The formulas of activation functions and losses, and of their derivatives, as the course writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kerasteach.lessons.backprop.batch_error import CLASS_LOGITS, CLASSES, HALF, SQUARES, YES_NO, YES_NO_LOGITS
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
    """Return a as a function of z: the function by its name, and where it has a short formula, that."""
    if nonlinearity.name == "softmax":
        powers = [_exp(one) for one in z]
        return [quotient(powers[unit], total(*powers))]
    if nonlinearity.name == "linear":
        return [z[unit]]
    named = function(nonlinearity.name, z[unit], a)
    return [named, quotient(ONE, total(ONE, _exp(negative(z[unit]))))] if nonlinearity.name == "sigmoid" else [named]


def slope(nonlinearity: Nonlinearity, z: Formula, a: Formula, value: float) -> list[Formula]:
    """Return the factors of da/dz, none of them where it is 1 everywhere.

    Args:
        nonlinearity: A function whose every output depends on one z alone.
        z: The pre-activation.
        a: The output.
        value: What the derivative is where it has no formula in a.
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
        product(error, beside(one, difference(constant(j == unit), a[unit])))
        for j, (error, one) in enumerate(zip(errors, a, strict=True))
    ]
    return total(*terms)


def probabilities(formula: str | None, a: Sequence[Formula]) -> list[Formula]:
    """Return the probabilities that the loss makes of outputs that are logits, and other outputs as they are."""
    if formula not in (CLASS_LOGITS, YES_NO_LOGITS):
        return list(a)
    name = "softmax" if formula == CLASS_LOGITS else "sigmoid"
    powers = [math.exp(one.value - max(other.value for other in a)) for one in a]
    found = []
    for one, power in zip(a, powers, strict=True):
        value = power / sum(powers) if formula == CLASS_LOGITS else 1 / (1 + _exp(negative(one)).value)
        # The place stands behind: softmax is of all outputs.
        base, bracket, place = one.write(Style()).partition("[")
        latex, _, _ = one.write(Style(latex=True)).partition("[")
        place = bracket + place
        found.append(symbol(f"{name}({base}){place}", rf"\mathrm{{{name}}}({latex}){place}", value))
    return found


def error_of_example(formula: str, t: Sequence[Formula], p: Sequence[Formula]) -> Formula:
    """Return the error of one example, of targets t and outputs (or their probabilities) p."""
    pairs = list(zip(t, p, strict=True))
    if formula in (HALF, SQUARES):
        squares = total(*(squared(difference(target, one)) for target, one in pairs))
        if formula == HALF:
            return beside(constant(0.5, "1/2", r"\frac{1}{2}"), squares)
        return quotient(squares, constant(len(pairs)))
    terms = [product(target, _ln(one)) for target, one in pairs]
    if formula in (YES_NO, YES_NO_LOGITS):
        for target, one in pairs:
            terms.append(product(difference(ONE, target), _ln(difference(ONE, one))))
        return quotient(negative(total(*terms)), constant(len(pairs)))
    return negative(total(*terms))


def error_signal(formula: str, t: Formula, p: Formula, divisor: int) -> Formula:
    """Return dE/da of one output."""
    by = constant(divisor)
    if formula == SQUARES:
        return quotient(beside(constant(2), difference(p, t)), by)
    if formula == CLASSES:
        return negative(quotient(t, p if divisor == 1 else product(by, p)))
    if formula == YES_NO:
        both = beside(p, difference(ONE, p))
        return quotient(difference(p, t), both if divisor == 1 else product(by, both))
    return quotient(difference(p, t), by)


def _ln(one: Formula) -> Formula:
    return function("ln", one, math.log(one.value) if one.value > 0 else -math.inf)


def _exp(one: Formula) -> Formula:
    return function("exp", one, math.exp(min(one.value, 700.0)))  # a Python float holds no more
