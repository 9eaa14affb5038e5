"""Snapshots of all weights, at the start of a training and then after epochs or steps."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from kerasteach.display import Displayed, View
from kerasteach.measure.parameters import without_model
from kerasteach.measure.recording.recording import Every, checked_every
from kerasteach.tables.names import distinct

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class WeightSnapshots(Displayed, keras.callbacks.Callback):
    """Keep all weights as they are at the start of a training, and after each epoch or every n-th step.

    This is the trajectory that `kerasteach.loss_surface` draws. All snapshots stay in memory: 25 of a network with a
    million weights take 100 MB. Each `fit` starts afresh. A model that is built only by its first batch has no weights
    at the start, so that the first snapshot is missing: a warning says so.

    Args:
        every: `"epoch"`, or a number of steps, of which the last is kept in any case; where Keras runs several in one
            execution (`steps_per_execution`), a number of executions. Defaults to `"epoch"`.

    Attributes:
        snapshots: What `model.get_weights()` returned each time.
        names: What these weights are called, such as `"dense/kernel"`.

    Raises:
        ValueError: If `every` is neither.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> path = kt.callbacks.WeightSnapshots()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), epochs=3, verbose=0, callbacks=[path])
        >>> len(path.snapshots)
        4
    """

    def __init__(self, every: Every = "epoch") -> None:
        super().__init__()
        self._every = checked_every(every)
        self._steps = 0
        self.snapshots: list[list[np.ndarray]] = []
        self.names: list[str] = []

    def plot(self, **options: Any) -> Figure:
        """Draw the weights before and after: see `kerasteach.plotting.weight_histograms_figure`.

        Args:
            **options: Those of `weight_histograms_figure`: `parameter`, `page`, `title`.

        Returns:
            The figure.
        """
        from kerasteach.plotting import weight_histograms_figure

        return weight_histograms_figure(self, **options)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training, and keep the start of this one."""
        self.snapshots, self.names, self._steps = [], [], 0
        if self.model.built:
            self._keep()
        else:
            warnings.warn(
                "WeightSnapshots has no weights to keep at the start, because the model is built only by its first "
                f"batch: `snapshots` begins after the first {self._first()}. Begin the model with keras.Input(...), or "
                "call model.build(...) before fit.",
                stacklevel=2,
            )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights, if this step is asked for."""
        self._steps += 1
        if self._every != "epoch" and self._steps % self._every == 0:
            self._keep()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights, if each epoch is asked for."""
        if self._every == "epoch":
            self._keep()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Keep where the training ended, if that is not done."""
        if self._every != "epoch" and self._steps % self._every:
            self._keep()

    def _view(self) -> View:
        if not self.snapshots:
            return View("WeightSnapshots: no snapshot yet")
        numbers = sum(weight.size for weight in self.snapshots[0])
        title = f"WeightSnapshots: {len(self.snapshots):,} snapshots of {numbers:,} weights"
        return View(title, None, (".plot()", ".snapshots", "kerasteach.loss_surface(model, x, y, trajectory=...)"))

    def _first(self) -> str:
        return "epoch" if self._every == "epoch" else f"{self._every} steps" if self._every > 1 else "step"

    def _keep(self) -> None:
        if not self.snapshots:
            self.names = distinct(without_model(self.model, weight.path) for weight in self.model.weights)
        self.snapshots.append([np.array(weight) for weight in self.model.get_weights()])
