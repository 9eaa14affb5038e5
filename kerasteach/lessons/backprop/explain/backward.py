"""The course's third step: the error signals, the gradients, and the new weights."""

from __future__ import annotations

from kerasteach.lessons.backprop.explain.course_formulas import error_signal, probabilities, slope, softmax_back
from kerasteach.lessons.backprop.explain.formulas import (
    Formula,
    constant,
    difference,
    over_examples,
    product,
    quotient,
    total,
)
from kerasteach.lessons.backprop.explain.sections import Section
from kerasteach.lessons.backprop.explain.symbols import Symbols, gradient, penalty
from kerasteach.lessons.backprop.step import WeightStep


def backward_section(symbols: Symbols) -> Section:
    """Write the error signals and the gradients from the last layer to the first, then the new weights."""
    _, step = symbols.gettext, symbols.step
    section = Section(_("3. Backpropagate and update"), _)
    section.sentence(_("From the last layer to the first, with the old weights everywhere:"))
    for number in reversed(range(len(step.layers))):
        layer = step.layers[number]
        received = [weight for weight in layer.weights if weight.gradient is not None]
        if received or _has_signals(symbols, number):
            heading = _("Layer {depth}, {name}:") if layer.weights else "{name}:"
            section.sentence(heading.format(depth=layer.depth, name=layer.name))
        if _has_signals(symbols, number):
            for example in section.each(step.examples):
                _add_errors(section, symbols, number, example)
                _add_deltas(section, symbols, number, example)
        if step.examples > 1 and received:
            section.sentence(_("Summed over the examples:"))
        for weight in received:
            _add_gradients(section, symbols, number, weight)
    heading = _("New weights, by {optimizer} with the learning rate {rate}:")
    section.sentence(heading.format(optimizer=step.optimizer, rate=f"{step.learning_rate:.4g}"))
    for number, layer in enumerate(step.layers):
        for weight in layer.weights:
            _add_update(section, symbols, number, weight)
    return section


def _is_last(symbols: Symbols, number: int) -> bool:
    return number == len(symbols.step.layers) - 1


def _has_signals(symbols: Symbols, number: int) -> bool:
    """Return whether a layer has error signals that are not those of the next layer."""
    if _is_last(symbols, number) or symbols.step.layers[number + 1].weights:
        return True
    return not symbols.passes(number)


def _add_errors(section: Section, symbols: Symbols, number: int, example: int) -> None:
    """Write dE/da, from the loss or the next layer; an activation layer there has it already, as its dE/dz."""
    _, error = symbols.gettext, symbols.step.error
    for unit, left in enumerate(symbols.errors(number, example)):
        if not _is_last(symbols, number):
            if symbols.step.layers[number + 1].weights:
                section.equation(left, _from_next(symbols, number, example, unit))
        elif error.formula:
            section.equation(left, _at_output(symbols, example, unit))
        else:
            section.equation(left, note=_("{name}, by automatic differentiation").format(name=error.name))


def _at_output(symbols: Symbols, example: int, unit: int) -> Formula:
    error, outputs = symbols.step.error, symbols.a(len(symbols.step.layers) - 1, example)
    assert error.formula
    p = probabilities(error.formula, outputs)[unit]
    return error_signal(error.formula, symbols.targets(example)[unit], p, error.divisor)


def _from_next(symbols: Symbols, number: int, example: int, unit: int) -> Formula:
    """Return the sum of the next layer's error signals, each times its weight."""
    weight = symbols.step.layers[number + 1].weights[0]
    deltas = symbols.deltas(number + 1, example)
    return total(
        *(
            product(delta, symbols.weight(number + 1, weight, (unit, target), weight.before))
            for target, delta in enumerate(deltas)
        )
    )


def _add_deltas(section: Section, symbols: Symbols, number: int, example: int) -> None:
    """Write dE/dz, unless it is dE/da under the same name."""
    if symbols.passes(number):
        return
    _, layer = symbols.gettext, symbols.step.layers[number]
    errors, a = symbols.errors(number, example), symbols.a(number, example)
    for unit, left in enumerate(symbols.deltas(number, example)):
        if layer.nonlinearity.name == "softmax":
            forms = [softmax_back(errors, a, unit)]
        elif layer.slope is None:
            note = _("{name}, by automatic differentiation").format(name=layer.nonlinearity.name)
            section.equation(left, note=note)
            continue
        else:
            forms = [product(errors[unit], *_slope(symbols, number, example, unit))]
        if _is_last(symbols, number) and symbols.step.error.fused is not None:
            forms.append(_fused(symbols, example, unit))
        section.equation(left, *forms)


def _slope(symbols: Symbols, number: int, example: int, unit: int) -> list[Formula]:
    layer = symbols.step.layers[number]
    z, a = symbols.z(number, example)[unit], symbols.a(number, example)[unit]
    assert layer.slope is not None
    return slope(layer.nonlinearity, z, a, float(layer.slope[example, unit]))


def _fused(symbols: Symbols, example: int, unit: int) -> Formula:
    """Return `a - T`, divided: the derivative of cross-entropy by z."""
    a, target = symbols.a(len(symbols.step.layers) - 1, example)[unit], symbols.targets(example)[unit]
    return quotient(difference(a, target), constant(symbols.step.error.divisor))


def _add_gradients(section: Section, symbols: Symbols, number: int, weight: WeightStep) -> None:
    """Write dE/dW or dE/db; in a chain of single neurons as one product from the error to the weight."""
    assert weight.gradient is not None
    step, examples = symbols.step, range(symbols.step.examples)
    for place in weight.places():
        of = symbols.weight(number, weight, place, weight.before)
        if step.single:
            factors = [_chain_rule(symbols, number)]
        else:
            factors = [[symbols.deltas(number, example)[place[-1]]] for example in examples]
        if weight.letter == "W":
            for example in examples:
                factors[example].append(symbols.x(number, example)[place[0]])
        terms = [product(*factors[example]) for example in examples]
        form = over_examples(terms[0], terms, symbols.gettext)
        if weight.penalty is not None:
            form = total(penalty(of, float(weight.penalty[place])), form)
        section.equation(gradient(of, float(weight.gradient[place])), form)


def _chain_rule(symbols: Symbols, number: int) -> list[Formula]:
    """Return the factors of dE/dz in a chain of single neurons, from the error on."""
    if _is_last(symbols, number):
        if symbols.step.error.fused is not None:
            return [_fused(symbols, 0, 0)]
        return [_at_output(symbols, 0, 0), *_slope(symbols, number, 0, 0)]
    factors = _chain_rule(symbols, number + 1)
    for weight in symbols.step.layers[number + 1].weights[:1]:
        factors.append(symbols.weight(number + 1, weight, (0, 0), weight.before))
    return factors + _slope(symbols, number, 0, 0)


def _add_update(section: Section, symbols: Symbols, number: int, weight: WeightStep) -> None:
    """Write the new weight, as a formula where the rule is the plain one."""
    _, step = symbols.gettext, symbols.step
    if weight.gradient is None:
        frozen = _("{name} is frozen: its {letter} stays as it is.")
        section.sentence(frozen.format(name=step.layers[number].name, letter=weight.letter))
        return
    for place in weight.places():
        old = symbols.weight(number, weight, place, weight.before)
        left = symbols.new(old, float(weight.after[place]))
        if weight.plain:
            slope = gradient(old, float(weight.gradient[place]))
            section.equation(left, difference(old, product(symbols.rate(), slope)))
        else:
            section.equation(left, note=_("by {optimizer}'s rule").format(optimizer=step.optimizer))
