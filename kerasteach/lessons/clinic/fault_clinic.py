"""`fault_clinic`: a network that does not learn, its figures, and six possible causes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasteach.diagnosis import Findings, diagnose
from kerasteach.diagnosis.network import Network
from kerasteach.display import Displayed, View
from kerasteach.lessons.clinic.case import CLASSES, EPOCHS, does_not_learn, train
from kerasteach.lessons.clinic.evidence import against
from kerasteach.lessons.clinic.faults import FAULTS
from kerasteach.validation import choice, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHANCE = 1 / CLASSES
_CHOICES = 6
_ATTEMPTS = 12


@dataclass(frozen=True)
class Marked:
    """A marked answer. It is true where the answer is right; `str` and `print` give the feedback.

    Attributes:
        right: Whether the answer is right.
        feedback: Why, with the numbers of the figures; for the right one also the diagnosis.
    """

    right: bool
    feedback: str

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        return f"{'Right' if self.right else 'Not this one'}. {self.feedback}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self)).replace(chr(10), '<br>')}</p>"


@dataclass(frozen=True, eq=False, repr=False)
class FaultClinic(Displayed):
    """A network that does not learn, and six possible causes.

    Attributes:
        seed: The number of the case.
        causes: The six causes, by letter: `{"a": "The learning rate is too low.", ...}`.
        answer: The letter of the right one.
        history: The table of its loss and accuracies, see `kerasteach.measure.history_table`.
        gradients: The table of its gradients, see `kerasteach.callbacks.GradientCapture`.
        activations: The table of its outputs, see `kerasteach.callbacks.ActivationCapture`.
        images: The first images of the training data, `(examples, 64)`, before they were standardized.
        labels: Their labels, `(examples,)`.
    """

    seed: int
    causes: dict[str, str]
    answer: str
    history: pd.DataFrame
    gradients: pd.DataFrame
    activations: pd.DataFrame
    images: np.ndarray
    labels: np.ndarray

    @property
    def frame(self) -> pd.DataFrame:
        """The table of loss and accuracies, `history`."""
        return self.history

    @cached_property
    def diagnosis(self) -> Findings:
        """What `kerasteach.diagnose` finds: part of the answer."""
        return diagnose(self.gradients, self.activations, self.history)

    def plot(self) -> Figure:
        """Draw what the cause can be read from; returns the figure.

        The figure has loss and accuracies by epoch, the gradient of each layer, the steps, the units that are 0 for
        every example, and some images with their labels.
        """
        from kerasteach.plotting.clinic_figure import clinic_figure

        return clinic_figure(self.history, self.gradients, self.activations, self.images, self.labels, chance=_CHANCE)

    def check(self, answer: str) -> Marked:
        """Mark an answer, and say why.

        Args:
            answer: The letter of a cause: `"b"`.

        Returns:
            Whether it is right, and why; for the right one with the diagnosis.

        Raises:
            TypeError: If it is no text.
            ValueError: If it is none of the six letters.
        """
        letter = choice("answer", answer.strip().lower() if isinstance(answer, str) else answer, self.causes)
        (name,) = (name for name, fault in FAULTS.items() if fault.cause == self.causes[letter])
        if letter == self.answer:
            return Marked(True, f"{FAULTS[name].explanation}\n\nThe diagnosis:\n{self.diagnosis}")
        return Marked(False, against(name, Network(self.gradients, self.activations, self.history)))

    def __repr__(self) -> str:
        causes = [f"  {letter}) {cause}" for letter, cause in self.causes.items()]
        return "\n".join([self._title(), self._case(), *causes, f"Next: {', '.join(self._calls())}"])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        causes = "".join(f"<li>{escape(cause)}</li>" for cause in self.causes.values())
        calls = ", ".join(f"<code>{escape(call)}</code>" for call in self._calls())
        return (
            f"<p><strong>{escape(self._title())}</strong></p>\n<p>{escape(self._case())}</p>\n"
            f'<ol type="a">{causes}</ol>\n<p>Next: {calls}</p>'
        )

    def _view(self) -> View:
        return View(self._title(), self.frame, self._calls())

    def _title(self) -> str:
        return f"Fault clinic, case {self.seed}: what is the cause?"

    def _case(self) -> str:
        layers = self.gradients["depth"].nunique() - 1
        score = float(self.history.loc[self.history["metric"] == "val_accuracy", "value"].iloc[-1])
        return (
            f"A network with {layers} hidden layers is to read digits, images of 8 by 8 pixels. After {EPOCHS} epochs "
            f"its accuracy on new images is {score:.2f}; a guess has {_CHANCE:.2f}. Look at the figures first."
        )

    def _calls(self) -> tuple[str, ...]:
        return (".plot()", '.check("a")')


def fault_clinic(seed: int = 0) -> FaultClinic:
    """Make a network that does not learn, and ask for the cause: six are named, one is right.

    Look at the figures (`.plot()`), choose, and have the answer marked (`.check("a")`): a wrong one gets the reason
    why it is wrong, the right one the diagnosis. Of seven faults (a vanishing gradient, dead units, a function without
    a slope, a learning rate too high or too low, a NaN in the data, shuffled labels) one is made; seven seeds in a row,
    from 0 on, have each of them once. The network is trained in some seconds.

    That it does not learn is checked: its accuracy on new images is less than a fifth of the way from a guess to 1, and
    the diagnosis is that of this fault and of no other. (A case that does not pass is drawn again.)

    Args:
        seed: The number of the case, which fixes the fault, the network and the order of the causes. Defaults to `0`.

    Returns:
        The case: `print` it, `plot()` it, `check` an answer.

    Raises:
        ValueError: If the seed is below 0.
        TypeError: If it is no whole number.
        RuntimeError: If no case comes about, as of a damaged installation.

    Example:
        >>> import kerasteach as kt
        >>> clinic = kt.lessons.fault_clinic(seed=3)
        >>> len(clinic.causes)
        6
        >>> bool(clinic.check(clinic.answer))
        True
    """
    seed = whole("seed", seed, 0)
    names = list(FAULTS)
    block, place = divmod(seed, len(names))
    name = names[int(np.random.default_rng([17, block]).permutation(len(names))[place])]
    draw = np.random.default_rng([19, seed])
    letters = _letters(name, draw)
    causes = {letter: FAULTS[fault].cause for letter, fault in letters.items()}
    answer = next(letter for letter, fault in letters.items() if fault == name)
    for _ in range(_ATTEMPTS):
        case = train(FAULTS[name], draw)
        if does_not_learn(case, FAULTS[name]):
            return FaultClinic(seed, causes, answer, *case)
    raise RuntimeError(f"No network with the fault {name!r} came about for the seed {seed}; take another seed.")


def _letters(name: str, draw: np.random.Generator) -> dict[str, str]:
    """Return six faults by letter, the one in question among them."""
    others = [other for other in FAULTS if other != name]
    chosen = [name, *draw.permutation(others)[: _CHOICES - 1]]
    return {letter: str(fault) for letter, fault in zip("abcdef", draw.permutation(chosen), strict=True)}
