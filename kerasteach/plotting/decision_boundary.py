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

from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.comparison_tables import Hue, names_of
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.pages import composed, headline, on_page, panels
from kerasteach.plotting.planes import (
    EXAMPLES,
    at_points,
    check_grid,
    feature_names,
    finite_runs,
    lines_of_grid,
    planes_in,
    points_on,
    scatter,
    thin,
)
from kerasteach.plotting.style import Look, blend, checked_axes, inks, looks, new_axes, on_dark, plain
from kerasteach.plotting.wording import gettext, grouped
from kerasteach.tables.checks import Table, frame_of
from kerasteach.tables.class_labels import class_numbers

_COLUMNS = 3
_PALEST, _DEEPEST = 0.12, 0.6  # how much of a class's color a network shows that is not sure at all, and one that is
_EDGE = 1.2  # of a thin line: the edge of a hollow point


class _Examples(NamedTuple):
    """Examples of one part of the data: where they are, and the numbers of their classes."""

    points: np.ndarray
    classes: np.ndarray


class _Planes(NamedTuple):
    """What is drawn: the checked table, its classes with their looks, the examples by part, the axes' names."""

    frame: pd.DataFrame
    look_of: dict[str, Look]
    examples: dict[str, _Examples]
    features: list[str]


def decision_boundary(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    ax: Axes | None = None,
    *,
    x_test: Any = None,
    y_test: Any = None,
    features: Sequence[str] | None = None,
    hue: Hue = None,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw where one classifier's most probable class changes: each seed's boundary is a line.

    Each class has a color; the mean probability over the seeds decides which a point has, and how deep it is. Seeds
    that left the finite numbers are left out of it, and the title says how many. Where one class wins everywhere there
    is no boundary, and the title says so. Examples are drawn in the color of their own class, those of the training
    filled, those of the test hollow; one that lies in the region of another class has a cross.

    Args:
        predictions: A comparison of one network, such rows of `Comparison.predictions`, or what
            `kerasteach.decision_regions` returns: `x_1, x_2, output, value` on a grid. Of a table with one output, the
            values are the probability of its class, against all else.
        x: Examples to draw on top, `(examples, 2)`, in the units that `compare` was given: those that the network was
            trained on, as filled points. Defaults to `None`.
        y: Their classes: names as in the column `output`, or class numbers from 0, `(examples,)`; or one-hot rows,
            `(examples, classes)`. Defaults to `None`.
        ax: Where to draw. Defaults to a new figure.
        x_test: Examples that it was not trained on, as hollow points. Defaults to `None`.
        y_test: Their classes. Defaults to `None`.
        features: Names of the two features, for the axes. Defaults to those that the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"` for the network and how many examples lie in the region of another class, `None` for no title,
            or a text. Defaults to `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes for the regions, such as `alpha`.

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
    check_title(title)
    ax = checked_axes(ax)
    planes = _checked(predictions, (x, y), (x_test, y_test), features, hue)
    names = names_of(planes.frame)
    if len(names) > 1:
        raise ValueError(
            "`predictions` must be of one network; choose its rows, or draw all with decision_boundary_figure. "
            f"Received: {names}."
        )
    ax = new_axes(ax)
    what, finding = _draw(ax, planes, names[0], kwargs)
    caption(ax, title, what, finding)
    legend_outside(ax, _handles(planes))
    return ax


def decision_boundary_figure(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    *,
    x_test: Any = None,
    y_test: Any = None,
    features: Sequence[str] | None = None,
    hue: Hue = None,
    page: int = 1,
    title: str | None = "auto",
    **kwargs: Any,
) -> Figure:
    """Draw the decision boundary of each network of a table, six on a page, see `decision_boundary`.

    Args:
        predictions: A comparison of classifiers, or its table `predictions`: `x_1, x_2, output, value` on a grid.
        x: Examples to draw on top, `(examples, 2)`, in the units that `compare` was given: those that the network was
            trained on, as filled points. Defaults to `None`.
        y: Their classes: names as in the column `output`, or class numbers from 0, `(examples,)`; or one-hot rows,
            `(examples, classes)`. Defaults to `None`.
        x_test: Examples that it was not trained on, as hollow points. Defaults to `None`.
        y_test: Their classes. Defaults to `None`.
        features: Names of the two features, for the axes. Defaults to those that the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`; `kerasteach.plotting.pages` says how many pages there are.
        title: `"auto"` for how many examples lie in the region of another class, above each panel; `None` for the
            networks' names alone; or a text above all panels. Defaults to `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes for the regions, such as `alpha`.

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
    check_title(title)
    planes = _checked(predictions, (x, y), (x_test, y_test), features, hue)
    names, note = on_page(names_of(planes.frame), page)
    heading = headline(title, "", note)
    with composed():
        figure, axes = panels(len(names), _COLUMNS, width=3.6, height=3.2, note=heading, sharex=True, sharey=True)
        for ax, name in zip(axes, names, strict=True):
            what, finding = _draw(ax, planes, name, kwargs)
            caption(ax, "auto", what, finding if title == "auto" else "")
            ax.xaxis.set_major_locator(MaxNLocator(4, prune="both"))  # panels stand close to each other
            ax.label_outer()
        handles = _handles(planes)
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), frameon=False)
    return figure


