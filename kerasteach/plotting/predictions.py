"""What classifiers say of every point of the plane: decision boundaries."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kerasteach.plotting.style import looks
from kerasteach.plotting.variants import with_variant

_COLUMNS = 4
_PALEST, _DEEPEST = 0.12, 0.6  # how much of a class's colour a network shows that is not sure at all, and one that is


def decision_boundary(predictions: pd.DataFrame, x: np.ndarray | None = None, y: np.ndarray | None = None) -> Figure:
    """Draw where classifiers change their mind: a panel a network, each seed's boundary a line.

    Each class has a colour; the mean probability over the seeds decides which a point has, and how deep it is.

    Args:
        predictions: `Comparison.predictions` of a classification: `x_1, x_2, output, value` on a grid.
        x: Examples to draw on top, `(examples, 2)`, such as `Dataset.x_test`. Defaults to `None`.
        y: Their class numbers, `(examples,)`. Defaults to `None`.

    Returns:
        The figure.

    Raises:
        ValueError: If a column is missing, the table has no row or holds no probabilities, or only one of `x` and `y`
            is given.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare("tanh", data="moons", hidden=(4,), seeds=2, epochs=1, progress=False)
        >>> figure = kt.plotting.decision_boundary(result.predictions)
    """
    frame, variant = with_variant(predictions, ("x_1", "x_2", "output", "value"))
    if (x is None) != (y is None):
        raise ValueError("`x` and `y` belong together: examples and their class numbers. Received: one of them.")
    classes = list(frame["output"].unique())
    sums = frame.groupby([variant, "seed", "x_1", "x_2"])["value"].sum()
    if len(classes) < 2 or not np.allclose(sums, 1, atol=1e-3):
        raise ValueError(f"The table must hold the probabilities of two classes or more. Received: {classes}.")
    names = list(frame[variant].unique())
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    size = plt.rcParams["font.size"] / 10
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=((0.6 + 3.2 * columns) * size, (1 + 3.1 * rows) * size),
        sharex=True,
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for ax, name in zip(grid.flat, names, strict=False):
        _panel(ax, frame[frame[variant] == name], classes)
        if x is not None and y is not None:
            _examples(ax, x, y, classes)
        ax.set(title=name, xlabel="first feature", ylabel="second feature")
        ax.label_outer()
    for ax in grid.flat[len(names) :]:
        ax.remove()
    seeds = frame["seed"].nunique()
    handles: list[Patch | Line2D] = [
        Patch(color=_paint(look.colour, 0.5), label=c) for c, look in looks(classes).items()
    ]
    handles.append(Line2D([], [], color="0.15", lw=_thin(), label="boundary of each seed" if seeds > 1 else "boundary"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5), frameon=False)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, classes: list[str]) -> None:
    mean = _planes(rows.groupby(["x_1", "x_2", "output"], sort=True)["value"].mean(), classes)
    one, two = (np.sort(rows[name].unique()) for name in ("x_1", "x_2"))
    winner = mean.argmax(axis=0)
    sure = (mean.max(axis=0) - 1 / len(classes)) / (1 - 1 / len(classes))
    shares = (_PALEST + (_DEEPEST - _PALEST) * sure)[..., None]
    colours = np.array([to_rgb(look.colour) for look in looks(classes).values()])
    picture = 1 - shares * (1 - colours[winner])  # (x_1, x_2, 3): a share of the colour, the rest white
    ends = (one[0], one[-1], two[0], two[-1])
    ax.imshow(picture.swapaxes(0, 1), origin="lower", extent=ends, aspect="auto", interpolation="bilinear")
    for _, run in rows.groupby("seed"):
        planes = _planes(run.set_index(["x_1", "x_2", "output"])["value"], classes)
        for number in range(len(classes) if len(classes) > 2 else 1):
            lead = planes[number] - np.delete(planes, number, axis=0).max(axis=0)
            if lead.min() < 0 < lead.max():
                ax.contour(one, two, lead.T, [0], colors="0.15", linewidths=_thin())


def _planes(values: pd.Series, classes: list[str]) -> np.ndarray:
    """Return the values as `(classes, x_1, x_2)`."""
    return np.stack([values.xs(one, level="output").unstack("x_2").sort_index().to_numpy() for one in classes])


def _examples(ax: Axes, x: np.ndarray, y: np.ndarray, classes: list[str]) -> None:
    for number, look in enumerate(looks(classes).values()):
        chosen = np.asarray(x)[np.asarray(y) == number]
        ax.scatter(
            chosen[:, 0], chosen[:, 1], s=10, color=look.colour, marker=look.marker, edgecolors="white", linewidths=0.3
        )


def _thin() -> float:
    return 0.6 * float(plt.rcParams["lines.linewidth"])


def _paint(colour: str, share: float) -> tuple[float, float, float]:
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return red, green, blue
