"""Decision boundaries: the class that a classifier gives to every point of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from kerasteach import validation
from kerasteach.plotting.comparison_tables import PREDICTIONS, Hue, names_of, networks_in
from kerasteach.plotting.pages import composed, on_page, panels
from kerasteach.plotting.style import Look, checked_axes, looks, new_axes, plain
from kerasteach.plotting.table_checks import Table, frame_of
from kerasteach.plotting.text_fitting import fitted

_COLUMNS = 3
_PALEST, _DEEPEST = 0.12, 0.6  # how much of a class's color a network shows that is not sure at all, and one that is
_AXES = ("first feature", "second feature")


class _Planes(NamedTuple):
    """What is drawn: the checked table, its classes with their looks, the examples of each class, the axes' names."""

    frame: pd.DataFrame
    look_of: dict[str, Look]
    examples: list[np.ndarray]
    features: list[str]


def decision_boundary(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    ax: Axes | None = None,
    *,
    features: Sequence[str] | None = None,
    hue: Hue = None,
) -> Axes:
    """Draw where one classifier's most probable class changes: each seed's boundary is a line.

    Each class has a color; the mean probability over the seeds decides which a point has, and how deep it is. Seeds
    that left the finite numbers are left out of it, and the title says how many. Where one class wins everywhere there
    is no boundary, and the title says so.

    Args:
        predictions: A comparison of one network, or such rows of `Comparison.predictions`: `x_1, x_2, output, value`
            on a grid.
        x: Examples to draw on top, `(examples, 2)`, in the units that `compare` was given: the arrays themselves, or
            the `x_test` of a `Dataset`. Defaults to `None`.
        y: Their classes, `(examples,)`: names as in the column `output`, or class numbers from 0. Defaults to `None`.
        ax: Where to draw. Defaults to a new figure.
        features: Names of the two features, for the axes. Defaults to those that the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.

    Returns:
        The axes.

    Raises:
        TypeError: If `predictions` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing, the table has no row or holds no probabilities, only one of `x` and `y` is
            given, examples are not of two features or mostly lie outside of the plane, or there are several networks.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare("tanh", data="moons", hidden=(4,), seeds=2, epochs=1, verbose=0)
        >>> kt.plotting.decision_boundary(result).get_xlabel()
        'first feature'
    """
    ax = checked_axes(ax)
    planes = _checked(predictions, x, y, features, hue)
    names = names_of(planes.frame)
    if len(names) > 1:
        raise ValueError(
            "`predictions` must be of one network; choose its rows, or draw all with decision_boundary_figure. "
            f"Received: {names}."
        )
    ax = new_axes(ax)
    _draw(ax, planes, names[0])
    ax.legend(handles=_handles(planes), loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


def decision_boundary_figure(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    *,
    features: Sequence[str] | None = None,
    hue: Hue = None,
    page: int = 1,
) -> Figure:
    """Draw the decision boundary of each network of a table, six on a page, see `decision_boundary`.

    Args:
        predictions: A comparison of classifiers, or its table `predictions`: `x_1, x_2, output, value` on a grid.
        x: Examples to draw on top, `(examples, 2)`, in the units that `compare` was given: the arrays themselves, or
            the `x_test` of a `Dataset`. Defaults to `None`.
        y: Their classes, `(examples,)`: names as in the column `output`, or class numbers from 0. Defaults to `None`.
        features: Names of the two features, for the axes. Defaults to those that the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`; `kerasteach.plotting.pages` says how many pages there are.

    Returns:
        The figure.

    Raises:
        TypeError: If `predictions` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing, the table has no row or holds no probabilities, only one of `x` and `y` is
            given, examples are not of two features or mostly lie outside of the plane, or there is no such page.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare("tanh", data="moons", hidden=(4,), seeds=2, epochs=1, verbose=0)
        >>> figure = kt.plotting.decision_boundary_figure(result)
    """
    planes = _checked(predictions, x, y, features, hue)
    names, note = on_page(names_of(planes.frame), page)
    with composed():
        figure, axes = panels(len(names), _COLUMNS, width=3.6, height=3.2, note=note, sharex=True, sharey=True)
        for ax, name in zip(axes, names, strict=True):
            _draw(ax, planes, name)
            ax.xaxis.set_major_locator(MaxNLocator(4, prune="both"))  # panels stand close to each other
            ax.label_outer()
        handles = _handles(planes)
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5), frameon=False)
    return figure


