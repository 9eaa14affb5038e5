"""When to stop: the pure rule, without Keras, that `StopOnError` and `compare` share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Literal

Mode = Literal["auto", "min", "max"]

# What a metric's name says of its direction. Errors fall in training, scores rise.
_FALLING = {"loss", "error", "mse", "mae", "mape", "msle", "crossentropy", "entropy", "hinge", "divergence"}
_RISING = {"acc", "accuracy", "auc", "precision", "recall", "f1", "fbeta", "iou", "io", "r2", "similarity"}


@dataclass(frozen=True)
class Target:
    """A threshold that a metric is to pass.

    Args:
        metric: The metric's name in Keras's `logs`, such as `"loss"` or `"val_accuracy"`.
        threshold: A finite number. The comparison is strict.
        mode: `"min"` for a metric that must fall below the threshold, `"max"` for one that must rise above it,
            `"auto"` to tell from the metric's name. Defaults to `"auto"`.

    Raises:
        TypeError: If the threshold is not a number.
        ValueError: If it is not finite, the mode is unknown, or the metric's name does not tell its direction.

    Example:
        >>> from kerasteach.measure.stopping import Target
        >>> Target("loss", 0.05).reason(0.0497)
        'loss 0.0497 < 0.05'
    """

    metric: str
    threshold: float
    mode: Mode = "auto"

    def __post_init__(self) -> None:
        check_threshold(self.threshold)
        if not isinstance(self.metric, str):
            raise TypeError(f"`monitor` must be a metric's name. Received: monitor={self.metric!r}.")
        if self.mode not in ("auto", "min", "max"):
            raise ValueError(f'`mode` must be "auto", "min" or "max". Received: mode={self.mode!r}.')
        object.__setattr__(self, "mode", direction(self.metric) if self.mode == "auto" else self.mode)

    def reason(self, value: float) -> str | None:
        """Say why this value is reason to stop, or return `None` where it is not (NaN never is)."""
        passed = value < self.threshold if self.mode == "min" else value > self.threshold
        sign = "<" if self.mode == "min" else ">"
        shown = f"{value:.4g}" if f"{value:.4g}" != f"{self.threshold:.4g}" else repr(value)
        return f"{self.metric} {shown} {sign} {self.threshold:g}" if passed else None

    def value_in(self, logs: Mapping[str, float]) -> float:
        """Return the metric's value out of Keras's `logs`.

        Raises:
            ValueError: If the metric is not there; the message lists those that are.
        """
        if self.metric not in logs:
            raise ValueError(
                f"`monitor` must be a metric of this training: {', '.join(logs) or 'there is none'}. "
                f"Received: monitor={self.metric!r}."
            )
        return float(logs[self.metric])


def check_threshold(threshold: object, argument: str = "threshold") -> None:
    """Raise TypeError or ValueError, naming the argument, unless the threshold is a finite number."""
    if isinstance(threshold, bool) or not isinstance(threshold, Real):
        raise TypeError(f"`{argument}` must be a number. Received: {argument}={threshold!r}.")
    if not math.isfinite(threshold):
        raise ValueError(f"`{argument}` must be finite. Received: {argument}={threshold!r}.")


def direction(metric: str) -> Literal["min", "max"]:
    """Tell from its name whether a metric falls (`"min"`) or rises (`"max"`) as training succeeds.

    Raises:
        ValueError: If the name does not tell.
    """
    words = set(metric.lower().split("_"))
    if words & _FALLING:
        return "min"
    if words & _RISING:
        return "max"
    raise ValueError(f'`mode` must be "min" or "max" for a metric of this name. Received: monitor={metric!r}.')
