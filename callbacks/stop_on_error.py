"""Stop of a training once the error is small enough: the last step of the course's training loop."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import keras
import pandas as pd

from kerasteach import stopping
from kerasteach.display import Displayed, View
from kerasteach.measure.hooks.batch_losses import BatchLosses
from kerasteach.stopping import Mode, Require
from kerasteach.validation import choice, flag, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class StopOnError(Displayed, keras.callbacks.Callback):
    """Stop as soon as the error is below a threshold, at the end of an epoch or after any batch.

    Works with Keras on TensorFlow (also under `tf.distribute`), JAX and PyTorch, and in training loops of one's own:
    there, `update(loss=...)` says `True` when it is time. An instance can be used for one training after another.

    Args:
        threshold: Where to stop: below it for an error, above it for a score. The comparison is strict, and NaN never
            passes. Or several, as in `{"loss": 0.05, "val_accuracy": 0.95}`. With a validation metric among them, an
            epoch without validation (`validation_freq`) is not judged.
        monitor: The metric's name in Keras's logs, such as `"loss"`, `"accuracy"` or `"val_loss"`, or one that another
            callback, in front of this one, puts into the logs of an epoch. Defaults to `"loss"`: of an epoch, the mean
            over its examples. Not for several thresholds, which name their own.
        mode: `"min"` to stop below the threshold, `"max"` to stop above it, `"auto"` to go by the end of the metric's
            name, as in `output_accuracy`; for several, a dictionary will do. Defaults to `"auto"`.
        per: `"epoch"` to judge each epoch when it ends, or `"batch"` to judge each batch's own loss, that which its
            gradient comes from (Keras's logs hold the mean of all batches of the epoch up to it). With Keras's
            `steps_per_execution` training ends with the running execution. Defaults to `"epoch"`.
        consecutive: How many epochs, or batches, in a row must pass. Defaults to `1`.
        require: With several thresholds, whether `"all"` must pass at once or `"any"` will do. Defaults to `"all"`.
        min_epochs: How many epochs to train in any case. Defaults to `0`.
        verbose: `1` to print a line when it stops, `0` for silence. Defaults to `1`.

    Attributes:
        reason: Why it stopped, such as `"Epoch 32: loss 0.0497 < 0.05"`, or of a batch
            `"Epoch 2, batch 5: loss 0.0497 < 0.05"`; `None` if it did not. It counts from 1, as Keras prints.
        epoch: The epoch in which it stopped, from 0, as Keras's callbacks count; `None` if it did not.
        step: The batch of that epoch, from 0, that was the first to pass; `None` if it did not stop, or judges epochs.
        value: The metric's value then, for several thresholds a dictionary; `None` if it did not stop.

    Raises:
        TypeError: If a threshold is not a number, or in training a metric is none.
        ValueError: If an argument is not valid; in training, if a metric is not there at the end of an epoch (the
            message lists those that are), has more than one value, or has a name that does not decide its direction.
        RuntimeError: In training, if batches are to be judged and the model's `train_step` does not hand Keras its
            loss.

    Warns:
        UserWarning: Once in a training: if a validation metric is not there after the first epoch, because nothing was
            validated; or if no value of the metric can pass, such as an accuracy above 1.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer=kt.optimizers.PlainSGD(0.1), loss="mse")
        >>> stop = kt.callbacks.StopOnError(0.01, verbose=0)
        >>> history = model.fit(np.ones((8, 1)), np.ones(8), epochs=100, verbose=0, callbacks=[stop])
        >>> stop.epoch == history.epoch[-1] < 99
        True
    """

    def __init__(
        self,
        threshold: float | Mapping[str, float],
        monitor: str = "loss",
        mode: Mode | Mapping[str, Mode] = "auto",
        per: Literal["epoch", "batch"] = "epoch",
        consecutive: int = 1,
        require: Require = "all",
        min_epochs: int = 0,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        self._rule = stopping.rule(threshold, monitor, mode, require, consecutive)
        choice("per", per, ("epoch", "batch"))
        self._metrics = [target.metric for target in self._rule.targets]
        if per == "batch" and self._metrics != ["loss"]:
            raise ValueError(
                'With per="batch", `monitor` must be "loss": of other metrics Keras knows the mean over the epoch '
                f"alone, and validation metrics only at its end. Received: monitor={', '.join(self._metrics)}."
            )
        self._per, self._min_epochs, self._verbose = per, whole("min_epochs", min_epochs, 0), flag("verbose", verbose)
        self._several = isinstance(threshold, Mapping)
        self._losses: BatchLosses | None = None
        self.async_safe = per == "epoch"  # for Keras: then only the metrics' names matter at a batch's end
        self.reset()

    def reset(self) -> None:
        """Forget an earlier training. `fit` does so by itself, as does `update` after a stop."""
        self.reason: str | None = None
        self.epoch: int | None = None
        self.step: int | None = None
        self.value: float | dict[str, float] | None = None
        self._recent: deque[dict[str, float]] = deque(maxlen=self._rule.consecutive)
        self._history: list[tuple[int, int | None, dict[str, float]]] = []  # epoch, batch and values
        self._now, self._batch = -1, -1
        self._judged = self._named = self._warned = self._validated = False

    @property
    def frame(self) -> pd.DataFrame:
        """The table of what was judged in this training, or in the last one: a row a metric and epoch, or batch.

        Its columns are `epoch, metric, value`, as those of `kerasteach.measure.history_table`; with `per="batch"` a
        column `step`, the batch of the epoch, comes after `epoch`. Both count from 0.
        """
        rows = [(*when, metric, value) for *when, values in self._history for metric, value in values.items()]
        types = {"epoch": "int64", "step": "int64", "metric": "str", "value": "float64"}
        frame = pd.DataFrame(rows, columns=list(types))
        if self._per == "epoch":
            frame, types = frame.drop(columns="step"), {name: types[name] for name in types if name != "step"}
        return frame.astype(types)

    def plot(self, metric: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw a metric that was judged over the epochs, or batches, with its threshold.

        Args:
            metric: Which, of several. Defaults to `None`, the first.
            ax: Where to draw. Defaults to a new figure.

        Returns:
            The axes.

        Raises:
            ValueError: If nothing was judged yet, or the metric is none of the rule's.
        """
        from kerasteach.plotting import learning_curves

        metric = self._metrics[0] if metric is None else choice("metric", metric, self._metrics)
        rows = self.frame[self.frame["metric"] == metric]
        if rows.empty:
            raise ValueError(f"There is nothing to draw: no {self._per} was judged yet.")
        if self._per == "batch":
            rows = rows.drop(columns="step").assign(epoch=range(len(rows)))
        (target,) = (target for target in self._rule.targets if target.metric == metric)
        if self._per == "epoch":
            return learning_curves(rows, metric, ax, target=target.threshold)
        ax = learning_curves(rows, metric, ax, target=target.threshold, title=None)  # which would count epochs
        ax.set_xlabel("batches trained")
        return ax

    def _view(self) -> View:
        title = f"StopOnError({self._rule})"
        if not self._history:
            return View(f"{title}: nothing judged yet")
        reason = self.reason or f"no stop, {self._per} {len(self._history):,} was the last"
        return View(f"{title}: {reason}", self.frame, (".plot()", ".frame"))

    def update(self, *, epoch: int | None = None, **metrics: float) -> bool:
        """Judge once more in a training loop of one's own, and say whether it is time to stop.

        Args:
            epoch: The epoch's number. Defaults to `None`: with `per="epoch"` each call is another one, from 0; with
                `per="batch"` all calls are of the same, and each is another batch.
            **metrics: The metrics by name, `loss=...`, as numbers or tensors of one number: those of the epoch, or of
                the batch.

        Returns:
            Whether the rule holds; `reason`, `epoch`, `step` and `value` then say more. After a stop, the next call
            begins a new training.

        Raises:
            ValueError: If a metric of the rule is not there, or has more than one value.
            TypeError: If a metric is no number, or the epoch is none.

        Example:
            >>> import kerasteach as kt
            >>> stop = kt.callbacks.StopOnError(0.05, verbose=0)
            >>> [stop.update(loss=loss) for loss in (0.9, 0.2, 0.04)]
            [False, False, True]
            >>> stop.reason
            'Epoch 3: loss 0.04 < 0.05'
        """
        if self.reason is not None:
            self.reset()
        epoch = epoch if epoch is None else whole("epoch", epoch, 0)
        if self._per == "epoch":
            self._now = self._now + 1 if epoch is None else epoch
            return self._judge(metrics)
        if epoch is not None and epoch != self._now:
            self._now, self._batch = epoch, -1
        self._now, self._batch = max(self._now, 0), self._batch + 1
        return self._judge(metrics, self._batch)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self.reset()
        if self._losses is not None:  # left by a fit that ended in an exception
            self._losses.release()
        self._losses = BatchLosses(self.model) if self._per == "batch" else None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number."""
        self._now, self._validated = epoch, False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the number of the batch that begins."""
        self._batch = batch
        if self._losses is not None:
            self._losses.begin()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the batches that just ended by their own losses; the first batch shows the metrics' names."""
        if self._losses is None:
            self._check_names(logs or {})
            return
        losses = self._losses.fetch(batch - self._batch + 1)
        if not losses and not self._judged and self._losses.present:
            raise RuntimeError(
                'With per="batch", the model\'s `train_step` must hand Keras its loss, as that of `keras.Model` does. '
                f"Received: {type(self.model).__name__}. In a loop or step of your own, call `update(loss=...)`."
            )
        if any(self._judge({"loss": loss}, self._batch + number) for number, loss in enumerate(losses)):
            self.model.stop_training = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note that the epoch is validated: `fit` calls the same callbacks then."""
        self._validated = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the epoch that ends."""
        logs = logs or {}
        if self._per == "batch":
            return
        missing = [name for name in self._metrics if name not in logs and name.startswith("val_")]
        if missing and not self._validated:
            self._warn_of_no_validation(missing, logs)
            return
        for name in self._metrics:
            if name not in logs:
                raise ValueError(
                    f"{stopping.unknown(name, logs)} A callback that puts a metric into the logs must stand in front "
                    "of StopOnError."
                )
        if self._judge(logs):
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the model as it was found."""
        if self._losses is not None:
            self._losses.release()
            self._losses = None

    def _check_names(self, logs: Mapping[str, Any]) -> None:
        """Raise where the first batch shows that a metric cannot be judged: its name decides nothing."""
        if self._named:
            return
        self._named = True
        for target in self._rule.targets:
            trained = target.metric.removeprefix("val_") in logs
            if target.mode == "auto" and not trained:
                raise ValueError(
                    f"{stopping.unknown(target.metric, logs)} If a callback puts it into the logs of an epoch, give "
                    '`mode`, "min" or "max".'
                )
            target.check_mode()

    def _warn_of_no_validation(self, missing: list[str], logs: Mapping[str, Any]) -> None:
        if self._warned or self._judged:
            return
        self._warned = True
        warnings.warn(
            f"StopOnError cannot judge epoch {self._now + 1}: {', '.join(missing)} is not there, only "
            f"{', '.join(logs)}. Nothing was validated: give `fit` `validation_data` or `validation_split`, and a "
            "`validation_freq` of at most the number of epochs.",
            stacklevel=2,
        )

    def _warn_of_limits(self, values: Mapping[str, float]) -> None:
        for target in self._rule.targets:
            within = values[target.metric] <= 1 if target.mode == "max" else values[target.metric] >= 0
            if target.limit is not None and within:
                warnings.warn(
                    f"StopOnError will not stop at this threshold: {target.limit}, and the comparison is strict. "
                    f"Received: {target.metric} {values[target.metric]:.4g}, threshold {target.threshold:g}.",
                    stacklevel=2,
                )

    def _judge(self, metrics: Mapping[str, Any], step: int | None = None) -> bool:
        values = self._rule.values_in(metrics)
        if not self._judged:
            self._judged = True
            self._warn_of_limits(values)
        self._recent.append(values)
        self._history.append((self._now, step, values))
        reason = self._rule.reason(list(self._recent))
        trained = self._now + (step is None)  # epochs that are over
        if reason is None or trained < self._min_epochs:
            return False
        where = f"Epoch {self._now + 1}" if step is None else f"Epoch {self._now + 1}, batch {step + 1}"
        self.reason, self.epoch, self.step = f"{where}: {reason}", self._now, step
        self.value = values if self._several else values[self._metrics[0]]
        if self._verbose:
            print(f"Stopped: {self.reason}", flush=True)  # noqa: T201  the line that `verbose` asks for
        return True
