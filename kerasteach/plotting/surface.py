"""The error surface: a curve over one coordinate, or colours and contours over two, with the training path on it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation

from kerasteach.plotting.style import new_axes

_PATH = "#BB5566"
_LEVELS = 14
_STEEP = 50  # a loss that spans more than this factor has a logarithmic scale
_AXES = {
    "direction_1": "first random direction (1: the length of the filters)",
    "direction_2": "second random direction",
    "component_1": "along the path (distance of the weights)",
    "component_2": "across the path (distance of the weights)",
}


def loss_surface(surface: pd.DataFrame, path: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Draw a model's loss over one or two coordinates, and the path that the training took.

    Over two coordinates, colours and contours tell the loss, on a logarithmic scale where it spans a factor of 50 or
    more; a cell is hatched where the loss is not finite. The path is projected: the snapshots' own losses differ from the
    surface's below them, the more the further they are off the plane, and the legend says how far that is at most. Over
    one coordinate, the path stands at the snapshots' own losses.

    Args:
        surface: `LossSurface.loss`: one or two columns of coordinates on a whole grid, then `loss`.
        path: `LossSurface.path`: `snapshot`, the same coordinates, `loss` and `distance`. Defaults to `None`.
        ax: Where to draw. Defaults to a new figure.

    Returns:
        The axes.

    Raises:
        TypeError: If a table is no data frame.
        ValueError: If a column is missing, or the rows are no whole grid.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> surface = pd.DataFrame({"w": [-1.0, 0.0, 1.0], "loss": [1.0, 0.0, 1.0]})
        >>> kt.plotting.loss_surface(surface).get_xlabel()
        'w'
    """
    coordinates = _checked(surface, path)
    ax = new_axes(ax)
    if len(coordinates) == 1:
        _draw_curve(ax, surface, path, coordinates[0])
    else:
        _draw_contours(ax, surface, path, coordinates)
    return ax
