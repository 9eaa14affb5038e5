"""Function of the caller's own to descend: its coordinates, and how TensorFlow computes it and its gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.descent import functions
from kerasteach.tables.descent import DESCENT_COLUMNS
from kerasteach.validation import array, choice, received, said

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Objective:
    """A function as TensorFlow computes it.

    Attributes:
        coordinates: The names of its coordinates.
        value: Maps a point, a tensor `(coordinates,)`, to a scalar tensor.
        dtype: `"float64"`, or `"float32"` where the function holds float32 tensors and takes nothing else.
    """

    coordinates: tuple[str, ...]
    value: Callable[[Tensor], Tensor]
    dtype: str

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the value at a point, and the gradient there, `(coordinates,)`; `None` if nothing leads to it."""
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
    """Trace a function once, so that what cannot be descended is refused before the first step.

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
    coordinates, calls = _ways(f, point, argument)
    traced, dtype = _trace(calls, point, argument)
    found = Objective(coordinates, traced, dtype)
    _check_result(found, point, argument)
    return found


def checked_point(point: Any, argument: str) -> np.ndarray:
    """Return a number, or a vector of them, in float64."""
    try:
        numbers = array(argument, point)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim > 1 or not numbers.size or not np.isfinite(numbers).all():
        raise ValueError(f"`{argument}` must be a finite number or several. {received(argument, point)}")
    return numbers


def _ways(f: Callable[..., Any], point: np.ndarray, argument: str) -> tuple[tuple[str, ...], list[Callable[..., Any]]]:
    """Return the coordinates' names, and the ways to call `f` with a vector of them."""
    tf = require_tensorflow()
    named = _arguments(f)
    if point.ndim and named is not None and len(named) == 1:  # one vector; `x, y = w` works on a tuple alone
        names = tuple(f"w_{i}" for i in range(point.size))
        return names, [f, lambda vector: f(tuple(tf.unstack(vector)))]
    if named is None:  # f(*x), or a function that does not tell
        named = [f"w_{i}" for i in range(point.size)]
    if len(named) != point.size:
        raise ValueError(
            f"`{argument}` must have a number for each argument of `f`: {', '.join(named) or 'it has none'}. "
            f"Received: {argument}={point.tolist()!r}."
        )
    taken = [name for name in named if name in DESCENT_COLUMNS]
    if taken:
        raise ValueError(f"The arguments of `f` must not be called as the table's own columns are. Received: {taken}.")
    return tuple(named), [lambda vector: f(*tf.unstack(vector, point.size))]


def _arguments(f: Callable[..., Any]) -> list[str] | None:
    """Return the names of the arguments that are coordinates, or `None` if `f` takes any number of them."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return None
    positional = [one for one in parameters if one.kind in _POSITIONAL]
    needed = [one.name for one in positional if one.default is one.empty]
    return needed or [one.name for one in positional]


def _trace(calls: list[Callable[..., Any]], point: np.ndarray, argument: str) -> tuple[Callable[[Tensor], Tensor], str]:
    """Return the function as a compiled one of a vector, in the first way in which it can be traced."""
    tf = require_tensorflow()
    errors: list[Exception] = []
    for dtype, autograph, call in product(("float64", "float32"), (False, True), calls):
        # AutoGraph, which Python's `if` on a value needs, is slow, and prints warnings where it fails.
        if autograph and not any(isinstance(one, tf.errors.OperatorNotAllowedInGraphError) for one in errors):
            continue
        try:
            traced = tf.function(call, autograph=autograph)
            return traced.get_concrete_function(tf.TensorSpec((point.size,), dtype)), dtype
        except Exception as error:  # whatever f raises
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


def _first_value(found: Objective, point: np.ndarray, argument: str) -> Any:
    """Compute the function at the point, where what no tracing shows comes to light."""
    tf = require_tensorflow()
    try:
        return found.value(tf.constant(np.atleast_1d(point), found.dtype))
    except Exception as error:  # whatever TensorFlow finds out only when it computes
        raise _failed(error, point, argument) from error


def _check_result(found: Objective, point: np.ndarray, argument: str) -> None:
    """Raise ValueError unless the function gives one real number at the point."""
    tf = require_tensorflow()
    value = _first_value(found, point, argument)
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
