"""Sentences and formulas that several kinds of exercises share."""

from __future__ import annotations

from collections.abc import Mapping

from kerasteach.exercises.question import Gettext
from kerasteach.exercises.rounding import DECIMALS

HALF, MEAN = "half_squared_error", "mean_squared_error"


def given(numbers: Mapping[str, float]) -> str:
    """Return given numbers as formulas.

    Example:
        >>> from kerasteach.exercises.kinds.wording import given
        >>> given({"x": 0.5, "w_1": -2.0})
        '$x = 0.5$, $w_1 = -2$'
    """
    return ", ".join(f"${symbol} = {value:g}$" for symbol, value in numbers.items())


def error_sentence(loss: str, _: Gettext, output: str = "a_2") -> str:
    """Return how the error of an example is defined."""
    if loss == HALF:
        formula = rf"$E = \frac12 (T - {output})^2$"
        return _("The error is half the squared error, {formula}.").format(formula=formula)
    return _("The error is the squared error, {formula}.").format(formula=f"$E = (T - {output})^2$")


def rounding_sentence(_: Gettext) -> str:
    """Return how to round."""
    sentence = _(
        "Carry intermediate results with at least {decimals} decimals, and give each answer with {decimals} decimals."
    )
    return sentence.format(decimals=DECIMALS)


def in_brackets(number: float) -> str:
    """Return a number for the right side of an operation, a negative one in brackets."""
    return f"({number:g})" if number < 0 else f"{number:g}"


def asked(symbol: str, _: Gettext) -> str:
    """Return the question for one quantity."""
    return _("What is {quantity}?").format(quantity=f"${symbol}$")


def after(variable: str, _: Gettext) -> str:
    """Return the symbol of a variable's new value."""
    word = _("new")
    return rf"{variable}^{{\mathrm{{{word}}}}}"


def equation(symbol: str, formula: str, value: float) -> str:
    """Return a displayed equation with its result."""
    return f"$$ {symbol} = {formula} = {rounded(value)} $$"


def rounded(value: float) -> str:
    """Return a number as the answers are rounded, without zeros at its end.

    Example:
        >>> from kerasteach.exercises.kinds.wording import rounded
        >>> rounded(0.057070), rounded(-3.0)
        ('0.0571', '-3')
    """
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def feedbacks(_: Gettext) -> dict[str, str]:
    """Return what to say of the mistakes in gradients and new weights, by the mistakes' names."""
    return {
        "updated_first": _(
            "You used the new $w_2$ in the gradient of the first layer. Compute all gradients with the old weights, "
            "and update afterwards."
        ),
        "no_slope": _("The activation's derivative $f'(z)$ is missing in the chain rule."),
        "no_slope_1": _("The derivative of the first neuron's activation, $f'(z_1)$, is missing in the chain rule."),
        "no_slope_2": _("The derivative of the second neuron's activation, $f'(z_2)$, is missing in the chain rule."),
        "sign": _("The sign is wrong: the derivative of the error by the output is $a - T$ times a positive factor."),
        "other_loss": _(
            "The factor of the error's derivative is wrong: half the squared error has $a - T$, the squared error has "
            "$2 (a - T)$."
        ),
        "no_input": _("The weight's input is missing: the gradient of a weight is $\\partial E/\\partial z$ times it."),
        "input": _("The gradient of a bias is $\\partial E/\\partial z$ itself, without the neuron's input."),
        "no_rate": _("The learning rate is missing in the update."),
        "ascent": _("The update goes uphill: subtract the learning rate times the gradient, do not add it."),
        "summed": _("You summed over the examples. The error of a batch is the mean over its examples."),
        "first": _("This is the gradient of the first example alone. The batch has two."),
    }
