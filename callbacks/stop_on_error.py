"""Train until the error is small enough: the last step of the course's training loop."""

from __future__ import annotations

import warnings
from typing import Any

import keras

from kerasteach.measure.stopping import Mode, Target


class StopOnError(keras.callbacks.Callback):
    """Stop at the end of the first epoch in which a metric passes a threshold.

    Args:
        threshold: Where to stop: below it for an error, above it for a score. The comparison is strict, and NaN never
            passes.
        monitor: The metric's name in Keras's logs, such as `"loss"`, `"accuracy"` or `"val_loss"`. Defaults to
            `"loss"`, the mean over the epoch's batches.
        mode: `"min"` to stop below the threshold, `"max"` to stop above it, `"auto"` to tell from the metric's name.
            Defaults to `"auto"`.
        verbose: `1` to print a line when it stops, `0` for silence. Defaults to `1`.

    Attributes:
        reason: Why it stopped, such as `"loss 0.0497 < 0.05 at epoch 31"`; `None` if it did not.
        epoch: The epoch in which it stopped, from 0 as Keras counts; `None` if it did not.
        value: The metric's value then; `None` if it did not stop.

    Raises:
        TypeError: If the threshold is not a number.
        ValueError: If it is not finite, or `mode` is unknown or cannot be told; in training, if the metric is not
            there. The message lists those that are. (A validation metric that never comes is a warning at the end.)

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer=kt.optimizers.PlainSGD(0.1), loss="mse")
        >>> stop = kt.callbacks.StopOnError(0.01, verbose=0)
        >>> history = model.fit(np.ones((8, 1)), np.ones(8), epochs=100, verbose=0, callbacks=[stop])
        >>> stop.epoch == history.epoch[-1] < 99
        True
    """

    def __init__(self, threshold: float, monitor: str = "loss", mode: Mode = "auto", verbose: int = 1) -> None:
        super().__init__()
        self._target = Target(monitor, threshold, mode)
        self._verbose = verbose
        self.reason: str | None = None
        self.epoch: int | None = None
        self.value: float | None = None
        self._seen = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget an earlier training."""
        self.reason = self.epoch = self.value = None
        self._seen = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare the metric with the threshold."""
        logs = logs or {}
        metric = self._target.metric
        if metric not in logs and metric.startswith("val_") and not any(name.startswith("val_") for name in logs):
            return  # this may be an epoch without validation; on_train_end speaks up if they all were
        value = self._target.value_in(logs)
        self._seen = True
        passed = self._target.reason(value)
        if passed is not None:
            self.reason, self.epoch, self.value = f"{passed} at epoch {epoch}", epoch, value
            self.model.stop_training = True
            if self._verbose:
                print(f"Stopped: {self.reason}", flush=True)  # noqa: T201  the line that `verbose` asks for

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Say so where a validation metric never came."""
        if not self._seen and logs:
            warnings.warn(
                f"StopOnError never saw {self._target.metric!r} in this training, only {', '.join(logs)}: was there "
                "validation data, and `validation_freq` at most the number of epochs?",
                stacklevel=2,
            )
