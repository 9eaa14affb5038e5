"""Tables of one network, as the rules read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasteach.tables.error_signal import signal_rows

STUCK = 0.1  # of the loss of the first epoch: whose best loss fell by less has learned next to nothing
LEARNED = 0.5  # of the accuracy above chance: who has as much has no problem, however little its loss falls
RISEN = 1.5  # times the best loss so far: whose last loss is above has lost what it had learned
FORGOTTEN = 0.5  # of what the loss fell: likewise, so that noise around a low loss is no rise
FAR = 10.0  # times the loss of a guess: whose loss was above and which cannot tell the classes apart was thrown off
_FEWEST = 3  # epochs, before a loss is called stuck


class Evidence(NamedTuple):
    """What a rule found in one network.

    Attributes:
        layers: The layers that are concerned, from the input.
        epochs: The first and the last epoch that are concerned, as Keras numbers them.
        text: The evidence in a sentence, without a period at its end.
        value: The number that the rule looks at.
        threshold: The number from which on it speaks.
    """

    layers: tuple[str, ...]
    epochs: tuple[int, int]
    text: str
    value: float
    threshold: float


@dataclass(frozen=True)
class Network:
    """The tables of one network.

    Attributes:
        gradients: As `GradientCapture.frame`.
        activations: As `ActivationCapture.frame`; `None` where it was not captured.
        history: As `kerasteach.measure.history_table`; `None` where there is none.
    """

    gradients: pd.DataFrame | None
    activations: pd.DataFrame | None
    history: pd.DataFrame | None

    @cached_property
    def signal(self) -> pd.DataFrame:
        """The rows of the gradients that carry each layer's error signal; empty where there are no gradients."""
        return pd.DataFrame(columns=["depth"]) if self.gradients is None else signal_rows(self.gradients)

    def by_depth(self, epoch: int) -> pd.Series:
        """Return the mean norm of the error signal over an epoch's steps, by depth; not finite where a step was not."""
        rows = self.signal[self.signal["epoch"] == epoch]
        return (
            rows.groupby("depth")["norm"].mean()
            if rows["norm"].notna().all()
            else rows.groupby("depth")["norm"].apply(lambda norms: norms.mean(skipna=False))
        )

    @cached_property
    def epochs(self) -> list[int]:
        """The epochs whose gradients were captured."""
        return [] if self.gradients is None else sorted(int(epoch) for epoch in self.gradients["epoch"].unique())

    def layer(self, depth: int) -> str:
        """Return the name of the layer at a depth."""
        return str(self.signal.loc[self.signal["depth"] == depth, "layer"].iloc[0])

    def metric(self, name: str) -> pd.Series | None:
        """Return a metric by epoch, or `None` where the history has no such one."""
        if self.history is None:
            return None
        rows = self.history[self.history["metric"] == name]
        return rows.set_index("epoch")["value"].sort_index() if len(rows) else None

    @cached_property
    def classes(self) -> int:
        """The number of classes, that of the last layer's biases; one unit has two. 2 where it is unknown."""
        signal = self.signal
        if not len(signal) or "size" not in signal:
            return 2
        last = signal[signal["depth"] == signal["depth"].max()].iloc[0]
        return max(2, int(last["size"])) if last["parameter"] == "bias" else 2

    @property
    def accuracy(self) -> float | None:
        """The highest of the last epoch's accuracies in training; `None` where there is none."""
        if self.history is None:
            return None
        rows = self.history[[_is_accuracy(str(name)) for name in self.history["metric"]]]
        return float(rows.groupby("metric")["value"].last().max()) if len(rows) else None

    @cached_property
    def problem(self) -> str:
        """What the loss shows: `"diverged"`, `"risen"`, `"stuck"`, `"thrown off"`, or nothing where the network learns.

        A loss that reaches 0 or less, such as that of a cosine similarity, has no ratio that could be judged.
        """
        loss = self.metric("loss")
        if loss is None:
            return ""
        if not np.isfinite(loss).all():
            return "diverged"
        first, best, last = float(loss.iloc[0]), float(loss.min()), float(loss.iloc[-1])
        if best <= 0 or self._has_learned():
            return ""
        if last > RISEN * best and last - best > FORGOTTEN * (first - best):
            return "risen"
        if len(loss) >= _FEWEST and best > (1 - STUCK) * first:
            return "stuck"
        return "thrown off" if self.accuracy is not None and loss.max() > FAR * np.log(self.classes) else ""

    def _has_learned(self) -> bool:
        """Say whether the accuracy shows that the classes are told apart, better than by guessing."""
        chance = 1 / self.classes
        return self.accuracy is not None and self.accuracy - chance >= LEARNED * (1 - chance)

    @property
    def symptom(self) -> str:
        """The problem in words: what the loss did over the epochs."""
        loss = self.metric("loss")
        assert loss is not None
        first, count = float(loss.iloc[0]), f"{len(loss)} epoch{'s' if len(loss) > 1 else ''}"
        if self.problem == "diverged":
            return f"the loss is not finite from epoch {int(loss.index[~np.isfinite(loss)][0]) + 1} on"
        if self.problem == "risen":
            return f"the loss rose from {loss.min():.3g} to {loss.iloc[-1]:.3g}"
        if self.problem == "thrown off":
            return (
                f"the loss of epoch {int(loss.idxmax()) + 1} was {loss.max():.3g}, where a guess has "
                f"{np.log(self.classes):.3g}, and the accuracy ends at {self.accuracy:.2g}"
            )
        fall = max(0.0, 1 - float(loss.min()) / first) if first else 0.0
        return f"the loss fell by {100 * fall:.2g} % in {count}"


def _is_accuracy(name: str) -> bool:
    return not name.startswith("val_") and name.endswith(("accuracy", "acc"))
