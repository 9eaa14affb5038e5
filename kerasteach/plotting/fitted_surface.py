"""Fitted surface: the value that a network with two inputs gives to every point of the plane, with the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kerasteach import validation
from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.comparison_tables import Hue, names_of
from kerasteach.plotting.pages import composed, headline, on_page, panels
from kerasteach.plotting.planes import (
    EXAMPLES,
    check_grid,
    feature_names,
    finite_runs,
    lines_of_grid,
    named_value,
    planes_in,
    points_on,
    scatter,
    thin,
)
from kerasteach.plotting.style import checked_axes, inks, new_axes
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table, frame_of

_COLORS = "cividis"
_LEVELS = 10
_COLUMNS = 3


class _Surface(NamedTuple):
    """What is drawn: the checked rows of one output, its name, the data by part, the axes' names, the color scale."""

    frame: pd.DataFrame
    output: str
    data: dict[str, tuple[np.ndarray, np.ndarray]]
    features: list[str]
    scale: Normalize


def fitted_surface(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    ax: Axes | None = None,
    *,
    x_test: Any = None,
    y_test: Any = None,
    output: str | None = None,
    features: Sequence[str] | None = None,
    hue: Hue = None,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw the value that a network gives to every point of two features, as colors with contours.

    The color of a point is the mean over the seeds; seeds that left the finite numbers are left out of it, and the
    title says how many. The data are drawn in the color of their own value: where a point stands out from the ground,
    the network is far off.

    Args:
        predictions: A comparison of one network in a regression on two features, such rows of `Comparison.predictions`,
            or what `kerasteach.decision_regions` returns: `x_1, x_2, output, value` on a grid.
        x: Examples to draw on top, `(examples, 2)`, in the units of the plane: those of the training, as circles.
            Defaults to `None`.
        y: Their values, `(examples,)`; of several outputs `(examples, outputs)`. Defaults to `None`.
        ax: Where to draw. Defaults to a new figure.
        x_test: Examples that the network was not trained on, as squares. Defaults to `None`.
        y_test: Their values. Defaults to `None`.
        output: Which output of the table. Defaults to `None`: the first.
        features: Names of the two features, for the axes. Defaults to those that the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        title: `"auto"` for the network's name, `None` for no title, or a text. Defaults to `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes, such as `cmap`.

    Returns:
        The axes.

    Raises:
        TypeError: If `predictions` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing, the table has no row or no such output, only one of `x` and `y` is given,
            examples are not of two features or mostly lie outside of the plane, or there are several networks.

    Example:
        >>> import numpy as np, pandas as pd, kerasteach as kt
        >>> one, two = (axis.ravel() for axis in np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0], indexing="ij"))
        >>> table = pd.DataFrame({"x_1": one, "x_2": two, "output": "value_1", "value": one * two})
        >>> kt.plotting.fitted_surface(table).get_ylabel()
        'second feature'
    """
    check_title(title)
    ax = checked_axes(ax)
    surface = _checked(predictions, ((x, y), (x_test, y_test)), output, features, hue)
    names = names_of(surface.frame)
    if len(names) > 1:
        raise ValueError(
            "`predictions` must be of one network; choose its rows, or draw all with fitted_surface_figure. "
            f"Received: {names}."
        )
    ax = new_axes(ax)
    note = _draw(ax, surface, names[0], kwargs)
    caption(ax, title, "\n".join(part for part in (names[0], note) if part) or gettext("value of the network"))
    ax.figure.colorbar(_scale(surface, kwargs), ax=ax, label=_named(surface))
    handles = _handles(surface)
    if handles:
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    return ax


def fitted_surface_figure(
    predictions: Table,
    x: Any = None,
    y: Any = None,
    *,
    x_test: Any = None,
    y_test: Any = None,
    output: str | None = None,
    features: Sequence[str] | None = None,
    hue: Hue = None,
    page: int = 1,
    title: str | None = "auto",
    **kwargs: Any,
) -> Figure:
    """Draw the fitted surface of each network of a table, six on a page on one color scale, see `fitted_surface`.

    Args:
        predictions: A comparison of networks in a regression on two features, or its table `predictions`.
        x: Examples to draw on top, `(examples, 2)`: those of the training, as circles. Defaults to `None`.
        y: Their values, `(examples,)` or `(examples, outputs)`. Defaults to `None`.
        x_test: Examples that the networks were not trained on, as squares. Defaults to `None`.
        y_test: Their values. Defaults to `None`.
        output: Which output of the table. Defaults to `None`: the first.
        features: Names of the two features, for the axes. Defaults to those that the table has in
            `predictions.attrs["features"]`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`; `kerasteach.plotting.pages` says how many pages there are.
        title: A text above all panels; each has its network's name. Defaults to `"auto"`, none.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes, such as `cmap`.

    Returns:
        The figure.

    Raises:
        TypeError: If `predictions` is no data frame, or a column of it holds values of another kind.
        ValueError: As for `fitted_surface`, or if there is no such page.

    Example:
        >>> import numpy as np, pandas as pd, kerasteach as kt
        >>> one, two = (axis.ravel() for axis in np.meshgrid([0.0, 1.0], [0.0, 1.0], indexing="ij"))
        >>> table = pd.DataFrame({"x_1": one, "x_2": two, "output": "value_1", "value": one * two})
        >>> figure = kt.plotting.fitted_surface_figure(pd.concat([table.assign(model=name) for name in ("a", "b")]),
        ...                                            hue="model")
        >>> [ax.get_title() for ax in figure.axes[:2]]
        ['a', 'b']
    """
    check_title(title)
    surface = _checked(predictions, ((x, y), (x_test, y_test)), output, features, hue)
    names, note = on_page(names_of(surface.frame), page)
    heading = headline(title, "", note)
    with composed():
        figure, axes = panels(len(names), _COLUMNS, width=3.6, height=3.2, note=heading, sharex=True, sharey=True)
        for ax, name in zip(axes, names, strict=True):
            lost = _draw(ax, surface, name, kwargs)
            caption(ax, "auto", "\n".join(part for part in (name, lost) if part) or gettext("value of the network"))
            ax.label_outer()
        figure.colorbar(_scale(surface, kwargs), ax=axes, label=_named(surface))
        handles = _handles(surface)
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _checked(
    predictions: Table, given: tuple[tuple[Any, Any], tuple[Any, Any]], output: Any, features: Any, hue: Hue
) -> _Surface:
    """Return what is drawn, or raise an error that names the argument."""
    table = frame_of("predictions", predictions)
    frame = planes_in(table, hue)
    outputs = [str(name) for name in frame["output"].unique()]
    output = outputs[0] if output is None else validation.choice("output", output, outputs)
    frame = frame[frame["output"] == output]
    check_grid(frame, 1)
    data = {}
    for part, (x, y), name in zip(("train", "test"), given, ("", "_test"), strict=True):
        points, targets = points_on(frame, x, y, name)
        data[part] = (points, targets_of(f"y{name}", targets, len(outputs), outputs.index(output)))
    shown = [frame["value"].to_numpy(), *(values for _, values in data.values())]
    finite = np.concatenate([values[np.isfinite(values)] for values in shown])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    scale = Normalize(low, high) if low < high else Normalize(low - 0.5, high + 0.5)
    return _Surface(frame, output, data, feature_names(features, table), scale)


def targets_of(argument: str, targets: Any, outputs: int, number: int) -> np.ndarray:
    """Return the values of one output, `(examples,)`, of those of all, `(examples, outputs)`, or of one alone."""
    values = validation.array(argument, targets)
    if values.ndim == 1:
        return values
    if values.shape[1] not in (1, outputs):
        raise ValueError(
            f"`{argument}` must have a value for each output, or one. Received: {argument} of shape {values.shape}."
        )
    return values[:, number if values.shape[1] > 1 else 0]


def _draw(ax: Axes, surface: _Surface, name: str, options: dict[str, Any]) -> str:
    """Draw one network's surface and the data, and return a note for its title."""
    rows, ink = surface.frame[surface.frame["network"] == name], inks()
    one, two = lines_of_grid(rows)
    ends = (one[0], one[-1], two[0], two[-1])
    finite, lost = finite_runs(rows, [surface.output])
    if finite:
        mean = np.mean(list(finite.values()), axis=0)[0]
        style: dict[str, Any] = {
            "origin": "lower",
            "extent": ends,
            "aspect": "auto",
            "interpolation": "bilinear",
            "cmap": _COLORS,
        }
        ax.imshow(mean.T, **{**style, "norm": surface.scale, **options})
        if mean.min() < mean.max() and min(mean.shape) > 1:
            levels = np.linspace(surface.scale.vmin or 0.0, surface.scale.vmax or 1.0, _LEVELS + 1)[1:-1]
            ax.contour(one, two, mean.T, levels, colors=ink.surface, linewidths=thin(), alpha=0.6)
    else:
        ax.patch.set(hatch="///", edgecolor=ink.muted)
        ax.set(xlim=ends[:2], ylim=ends[2:])
    for (points, values), marker in zip(surface.data.values(), ("o", "s"), strict=True):
        if len(points):
            known = np.isfinite(values)
            cmap = options.get("cmap", _COLORS)
            colors = {"c": values[known], "cmap": cmap, "norm": surface.scale, "linewidths": thin()}
            scatter(ax, points[known], None, ink.text, marker, **colors)
    ax.set(xlabel=surface.features[0], ylabel=surface.features[1])
    return lost


def _scale(surface: _Surface, options: dict[str, Any]) -> ScalarMappable:
    return ScalarMappable(surface.scale, options.get("cmap", _COLORS))


def _named(surface: _Surface) -> str:
    return named_value(surface.output)


def _handles(surface: _Surface) -> list[Line2D]:
    """Return the legend's entries of the data, where they are of two parts."""
    ink = inks()
    shown = [part for part, (points, _) in surface.data.items() if len(points)]
    if len(shown) < 2:
        return []
    marks = {"train": "o", "test": "s"}
    return [
        Line2D([], [], ls="", marker=marks[part], mfc=ink.surface, mec=ink.text, label=gettext(EXAMPLES[part]))
        for part in shown
    ]
