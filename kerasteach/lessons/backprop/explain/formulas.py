r"""Formulas, written with symbols or numbers, as text or as LaTeX that MathJax, KaTeX and matplotlib can set."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SUM, PRODUCT, ATOM = range(3)  # operations by how tightly they bind


class Style(NamedTuple):
    """How a formula is written."""

    numbers: bool = False
    latex: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula."""

    write: Callable[[Style], str]
    value: float
    # how tightly its outermost operation binds, by style: a number may have a sign
    binds: Callable[[Style], int] = lambda _: ATOM

    def inside(self, style: Style, binds: int) -> str:
        """Write it as a part of an operation, in parentheses if that binds more tightly."""
        written = self.write(style)
        return f"({written})" if self.binds(style) < binds else written


def number(value: float, latex: bool = False) -> str:
    """Return a number with four significant digits."""
    written = f"{value + 0.0:.4g}"
    if not latex:
        return written
    if "e" in written:
        digits, power = written.split("e")
        return rf"{digits} \cdot 10^{{{int(power)}}}"
    return written.replace("inf", r"\infty").replace("nan", r"\mathrm{NaN}")


def symbol(text: str, latex: str, value: float) -> Formula:
    """Return a symbol that stands for a number."""

    def write(style: Style) -> str:
        if style.numbers:
            return number(value, style.latex)
        return latex if style.latex else text

    def binds(style: Style) -> int:
        if not style.numbers:
            return ATOM
        return SUM if value < 0 else PRODUCT if style.latex and "e" in number(value) else ATOM

    return Formula(write, float(value), binds)


def constant(value: float, text: str = "", latex: str = "") -> Formula:
    """Return a number that is written as such, or as a given fraction, in any style."""
    written = text or number(value), latex or text or number(value, latex=True)
    return Formula(lambda style: written[style.latex], float(value), lambda _: SUM if value < 0 else ATOM)


def total(*terms: Formula) -> Formula:
    """Return `a + b + ...`."""
    if len(terms) == 1:
        return terms[0]

    def write(style: Style) -> str:
        return " + ".join([terms[0].write(style), *(term.inside(style, PRODUCT) for term in terms[1:])])

    return Formula(write, sum(term.value for term in terms), lambda _: SUM)


def difference(left: Formula, right: Formula) -> Formula:
    """Return `a - b`."""

    def write(style: Style) -> str:
        return f"{left.write(style)} - {right.inside(style, PRODUCT)}"

    return Formula(write, left.value - right.value, lambda _: SUM)


def product(*factors: Formula) -> Formula:
    """Return `a * b * ...`."""
    return _factors(factors, " * ", r" \cdot ")


def beside(*factors: Formula) -> Formula:
    """Return a product without a sign, as in `a (1 - a)` or `1/2 (T - a)^2`."""
    return _factors(factors, " ", " ", atoms=True)


def _factors(factors: Sequence[Formula], text: str, latex: str, atoms: bool = False) -> Formula:
    if len(factors) == 1:
        return factors[0]

    def write(style: Style) -> str:
        sign, binds = latex if style.latex else text, ATOM if atoms else PRODUCT
        return sign.join(factor.inside(style, binds) for factor in factors)

    return Formula(write, math.prod((factor.value for factor in factors), start=1.0), lambda _: PRODUCT)


def quotient(top: Formula, bottom: Formula) -> Formula:
    """Return `a / b`; `a` alone where b is the number 1."""
    if bottom.write(Style(latex=True)) == "1":
        return top

    def write(style: Style) -> str:
        if style.latex:
            return rf"\frac{{{top.write(style)}}}{{{bottom.write(style)}}}"
        return f"{top.inside(style, PRODUCT)} / {bottom.inside(style, ATOM)}"

    value = top.value / bottom.value if bottom.value else float("nan")
    return Formula(write, value, lambda style: ATOM if style.latex else PRODUCT)


def squared(base: Formula) -> Formula:
    """Return `a^2`."""
    return Formula(lambda style: f"{base.inside(style, ATOM)}^2", base.value**2)


def negative(term: Formula) -> Formula:
    """Return `-a`."""
    return Formula(lambda style: f"-{term.inside(style, PRODUCT)}", -term.value, lambda _: SUM)


def function(name: str, argument: Formula, value: float) -> Formula:
    """Return `f(a)`."""

    def write(style: Style) -> str:
        written = argument.write(style)
        if not style.latex:
            return f"{name}({written})"
        known = name in ("exp", "ln", "tanh")
        return rf"\{name}({written})" if known else rf"\mathrm{{{name.replace('_', '~')}}}({written})"

    return Formula(write, value)


def over_examples(term: Formula, terms: Sequence[Formula], gettext: Callable[[str], str]) -> Formula:
    """Return a sum over the examples of the batch: one term in symbols, all of them in numbers."""
    if len(terms) == 1:
        return term
    _, everything = gettext, total(*terms)

    def write(style: Style) -> str:
        if style.numbers:
            return everything.write(style)
        written = term.inside(style, PRODUCT)
        if style.latex:
            examples = _("examples")
            return rf"\sum_{{\mathrm{{{examples}}}}} {written}"
        return _("sum over examples of {term}").format(term=written)

    return Formula(write, everything.value, lambda _: SUM)
