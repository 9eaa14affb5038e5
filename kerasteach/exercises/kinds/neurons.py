"""Two neurons in series, in float64: forward pass, gradients and update, also with a typical mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds.wording import HALF, MEAN, error_sentence, given, rounding_sentence
from kerasteach.exercises.question import Gettext
from kerasteach.exercises.rounding import Carried

STRAIGHT = ("linear", "relu")  # functions whose derivative is 1 where a neuron is active


def value(activation: str, z: np.ndarray) -> np.ndarray:
    """Return an activation at float64 numbers."""
    from kerasteach import activations

    return np.asarray(activations.get(activation)(np.asarray(z, dtype="float64")))


def slope(activation: str, z: np.ndarray) -> np.ndarray:
    """Return an activation's derivative at float64 numbers."""
    from kerasteach import activations

    return np.asarray(activations.derivative(activation)(np.asarray(z, dtype="float64")))


@dataclass(frozen=True)
class Neurons:
    """Two neurons in series: `z_1 = w_1 x + b_1`, `a_1 = f_1(z_1)`, `z_2 = w_2 a_1 + b_2`, `a_2 = f_2(z_2)`."""

    x: float
    target: float
    w_1: float
    b_1: float
    w_2: float
    b_2: float
    f_1: str
    f_2: str
    loss: str
    learning_rate: float

    @classmethod
    def drawn(cls, draw: Draw) -> Neurons:
        """Draw a network, an example, a loss and a learning rate."""
        f_2 = draw.choice(("sigmoid", "tanh", "linear"))
        target = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}.get(f_2, (-2.0, -1.0, 1.0, 2.0))
        return cls(
            x=draw.signed(0.5, 2.0, 0.1),
            target=draw.choice(target),
            w_1=draw.signed(0.2, 1.5, 0.1),
            b_1=draw.signed(0.1, 1.0, 0.1),
            w_2=draw.signed(0.3, 1.5, 0.1),
            b_2=draw.signed(0.1, 1.0, 0.1),
            f_1=draw.choice(("sigmoid", "tanh", "relu")),
            f_2=f_2,
            loss=draw.choice((HALF, MEAN)),
            learning_rate=draw.choice((0.2, 0.4, 0.5)),
        )

    @cached_property
    def forward(self) -> dict[str, np.ndarray]:
        """The forward pass, and the derivatives of both activations, each `(runs,)`."""
        carried = Carried()
        z_1 = carried(self.w_1 * self.x + self.b_1)
        a_1 = carried(value(self.f_1, z_1))
        z_2 = carried(self.w_2 * a_1 + self.b_2)
        a_2 = carried(value(self.f_2, z_2))
        slopes = {"slope_1": carried(slope(self.f_1, z_1)), "slope_2": carried(slope(self.f_2, z_2))}
        return {"z_1": z_1, "a_1": a_1, "z_2": z_2, "a_2": a_2, **slopes}

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The mistakes that change a number of this network."""
        slopes = [f"no_slope_{i}" for i, name in ((1, self.f_1), (2, self.f_2)) if name not in STRAIGHT]
        return ("updated_first", *slopes, "sign", "other_loss")

    def gradients(self, mistake: str = "") -> dict[str, np.ndarray]:
        """Return the four gradients, each `(runs,)`, right or with a mistake."""
        passed = self.forward
        carried = Carried(len(passed))
        factor = 2.0 if (self.loss == MEAN) != (mistake == "other_loss") else 1.0
        error = factor * (passed["a_2"] - self.target) * (-1 if mistake == "sign" else 1)
        delta_2 = carried(error * (1 if mistake == "no_slope_2" else passed["slope_2"]))
        w_2_gradient = delta_2 * passed["a_1"]
        w_2 = self.w_2 - self.learning_rate * w_2_gradient if mistake == "updated_first" else self.w_2
        delta_1 = carried(delta_2 * w_2 * (1 if mistake == "no_slope_1" else passed["slope_1"]))
        return {"w_2": w_2_gradient, "b_2": delta_2, "w_1": delta_1 * self.x, "b_1": delta_1}

    def text(self, _: Gettext) -> str:
        """Return what is given."""
        layers = "$z_1 = w_1 x + b_1$, $a_1 = f_1(z_1)$, $z_2 = w_2 a_1 + b_2$, $a_2 = f_2(z_2)$"
        numbers = {"x": self.x, "T": self.target, "w_1": self.w_1, "b_1": self.b_1, "w_2": self.w_2, "b_2": self.b_2}
        functions = _("The activation functions are {first} for $f_1$ and {second} for $f_2$.")
        return "\n\n".join(
            [
                _("Two neurons in series: {layers}.").format(layers=layers),
                functions.format(first=self.f_1, second=self.f_2),
                _("Given are {numbers}.").format(numbers=given(numbers)),
                error_sentence(self.loss, _),
                rounding_sentence(_),
            ]
        )

    def worked(self, language: str, *, forward_only: bool = False) -> Callable[[], str]:
        """Return a function that explains the training step, or its forward pass alone."""
        chain = [(self.w_1, self.b_1, self.f_1), (self.w_2, self.b_2, self.f_2)]
        parts = 1 if forward_only else 2
        return lambda: explained(chain, [self.x], [self.target], self.loss, self.learning_rate, language, parts)


def explained(
    chain: list[tuple[float, float, str]],
    x: list[float],
    targets: list[float],
    loss: str,
    learning_rate: float,
    language: str,
    parts: int = 2,
) -> str:
    """Explain a training step of single neurons in series, in Markdown.

    Args:
        chain: Weight, bias and activation of each neuron.
        x: The input of each example.
        targets: The target of each example.
        loss: `"half_squared_error"` or `"mean_squared_error"`.
        learning_rate: The learning rate.
        language: The language.
        parts: `1` for the forward pass, `2` for backpropagation and update, too. Defaults to `2`.
    """
    text = traced(chain, x, targets, loss, learning_rate).explain("markdown", language=language)
    sections = re.split(r"^### \d\. ", text, flags=re.MULTILINE)[2 : 2 + parts]  # the first has the given numbers
    return "\n\n".join(f"### {section.strip()}" for section in sections)


def traced(
    chain: list[tuple[float, float, str]], x: list[float], targets: list[float], loss: str, learning_rate: float
) -> Any:
    """Trace a training step of single neurons in series, in float64."""
    import keras

    from kerasteach import layers, lessons, losses, optimizers

    constant = keras.initializers.Constant
    neurons = [
        layers.Dense(
            1,
            activation,
            kernel_initializer=constant(weight),
            bias_initializer=constant(bias),
            dtype="float64",
            name=f"neuron_{number}",
        )
        for number, (weight, bias, activation) in enumerate(chain, start=1)
    ]
    model = keras.Sequential([keras.Input((1,), dtype="float64"), *neurons])
    chosen = (
        losses.HalfSquaredError(dtype="float64") if loss == HALF else keras.losses.MeanSquaredError(dtype="float64")
    )
    model.compile(optimizer=optimizers.PlainSGD(learning_rate), loss=chosen)
    return lessons.trace_step(model, np.reshape(x, (-1, 1)), np.reshape(targets, (-1, 1)))
