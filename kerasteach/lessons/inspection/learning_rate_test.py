"""Learning-rate range test: a short training with a growing rate, after which the model is restored."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from kerasteach.display import Displayed, View
from kerasteach.lessons.batches import Batch, Batches, check_finite
from kerasteach.lessons.inspection.evaluation import check_compiled, check_targets
from kerasteach.lessons.inspection.restore import left_as_found
from kerasteach.lessons.inspection.training_step import train_on
from kerasteach.lessons.model_checks import fitting
from kerasteach.progress import progress_bar
from kerasteach.validation import finite, fits_memory, flag, shown, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMOOTHING = 0.8  # weight of the past in the smoothed loss
_EXPLODED = 3  # rise of an exploded loss, as a multiple of the first losses' mean
_FELL = 0.05  # fall of the smoothed loss below the mean of the first losses, without which no rate is suggested
_SCATTER = 2  # and as a multiple of their standard deviation: by chance alone it falls by about one
_SAFETY = 10  # factor from the suggestion to the rate of the lowest loss


@dataclass(frozen=True, eq=False, repr=False)
class LearningRateTest(Displayed):
    """A learning-rate range test, and the rate that it suggests.

    Attributes:
        frame: A row a step: `step`, from 0; `learning_rate`; `loss`, the batch's own, before its weights moved;
            `smoothed`, see `find_learning_rate`.
        suggestion: The suggested learning rate; `None` if the loss never clearly fell.
        reason: Why the run ended and how the suggestion came about, or why there is none.
    """

    frame: pd.DataFrame
    suggestion: float | None
    reason: str

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss against the learning rate, with the suggestion; returns the axes.

        Args:
            ax: Where to draw. Defaults to a new figure.

        Raises:
            TypeError: If `ax` is no axes.
        """
        from kerasteach import plotting

        return plotting.learning_rate_test(self.frame, self.suggestion, ax=ax)

    def _view(self) -> View:
        suggested = "no suggestion" if self.suggestion is None else f"suggestion {self.suggestion:.2g}"
        return View(f"LearningRateTest: {suggested} ({self.reason})", self.frame, (".plot()", ".suggestion", ".frame"))


def find_learning_rate(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    sample_weight: Any = None,
    seed: int = 0,
    verbose: int = 1,
) -> LearningRateTest:
    """Try growing learning rates on a model, one a training step, and suggest one. The model is left as it was.

    Step i of n trains on one batch with the rate `lowest * (highest / lowest) ** (i / (n - 1))`. A rate that is too
    small changes nothing; then the loss falls; then it explodes. The run ends early when the loss or a weight is not
    finite, or, after a tenth of the steps, when the smoothed loss is above its lowest by more than three times their
    mean loss.

    - Smoothed loss: `s_i <- 0.8 s_(i-1) + 0.2 loss_i` from `s_(-1) = 0`, divided by `1 - 0.8 ** (i + 1)`, which takes
      out the start at 0 (as in Adam).
    - Suggestion: a tenth of the rate at which the smoothed loss is lowest. There is none if that is not clearly below
      the losses of the first tenth of the steps: below their mean by 5 % of it, and by twice their standard deviation.

    Weights, statistics of `BatchNormalization`, the layers' random seeds, the optimizer's state, its count of steps and
    learning rate, and the metrics are put back bit for bit, also after an exception or Ctrl-C. The batches' order has a
    random generator of its own. (A data set that shuffles, or `keras.random` without a seed, still draws from the
    global random state.)

    Args:
        model: A compiled Keras model; an untrained one, as a rule. If it or its optimizer is not built yet, it is then.
        x: Inputs, `(examples, ...)`, as `fit` takes them; or a `tf.data.Dataset` or `keras.utils.PyDataset` of batches.
            They are repeated as often as the steps need it.
        y: Targets, `(examples, ...)`. Leave it out where `x` has them.
        lowest: The first learning rate. Defaults to `1e-6`.
        highest: The last one. Defaults to `10.0`.
        steps: How many steps to take. Defaults to `100`.
        batch_size: The examples of a step where `x` is arrays: take what you will train with. Defaults to `32`.
        sample_weight: A weight for each example, `(examples,)`. Defaults to `None`.
        seed: Fixes the order of the examples where `x` is arrays. Defaults to `0`.
        verbose: `1` to show a progress bar on standard error, `0` for silence. Defaults to `1`.

    Returns:
        The table `frame`, the suggestion and the reason, and `plot()`, which draws them.

    Raises:
        ValueError: If the model is not compiled, its optimizer has a schedule for the learning rate or none of its own,
            the data hold NaN, or an argument is not valid; the message names it.
        TypeError: Likewise, for a value of the wrong kind.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> test = kt.find_learning_rate(model, x, 2 * x, lowest=1e-4, verbose=0)
        >>> 0.01 < test.suggestion < 0.5
        True

    Reference:
        Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3 (the test, there with a
        rate that grows linearly). The exponential growth, the smoothing and the tenth are fastai's `lr_find`.
    """
    check_compiled(model)
    _check_optimizer(model.optimizer)
    rates, verbose = _rates(lowest, highest, steps), flag("verbose", verbose)
    data = Batches(x, y, sample_weight, batch_size)
    data.check_finite()
    batches = _finite(data.endlessly(whole("seed", seed, least=0)))
    batch = next(batches)
    check_targets(model, batch)
    if not model.built:
        with fitting(model):
            model(batch[0])
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    losses: list[float] = []
    smoothed: list[float] = []
    with progress_bar(verbose, len(rates), "learning rates") as report, left_as_found(model):
        for step, rate in enumerate(rates):
            losses.append(_step(model, batch, rate))
            smoothed.append(_smooth(smoothed, losses[-1]))
            report(step + 1, done=f"{rate:.1e}")
            poisoned = not _weights_are_finite(model)
            if poisoned or _exploded(losses, smoothed, len(rates)):
                break
            batch = next(batches)
    frame = pd.DataFrame(
        {"step": range(len(losses)), "learning_rate": rates[: len(losses)], "loss": losses, "smoothed": smoothed}
    )
    return LearningRateTest(frame, *_suggestion(rates, losses, smoothed, poisoned))


