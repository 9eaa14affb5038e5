"""Stopping rule of `StopOnError` and `compare`: thresholds for metrics, and how often in a row. Needs no Keras."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kerasteach.validation import choice, did_you_mean, finite, received, several, shown, whole

Mode = Literal["auto", "min", "max"]
Require = Literal["all", "any"]
_SIGNS = {"min": "<", "max": ">", "auto": "past"}

# How a metric's own name ends, which stands last in Keras's (`val_<output>_<metric>_<number>`).
_SHARES = "accuracy|acc|auc|precision|recall|sensitivity|specificity|f1_score|f1|fbeta_score|iou|io_u|similarity"
_RISING = re.compile(rf"(^|_)({_SHARES}|r2_score|r2|correlation|true_positives|true_negatives)$")
_FALLING = re.compile(
    r"(^|_)(loss|error|error_rate|mse|rmse|mae|mape|msle|cross_?entropy|hinge|divergence|poisson|log_?cosh|"
    r"perplexity|false_positives|false_negatives)$"
)
_AT_MOST_1 = re.compile(rf"(^|_)({_SHARES}|r2_score|r2|correlation)$")
_AT_LEAST_0 = re.compile(r"(^|_)((squared|absolute|percentage|logarithmic)_error|mse|rmse|mae|mape|msle|hinge)$")


@dataclass(frozen=True)
class Target:
    """A threshold that a metric is to pass.

    Args:
        metric: The metric's name in Keras's `logs`, such as `"loss"` or `"val_accuracy"`.
        threshold: A finite number. The comparison is strict.
        mode: `"min"` for a metric that must fall below the threshold, `"max"` for one that must rise above it,
            `"auto"` to go by the metric's name: see `direction`. Where the name does not decide, the mode stays
            `"auto"`, and `value_in` raises. Defaults to `"auto"`.

    Raises:
        TypeError: If the threshold is not a number, or an argument not a text.
        ValueError: If the threshold is not finite, or the mode is unknown.

    Example:
        >>> from kerasteach.stopping import Target
        >>> Target("loss", 0.05).reason(0.0497)
        'loss 0.0497 < 0.05'
    """

    metric: str
    threshold: float
    mode: Mode = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", finite("threshold", self.threshold))
        if not isinstance(self.metric, str):
            raise TypeError(f"`monitor` must be a metric's name. Received: monitor={shown(self.metric)}.")
        choice("mode", self.mode, ("auto", "min", "max"))
        if self.mode == "auto":
            object.__setattr__(self, "mode", direction(self.metric) or "auto")

    @property
    def limit(self) -> str | None:
        """Why no value of this metric can pass, such as `"accuracy is never above 1"`; `None` where one can."""
        if self.mode == "max" and self.threshold >= 1 and _AT_MOST_1.search(_own(self.metric)):
            return f"{self.metric} is never above 1"
        if self.mode == "min" and self.threshold <= 0 and _AT_LEAST_0.search(_own(self.metric)):
            return f"{self.metric} is never below 0"
        return None

    def reason(self, value: float) -> str | None:
        """Say why this value is reason to stop, or return `None` where it is not (NaN never is)."""
        passed = value < self.threshold if self.mode == "min" else value > self.threshold
        digits = f"{value:.4g}" if f"{value:.4g}" != f"{self.threshold:.4g}" else repr(value)
        return f"{self.metric} {digits} {_SIGNS[self.mode]} {self.threshold:g}" if passed else None

    def __str__(self) -> str:
        return f"{self.metric} {_SIGNS[self.mode]} {self.threshold:g}"

    def value_in(self, logs: Mapping[str, Any]) -> float:
        """Return the metric's value out of Keras's `logs`.

        Raises:
            ValueError: If the metric is not there (the message lists those that are), its name does not decide whether
                it falls or rises, or it has more than one value.
            TypeError: If its value is no number.
        """
        if self.metric not in logs:
            raise ValueError(unknown(self.metric, logs))
        self.check_mode()
        return _number(self.metric, logs[self.metric])

    def check_mode(self) -> None:
        """Raise ValueError if neither the metric's name nor a mode decides whether it falls or rises."""
        if self.mode == "auto":
            raise ValueError(
                '`mode` must be "min" or "max" for a metric of this name: it does not say whether the metric falls or '
                f"rises as training succeeds. Received: monitor={self.metric!r}."
            )


