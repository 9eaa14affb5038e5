"""Outputs of networks on a grid over the plane of two features, and the examples that are drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach import validation
from kerasteach.plotting.comparison_tables import PREDICTIONS, Hue, networks_in
from kerasteach.plotting.style import plain
from kerasteach.plotting.wording import N_, gettext

_AXES, _AXIS = (N_("first feature"), N_("second feature")), N_("feature")
EXAMPLES = {"train": N_("training examples"), "test": N_("test examples")}  # of the parts of the data


def planes_in(predictions: Any, hue: Hue) -> pd.DataFrame:
    """Return the checked table of predictions: the columns `network, seed, x_1, x_2, output, value`."""
    return networks_in("predictions", predictions, PREDICTIONS, hue)


def check_grid(frame: pd.DataFrame, outputs: int) -> None:
    """Raise ValueError unless each network and seed has each output once at each point of a grid."""
    for (_, seed), rows in frame.groupby(["network", "seed"]):
        points = rows["x_1"].nunique() * rows["x_2"].nunique()
        if len(rows) != points * outputs or not np.isfinite(rows[["x_1", "x_2"]].to_numpy()).all():
            raise ValueError(
                "`predictions` must have each point of a grid once for each output. "
                f"Received: {len(rows)} rows for seed {seed}, {points} points and {outputs} outputs."
            )


def lines_of_grid(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of the grid's lines along the two features."""
    one, two = (np.sort(rows[name].unique()) for name in ("x_1", "x_2"))
    return one, two


def values_on_grid(run: pd.DataFrame, outputs: Sequence[str]) -> np.ndarray:
    """Return one seed's values as `(outputs, x_1, x_2)`."""
    ordered = run.assign(output=pd.Categorical(run["output"], categories=list(outputs))).sort_values(
        ["output", "x_1", "x_2"]
    )
    return ordered["value"].to_numpy().reshape(len(outputs), run["x_1"].nunique(), run["x_2"].nunique())


def finite_runs(rows: pd.DataFrame, outputs: Sequence[str]) -> tuple[dict[Any, np.ndarray], str]:
    """Return the values of each seed of one network that are finite, and a note on the others."""
    runs = {seed: values_on_grid(run, outputs) for seed, run in rows.groupby("seed")}
    finite = {seed: values for seed, values in runs.items() if np.isfinite(values).all()}
    message = gettext("{seeds} of {of} seeds not finite") if len(runs) > 1 else gettext("not finite")
    lost = message.format(seeds=len(runs) - len(finite), of=len(runs))
    return finite, lost if len(finite) < len(runs) else ""


def at_points(points: np.ndarray, one: np.ndarray, two: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values of a grid at other points, linearly between its lines, as its picture and contours have them.

    Args:
        points: `(points, 2)`; NaN where they lie outside of the grid.
        one: The lines of the first feature, rising.
        two: Those of the second.
        values: `(outputs, x_1, x_2)`.

    Returns:
        `(outputs, points)`.
    """
    corners: list[tuple[Any, Any]] = []
    shares: list[Any] = []
    outside = np.zeros(len(points), bool)
    for line, place in ((one, points[:, 0]), (two, points[:, 1])):
        outside |= ~((place >= line[0]) & (place <= line[-1]))
        corner = np.clip(np.searchsorted(line, place, side="right") - 1, 0, max(0, len(line) - 2))
        width = line[np.minimum(corner + 1, len(line) - 1)] - line[corner]
        share = np.divide(place - line[corner], width, out=np.zeros(len(place)), where=width > 0)
        corners.append((corner, np.minimum(corner + 1, len(line) - 1)))
        shares.append(np.where(outside, 0.0, share))
    (a, b), (c, d) = corners
    s, t = shares
    found = (1 - s) * ((1 - t) * values[:, a, c] + t * values[:, a, d])
    found += s * ((1 - t) * values[:, b, c] + t * values[:, b, d])
    return np.where(outside, np.nan, found)


def points_on(frame: pd.DataFrame, x: Any, y: Any, name: str = "") -> tuple[np.ndarray, Any]:
    """Return examples as `(examples, 2)` with their targets, or none, or raise an error that says what is wrong.

    Args:
        frame: The checked table of the plane.
        x: The examples, or `None`.
        y: Their targets, or `None`.
        name: What the arguments' names end with: `"_test"`. Defaults to nothing.
    """
    if x is None and y is None:
        return np.zeros((0, 2)), np.zeros(0)
    x_name, y_name = f"x{name}", f"y{name}"
    if x is None or y is None:
        raise ValueError(
            f"`{x_name}` and `{y_name}` belong together: examples and their targets. Received: one of them."
        )
    points = validation.array(x_name, x, ndim=2)
    if points.shape[1] != 2:
        raise ValueError(
            f"`{x_name}` must have the two features of the plane; a boundary over more features cannot be drawn. "
            f"Received: {x_name} of shape {points.shape}."
        )
    targets = validation.entries(y_name, y)
    if targets.ndim not in (1, 2) or len(targets) != len(points):
        raise ValueError(
            f"`{y_name}` must be (examples,), a class or a value for each of `{x_name}`. "
            f"Received: {y_name} of shape {targets.shape}."
        )
    plane = frame[["x_1", "x_2"]].agg(["min", "max"]).to_numpy()
    inside = ((points >= plane[0]) & (points <= plane[1])).all(axis=1)
    if len(points) and inside.mean() < 0.5:
        raise ValueError(
            f"`{x_name}` must be in the units of the plane, those in which `compare` was given the data. "
            f"Received: {len(points) - int(inside.sum())} of {len(points)} examples outside of it."
        )
    return points, targets


def feature_names(features: Any, predictions: pd.DataFrame, count: int = 2) -> list[str]:
    """Return the names of the features, for the axes: those given, or those that the table has."""
    usual = [gettext(name) for name in (_AXES if count == 2 else (_AXIS,))]
    given = predictions.attrs.get("features", usual) if features is None else features
    what = "two names" if count == 2 else "one name"
    names = [validation.text("features", name) for name in validation.several("features", given, what)]
    if len(names) != count:
        raise ValueError(f"`features` must be {what}. {validation.received('features', features)}")
    return [plain(name) for name in names]


def named_value(output: str) -> str:
    """Return what to call an output of a regression: of one that has no name, the value."""
    return gettext("value") if output == "value_1" else plain(output)


def scatter(ax: Axes, points: np.ndarray, colors: Any, edges: Any, marker: str = "o", **options: Any) -> Any:
    """Draw examples, in the size of the usual markers."""
    size = (0.8 * plt.rcParams["lines.markersize"]) ** 2
    style = {"s": size, "marker": marker, "zorder": 3, **options}
    return ax.scatter(points[:, 0], points[:, 1], facecolors=colors, edgecolors=edges, **style)


def thin() -> float:
    """Return the width of a thin line."""
    return 0.6 * float(plt.rcParams["lines.linewidth"])