def _checked(predictions: Table, train: tuple[Any, Any], test: tuple[Any, Any], features: Any, hue: Hue) -> _Planes:
    """Return what is drawn, or raise an error that names the argument."""
    table = frame_of("predictions", predictions)
    frame = _of_classes(planes_in(table, hue))
    classes = [str(name) for name in frame["output"].unique()]
    _check_probabilities(frame, classes)
    check_grid(frame, len(classes))
    examples = {}
    for part, (x, y), name in zip(EXAMPLES, (train, test), ("", "_test"), strict=True):
        points, labels = points_on(frame, x, y, name)
        numbers = class_numbers(f"y{name}", labels, classes) if len(points) else np.zeros(0, "int64")
        examples[part] = _Examples(points, numbers)
    return _Planes(frame, looks(classes), examples, feature_names(features, table))


def _of_classes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a row for each class: of one output, also of all that is not its class."""
    values = frame["value"][np.isfinite(frame["value"])]
    if frame["output"].nunique() != 1 or not values.between(0, 1).all():
        return frame
    name = gettext("not {class_name}").format(class_name=frame["output"].iloc[0])
    return pd.concat([frame.assign(output=name, value=1 - frame["value"]), frame], ignore_index=True)


def _check_probabilities(frame: pd.DataFrame, classes: Sequence[str]) -> None:
    """Raise ValueError unless each network and seed has the probabilities of all classes."""
    sums = frame.groupby(["network", "seed", "x_1", "x_2"])["value"].sum(min_count=len(classes))
    sums = sums[np.isfinite(sums)]
    if len(classes) < 2 or not np.allclose(sums, 1, atol=1e-3):
        raise ValueError(
            "`predictions` must hold the probabilities of two classes or more, as those of a classification do; "
            "fitted_surface draws a regression. "
            f"Received: {', '.join(classes)}, from {frame['value'].min():g} to {frame['value'].max():g}."
        )


def _draw(ax: Axes, planes: _Planes, name: str, options: dict[str, Any]) -> tuple[str, str]:
    """Draw one network's plane and the examples, without a legend; return what is drawn, and the finding."""
    rows, classes = planes.frame[planes.frame["network"] == name], list(planes.look_of)
    one, two = lines_of_grid(rows)
    mean, note = _regions(ax, rows, classes, (one, two), options)
    wrong = total = 0
    for part, (points, numbers) in planes.examples.items():
        for number, look in enumerate(planes.look_of.values()):
            _scatter(ax, points[numbers == number], look, filled=part == "train")
        if mean is not None and len(points):
            found = at_points(points, one, two, mean)
            inside = np.isfinite(found).all(axis=0)
            bad = points[inside & (np.where(inside, found, 0).argmax(axis=0) != numbers)]
            wrong, total = wrong + len(bad), total + int(inside.sum())
            _mark(ax, bad)
    ax.set(xlabel=planes.features[0], ylabel=planes.features[1])
    message = gettext("{wrong} of {total} examples in the region of another class")
    finding = message.format(wrong=grouped(wrong), total=grouped(total)) if total else ""
    return "\n".join(part for part in (name, note) if part) or gettext("most probable class"), finding


