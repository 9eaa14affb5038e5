"""Activation functions and their derivatives as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kerasteach.activations.derivatives import derivative
from kerasteach.activations.functions import floats
from kerasteach.activations.lazy_import import ops
from kerasteach.activations.lookup import ACTIVATIONS, called, get, name_of, names
from kerasteach.activations.properties import Activation
from kerasteach.validation import array, several

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def table(
    activations: str | Activation | Iterable[str | Activation] | Mapping[str, str | Activation] | None = None,
    x: Any = None,
) -> pd.DataFrame:
    """Tabulate activation functions and their derivatives, ready to be drawn.

    Softmax, log_softmax and sparsemax work on a whole vector. Each is shown as the first output for the three logits
    `(x, 0, 0)`: of softmax, the probability of a class as its own logit grows.

    Args:
        activations: A name that `get` knows, or a function of each entry by itself, or several; a dictionary gives
            names of your own. Defaults to `names()`, the course's.
        x: The points, `(points,)`. Defaults to 201 of them from -5 to 5.

    Returns:
        A data frame with the columns `activation, x, value, derivative`, a row a function and point.

    Raises:
        ValueError: If a name is unknown or comes twice, or `x` is empty or not one-dimensional.
        TypeError: If a value is no name and no function, or `x` holds no numbers.

    Example:
        >>> import kerasteach as kt
        >>> kt.activations.table(["relu", "elu"], x=[-1.0, 2.0])["value"].round(3).tolist()
        [0.0, 2.0, -0.632, 2.0]
    """
    import numpy as np
    import pandas as pd

    chosen = _several(names() if activations is None else activations)
    points = np.linspace(-5, 5, 201) if x is None else array("x", x)
    if points.ndim != 1 or not points.size:
        raise ValueError(f"`x` must be a vector of numbers, at least one. Received: x of shape {points.shape}.")
    parts = [pd.DataFrame(_columns(name, activation, points)) for name, activation in chosen.items()]
    return pd.concat(parts, ignore_index=True)


def _several(activations: Any) -> dict[str, str | Activation]:
    """Return names or functions by their names in the table."""
    if isinstance(activations, Mapping):
        pairs = [(str(name), activation) for name, activation in activations.items()]
    else:
        single = isinstance(activations, str) or callable(activations)
        listed = [activations] if single else several("activations", activations, "names or functions")
        pairs = [(called(activation), activation) for activation in listed]
    chosen = dict(pairs)
    if not chosen or len(chosen) < len(pairs):
        raise ValueError(
            "`activations` must be one or more, each of another name; a dictionary gives names. "
            f"Received: {[name for name, _ in pairs]}."
        )
    return chosen


def _columns(name: str, activation: str | Activation, points: np.ndarray) -> dict[str, Any]:
    import numpy as np

    function, slope = get(activation), derivative(activation)
    known = name_of(function)
    if known is not None and ACTIVATIONS[known].axis:
        logits = np.stack([points, np.zeros_like(points), np.zeros_like(points)], axis=-1)  # (points, 3)
        value, change = function(floats(logits))[:, 0], slope(logits)[:, 0, 0]
    else:
        value, change = function(floats(points)), slope(points)
    value, change = ops.convert_to_numpy(value), ops.convert_to_numpy(change)
    return {"activation": name, "x": points, "value": value, "derivative": change}
