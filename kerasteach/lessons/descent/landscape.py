"""The values of a function over a line or a plane, for drawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.descent import functions
from kerasteach.lessons.descent.objective import Objective, named, objective
from kerasteach.tables.descent import coordinates
from kerasteach.validation import array, fits_memory, received, table, whole

_POINTS = {1: 401, 2: 121}  # a coordinate
_AT_ONCE = 1024  # a function may hold data of its own, once for each of these points
_MARGIN = 0.15  # of what the path covers, on each side


def landscape(
    f: str | functions.Function | Callable[..., Tensor], around: Any = None, points: int | None = None
) -> pd.DataFrame:
    """Tabulate a function of one or two coordinates over a grid, for `kerasteach.plotting.descent_path`.

    Args:
        f: A function, or its name, as `gradient_descent` takes it.
        around: What to cover: a `Descent` or its table; or a range `(low, high)`, or one for each of two coordinates.
            Defaults to the ranges of a function of the gallery, which are covered with a table of its descent too. Of a
            table, points that are higher than the highest start are left out: a path that flies off would hide all
            the rest.
        points: How many points a coordinate. Defaults to `401` for one coordinate and `121` for two.

    Returns:
        A data frame, a row a point: the coordinates, named as in the table of a descent, and `value`.

    Raises:
        TypeError: If `f` is no function.
        ValueError: If `around` gives no ranges, or more than two; or if `points` or `f` will not do.

    Example:
        >>> import kerasteach as kt
        >>> kt.lessons.landscape("parabola", (-1, 1), points=3)["value"].tolist()
        [1.0, 0.0, 1.0]
    """
    function = named(f)
    ranges, vector = _ranges(function, getattr(around, "frame", around))
    points = whole("points", _POINTS[len(ranges)] if points is None else points, least=2)
    fits_memory("points", points, points ** len(ranges) * (len(ranges) + 1))
    middle = ranges.mean(axis=1)
    goal = objective(function, middle if vector else middle[0], "around")
    axes = np.meshgrid(*(np.linspace(low, high, points) for low, high in ranges), indexing="ij")
    grid = np.stack([axis.ravel() for axis in axes], axis=-1)  # (points, coordinates)
    return pd.DataFrame(grid, columns=list(goal.coordinates)).assign(value=_values(goal, grid))


def _values(goal: Objective, grid: np.ndarray) -> np.ndarray:
    tf = require_tensorflow()
    every = tf.function(lambda some: tf.vectorized_map(goal.value, some), autograph=False)
    every = every.get_concrete_function(tf.TensorSpec((None, grid.shape[1]), goal.dtype))
    parts = [every(tf.constant(grid[i : i + _AT_ONCE], goal.dtype)) for i in range(0, len(grid), _AT_ONCE)]
    return np.concatenate([np.asarray(part, "float64") for part in parts])


def _ranges(function: Any, around: Any) -> tuple[np.ndarray, bool]:
    """Return the lowest and highest of each coordinate, `(coordinates, 2)`, and whether there may be several."""
    own = np.array(function.ranges, "float64") if isinstance(function, functions.Function) else None
    if isinstance(around, pd.DataFrame):
        ranges = _covered(around)
        if own is not None and own.size == ranges.size:
            own = np.atleast_2d(own)
            ranges = np.stack([np.minimum(own, ranges)[:, 0], np.maximum(own, ranges)[:, 1]], axis=1)
        return ranges, len(ranges) > 1 or "w_0" in around
    ranges = np.empty(0) if around is None and own is None else array("around", own if around is None else around)
    flat = ranges.ndim == 1
    ranges = np.atleast_2d(ranges)
    if ranges.shape not in ((1, 2), (2, 2)) or not _rising(ranges):
        raise ValueError(
            "`around` must be the table of a descent, a range (low, high), or two of them. "
            f"{received('around', around)}"
        )
    return ranges, not flat and (around is not None or len(ranges) > 1)


def _rising(ranges: np.ndarray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        widths = ranges[:, 1] - ranges[:, 0]
    return bool((np.isfinite(widths) & (widths > 0)).all())


def _covered(descent: pd.DataFrame) -> np.ndarray:
    table("around", descent, ["step", "value"], "gradient_descent")
    names = coordinates(descent)
    if not 1 <= len(names) <= 2 or descent.empty:
        raise ValueError(
            "`around` must be the table of a descent with one or two coordinates. "
            f"Received: {len(descent)} rows with the columns {', '.join(map(str, descent))}."
        )
    points, values = array("around", descent[names]), array("around", descent["value"])
    shown = points[values <= values[descent["step"] == 0].max(initial=-np.inf)]
    if not np.isfinite(shown).all() or not len(shown):
        raise ValueError(
            "`around` must be the table of a descent that begins at step 0, at a finite point. Received: one that does "
            "not."
        )
    low, high = shown.min(axis=0), shown.max(axis=0)
    margin = np.where(high > low, _MARGIN * (high - low), 1.0)
    return np.stack([low - margin, high + margin], axis=1)
