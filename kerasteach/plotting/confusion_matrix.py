"""Confusion matrix: which classes a classifier takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.comparison_tables import CONFUSION, Hue, names_of, networks_in, phrase
from kerasteach.plotting.pages import composed, headline, on_page, panels
from kerasteach.plotting.style import inks, new_axes, plain
from kerasteach.plotting.text_fitting import shortened
from kerasteach.plotting.wording import gettext, grouped, ngettext
from kerasteach.tables.checks import Table, frame_of
from kerasteach.tables.class_labels import MISSING, labeled
from kerasteach.tables.names import percent
from kerasteach.validation import several

_LONGEST = 16  # letters of a class's name along an axis
_LONG = 24  # letters of a network's name, which take several lines above a panel
_COLUMNS = 3
_SMALLEST = 4.5  # points: numbers that would be smaller are left out
_READABLE = 0.75  # of the text's size: a cell whose two numbers would be smaller has the count alone, which is larger
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # of many classes, every how many has a name


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw which classes a classifier takes for which: a row a true class, a column a predicted one.

    What is right stands on the diagonal. Each cell has the number of examples and, below it, their share of the row's;
    the share gives the color. A row therefore shows how one class is recognized, however many examples it has.

    Args:
        y_true: The examples' own classes: names or numbers, `(examples,)`, or one-hot rows `(examples, classes)`.
        y_pred: What a network says of them: names or numbers, or probabilities `(examples, classes)`, of which the
            highest counts; or of the second of two classes, `(examples, 1)`, where 0.5 decides.
        labels: The classes' names, in the order of their numbers. Defaults to `None`: those that occur, in order.
        ax: Where to draw. Defaults to a new figure.
        title: `"auto"` for the share that is right and the most frequent error, `None` for none, or a text. Defaults to
            `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes, such as `cmap`.

    Returns:
        The axes.

    Raises:
        TypeError: If classes are neither numbers nor names.
        ValueError: If `y_true` and `y_pred` do not fit each other or the labels.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], labels=("cat", "dog"))
        >>> ax.get_title().split(";")[0]
        '3 of 4 right (75 %)'
    """
    check_title(title)
    given = labeled(y_true, y_pred, labels)
    known = given.predicted != MISSING
    size = len(given.names)
    counts = np.bincount(given.true[known] * size + given.predicted[known], minlength=size * size)
    counts = counts.reshape(size, size).astype("float64")
    ax = new_axes(ax)
    _draw(ax, counts, given.names, kwargs)
    lost = int((~known).sum())
    count = int(known.sum())
    what = ngettext(
        "{count} example, share of each true class", "{count} examples, share of each true class", count
    ).format(count=grouped(count))
    if lost:
        what = gettext("{what}; {count} without a finite prediction left out").format(what=what, count=lost)
    caption(ax, title, what, _finding(counts, given.names))
    return ax


def confusion_matrix_figure(
    confusion: Table, *, hue: Hue = None, page: int = 1, title: str | None = "auto", **kwargs: Any
) -> Figure:
    """Draw the confusion matrix of each network of a comparison, six on a page, see `confusion_matrix`.

    The counts are added up over the seeds: of five seeds each test example is counted five times.

    Args:
        confusion: A comparison of classifiers, or its table `confusion`: `..., seed, true, predicted, count`, of the
            test part after the last epoch. A pair of classes that has no row has the count 0.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`.
        title: `"auto"` for the network's name with the share that is right, `None` for the name alone, or a text above
            all panels. Defaults to `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes, such as `cmap`.

    Returns:
        The figure.

    Raises:
        TypeError: If `confusion` is no data frame, or a column of it holds values of another kind.
        ValueError: If a column is missing, the table has no row, or there is no such page.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> rows = [("cat", "cat", 8), ("cat", "dog", 2), ("dog", "dog", 9), ("dog", "cat", 1)]
        >>> table = pd.DataFrame(rows, columns=["true", "predicted", "count"])
        >>> figure = kt.plotting.confusion_matrix_figure(table)
        >>> print(figure.axes[0].get_title())
        17 of 20 right (85 %)
    """
    check_title(title)
    table = frame_of("confusion", confusion)
    frame = networks_in("confusion", table, CONFUSION, hue)
    classes = _classes(table, frame)
    names, note = on_page(names_of(frame), page)
    heading = headline(title, "", note)
    side = 3.4 if len(classes) <= 12 else 4.2
    high = 0.6 if max(map(len, names)) > _LONG else 0  # for titles of several lines
    with composed():
        figure, axes = panels(len(names), _COLUMNS, width=side, height=side + high, note=heading)
        for ax, name in zip(axes, names, strict=True):
            rows = frame[frame["network"] == name]
            counts = rows.pivot_table(index="true", columns="predicted", values="count", aggfunc="sum", fill_value=0)
            counts = counts.reindex(index=classes, columns=classes, fill_value=0)
            _draw(ax, counts.to_numpy("float64"), classes, kwargs)
            seeds = rows["seed"].nunique()
            together = gettext("{seeds} seeds together").format(seeds=seeds) if seeds > 1 else ""
            right = _right(counts.to_numpy("float64")) if title == "auto" else ""
            caption(
                ax,
                "auto",
                together if right else phrase(name, together),
                f"{name}: {right}" if name and right else right,
            )
    return figure