def unknown(metric: str, logs: Mapping[str, Any]) -> str:
    """Return the message of an error: this metric is not among those that a training has."""
    options = [*logs, *(f"val_{name}" for name in logs if not name.startswith("val_"))]
    return (
        f"`monitor` must be a metric of this training: {', '.join(logs) or 'there is none'}. "
        f"Received: monitor={metric!r}.{did_you_mean(metric, options)}"
    )


def _number(metric: str, value: Any) -> float:
    """Return a metric's value as Python's float."""
    shape = getattr(value, "shape", ())
    shape = tuple(shape) if isinstance(shape, Iterable) else ()
    if any(size != 1 for size in shape):
        raise ValueError(
            f"`{metric}` must be one number, and not one for each class, say; have the metric average them, as in "
            f'keras.metrics.F1Score(average="macro"). Received: {metric} as an array of shape {shape}.'
        )
    try:
        for _ in shape:
            value = value[0]
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)
    except OverflowError as error:
        raise ValueError(f"`{metric}` is too large for a float. Received: {metric}={shown(value)}.") from error
    except Exception as error:  # whatever the caller's own object raises
        raise TypeError(f"`{metric}` must be a number. Received: {metric}={shown(value)}.") from error


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
        >>> from kerasteach.stopping import Rule, Target
        >>> rule = Rule((Target("loss", 0.05),), consecutive=2)
        >>> rule.reason([{"loss": 0.1}, {"loss": 0.04}]) is None
        True
        >>> rule.reason([{"loss": 0.1}, {"loss": 0.04}, {"loss": 0.03}])
        'loss 0.03 < 0.05, 2 times in a row'
    """

    targets: tuple[Target, ...]
    require: Require = "all"
    consecutive: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "consecutive", whole("consecutive", self.consecutive))
        choice("require", self.require, ("all", "any"))
        targets = tuple(several("targets", self.targets, "targets"))
        if not targets or not all(isinstance(target, Target) for target in targets):
            raise ValueError(f"`targets` must be one `Target` or more. {received('targets', self.targets)}")
        object.__setattr__(self, "targets", targets)

    def __str__(self) -> str:
        return f" {'and' if self.require == 'all' else 'or'} ".join(map(str, self.targets))

    def values_in(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Return the value of each target's metric out of Keras's `logs`, or raise ValueError as `Target` does."""
        return {target.metric: target.value_in(logs) for target in self.targets}

    def reason(self, values: Sequence[Mapping[str, float]]) -> str | None:
        """Say why it is time to stop, or return `None` where it is not.

        Args:
            values: What the metrics were, time after time, up to now. The last `consecutive` of them decide.
        """
        last = values[-self.consecutive :]
        reasons = [self._once(moment) for moment in last]
        if len(last) < self.consecutive or None in reasons:
            return None
        return f"{reasons[-1]}, {self.consecutive} times in a row" if self.consecutive > 1 else reasons[-1]

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
    if not isinstance(monitor, str):
        raise TypeError(f"`monitor` must be a metric's name. Received: monitor={shown(monitor)}.")
    if not isinstance(threshold, Mapping):
        threshold = {monitor: threshold}
    elif monitor not in ("loss", *threshold):
        raise ValueError(
            "`monitor` is for one threshold; where `threshold` is a dictionary, its keys are the metrics. "
            f"Received: monitor={monitor!r}."
        )
    if not threshold:
        raise ValueError("`threshold` must name a metric at least. Received: threshold={}.")
    modes = mode if isinstance(mode, Mapping) else dict.fromkeys(threshold, mode)
    if not set(modes) <= set(threshold):
        raise ValueError(
            f"`mode` must be for metrics out of {', '.join(map(str, threshold))}. Received: mode={shown(mode)}."
        )
    targets = tuple(Target(metric, value, modes.get(metric, "auto")) for metric, value in threshold.items())
    return Rule(targets, require, consecutive)


def direction(metric: str) -> Literal["min", "max"] | None:
    """Return `"min"` for a metric that falls as training succeeds, `"max"` for one that rises.

    Keras calls a metric `val_<output>_<metric>`; only the metric's own name, at the end, decides. `None` where it does
    not.

    Example:
        >>> from kerasteach.stopping import direction
        >>> direction("val_loss"), direction("error_accuracy"), direction("learning_rate")
        ('min', 'max', None)
    """
    name = _own(metric)
    return "max" if _RISING.search(name) else "min" if _FALLING.search(name) else None


def _own(metric: str) -> str:
    """Return a metric's name in lower case, without the number that Keras gives to the second of a name."""
    return re.sub(r"_\d+$", "", metric.lower())
