"""Columns of the table of a gradient descent."""

from __future__ import annotations

import pandas as pd

DESCENT_KEYS = ("optimizer", "learning_rate", "step")


DESCENT_COLUMNS = (*DESCENT_KEYS, "value", "gradient_norm", "verdict")  # of a descent, besides its coordinates


def coordinates(descent: pd.DataFrame) -> list[str]:
    """Return the columns of a descent's table that are its coordinates: those between `step` and `value`.

    Example:
        >>> import kerasteach as kt
        >>> kt.tables.descent.coordinates(kt.gradient_descent("rosenbrock", steps=1).frame)
        ['x', 'y']
    """
    names = [str(column) for column in descent]
    if not {"step", "value"} <= set(names):
        return []
    return names[names.index("step") + 1 : names.index("value")]
