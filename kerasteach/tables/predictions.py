"""Tables of what networks give out on a grid over data with one or two features, and their confusion of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

POINTS = {1: 200, 2: 60}  # along each side of the grid, by the number of features
MARGIN = 0.1  # of the data's range, beyond them


def grid(x: np.ndarray, points: int | None = None, margin: float = MARGIN) -> np.ndarray:
    """Return the points of a grid over examples, the last feature varying fastest.

    Args:
        x: The examples, `(examples, 1)` or `(examples, 2)`.
        points: How many stand along each side. Defaults to `None`: 200 of one feature, 60 of two.
        margin: How far the grid goes beyond the examples, as a share of their range; where a feature is constant, by 1.
            Defaults to `0.1`.

    Returns:
        float32, `(points, features)`.
    """
    count = points or POINTS[x.shape[1]]
    low, high = x.min(axis=0), x.max(axis=0)
    spare = np.where(high > low, margin * (high - low), 1.0 if margin else 0.0)
    sides = [np.linspace(low[axis] - spare[axis], high[axis] + spare[axis], count) for axis in range(x.shape[1])]
    return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, x.shape[1]).astype("float32")


def predictions_table(points: np.ndarray, outputs: Sequence[str], values: np.ndarray) -> pd.DataFrame:
    """Lay the outputs of a network at points out as a tidy table, a row a point and output.

    Args:
        points: `(points, 1)` or `(points, 2)`.
        outputs: The outputs' names.
        values: `(points, outputs)`.

    Returns:
        The columns `x_1`, for two features `x_2`, `output` and `value`.
    """
    columns = {f"x_{axis + 1}": np.repeat(points[:, axis], len(outputs)) for axis in range(points.shape[1])}
    return pd.DataFrame({**columns, "output": np.tile(list(outputs), len(points)), "value": np.asarray(values).ravel()})


def value_names(count: int) -> list[str]:
    """Return the names of a regression's outputs: `["value_1", "value_2"]`."""
    return [f"value_{number + 1}" for number in range(count)]


def confusion_table(true: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Count which classes a network takes for which.

    Args:
        true: The number of each example's own class, `(examples,)`.
        predicted: The number of the class that the network gives it.
        classes: The classes' names.

    Returns:
        The columns `true, predicted, count`, a row for each pair that occurs, in the order of the classes.

    Example:
        >>> from kerasteach.tables.predictions import confusion_table
        >>> confusion_table([0, 0, 1], [0, 1, 1], ("cat", "dog")).values.tolist()
        [['cat', 'cat', 1], ['cat', 'dog', 1], ['dog', 'dog', 1]]
    """
    pairs, counts = np.unique(np.asarray(true, "int64") * len(classes) + predicted, return_counts=True)
    names = np.asarray(list(classes), dtype=object)
    columns = {"true": names[pairs // len(classes)], "predicted": names[pairs % len(classes)]}
    return pd.DataFrame({**columns, "count": counts}).astype({"true": "str", "predicted": "str", "count": "int64"})