def _regions(
    ax: Axes, rows: pd.DataFrame, classes: Sequence[str], lines: tuple[np.ndarray, np.ndarray], options: dict[str, Any]
) -> tuple[np.ndarray | None, str]:
    """Draw one network's regions and boundaries; return the mean probabilities, and a note for its title."""
    one, two = lines
    ends = (one[0], one[-1], two[0], two[-1])
    finite, lost = finite_runs(rows, classes)
    if not finite:
        ax.patch.set(hatch="///", edgecolor=inks().muted)
        ax.set(xlim=ends[:2], ylim=ends[2:])
        return None, lost
    mean: np.ndarray = np.mean(list(finite.values()), axis=0)
    style = {"origin": "lower", "extent": ends, "aspect": "auto", "interpolation": "bilinear", **options}
    ax.imshow(_picture(mean, classes), **style)
    drawn = [_contour(ax, one, two, values) for values in finite.values()]
    winner = plain(classes[int(mean.mean(axis=(1, 2)).argmax())])
    none = "" if any(drawn) else gettext("no boundary: {class_name} everywhere").format(class_name=winner)
    return mean, ", ".join(part for part in (lost, none) if part)


def _picture(mean: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the colors of the more probable class, `(x_2, x_1, 3)`: a share of its color, the rest the ground's."""
    sure = (mean.max(axis=0) - 1 / len(classes)) / (1 - 1 / len(classes))
    shares = (_PALEST + (_DEEPEST - _PALEST) * sure)[..., None]
    colors = np.array([to_rgb(look.color) for look in looks(classes).values()])
    ground = np.array(to_rgb(inks().surface))
    picture: np.ndarray = ground + shares * (colors[mean.argmax(axis=0)] - ground)
    return np.clip(picture, 0, 1).swapaxes(0, 1)


def _contour(ax: Axes, x_1: np.ndarray, x_2: np.ndarray, planes: np.ndarray) -> bool:
    """Draw where a class and the most probable other one are equal, and say whether there is such a place."""
    drawn = False
    for number in range(len(planes) if len(planes) > 2 else 1):
        lead = planes[number] - np.delete(planes, number, axis=0).max(axis=0)
        if lead.min() < 0 < lead.max():
            ax.contour(x_1, x_2, lead.T, [0], colors=inks().text, linewidths=thin())
            drawn = True
    return drawn


def _scatter(ax: Axes, points: np.ndarray, look: Look, *, filled: bool) -> None:
    """Draw the examples of one class: filled in its color, or hollow with an edge in it."""
    if len(points):
        ink = inks()
        light = ink.text if on_dark() else ink.surface
        face, edge = (look.color, light) if filled else (ink.surface, look.color)
        scatter(ax, points, face, edge, look.marker, linewidths=0.5 if filled else _EDGE * thin())


def _mark(ax: Axes, points: np.ndarray) -> None:
    """Draw a cross over examples that lie in the region of another class."""
    if len(points):
        size = (1.1 * plt.rcParams["lines.markersize"]) ** 2
        ax.scatter(points[:, 0], points[:, 1], s=size, marker="x", color=inks().text, linewidths=thin(), zorder=4)


def _handles(planes: _Planes) -> list[Patch | Line2D]:
    """Return the legend's entries: the classes, the boundary, and the examples."""
    several, ink = planes.frame["seed"].nunique() > 1, inks()
    handles: list[Patch | Line2D] = [
        Patch(color=blend(look.color, ink.surface, 0.5), label=plain(name)) for name, look in planes.look_of.items()
    ]
    label = gettext("boundary of each seed") if several else gettext("boundary")
    handles.append(Line2D([], [], color=ink.text, lw=thin(), label=label))
    shown = [part for part in EXAMPLES if len(planes.examples[part].points)]
    if not shown:
        return handles
    handles.append(Line2D([], [], ls="", marker="x", color=ink.text, label=gettext("in another region")))
    if shown == ["train"]:
        return handles
    for part in shown:
        face = ink.muted if part == "train" else ink.surface
        handles.append(Line2D([], [], ls="", marker="o", mfc=face, mec=ink.muted, label=gettext(EXAMPLES[part])))
    return handles