def _check_optimizer(optimizer: keras.optimizers.Optimizer) -> None:
    if not isinstance(getattr(optimizer, "learning_rate", None), keras.Variable):
        raise ValueError(
            "The model's optimizer must have a learning rate that can be set: compile it with a number, "
            "find a rate, then build your schedule around it. Received: the optimizer "
            f"{type(optimizer).__name__}, whose learning rate is a schedule, a function, or several."
        )


def _finite(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield batches, and raise ValueError at one with NaN, whose loss would mean nothing."""
    for batch in batches:
        check_finite(batch)
        yield batch


def _weights_are_finite(model: keras.Model) -> bool:
    """Return whether all weights are finite; behind ReLU, NaN in a weight need not reach the loss."""
    finite_weights = [ops.all(ops.isfinite(variable)) for variable in model.trainable_variables]
    return not finite_weights or bool(ops.all(ops.stack(finite_weights)))  # one transfer from the device


def _rates(lowest: Any, highest: Any, steps: Any) -> np.ndarray:
    fits_memory("steps", steps, 4 * whole("steps", steps, least=2))
    first, last = finite("lowest", lowest), finite("highest", highest)
    if not 0 < first < last:
        raise ValueError(
            "`lowest` and `highest` must be learning rates with 0 < lowest < highest. "
            f"Received: lowest={shown(lowest)}, highest={shown(highest)}."
        )
    return np.geomspace(first, last, int(steps))


def _step(model: keras.Model, batch: Batch, rate: float) -> float:
    """Train on one batch at this rate, and return the loss that it had before."""
    model.optimizer.learning_rate = rate
    loss, _ = train_on(model, batch)
    return loss


def _smooth(smoothed: list[float], loss: float) -> float:
    step = len(smoothed)
    past = smoothed[-1] * (1 - _SMOOTHING**step) if step else 0.0
    return (_SMOOTHING * past + (1 - _SMOOTHING) * loss) / (1 - _SMOOTHING ** (step + 1))


def _first(steps: int) -> int:
    """Return the number of first steps, in which the rates are too small to change the loss."""
    return max(2, steps // 10)


def _exploded(losses: list[float], smoothed: list[float], steps: int) -> bool:
    if not math.isfinite(losses[-1]):
        return True
    usual = float(np.mean(np.abs(losses[: _first(steps)])))
    return len(losses) > _first(steps) and smoothed[-1] > min(smoothed) + _EXPLODED * usual


def _suggestion(
    rates: np.ndarray, losses: list[float], smoothed: list[float], poisoned: bool = False
) -> tuple[float | None, str]:
    """Return the suggested rate or `None`, and the reason."""
    end = f"all {len(rates)} steps were taken"
    exploded = poisoned or _exploded(losses, smoothed, len(rates))
    if exploded:
        cause = "the loss exploded" if math.isfinite(losses[-1]) else "the loss was not finite"
        cause = "a weight was not finite" if poisoned and math.isfinite(losses[-1]) else cause
        end = f"{cause} at learning rate {rates[len(losses) - 1]:.2g}"
    first = np.asarray(losses[: _first(len(rates))])
    best = int(np.argmin(np.where(np.isfinite(smoothed), smoothed, np.inf)))
    with np.errstate(invalid="ignore"):
        below = first.mean() - max(_FELL * abs(first.mean()), _SCATTER * first.std())
    if not smoothed[best] < below:
        advice = "try a lower `lowest` or more `steps`" if exploded else "try a higher `highest`"
        return None, f"the smoothed loss never clearly fell, so nothing is suggested: {advice}; {end}"
    lowest = f"the smoothed loss is lowest, {smoothed[best]:.3g}, at learning rate {rates[best]:.2g}"
    if best == len(rates) - 1:
        lowest += ", the last (try a higher `highest`)"
    return float(rates[best]) / _SAFETY, f"{lowest}; a tenth of it is suggested; {end}"
