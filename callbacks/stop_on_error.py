"""Train until the error is small enough: the last step of the course's training loop."""

from __future__ import annotations

import inspect
import warnings
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

import keras

from kerasteach.measure import stopping
from kerasteach.measure.batch_losses import BatchLosses
from kerasteach.measure.stopping import Mode, Require
from kerasteach.validation import whole


class StopOnError(keras.callbacks.Callback):
    """Stop as soon as the error is below a threshold, at the end of an epoch or after any batch.

    Works with Keras on TensorFlow (also under `tf.distribute`), JAX and PyTorch, and in training loops of one's own:
    there, `update(loss=...)` says `True` when it is time. An instance can be used for one training after another.

    Args:
        threshold: Where to stop: below it for an error, above it for a score. The comparison is strict, and NaN never
            passes. Or several, as in `{"loss": 0.05, "val_accuracy": 0.95}`. With a validation metric among them, an
            epoch without validation (`validation_freq`) is not judged.
        monitor: The metric's name in Keras's logs, such as `"loss"`, `"accuracy"` or `"val_loss"`. Defaults to
            `"loss"`: of an epoch, the mean over its examples. Not for several thresholds, which name their own.
        mode: `"min"` to stop below the threshold, `"max"` to stop above it, `"auto"` to tell from the metric's name;
            for several, a dictionary will do. Defaults to `"auto"`.
        per: `"epoch"` to judge each epoch when it ends, or `"batch"` to judge each batch's own loss, that which its
            gradient comes from (Keras's logs hold the mean of all batches of the epoch up to it). With Keras's
            `steps_per_execution` training ends with the running execution. Defaults to `"epoch"`.
        consecutive: How many epochs, or batches, in a row must pass. Defaults to `1`.
        require: With several thresholds, whether `"all"` must pass at once or `"any"` will do. Defaults to `"all"`.
        min_epochs: How many epochs to train in any case. Defaults to `0`.
        verbose: `1` to print a line when it stops, `0` for silence. Defaults to `1`.

    Attributes:
        reason: Why it stopped, such as `"loss 0.0497 < 0.05 at epoch 31"`; `None` if it did not.
        epoch: The epoch in which it stopped, from 0 as Keras counts; `None` if it did not.
        step: The batch of that epoch, from 0, that was the first to pass; `None` if it did not stop, or judges epochs.
        value: The metric's value then, for several thresholds a dictionary; `None` if it did not stop.

    Raises:
        TypeError: If a threshold is not a number.
        ValueError: If an argument will not do, or a metric's direction cannot be told; in training, if a metric is not
            there (the message lists those that are), or is a validation metric and `fit` has no validation data.
        RuntimeError: In training, if batches are to be judged and the model's `train_step` does not hand Keras its
            loss.

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
        if per not in ("epoch", "batch"):
            raise ValueError(f'`per` must be "epoch" or "batch". Received: per={per!r}.')
        self._metrics = [target.metric for target in self._rule.targets]
        if per == "batch" and self._metrics != ["loss"]:
            raise ValueError(
                'With per="batch", `monitor` must be "loss": of other metrics Keras knows the mean over the epoch '
                f"alone, and validation metrics only at its end. Received: monitor={', '.join(self._metrics)}."
            )
        self._per, self._min_epochs, self._verbose = per, whole("min_epochs", min_epochs, 0), verbose
        self._several = isinstance(threshold, Mapping)
        self._losses: BatchLosses | None = None
        self.async_safe = per == "epoch"  # for Keras: then nothing happens at a batch's end
        self.reset()

    def reset(self) -> None:
        """Forget an earlier training. `fit` does so by itself, as does `update` after a stop."""
        self.reason: str | None = None
        self.epoch: int | None = None
        self.step: int | None = None
        self.value: float | dict[str, float] | None = None
        self._recent: deque[dict[str, float]] = deque(maxlen=self._rule.consecutive)
        self._now, self._batch, self._judged = -1, -1, False

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
            ValueError: If a metric of the rule is not there.

        Example:
            >>> import kerasteach as kt
            >>> stop = kt.callbacks.StopOnError(0.05, verbose=0)
            >>> [stop.update(loss=loss) for loss in (0.9, 0.2, 0.04)]
            [False, False, True]
            >>> stop.reason
            'loss 0.04 < 0.05 at epoch 2'
        """
        if self.reason is not None:
            self.reset()
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
        if any(name.startswith("val_") for name in self._metrics) and _validates() is False:
            raise ValueError(
                "`monitor` is a validation metric, which `fit` computes only with `validation_data` or "
                f"`validation_split`. Received: monitor={', '.join(self._metrics)}, and no validation data."
            )
        if self._losses is not None:  # left by a fit that ended in an exception
            self._losses.release()
        self._losses = BatchLosses(self.model) if self._per == "batch" else None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number."""
        self._now = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the number of the batch that begins."""
        self._batch = batch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the batches that just ended by their own losses."""
        if self._losses is None:
            return
        losses = self._losses.fetch(batch - self._batch + 1)
        if not losses and not self._judged:
            raise RuntimeError(
                'With per="batch", the model\'s `train_step` must hand Keras its loss, as that of `keras.Model` does. '
                f"Received: {type(self.model).__name__}. In a loop or step of your own, call `update(loss=...)`."
            )
        if any(self._judge({"loss": loss}, self._batch + number) for number, loss in enumerate(losses)):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge the epoch that ends."""
        logs = logs or {}
        if self._per == "batch":
            return
        missing = [name for name in self._metrics if name not in logs and name.startswith("val_")]
        if missing and not any(name.startswith("val_") for name in logs):
            return  # an epoch without validation; on_train_end speaks up if they all were
        if self._judge(logs):
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the model as it was found; say so where a validation metric never came."""
        if self._losses is not None:
            self._losses.release()
            self._losses = None
        if not self._judged and logs:
            warnings.warn(
                f"StopOnError never saw {', '.join(self._metrics)} in this training, only {', '.join(logs)}: was there "
                "validation data, and `validation_freq` at most the number of epochs?",
                stacklevel=2,
            )

    def _judge(self, metrics: Mapping[str, float], step: int | None = None) -> bool:
        values, self._judged = self._rule.values_in(metrics), True
        self._recent.append(values)
        reason = self._rule.reason(list(self._recent))
        trained = self._now + (step is None)  # epochs that are over
        if reason is None or trained < self._min_epochs:
            return False
        where = f"epoch {self._now}" if step is None else f"epoch {self._now}, step {step}"
        self.reason, self.epoch, self.step = f"{reason} at {where}", self._now, step
        self.value = values if self._several else values[self._metrics[0]]
        if self._verbose:
            print(f"Stopped: {self.reason}", flush=True)  # noqa: T201  the line that `verbose` asks for
        return True


def _validates() -> bool | None:
    """Say whether the `fit` that is running was given validation data; `None` where no `fit` of Keras's runs.

    Keras tells callbacks nothing of it, so what is looked at is the value of its argument.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "fit" and {"validation_data", "validation_freq"} <= set(frame.f_locals):
            return frame.f_locals["validation_data"] is not None
        frame = frame.f_back
    return None
