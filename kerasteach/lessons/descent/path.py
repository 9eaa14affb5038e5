"""Path of an optimizer over an objective: all steps in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.descent.objective import Objective
from kerasteach.lessons.descent.optimizers import Candidate
from kerasteach.variables import restored

_AT_ONCE = 2**14  # rows that one call of the compiled loop computes: a path that ends early needs memory for no more


@dataclass(frozen=True)
class DescentPath:
    """The numbers of one path, a row a step, and whether it met `until`."""

    points: np.ndarray
    values: np.ndarray
    norms: np.ndarray
    met: bool


def paths_by_rate(
    goal: Objective, start: Any, candidate: Candidate, steps: int, thresholds: Mapping[str, float]
) -> Iterator[tuple[float, DescentPath]]:
    """Yield each learning rate with its path: one compiled loop, whose variables are restored after each."""
    tf = require_tensorflow()
    point = keras.Variable(np.atleast_1d(start), dtype=goal.dtype, name="point")
    rate = tf.Variable(0.0, dtype=goal.dtype, trainable=False)
    optimizer = candidate.make(rate.read_value)
    optimizer.build([point])
    walk = tf.function(_walk(goal, point, optimizer, thresholds), autograph=False)
    walk = walk.get_concrete_function(tf.TensorSpec((), "int32"))
    for learning_rate in candidate.learning_rates:
        rate.assign(learning_rate)
        with restored([point, *optimizer.variables]):
            path = _walked(walk, steps + 1)
        yield learning_rate, path


def _walked(walk: Callable[[Tensor], tuple[Tensor, ...]], rows: int) -> DescentPath:
    """Call the loop until there are enough rows, or the path ends."""
    parts: list[list[np.ndarray]] = []
    going, met = True, False
    while going and rows:
        written, going, met, *columns = walk(np.int32(min(rows, _AT_ONCE)))
        parts.append([np.asarray(column, "float64")[: int(written)] for column in columns])
        rows -= int(written)
    points, values, norms = (np.concatenate(column) for column in zip(*parts, strict=True))
    return DescentPath(points, values, norms, bool(met))


def _walk(
    goal: Objective, point: keras.Variable, optimizer: keras.optimizers.Optimizer, thresholds: Mapping[str, float]
) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """Return the loop of steps: it ends after enough rows, below the thresholds, or at a row that is not finite."""
    tf = require_tensorflow()

    def row(step: Tensor, going: Tensor, met: Tensor, *columns: Any) -> tuple[Any, ...]:
        position = tf.convert_to_tensor(point.value)
        value, gradient = goal.value_and_gradient(position)
        value = tf.cast(value, goal.dtype)
        norm = _norm(gradient)
        optimizer.apply([optimizer.scale_loss(gradient)], [point])  # apply divides by an optimizer's loss_scale_factor
        is_finite = tf.reduce_all(tf.math.is_finite(tf.concat([position, gradient, [value]], 0)))
        reached = {"value": value, "gradient_norm": norm}
        met = tf.reduce_all([reached[name] < threshold for name, threshold in thresholds.items()] or [False])
        written = (column.write(step, number) for column, number in zip(columns, (position, value, norm), strict=True))
        return step + 1, is_finite & ~met, met, *written

    def walk(most: Tensor) -> tuple[Tensor, ...]:
        shapes = (point.shape, (), ())
        columns = [tf.TensorArray(goal.dtype, size=most, element_shape=shape) for shape in shapes]
        begin = (tf.constant(0), tf.constant(True), tf.constant(False), *columns)
        rows, going, met, *columns = tf.while_loop(lambda step, going, *_: going & (step < most), row, begin)
        return rows, going, met, *(column.stack() for column in columns)

    return walk


def _norm(gradient: Tensor) -> Tensor:
    """Return the Euclidean norm, without squares that overflow or underflow."""
    tf = require_tensorflow()
    largest = tf.reduce_max(tf.abs(gradient))
    scale = tf.where((largest > 0) & tf.math.is_finite(largest), largest, tf.ones_like(largest))
    return scale * tf.norm(gradient / scale)
