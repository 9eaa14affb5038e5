"""Diagnosis of a training while it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from kerasteach.callbacks.activation_capture import ActivationCapture
from kerasteach.callbacks.gradient_capture import GradientCapture
from kerasteach.callbacks.own_capture import OwnCapture

from kerasteach.diagnosis import Findings, diagnose
from kerasteach.diagnosis.rules import identifier
from kerasteach.display import Displayed, View
from kerasteach.tables.history import history_table
from kerasteach.validation import flag, is_number, received, several, whole


class Diagnosis(Displayed, OwnCapture):
    """Say what is wrong with a training while it goes on, once for each finding, and stop it if you want.

    At the end of each epoch the rules of `kerasteach.diagnose` look at what was captured. Those that need a symptom,
    such as a loss that hardly falls, are asked after some epochs only: a training may begin slowly.

    Args:
        stop_on: The findings that end the training: identifiers or names, such as `("KT101", "no_gradient")`. Defaults
            to none.
        gradients: A `GradientCapture` that stands in front of it in the same list of callbacks. Defaults to `None`: one
            of its own, which records means over each epoch.
        activations: An `ActivationCapture` likewise, best with `every="epoch"`, to look for dead units.
            Defaults to `None`: these are not looked for.
        after: After how many epochs the rules that need a symptom are asked. Defaults to `5`.
        mute: Rules that are left out, likewise. Defaults to none.
        verbose: `1` to print each finding once, `0` for silence. Defaults to `1`.

    Attributes:
        capture: The capture whose gradients are looked at.
        findings: What the last diagnosis found: see `kerasteach.diagnose`. `None` before the first epoch has ended.

    Raises:
        TypeError: If a capture is none, or `after` is no number.
        ValueError: If there is no such rule, or `after` is below 2.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> x = np.array([[1.0, 2.0], [np.nan, 0.0]])
        >>> watch = kt.callbacks.Diagnosis(stop_on=["not_finite"])
        >>> history = model.fit(x, np.zeros(2), epochs=9, verbose=0, callbacks=[watch])
        not finite (KT101, error)
        ...
        >>> history.epoch
        [0]
    """

    def __init__(
        self,
        stop_on: Iterable[str] = (),
        gradients: GradientCapture | None = None,
        activations: ActivationCapture | None = None,
        *,
        after: int = 5,
        mute: Iterable[str] = (),
        verbose: int = 1,
    ) -> None:
        for argument, value, kind in (
            ("gradients", gradients, GradientCapture),
            ("activations", activations, ActivationCapture),
        ):
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"`{argument}` must be {kind.__name__} or None. {received(argument, value)}")
        super().__init__(gradients, ["norm", "update_ratio"])
        self._stop_on = {identifier("stop_on", name) for name in _names("stop_on", stop_on)}
        self._mute = {identifier("mute", name) for name in _names("mute", mute)}
        self._after, self._verbose = whole("after", after, least=2), flag("verbose", verbose)
        self._activations = activations
        self._begin()

    def _begin(self) -> None:
        self._metrics: dict[str, list[float]] = {}
        self._said: set[str] = set()
        self.findings: Findings | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """The table of the findings; empty where there is none."""
        return pd.DataFrame() if self.findings is None else self.findings.frame

    def _view(self) -> View:
        if self.findings is None:
            return View("Diagnosis: no epoch yet")
        return View(f"Diagnosis: {len(self.findings)} findings", self.frame, (".findings", ".frame"))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin anew."""
        self._begin()
        self._pass_on("on_train_begin", logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin an epoch."""
        self._pass_on("on_epoch_begin", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Have the capture make room."""
        self._pass_on("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Have the capture count the batch."""
        self._pass_on("on_train_batch_end", batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Diagnose what there is so far, and say what is new."""
        self._pass_on("on_epoch_end", epoch, logs)
        for name, value in (logs or {}).items():
            if not name.startswith("val_") and is_number(value):
                self._metrics.setdefault(name, []).append(float(value))
        self._diagnose(judged=len(self._metrics.get("loss", ())) >= self._after)
        if self.findings is not None and self._stop_on & set(self.findings.frame["rule"]):
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Diagnose the whole training."""
        self._pass_on("on_train_end", logs)
        self._diagnose(judged=True)

    def _diagnose(self, judged: bool) -> None:
        """Apply the rules, those that need a symptom only if it may be judged."""
        gradients = _ends(self.capture.frame)
        if gradients.empty:
            return
        activations = None if self._activations is None else _ends(self._activations.frame)
        history = history_table(self._metrics) if judged else None
        self.findings = diagnose(gradients, activations, history, mute=self._mute)
        new = [number for number, rule in enumerate(self.findings.frame["rule"]) if rule not in self._said]
        self._said |= set(self.findings.frame["rule"])
        if self._verbose:
            for number in new:
                print(self.findings.sentence(number), flush=True)  # noqa: T201  what `verbose` asks for


def _ends(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the first and the last epoch of a table, and what is not finite: what the rules look at."""
    ends = [frame["epoch"].min(), frame["epoch"].max()] if len(frame) else []
    return frame[frame["epoch"].isin(ends) | ~frame["finite"].astype(bool)]


def _names(argument: str, value: Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else several(argument, value, "identifiers of rules")
