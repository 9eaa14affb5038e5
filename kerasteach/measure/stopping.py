"""When to stop: the pure rule, without Keras, that `StopOnError` and `compare` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kerasteach.validation import finite, whole

Mode = Literal["auto", "min", "max"]
Require = Literal["all", "any"]

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
        object.__setattr__(self, "threshold", finite("threshold", self.threshold))
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


@dataclass(frozen=True)
class Rule:
    """When to stop: which targets, all of them or any, and how often in a row.

    Args:
        targets: At least one.
        require: Whether `"all"` of them are to be passed at once, or `"any"`. Defaults to `"all"`.
        consecutive: How often in a row. Defaults to `1`.

    Raises:
        ValueError: If `require` is unknown, `consecutive` is no whole number from 1, or there is no target.

    Example:
        >>> from kerasteach.measure.stopping import Rule, Target
        >>> rule = Rule((Target("loss", 0.05),), consecutive=2)
        >>> rule.reason([{"loss": 0.1}, {"loss": 0.04}]) is None
        True
        >>> rule.reason([{"loss": 0.1}, {"loss": 0.04}, {"loss": 0.03}])
        'loss 0.03 < 0.05, 2 times in a row,'
    """

    targets: tuple[Target, ...]
    require: Require = "all"
    consecutive: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "consecutive", whole("consecutive", self.consecutive))
        if self.require not in ("all", "any"):
            raise ValueError(f'`require` must be "all" or "any". Received: require={self.require!r}.')
        if not self.targets:
            raise ValueError("`threshold` must name a metric at least. Received: threshold={}.")

    def values_in(self, logs: Mapping[str, float]) -> dict[str, float]:
        """Return the value of each target's metric out of Keras's `logs`, or raise ValueError as `Target` does."""
        return {target.metric: target.value_in(logs) for target in self.targets}

    def reason(self, values: Sequence[Mapping[str, float]]) -> str | None:
        """Say why it is time to stop, or return `None` where it is not.

        Args:
            values: What the metrics were, time after time, up to now. The last `consecutive` of them decide.
        """
        last = values[-self.consecutive :]
        reasons = [self._once(one) for one in last]
        if len(last) < self.consecutive or None in reasons:
            return None
        return f"{reasons[-1]}, {self.consecutive} times in a row," if self.consecutive > 1 else reasons[-1]

    def _once(self, values: Mapping[str, float]) -> str | None:
        reasons = [target.reason(target.value_in(values)) for target in self.targets]
        passed = [reason for reason in reasons if reason is not None]
        enough = len(passed) == len(reasons) if self.require == "all" else bool(passed)
        return " and ".join(passed) if enough else None


def rule(
    threshold: float | Mapping[str, float],
    monitor: str = "loss",
    mode: Mode | Mapping[str, Mode] = "auto",
    require: Require = "all",
    consecutive: int = 1,
) -> Rule:
    """Return the rule that is meant: see `kerasteach.callbacks.StopOnError` for the arguments.

    Raises:
        TypeError: If a threshold is not a number.
        ValueError: If an argument will not do.
    """
    if not isinstance(threshold, Mapping):
        threshold = {monitor: threshold}
    elif monitor not in ("loss", *threshold):
        raise ValueError(
            "`monitor` is for one threshold; where `threshold` is a dictionary, its keys are the metrics. "
            f"Received: monitor={monitor!r}."
        )
    modes = mode if isinstance(mode, Mapping) else dict.fromkeys(threshold, mode)
    if not set(modes) <= set(threshold):
        raise ValueError(f"`mode` must be for metrics out of {', '.join(threshold)}. Received: mode={mode!r}.")
    targets = tuple(Target(metric, value, modes.get(metric, "auto")) for metric, value in threshold.items())
    return Rule(targets, require, consecutive)


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
