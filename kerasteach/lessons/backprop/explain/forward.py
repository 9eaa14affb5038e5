"""The course's first two steps: the initial weights, and the forward pass to the error."""

from __future__ import annotations

from collections.abc import Sequence

from keras import ops

from kerasteach.lessons.backprop.explain.course_formulas import activated, error_of_example, probabilities
from kerasteach.lessons.backprop.explain.formulas import Formula, constant, product, quotient, symbol, total
from kerasteach.lessons.backprop.explain.sections import Section
from kerasteach.lessons.backprop.explain.symbols import Symbols
from kerasteach.lessons.backprop.step import Step


def initial_section(symbols: Symbols) -> Section:
    """Write the examples, their targets, and the weights."""
    _, step = symbols.gettext, symbols.step
    section = Section(_("1. Initialize"), _)
    for example in section.each(step.examples):
        for given in (*symbols.x(0, example), *symbols.targets(example)):
            section.equation(given)
    for number, layer in enumerate(step.layers):
        if layer.weights:
            section.sentence(_("Layer {depth}, {name}:").format(depth=layer.depth, name=layer.name))
        for weight in layer.weights:
            for place in weight.places():
                section.equation(symbols.weight(number, weight, place, weight.before))
    return section


def forward_section(symbols: Symbols) -> Section:
    """Write z and a of every unit, and the error."""
    _, step = symbols.gettext, symbols.step
    section = Section(_("2. Forward pass and error"), _)
    for example in section.each(step.examples):
        for number, layer in enumerate(step.layers):
            z, a = symbols.z(number, example), symbols.a(number, example)
            for unit in range(len(z) if layer.weights else 0):
                section.equation(z[unit], _weighted_sum(symbols, number, example, unit))
            for unit in range(0 if symbols.passes(number) else len(a)):
                section.equation(a[unit], *activated(layer.nonlinearity, z, unit, a[unit].value))
        if step.error.formula:
            outputs = probabilities(step.error.formula, symbols.a(len(step.layers) - 1, example))
            formula = error_of_example(step.error.formula, symbols.targets(example), outputs)
            section.equation(_errors(step)[example], formula)
    _add_total(section, symbols)
    return section


def _weighted_sum(symbols: Symbols, number: int, example: int, unit: int) -> Formula:
    """Return `z = w x + ... + b`."""
    terms: list[Formula] = []
    for weight in symbols.step.layers[number].weights:
        if weight.letter == "b":
            terms.append(symbols.weight(number, weight, (unit,), weight.before))
            continue
        for source, x in enumerate(symbols.x(number, example)):
            terms.append(product(symbols.weight(number, weight, (source, unit), weight.before), x))
    return total(*terms)


def _errors(step: Step) -> Sequence[Formula]:
    """Return the error of each example: E itself where there is nothing to add."""
    each = [] if step.error.each is None else ops.convert_to_numpy(step.error.each).tolist()
    if len(each) == 1 and not any(layer.penalty is not None for layer in step.layers):
        return [symbol("E", "E", step.total)]
    return [symbol(f"E({example})", f"E({example})", value) for example, value in enumerate(each)]


def _add_total(section: Section, symbols: Symbols) -> None:
    """Write the error of the batch: of its examples, with the penalties on weights."""
    _, step = symbols.gettext, symbols.step
    left, errors = symbol("E", "E", step.total), _errors(step)
    if not errors:
        section.equation(left, note=_("{loss} of the batch").format(loss=step.error.name))
        return
    terms = [quotient(total(*errors), constant(step.examples)) if step.mean else total(*errors)]
    for layer in step.layers:
        if layer.penalty is not None:
            terms.append(symbol(f"R{layer.depth}", f"R_{{{layer.depth}}}", layer.penalty))
    if len(errors) > 1 or len(terms) > 1:
        section.equation(left, total(*terms), note=_("R is what regularizers add") if len(terms) > 1 else "")