def _classes(table: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Return the classes in their order: that of the data, or that of the table."""
    found = [str(name) for name in pd.concat([frame["true"], frame["predicted"]]).unique()]
    known = [str(name) for name in several("confusion", table.attrs.get("classes", found), "classes")]
    return [*known, *(name for name in found if name not in known)]


def _draw(ax: Axes, counts: np.ndarray, names: Sequence[str], options: dict[str, Any]) -> None:
    """Draw counts, `(true, predicted)`, colored by their share of the row."""
    ink = inks()
    of_row = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of_row, out=np.zeros_like(counts), where=of_row > 0)
    colors = LinearSegmentedColormap.from_list("shares", [ink.surface, ink.forward])
    image = ax.imshow(shares, **{"cmap": colors, "vmin": 0.0, "vmax": 1.0, **options})
    ax.set(xlabel=gettext("predicted class"), ylabel=gettext("true class"))
    _name_classes(ax, names)
    ax.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    ax.tick_params(which="minor", length=0)
    ax.grid(which="minor", color=ink.surface, lw=1.0 if len(names) <= 20 else 0.3)
    _write(ax, counts, shares, np.asarray(image.cmap(image.norm(shares))))


def _name_classes(ax: Axes, names: Sequence[str]) -> None:
    """Name the classes, or so many of them that the names do not overlap."""
    texts = [plain(shortened(name, _LONGEST)) for name in names]
    size, longest = float(plt.rcParams["font.size"]), max(map(len, texts))
    turned = longest > 3 and 0.62 * size * longest > _cell(ax, len(names))
    for axis, needed in (("x", 1.4 if turned else 0.62 * longest + 0.5), ("y", 1.1)):
        every = next((step for step in _STEPS if step * _cell(ax, len(names)) >= needed * size), _STEPS[-1])
        turn: dict[str, Any] = (
            {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned and axis == "x" else {}
        )
        set_ticks = ax.set_xticks if axis == "x" else ax.set_yticks
        set_ticks(np.arange(len(names))[::every], texts[::every], **turn)
    ax.tick_params(length=0)


def _cell(ax: Axes, classes: int) -> float:
    """Return the side of a cell in points, nearly: names and title will take some of the space."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    return 0.95 * min(box.width, box.height) / figure.dpi * 72 / classes


def _write(ax: Axes, counts: np.ndarray, shares: np.ndarray, colors: np.ndarray) -> None:
    """Write each cell's count and share, as large as the cell allows; in small cells the count alone, or nothing."""
    cell, digits = _cell(ax, len(counts)), max(len(f"{int(count)}") for count in counts.flat)
    normal = float(plt.rcParams["font.size"])
    both = min(normal, cell / max(0.64 * digits + 0.3, 3.4), cell / 2.7)
    alone = min(normal, cell / (0.64 * digits + 0.3), cell / 1.4)
    size = both if both >= max(min(normal, 7.0), _READABLE * normal) else alone
    if size < _SMALLEST:
        return
    for (row, column), count in np.ndenumerate(counts):
        share = f"\n{100 * shares[row, column]:.0f} %" if size == both and count else ""
        ink = _contrasting(colors[row, column])
        faded: dict[str, Any] = {"alpha": 0.6} if not count else {}
        ax.text(column, row, f"{int(count)}{share}", ha="center", va="center", color=ink, fontsize=size, **faded)


def _contrasting(color: np.ndarray) -> str:
    """Return the ink that stands out from a color: the ground's or the text's."""
    surface, text = inks().surface, inks().text
    light = _luminance(color[:3])
    return max((surface, text), key=lambda ink: _contrast(light, _luminance(np.array(to_rgb(ink)))))


def _luminance(color: np.ndarray) -> float:
    """Return the relative luminance of a color, as WCAG defines it."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _right(counts: np.ndarray) -> str:
    """Say how many examples are right."""
    total, right = int(counts.sum()), int(np.trace(counts))
    if not total:
        return ""
    message = gettext("{right} of {total} right ({share})")
    return message.format(right=grouped(right), total=grouped(total), share=percent(right / total))


def _finding(counts: np.ndarray, names: Sequence[str]) -> str:
    """Say how many are right, and which error is the most frequent, where there is one such alone."""
    errors = counts.copy()
    np.fill_diagonal(errors, 0)
    most = errors.max(initial=0)
    worst = np.argwhere(errors == most)
    if not most or len(worst) > 1:
        return _right(counts)
    true, taken = worst[0]
    of_class = int(counts[true].sum())
    message = gettext("{right}; most often {true} was taken for {taken}: {count} of {all}")
    pair = {"true": plain(names[true]), "taken": plain(names[taken])}
    return message.format(right=_right(counts), count=grouped(int(most)), all=grouped(of_class), **pair)