def _checked(predictions: Table, x: Any, y: Any, features: Any, hue: Hue) -> _Planes:
    """Return what is drawn, or raise an error that names the argument."""
    table = frame_of("predictions", predictions)
    frame = networks_in("predictions", table, PREDICTIONS, hue)
    classes = [str(name) for name in frame["output"].unique()]
    _check_probabilities(frame, classes)
    examples = _examples(frame, x, y, classes)
    return _Planes(frame, looks(classes), examples, _feature_names(features, table))


def _draw(ax: Axes, planes: _Planes, name: str) -> None:
    """Draw one network's plane and the examples, without a legend."""
    note = _panel(ax, planes.frame[planes.frame["network"] == name], list(planes.look_of))
    for points, look in zip(planes.examples, planes.look_of.values(), strict=False):
        _scatter(ax, points, look)
    ax.set_title("\n".join(fitted(ax, part) for part in (name, note) if part))
    ax.set(xlabel=planes.features[0], ylabel=planes.features[1])


def _check_probabilities(frame: pd.DataFrame, classes: Sequence[str]) -> None:
    """Raise ValueError unless each network and seed has the probabilities of all classes on a grid."""
    sums = frame.groupby(["network", "seed", "x_1", "x_2"])["value"].sum(min_count=len(classes))
    sums = sums[np.isfinite(sums)]
    if len(classes) < 2 or not np.allclose(sums, 1, atol=1e-3):
        raise ValueError(
            "`predictions` must hold the probabilities of two classes or more, as those of a classification do. "
            f"Received: {', '.join(classes)}, from {frame['value'].min():g} to {frame['value'].max():g}."
        )
    for (_, seed), rows in frame.groupby(["network", "seed"]):
        points = rows["x_1"].nunique() * rows["x_2"].nunique()
        if len(rows) != points * len(classes) or not np.isfinite(rows[["x_1", "x_2"]].to_numpy()).all():
            raise ValueError(
                "`predictions` must have each point of a grid once for each class. "
                f"Received: {len(rows)} rows for seed {seed}, {points} points and {len(classes)} classes."
            )


def _examples(frame: pd.DataFrame, x: Any, y: Any, classes: Sequence[str]) -> list[np.ndarray]:
    """Return the examples of each class, or raise an error that says what is wrong with them."""
    if x is None and y is None:
        return []
    if x is None or y is None:
        raise ValueError("`x` and `y` belong together: examples and their classes. Received: one of them.")
    points = validation.array("x", x, ndim=2)
    labels = np.asarray(y)
    if points.shape[1] != 2:
        raise ValueError(
            "`x` must have the two features of the plane; a boundary over more features cannot be drawn. "
            f"Received: x of shape {points.shape}."
        )
    if labels.shape != (len(points),):
        raise ValueError(f"`y` must be (examples,), a class for each of `x`. Received: y of shape {labels.shape}.")
    plane = frame[["x_1", "x_2"]].agg(["min", "max"]).to_numpy()
    inside = ((points >= plane[0]) & (points <= plane[1])).all(axis=1)
    if len(points) and inside.mean() < 0.5:
        raise ValueError(
            "`x` must be in the units of the plane, those in which `compare` was given the data. "
            f"Received: {len(points) - int(inside.sum())} of {len(points)} examples outside of it."
        )
    return [points[numbers] for numbers in _of_each_class(labels, classes)]


def _of_each_class(labels: np.ndarray, classes: Sequence[str]) -> list[np.ndarray]:
    """Return which labels are of each class: by name where all are names, else by number."""
    names = np.array([str(label) for label in labels.tolist()], dtype=object)
    if set(names) <= set(classes):
        return [names == name for name in classes]
    try:
        numbers = validation.array("y", labels)
    except TypeError:
        numbers = np.array([-1.0])
    if not np.isin(numbers, np.arange(len(classes))).all():
        raise ValueError(
            f"`y` must hold classes out of {', '.join(classes)}, or their numbers from 0 to {len(classes) - 1}. "
            f"Received: {', '.join(sorted(set(names))[:5])}."
        )
    return [numbers == number for number in range(len(classes))]


