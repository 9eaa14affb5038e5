"""Gradient descent on a function, with every step recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.descent import functions
from kerasteach.lessons.descent.descent import Descent
from kerasteach.lessons.descent.objective import Objective, checked_point, named, objective
from kerasteach.lessons.descent.optimizers import candidates
from kerasteach.lessons.descent.path import DescentPath, paths_by_rate
from kerasteach.lessons.descent.verdicts import verdict
from kerasteach.tables.captures import with_keys
from kerasteach.validation import finite, fits_memory, received, whole

_STOPS = ("gradient_norm", "value")


def gradient_descent(
    f: str | functions.Function | Callable[..., Tensor],
    start: Any = None,
    learning_rate: float | list[float] | tuple[float, ...] | None = None,
    steps: int = 50,
    until: Mapping[str, float] | None = None,
    optimizer: Any = None,
) -> Descent:
    """Descend a function, `w <- w - learning_rate * gradient`, and record every step.

    The gradient is TensorFlow's automatic one. A path is computed in float64, the learning rate included (in float32
    only where `f` holds float32 tensors that take nothing else; other constants of an optimizer, such as its momentum,
    Keras rounds to float32 itself), and in one compiled loop. It ends early where it meets `until`, and at the first
    row that is not finite.

    The verdict of a path is the first of these that holds:

    1. diverged: a coordinate, value or gradient is not finite.
    2. converged: it met `until`, or over the last tenth of its steps the gradient's norm is at most 1e-4 of that at the
       start. So the gradient has vanished: at a minimum, a saddle point, or on a plateau.
    3. diverged: the last value is higher than every value of the first half (by more than a tenth of that half's
       height over the lowest value of all, and by more than rounding).
    4. oscillating: over the last half, at least half of the steps turn back by more than 90 degrees, or the value rises
       at least half as much as it falls.
    5. still going: also down a slope that has no end, until that overflows.

    Args:
        f: A function of one or several numbers, or of one vector, written with `keras.ops` or TensorFlow, that returns
            one number; or a name in `kerasteach.lessons.functions.names()`.
        start: Where to begin: a number for a function of one number, several for one of several or of a vector.
            Defaults to the start of a function of the gallery; any other needs one.
        learning_rate: A number above 0, or several. Defaults to `0.1`, and for an optimizer given ready to its own.
        steps: How many steps to take, at most. Defaults to `50`.
        until: Thresholds below which to stop, strictly: `{"gradient_norm": 1e-3}`, `{"value": 0.05}`, or both, which
            then must both be met. Defaults to `None`.
        optimizer: Another rule for the step: a name that Keras knows, such as `"adam"`, an optimizer such as
            `keras.optimizers.SGD(momentum=0.9)`, a list of these, or a dictionary that names them. Each path has a
            fresh copy, which steps by Keras's own `apply`; the coordinates are one variable, `(coordinates,)`.
            Defaults to `kerasteach.optimizers.PlainSGD`.

    Returns:
        The paths. Their `frame` has a row a step from 0, the start: the columns `optimizer, learning_rate, step`, then
        the coordinates (named after `f`'s arguments; `w_0, w_1, ...` if it takes one vector), then
        `value, gradient_norm, verdict`. Of a learning rate schedule, `learning_rate` is the first one.
        `frame.attrs["setting"]` says for the titles of figures what was descended.

    Raises:
        TypeError: If `f` is no function, or another argument is of the wrong type.
        ValueError: If `f` cannot be computed by TensorFlow, does not depend on its arguments, or gives anything but one
            number; if `start` does not fit it, or is no point where it and its gradient are finite; if a learning
            rate, `steps`, `until` or `optimizer` is none; or if the paths would have more than 2**28 numbers.
        RuntimeError: If Keras runs on another backend than TensorFlow.

    Example:
        >>> import kerasteach as kt
        >>> descent = kt.gradient_descent(lambda w: (w - 3) ** 2, start=0.0, learning_rate=[0.25, 1.5], steps=40)
        >>> descent.frame[["learning_rate", "step", "w", "value"]].head(3).values.tolist()
        [[0.25, 0.0, 0.0, 9.0], [0.25, 1.0, 1.5, 2.25], [0.25, 2.0, 2.25, 0.5625]]
        >>> descent.verdicts["verdict"].tolist()
        ['converged', 'diverged']
    """
    function, start = _start(f, start)
    steps = whole("steps", steps, least=1)
    thresholds = _thresholds(until)
    compared = candidates(optimizer, learning_rate)
    paths = sum(len(candidate.learning_rates) for candidate in compared)
    fits_memory("steps", steps, (steps + 1) * (np.size(start) + 2) * paths)
    goal = objective(function, start)
    _check_slope(goal, start)
    parts = [
        with_keys(_table(goal, path), {"optimizer": candidate.name, "learning_rate": rate})
        for candidate in compared
        for rate, path in paths_by_rate(goal, start, candidate, steps, thresholds)
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs["setting"] = _what(function)
    return Descent(frame, function)


def _what(function: Any) -> str:
    """Return what figures call the function: of the gallery its name and formula; nothing of one without a name."""
    if isinstance(function, functions.Function):
        formula = function.formula.replace("-", "\N{MINUS SIGN}")
        return f"{function.name.replace('_', ' ')}: {formula}"
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else ""


def _start(f: Any, start: Any) -> tuple[Any, Any]:
    function = named(f)
    gallery = function if isinstance(function, functions.Function) else None
    if start is None and gallery is None:
        raise ValueError("`start` must be a point, but for a function of the gallery. Received: start=None.")
    point = checked_point(gallery.start if gallery is not None and start is None else start, "start")
    if gallery is not None and np.size(point) != np.size(gallery.start):
        raise ValueError(
            f"`start` must have a number for each coordinate of {gallery.name}, as in {gallery.start}. "
            f"{received('start', start)}"
        )
    return function, point


def _thresholds(until: Any) -> dict[str, float]:
    if until is None:
        return {}
    if not isinstance(until, Mapping) or not until or not set(until) <= set(_STOPS):
        error = ValueError if isinstance(until, Mapping) else TypeError
        raise error(
            '`until` must be a dictionary with a threshold for "gradient_norm", "value" or both. '
            f"{received('until', until)}"
        )
    checked = {name: finite(f"until[{name!r}]", threshold) for name, threshold in until.items()}
    if checked.get("gradient_norm", 1) <= 0:
        raise ValueError(
            f"`until` must be above 0 for a gradient's norm, which is never below 0. {received('until', until)}"
        )
    return checked


def _check_slope(goal: Objective, start: Any) -> None:
    """Raise ValueError unless the function depends on its arguments, and is finite with its gradient at the start."""
    tf = require_tensorflow()
    value, gradient = goal.value_and_gradient(tf.constant(np.atleast_1d(start), goal.dtype))
    if gradient is None:
        raise ValueError(
            "`f` must depend on its arguments, in a way that TensorFlow can follow. "
            "Received: a function without a gradient."
        )
    if not np.isfinite([value, *gradient]).all():
        raise ValueError(
            "`start` must be a point where f and its gradient are finite. "
            f"Received: start={np.asarray(start).tolist()!r}, where f is {float(value):g} and its gradient "
            f"{np.asarray(gradient).tolist()}."
        )


def _table(goal: Objective, path: DescentPath) -> pd.DataFrame:
    columns: dict[str, Any] = {"step": np.arange(len(path.values))}
    columns |= {name: path.points[:, index] for index, name in enumerate(goal.coordinates)}
    columns |= {"value": path.values, "gradient_norm": path.norms}
    return pd.DataFrame(columns).assign(verdict=verdict(path.points, path.values, path.norms, path.met))
