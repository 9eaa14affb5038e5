"""Objective of a descent: a user's function, its coordinates, and its gradient by TensorFlow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.keras_internals import without_seed_generator
from kerasteach.lessons.descent import functions
from kerasteach.tables.descent import DESCENT_COLUMNS
from kerasteach.validation import array, choice, received, said

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Objective:
    """A function as TensorFlow computes it."""

    coordinates: tuple[str, ...]  # the names of its coordinates
    value: Callable[[Tensor], Tensor]  # maps a point, a tensor `(coordinates,)`, to a scalar tensor
    dtype: str  # `"float64"`, or `"float32"` where the function holds float32 tensors and takes nothing else

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the value at a point and the gradient, `(coordinates,)`, which is `None` for a constant."""
        tf = require_tensorflow()
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = self.value(point)
        gradient = tape.gradient(value, point)
        return value, None if gradient is None else tf.convert_to_tensor(gradient)


def named(f: Any) -> Callable[..., Any]:
    """Return a function, or the one of the gallery that has this name.

    Raises:
        TypeError: If it is neither a function nor a name.
        ValueError: If the gallery has no function of this name.
    """
    return f if callable(f) else functions.get(choice("f", f, functions.names(), otherwise="a function"))


def objective(f: Any, at: Any, argument: str = "start") -> Objective:
    """Trace a function once, so that one that cannot be descended is refused before the first step.

    A number gives `f` one number. Several give `f` as many arguments, or one vector if it has a single argument.
    Arguments with a default are left at it.

    Args:
        f: A function written with `keras.ops` or TensorFlow.
        at: A point where it is defined.
        argument: What the point is called in errors. Defaults to `"start"`.

    Raises:
        ValueError: If the point is none, does not fit `f`'s arguments, or `f` cannot be computed by TensorFlow there,
            or gives anything but one number.
    """
    point = checked_point(at, argument)
    coordinates, calls = _calls(f, point, argument)
    with without_seed_generator():
        goal = Objective(coordinates, *_trace(calls, point, argument))
        _check_result(goal, point, argument)
    return goal


def checked_point(point: Any, argument: str) -> np.ndarray:
    """Return a number, or a vector of them, in float64."""
    try:
        numbers = array(argument, point)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim > 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"`{argument}` must be a finite number or several. {received(argument, point)}")
    return numbers


def _calls(f: Callable[..., Any], point: np.ndarray, argument: str) -> tuple[tuple[str, ...], list[Callable[..., Any]]]:
    """Return the coordinates' names, and functions of a vector that call `f`."""
    tf = require_tensorflow()
    names = _arguments(f)
    numbered = [f"w_{i}" for i in range(point.size)]
    if point.ndim and names is not None and len(names) == 1:  # one vector; `x, y = w` works on a tuple alone
        return tuple(numbered), [f, lambda vector: f(tuple(tf.unstack(vector)))]
    names = numbered if names is None else names  # of f(*x), or where the signature is unknown
    if len(names) != point.size:
        raise ValueError(
            f"`{argument}` must have a number for each argument of `f`: {', '.join(names) or 'it has none'}. "
            f"Received: {argument}={point.tolist()!r}."
        )
    taken = [name for name in names if name in DESCENT_COLUMNS]
    if taken:
        raise ValueError(f"The arguments of `f` must not be called as the table's own columns are. Received: {taken}.")
    return tuple(names), [lambda vector: f(*tf.unstack(vector, point.size))]


def _arguments(f: Callable[..., Any]) -> list[str] | None:
    """Return the names of the arguments that are coordinates, or `None` if `f` takes any number of them."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    required = [parameter.name for parameter in positional if parameter.default is parameter.empty]
    return required or [parameter.name for parameter in positional]


def _trace(calls: list[Callable[..., Any]], point: np.ndarray, argument: str) -> tuple[Callable[[Tensor], Tensor], str]:
    """Return the first call that TensorFlow can trace, compiled, and its dtype."""
    tf = require_tensorflow()
    errors: list[Exception] = []
    for dtype, autograph, call in product(("float64", "float32"), (False, True), calls):
        # AutoGraph, which Python's `if` on a value needs, is slow, and prints warnings where it fails.
        if autograph and not any(isinstance(error, tf.errors.OperatorNotAllowedInGraphError) for error in errors):
            continue
        try:
            traced = tf.function(call, autograph=autograph)
            return traced.get_concrete_function(tf.TensorSpec((point.size,), dtype)), dtype
        except Exception as error:  # anything that f raises
            errors.append(error)
    try:
        calls[0](tf.constant(np.atleast_1d(point)))
    except Exception as error:
        raise _failed(error, point, argument) from error
    raise ValueError(
        "`f` must be written with keras.ops or TensorFlow throughout: NumPy, math and float() break the gradient, and "
        f"Python's own min and max do not know tensors. TensorFlow says: {said(errors[0])}"
    ) from None


def _failed(error: Exception, point: np.ndarray, argument: str) -> ValueError:
    """Return the error for a function that cannot be computed at a point."""
    random = "seed must have shape" in str(error)  # of keras.random without a seed, in a compiled function
    generator = "with generator = keras.random.SeedGenerator(0)"
    advice = f"Random numbers of Keras need `seed=generator` here, {generator}. " if random else ""
    return ValueError(f"`f` fails at `{argument}`: {said(error)} {advice}Received: {argument}={point.tolist()!r}.")


def _check_result(goal: Objective, point: np.ndarray, argument: str) -> None:
    """Raise ValueError unless the function gives one real number at the point."""
    tf = require_tensorflow()
    try:
        value: Any = goal.value(tf.constant(np.atleast_1d(point), goal.dtype))
    except Exception as error:  # an error that TensorFlow raises only when it computes
        raise _failed(error, point, argument) from error
    if value is None:
        raise ValueError("`f` must return a number. Received: a function that returns None; is its `return` missing?")
    if not tf.is_tensor(value) or value.shape.rank != 0:
        shape = f"shape {tuple(value.shape)}" if tf.is_tensor(value) else type(value).__name__
        listed = point.ndim and point.size == 1
        raise ValueError(
            "`f` must return one number; keras.ops.sum or keras.ops.mean makes one of several. "
            + (f"A function of one number has `{argument}={point[0]}`, without brackets. " if listed else "")
            + f"Received: a function that returns {shape} at {argument}={point.tolist()!r}."
        )
    if not value.dtype.is_floating:
        raise ValueError(f"`f` must return a real number. Received: a function that returns {value.dtype.name}.")
