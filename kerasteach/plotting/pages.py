"""Pages of composed figures: how many panels one holds, and the sizes of panels and text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import font_scalings

from kerasteach.plotting.captions import AUTO, keep
from kerasteach.plotting.comparison_tables import (
    ACTIVATIONS,
    CONFUSION,
    GRADIENTS,
    HISTOGRAMS,
    HISTORY,
    PREDICTIONS,
    Hue,
    names_of,
    networks_in,
)
from kerasteach.plotting.layer_rows import by_call, of_one_parameter, parts_of
from kerasteach.plotting.notebook import ComposedFigure
from kerasteach.plotting.style import PAGE, settings
from kerasteach.plotting.text_fitting import LETTER, broken
from kerasteach.plotting.unit_cards import of_example, pages_of
from kerasteach.plotting.wording import N_, gettext
from kerasteach.tables.checks import Kind, Table, frame_of
from kerasteach.validation import received, text, whole

NETWORKS = 6  # on a page
_ANY_GRADIENTS = {name: kind for name, kind in GRADIENTS.items() if name != "norm"}
_TEXT = 12.6  # points: on a slide, which is somewhat larger than a page, 12 at least
_TEXTS = (
    *("font.size", "axes.titlesize", "axes.labelsize", "legend.fontsize", "legend.title_fontsize"),
    *("xtick.labelsize", "ytick.labelsize", "figure.labelsize"),
)
_LIMITS = dict.fromkeys(_TEXTS, _TEXT) | {"figure.titlesize": 16.0, "lines.linewidth": 2.2, "lines.markersize": 7.0}


@contextmanager
def composed() -> Iterator[None]:
    """Draw a figure of several panels inside this block, in text that fits a page of them."""
    with settings({name: min(limit, _size(name)) for name, limit in _LIMITS.items()}):
        yield


def _size(name: str) -> float:
    """Return a setting in points, also where it is a word."""
    current: Any = plt.rcParams
    value, base = current[name], float(current["font.size"])
    return base if value is None else base * font_scalings[value] if isinstance(value, str) else float(value)


def on_page(names: Sequence[str], page: Any, most: int = NETWORKS, what: str = N_("networks")) -> tuple[list[str], str]:
    """Return the names that stand on a page, and what to write above it where there are several pages.

    Args:
        names: All of them.
        page: Which page, from 1.
        most: How many a page holds. Defaults to `6`.
        what: What to call them. Defaults to `"networks"`.

    Raises:
        ValueError: If there is no such page.
    """
    pages = max(1, -(-len(names) // most))
    page = whole("page", page, 1)
    if page > pages:
        raise ValueError(f"`page` must be from 1 to {pages}, of {len(names)} {what}. {received('page', page)}")
    first = (page - 1) * most
    shown = list(names[first : first + most])
    if pages == 1:
        return shown, ""
    if most == 1:
        return shown, gettext("page {page} of {pages}").format(page=page, pages=pages)
    message = (
        gettext("page {page} of {pages}: {what} {first} to {last} of {all}")
        if len(shown) > 1
        else gettext("page {page} of {pages}: number {first} of {all}")
    )
    numbers = {"first": first + 1, "last": first + len(shown), "all": len(names)}
    return shown, message.format(page=page, pages=pages, what=gettext(what), **numbers)


def headline(title: str | None, what: str, note: str, width: int = 90) -> str:
    """Return the line above the panels: the title, or what is drawn where it is `"auto"`, and which page it is.

    Raises:
        TypeError: If the title is no text and not `None`.
    """
    above = "" if title is None else what if text("title", title, empty=True) == AUTO else title
    return "\n".join(broken(part, width) for part in (*above.split("\n"), note) if part.strip())


def write_headline(figure: Figure, title: str | None, what: str, finding: str = "", note: str = "") -> None:
    """Write the title above the panels, in lines as wide as the figure.

    Args:
        figure: The figure.
        title: The caller's: `"auto"` for the finding with what is drawn below it, `None` for no title, or a text.
        what: What is drawn, in a few words.
        finding: One sentence that the drawn numbers say with certainty. Defaults to none.
        note: Which page it is; it stands there whatever the title. Defaults to none.

    Raises:
        TypeError: If the title is no text and not `None`.
    """
    drawn = what if finding else f"{what[:1].upper()}{what[1:]}"
    width = max(20, int(figure.get_figwidth() * 72 / (LETTER * _size("figure.titlesize"))))
    keep(figure, what, finding)
    above = headline(title, "\n".join(part for part in (finding, drawn) if part), note, width)
    if above:
        figure.suptitle(above)


def page_size(width: float = PAGE[0], height: float = PAGE[1]) -> tuple[float, float]:
    """Return the size of a composed figure in inches: that of a slide at most, and less for text smaller than there.

    Example:
        >>> from kerasteach.plotting.pages import page_size
        >>> from kerasteach.plotting.style import style
        >>> with style("lecture"):
        ...     page_size(20.0, 3.0)
        (12.8, 3.0)
    """
    scale = min(1.0, _size("font.size") / _TEXT)
    return scale * min(PAGE[0], width), scale * min(PAGE[1], height)


def panels(
    count: int, columns: int, width: float, height: float, note: str = "", **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels in rows, no larger than a page, and the axes of the panels.

    Args:
        count: How many panels.
        columns: How many stand in a row, at most.
        width: The width of a panel, in inches.
        height: Its height.
        note: A line above the panels. Defaults to none.
        **options: What `matplotlib.pyplot.subplots` takes.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    size = page_size(0.8 + width * columns, 0.8 + height * rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, layout="constrained", squeeze=False, FigureClass=ComposedFigure, **options
    )
    for ax in grid.flat[count:]:
        ax.remove()
    if note:
        figure.suptitle(note)
    return figure, list(grid.flat[:count])


def pages(table: Table, hue: Hue = None, networks: int = NETWORKS) -> int:
    """Return how many pages a figure has for a table: one for each six networks, or for each part of a traced step.

    Statistics of outputs have a page a network, histograms one for each eight layers of a network.

    Args:
        table: A comparison, its table `history`, `gradients`, `predictions` or `confusion`, or that of one model; a
            traced step; an `ActivationCapture`, or its table; or the table `histograms` of a capture.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        networks: How many networks a page of the figure has; `network_gradients_figure` has 3. Defaults to `6`.

    Raises:
        TypeError: If it is no data frame, and no result that has one.
        ValueError: If a column is missing or no row is there, or `networks` is no whole number from 1.

    Example:
        >>> import kerasteach as kt
        >>> kt.plotting.pages(kt.measure.history_table({"loss": [0.9, 0.4]}))
        1
    """
    kinds: dict[str, tuple[str, Mapping[str, Kind]]] = {
        "metric": ("history", HISTORY),
        "x_1": ("predictions", PREDICTIONS),
        "predicted": ("confusion", CONFUSION),
        "count": ("histograms", HISTOGRAMS),
        "parameter": ("gradients", _ANY_GRADIENTS),
        "call": ("activations", ACTIVATIONS),
    }
    networks = whole("networks", networks)
    frame = frame_of("history", table)
    columns = [str(name) for name in frame] if isinstance(frame, pd.DataFrame) else []
    if "quantity" in columns:
        return len(pages_of(of_example(frame, 0)[0]))
    found = [kind for name, kind in kinds.items() if name in columns]
    if not found:
        raise (ValueError if isinstance(frame, pd.DataFrame) else TypeError)(
            "`table` must be `Comparison.history`, `gradients` or `predictions`, that of one model, that of a "
            f"capture, or that of a traced step. {received('table', table)}"
        )
    argument, needed = found[0]
    rows = networks_in(argument, frame, needed, hue)
    if argument == "activations":
        return len(names_of(rows))
    if argument == "histograms":
        rows = of_one_parameter(rows)[0] if "parameter" in rows else rows
        return len(parts_of(by_call(rows)))
    return -(-len(names_of(rows)) // networks)
