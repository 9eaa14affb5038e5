"""Live plot: loss and gradient flow of a training, drawn while it goes on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pandas as pd
from kerasteach.callbacks.gradient_capture import GradientCapture
from kerasteach.callbacks.live_screens import Screen, Training, picture, screen
from kerasteach.callbacks.own_capture import OwnCapture
from kerasteach.callbacks.redraw_budget import RedrawBudget

from kerasteach.display import Displayed, View, in_notebook
from kerasteach.measure.recording.recording import Every, checked_every
from kerasteach.validation import received, said, several, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SMALL = 0.001  # seconds: what a table or a line takes, until it is known


class LivePlot(Displayed, OwnCapture):
    """Show loss and gradient flow while `fit` runs.

    In a notebook (Jupyter, VS Code, Colab) it is one picture below the cell, drawn anew in its place; a saved notebook
    has the last one. In a terminal it is a table of the layers, with a bar for each gradient on a logarithmic scale.
    In a script whose output goes into a file or a pipe it is a line now and then.

    It draws so seldom that the training takes at most 5 % longer: it measures what a redraw costs, waits until so much
    time has passed, and says at the end how often it was and what share it took. What a capture costs in the training
    step is not in it, nor is what comes before the first step (in a notebook, the start of the drawing library) and the
    last picture, which is drawn when the training has ended. In a notebook the last picture is drawn after an error or
    an interruption, too.

    It never breaks a training: whatever fails in drawing is one warning, and then it is silent. The training's numbers
    are those without it, but for the rounding that `GradientCapture` describes.

    Where Keras writes its own lines (`fit(verbose=1)` or `2`), a table in a terminal would tear them apart: there are
    lines between Keras's, and the table at the end. With `fit(verbose=0)` the table stands still in its place, until
    another callback writes something.

    Args:
        every: When it may draw: `"epoch"` at the end of an epoch, or a number of steps, after every n-th of which it
            may. Of an epoch that goes on, metrics are the means so far. Defaults to `"epoch"`.
        metrics: Names in Keras's logs, a panel each, with that of the validation where there is one. Defaults to
            `("loss",)`.
        capture: A `GradientCapture` that is in the same list of callbacks, to show what it records. Defaults to `None`:
            one of its own, which records the norms.

    Attributes:
        capture: The capture whose gradients are shown.
        redraws: How often it was drawn while the last training went on.
        share: What the redraws took, as a share of the training time: at most about 0.05. `None` before a training.

    Raises:
        TypeError: If `capture` is none, or a metric is no text.
        ValueError: If `every` is neither.

    Warns:
        UserWarning: Once in a training: if something cannot be drawn, or a metric is not there.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> live = kt.callbacks.LivePlot()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), epochs=3, verbose=0, callbacks=[live])
        epoch ...
        >>> live.frame["epoch"].tolist()
        [0, 1, 2]
    """

    def __init__(
        self, every: Every = "epoch", metrics: Sequence[str] | str = ("loss",), capture: GradientCapture | None = None
    ) -> None:
        if capture is not None and not isinstance(capture, GradientCapture):
            raise TypeError(
                "`capture` must be a GradientCapture that is in the same list of callbacks, or None. "
                f"{received('capture', capture)}"
            )
        super().__init__(capture, ["norm"])
        self._every = checked_every(every)
        names = [metrics] if isinstance(metrics, str) else several("metrics", metrics, "names of metrics")
        self._metrics = tuple(text("metrics", name) for name in names)
        self.async_safe = every == "epoch"  # for Keras: then nothing is done at a batch's end
        self._expected: float | None = None  # seconds that a picture takes
        self._reset()

    def _reset(self) -> None:
        self._rows: list[tuple[int, str, float]] = []
        self._running: list[tuple[int, str, float]] = []  # of the epoch that goes on
        self._epoch, self._steps = 0, 0
        self._screen: Screen | None = None
        self._budget: RedrawBudget | None = None
        self._due = self._ended = self._warned = self._without_gradients = False
        self.redraws = 0
        self.share: float | None = None
        self._note = ""

    @property
    def frame(self) -> pd.DataFrame:
        """The metrics of this training, or of the last one: `epoch, metric, value`, as in a training's history."""
        rows = [*self._rows, *self._running]
        types = {"epoch": "int64", "metric": "str", "value": "float64"}
        return pd.DataFrame(rows, columns=list(types)).astype(types)

    def plot(self) -> Figure:
        """Draw the metrics over the epochs, and the gradient flow of the last epoch.

        Returns:
            The figure.

        Raises:
            ValueError: If there is nothing to draw yet.
        """
        import matplotlib.pyplot as plt

        from kerasteach.plotting.notebook import ComposedFigure
        from kerasteach.plotting.training_figure import draw_training

        training = self._training()
        if not len(training.history):
            raise ValueError("There is nothing to draw: no epoch was trained yet.")
        figure = plt.figure(layout="constrained", FigureClass=ComposedFigure)
        draw_training(figure, training.history, training.gradients, training.metrics)
        return figure

    def _view(self) -> View:
        if not self._rows:
            return View("LivePlot: no epoch yet")
        count = self._rows[-1][0] - self._rows[0][0] + 1
        title = f"LivePlot: {count:,} epoch{'' if count == 1 else 's'}{f', {self._note}' if self._note else ''}"
        return View(title, self.frame, (".plot()", ".frame", ".capture.frame"))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin anew, and find out what a picture costs."""
        self._leave()
        self._reset()
        self._captured("on_train_begin", logs)
        self._guarded(self._open)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number, and draw what had to wait for the end of a line."""
        if self._due:
            self._guarded(self._redraw)
        self._epoch, self._due = epoch, False
        self._captured("on_epoch_begin", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Have the capture make room."""
        self._captured("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Draw, if this step is asked for, and it is time."""
        if self._every == "epoch":
            return
        self._steps += 1
        if self._steps % self._every == 0 and self._may_draw() and not self._between_lines():
            self._running = _scalars(self._epoch, logs)
            self._guarded(self._redraw)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's metrics, and draw, if it is time."""
        self._captured("on_epoch_end", epoch, logs)
        self._running = []
        self._rows += _scalars(epoch, logs)
        self._check_metrics(ended=False)
        if self._may_draw():
            if self._between_lines():
                self._due = True
            else:
                self._guarded(self._redraw)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Draw for the last time, and say what the redraws cost."""
        self._check_metrics(ended=True)
        self._end("")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that no gradient was seen: the picture shows it
            self._captured("on_train_end", logs)

    def _captured(self, method: str, *arguments: Any) -> None:
        """Pass a call on to the capture of its own."""
        if self._without_gradients:
            return
        try:
            self._pass_on(method, *arguments)
        except Exception as error:
            self._without_gradients = True
            self._warn(f"LivePlot shows no gradients. {said(error)}")

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something that must not break the training."""
        try:
            work()
        except Exception as error:
            self._leave()
            self._screen = None
            self._warn(f"LivePlot draws no more, and the training goes on. {said(error)}")

    def _warn(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(message, stacklevel=4)

    def _open(self) -> None:
        """Choose the screen, and begin to count the time."""
        self._screen = screen(verbose=self.params.get("verbose") not in (0, None))
        if in_notebook():
            _after_the_cell(self._interrupted)
            if self._expected is None:
                self._expected = _cost_of_a_picture(self._metrics)
        self._budget = RedrawBudget(_SMALL if self._expected is None else self._expected)

    def _between_lines(self) -> bool:
        return self._screen is not None and self._screen.between_lines

    def _may_draw(self) -> bool:
        return self._screen is not None and self._budget is not None and self._budget.allows(self._screen.pause)

    def _redraw(self) -> None:
        if self._screen is None or self._budget is None:
            return
        with self._budget.redraw():
            self._screen.show(self._training())

    def _end(self, what: str) -> None:
        """Draw for the last time."""
        if self._ended:
            return
        self._ended = True
        if self._budget is not None:
            self.redraws, self.share = self._budget.count, self._budget.share
            self._expected = self._budget.expected if in_notebook() and self.redraws else self._expected
            times = "once" if self.redraws == 1 else f"{self.redraws} times"
            cost = f"redrawn {times}, {100 * self.share:.2g} % of the training time"
            self._note = ", ".join(part for part in (what, cost if self.redraws else "drawn at the end") if part)
        if self._screen is not None and (self._rows or self._running):
            self._guarded(self._show_last)
        self._leave()
        self._screen = self._budget = None

    def _show_last(self) -> None:
        assert self._screen is not None
        self._screen.show(self._training(), last=True)

    def _interrupted(self) -> None:
        """Draw for the last time, if the cell ended and the training did not."""
        self._end(f"interrupted in epoch {self._epoch + 1}")

    def _leave(self) -> None:
        if self._screen is not None:
            self._screen.close()

    def _training(self) -> Training:
        epochs = int((self.params or {}).get("epochs") or self._epoch + 1)
        return Training(self.frame, self._gradients(), self._metrics, self._epoch + 1, epochs, self._note)

    def _gradients(self) -> pd.DataFrame | None:
        """Return the rows of the last epoch that the capture has, where they have norms."""
        rows = self.capture.frame
        if not len(rows) or "norm" not in rows:
            return None
        return rows[rows["epoch"] == rows["epoch"].max()]

    def _check_metrics(self, ended: bool) -> None:
        """Warn of a metric that is not there; one of the validation may come in a later epoch."""
        known = {metric for _, metric, _ in self._rows}
        awaited = [name for name in self._metrics if ended or not name.startswith("val_")]
        missing = [name for name in awaited if name not in known]
        if missing:
            self._warn(
                f"LivePlot cannot show {', '.join(missing)}: the logs hold {', '.join(sorted(known)) or 'nothing'}."
            )


def _scalars(epoch: int, logs: dict[str, Any] | None) -> list[tuple[int, str, float]]:
    """Return the metrics that are one number."""
    found = []
    for name, value in (logs or {}).items():
        try:
            found.append((epoch, name, float(value)))
        except (TypeError, ValueError):
            continue
    return found


def _cost_of_a_picture(metrics: Sequence[str]) -> float:
    """Draw an example, and return how many seconds it takes once the drawing library is there."""
    import kerasteach.plotting.training_figure  # noqa: F401  what takes seconds, and only once

    history = pd.DataFrame({"epoch": 0, "metric": list(metrics), "value": 1.0})
    gradients = pd.DataFrame(
        {"epoch": 0, "step": 0, "layer": ["a", "b"], "depth": [1, 2], "parameter": "bias", "norm": [0.1, 1.0]}
    )
    begun = perf_counter()
    picture(Training(history, gradients, tuple(metrics), 1, 1))
    return perf_counter() - begun


def _after_the_cell(work: Callable[[], None]) -> None:
    """Have IPython do something once, when the running cell has ended, also by an error."""
    from IPython import get_ipython

    events = get_ipython().events

    def once(*_: Any) -> None:
        events.unregister("post_run_cell", once)
        work()

    events.register("post_run_cell", once)