def _feature_names(features: Any, predictions: pd.DataFrame) -> list[str]:
    """Return the names of the two axes."""
    given = predictions.attrs.get("features", _AXES) if features is None else features
    names = [validation.text("features", name) for name in validation.several("features", given, "two names")]
    if len(names) != 2:
        raise ValueError(f"`features` must be two names. {validation.received('features', features)}")
    return [plain(name) for name in names]


def _panel(ax: Axes, rows: pd.DataFrame, classes: Sequence[str]) -> str:
    """Draw one network's plane, and return a note for its title."""
    x_1, x_2 = (np.sort(rows[name].unique()) for name in ("x_1", "x_2"))
    ends = (x_1[0], x_1[-1], x_2[0], x_2[-1])
    runs = {seed: _planes(run, classes) for seed, run in rows.groupby("seed")}
    finite = {seed: planes for seed, planes in runs.items() if np.isfinite(planes).all()}
    lost = f"{len(runs) - len(finite)} of {len(runs)} seeds not finite" if len(runs) > 1 else "not finite"
    if not finite:
        ax.patch.set(hatch="///", edgecolor="0.6")
        ax.set(xlim=ends[:2], ylim=ends[2:])
        return lost
    mean = np.mean(list(finite.values()), axis=0)
    ax.imshow(_picture(mean, classes), origin="lower", extent=ends, aspect="auto", interpolation="bilinear")
    drawn = [_contour(ax, x_1, x_2, planes) for planes in finite.values()]
    none = "" if any(drawn) else f"no boundary: {plain(classes[int(mean.mean(axis=(1, 2)).argmax())])} everywhere"
    return ", ".join(part for part in (lost if len(finite) < len(runs) else "", none) if part)


def _planes(run: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return the values as `(classes, x_1, x_2)`."""
    ordered = run.assign(output=pd.Categorical(run["output"], categories=list(classes))).sort_values(
        ["output", "x_1", "x_2"]
    )
    return ordered["value"].to_numpy().reshape(len(classes), run["x_1"].nunique(), run["x_2"].nunique())


def _picture(mean: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the colors of the more probable class, `(x_2, x_1, 3)`: a share of its color, the rest white."""
    sure = (mean.max(axis=0) - 1 / len(classes)) / (1 - 1 / len(classes))
    shares = (_PALEST + (_DEEPEST - _PALEST) * sure)[..., None]
    colors = np.array([to_rgb(look.color) for look in looks(classes).values()])
    picture: np.ndarray = 1 - shares * (1 - colors[mean.argmax(axis=0)])
    return np.clip(picture, 0, 1).swapaxes(0, 1)


def _contour(ax: Axes, x_1: np.ndarray, x_2: np.ndarray, planes: np.ndarray) -> bool:
    """Draw where a class and the most probable other one are equal, and say whether there is such a place."""
    drawn = False
    for number in range(len(planes) if len(planes) > 2 else 1):
        lead = planes[number] - np.delete(planes, number, axis=0).max(axis=0)
        if lead.min() < 0 < lead.max():
            ax.contour(x_1, x_2, lead.T, [0], colors="0.15", linewidths=_thin())
            drawn = True
    return drawn


def _scatter(ax: Axes, points: np.ndarray, look: Look) -> None:
    size = (0.8 * plt.rcParams["lines.markersize"]) ** 2
    ax.scatter(
        points[:, 0],
        points[:, 1],
        s=size,
        color=look.color,
        marker=look.marker,
        edgecolors="white",
        linewidths=0.5,
        zorder=3,
    )


def _handles(planes: _Planes) -> list[Patch | Line2D]:
    """Return the legend's entries: the classes, and the boundary."""
    several = planes.frame["seed"].nunique() > 1
    handles: list[Patch | Line2D] = [
        Patch(color=_paint(look.color, 0.5), label=plain(name)) for name, look in planes.look_of.items()
    ]
    line = Line2D([], [], color="0.15", lw=_thin(), label="boundary of each seed" if several else "boundary")
    return [*handles, line]


def _thin() -> float:
    return 0.6 * float(plt.rcParams["lines.linewidth"])


def _paint(color: str, share: float) -> tuple[float, float, float]:
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(color))
    return red, green, blue
