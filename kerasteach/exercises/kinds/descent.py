"""Exercise: gradient descent on a parabola, and the step after which its value is below a threshold."""

from __future__ import annotations

import numpy as np

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds.wording import asked, equation, given, in_brackets, rounding_sentence
from kerasteach.exercises.question import Exercise, Gettext, Mistake, Number, Question
from kerasteach.exercises.rounding import Carried, answer

THRESHOLD = 0.001
_CLOSE = 1.3  # the value at the threshold's step and the one before are this factor away from it
_FACTORS = (0.2, 0.4, 0.5, 0.6, 0.8, -0.2, -0.4, -0.5)  # of the distance to the minimum, a step
_MOST_STEPS = 60


class _Parabola:
    """`f(w) = c (w - m)^2`, whose steps multiply `w - m` by `1 - 2 c eta`."""

    def __init__(self, draw: Draw) -> None:
        self.c, self.minimum = draw.choice((0.5, 1.0, 2.0)), draw.signed(1.0, 5.0, 0.5)
        self.start = self.minimum + draw.signed(1.0, 4.0, 0.5)
        self.learning_rate = round((1 - draw.choice(_FACTORS)) / (2 * self.c), 10)

    @property
    def key(self) -> tuple[float, ...]:
        return self.c, self.minimum, self.start, self.learning_rate

    @property
    def formula(self) -> str:
        factor = "" if self.c == 1 else f"{self.c:g} "
        return f"{factor}(w {'-' if self.minimum > 0 else '+'} {abs(self.minimum):g})^2"

    def gradient(self, w: np.ndarray | float) -> np.ndarray | float:
        return 2 * self.c * (w - self.minimum)

    def after(self, w: np.ndarray | float) -> np.ndarray | float:
        return w - self.learning_rate * self.gradient(w)

    def values(self) -> np.ndarray:
        """Return f after each step, from the start."""
        w = [self.start]
        for _ in range(_MOST_STEPS):
            w.append(float(self.after(w[-1])))
        return self.c * (np.array(w) - self.minimum) ** 2


def exercise(draw: Draw, _: Gettext, language: str) -> Exercise:
    """Draw an exercise with four questions: a gradient, two steps, and when the value is below the threshold."""
    parabola = _Parabola(draw)
    text = "\n\n".join(
        [
            _("Gradient descent on {function}, with the start {start} and the learning rate {rate}.").format(
                function=f"$f(w) = {parabola.formula}$",
                start=given({"w_0": parabola.start}),
                rate=given({r"\eta": parabola.learning_rate}),
            ),
            rounding_sentence(_),
        ]
    )
    questions = (_gradient(parabola, _), *_steps(parabola, _), _count(parabola, _))
    return Exercise(parabola.key, _("Gradient descent"), text, questions)


def _gradient(parabola: _Parabola, _: Gettext) -> Question:
    right = parabola.gradient(parabola.start)
    mistakes = [
        (right / 2, _("The factor 2 is missing: the derivative of $(w - m)^2$ is $2 (w - m)$.")),
        (-right, _("The sign is wrong: the derivative of $(w - m)^2$ is $2 (w - m)$, and not $2 (m - w)$.")),
        (2 * parabola.c * parabola.start, _("The minimum is missing: the derivative of $(w - m)^2$ is $2 (w - m)$.")),
        (right * (parabola.start - parabola.minimum) / 2, _("This is the function's value, not its derivative.")),
    ]
    symbol = r"\frac{\mathrm{d}f}{\mathrm{d}w}(w_0)"
    formula = rf"2 \cdot {parabola.c:g} \cdot ({parabola.start:g} - {in_brackets(parabola.minimum)})"
    return Question(
        "df/dw(w0)", asked(symbol, _), answer(right), _mistakes(mistakes), equation(symbol, formula, float(right))
    )


def _mistakes(wrong: list[tuple[np.ndarray | float, str]]) -> tuple[Mistake, ...]:
    return tuple(Mistake(answer(runs), feedback) for runs, feedback in wrong)


def _steps(parabola: _Parabola, _: Gettext) -> list[Question]:
    carried, rate, start = Carried(), parabola.learning_rate, parabola.start
    slope = parabola.gradient(start)
    first = carried(parabola.after(start))
    second = parabola.after(first)
    uphill = _("This goes uphill: subtract the learning rate times the gradient, do not add it.")
    no_rate = _("The learning rate is missing in the step.")
    wrong = [
        [(start + rate * slope, uphill), (start - slope, no_rate)],
        [
            (first + rate * parabola.gradient(first), uphill),
            (first - parabola.gradient(first), no_rate),
            (first - rate * slope, _("Each step needs the gradient at the point that it starts from: here at $w_1$.")),
            (first, _("This is the point after one step. The question is for the point after two.")),
        ],
    ]
    questions = []
    for number, (before, right) in enumerate([(start, first), (first, second)], start=1):
        w, gradient = (float(np.atleast_1d(each)[0]) for each in (before, parabola.gradient(before)))
        symbol = f"w_{number}"
        formula = rf"{w:.6g} - {rate:g} \cdot {in_brackets(float(f'{gradient:.6g}'))}"
        value = float(np.atleast_1d(right)[0])
        questions.append(
            Question(
                f"w{number}",
                _("Where is the descent after step {number}: what is {quantity}?").format(
                    number=number, quantity=f"${symbol}$"
                ),
                answer(right),
                _mistakes(wrong[number - 1]),
                equation(symbol, formula, value),
            )
        )
    return questions


def _count(parabola: _Parabola, _: Gettext) -> Question:
    values = parabola.values()
    below = int(np.argmax(values < THRESHOLD))
    near = int(np.argmax(np.sqrt(values / parabola.c) < THRESHOLD))
    far = values[below] * _CLOSE < THRESHOLD < values[below - 1] / _CLOSE  # from the threshold, on both sides
    wrong = [
        (below - 1, _("After this step $f$ is still above the threshold.")),
        (below + 1, _("Count the steps, and not the points: the start is the point before step 1.")),
        (near, _("Compare $f(w)$ with the threshold, and not the distance to the minimum.")),
    ]
    shown = f"$f(w_{{{below - 1}}}) = {values[below - 1]:.3g}$", f"$f(w_{{{below}}}) = {values[below]:.3g}$"
    solution = _("Each step multiplies $w - m$ by {factor}, so that {before} and {after}.").format(
        factor=f"$1 - 2 c \\eta = {1 - 2 * parabola.c * parabola.learning_rate:g}$", before=shown[0], after=shown[1]
    )
    return Question(
        "steps",
        _("After which step is {quantity} below {threshold} for the first time? The first step is step 1.").format(
            quantity="$f(w)$", threshold=f"${THRESHOLD:g}$"
        ),
        Number(below if far else 0, 0.0),  # 0 is no clear answer
        tuple(Mistake(Number(number, 0.0), feedback) for number, feedback in wrong),
        solution,
    )
