"""Animation of gradient descent: the paths over the function, and their values, step by step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from kerasteach.plotting.captions import AUTO, check_title
from kerasteach.plotting.contours import checked_landscape, checked_minima
from kerasteach.plotting.descent_path import QUANTITIES, descent_path, descent_values
from kerasteach.plotting.descent_paths import paths_of
from kerasteach.plotting.frames import MOST, film, stand_still
from kerasteach.plotting.legends import keep_place
from kerasteach.plotting.pages import headline
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table
from kerasteach.validation import choice


def descent_animation(
    descent: Table,
    landscape: Table,
    minima: Iterable[Any] = (),
    quantity: Literal["value", "gradient_norm"] = "value",
    *,
    title: str | None = AUTO,
) -> FuncAnimation:
    """Let the paths of a descent grow step by step, beside their values.

    A long descent is shown in 50 frames at most, closer together at its beginning: the first steps are the longest.

    Args:
        descent: What `kerasteach.gradient_descent` returns.
        landscape: What `kerasteach.lessons.descent.landscape` returns for the same function.
        minima: Known minima to mark with a star, each a number or a pair. Defaults to none.
        quantity: What the right half shows, `"value"` or `"gradient_norm"`. Defaults to `"value"`.
        title: A line above the step's number: a text, or `None` or `"auto"` for the number alone. Defaults to `"auto"`.

    Returns:
        The animation; `kerasteach.plotting.save(animation, "descent.gif")` writes it.

    Raises:
        TypeError: If the descent is no data frame.
        ValueError: If a table lacks a column or has no row, or they do not have the same one or two coordinates.
    """
    check_title(title)
    paths, _ = paths_of(descent)
    _, names = checked_landscape(descent, landscape)
    minima = checked_minima(minima, len(names))
    choice("quantity", quantity, QUANTITIES)
    width = max(9.6, plt.rcParams["figure.figsize"][0])
    figure, (left, right) = plt.subplots(1, 2, figsize=(width, width / 2), layout="constrained")
    descent_path(descent, landscape, minima, ax=left, title=None)
    descent_values(descent, quantity, ax=right, title=None)
    left.get_legend().remove()  # the right one names the colors
    steps_of = {path.label: path.rows["step"].to_numpy() for path in paths}
    parts = [_Growing(line, steps_of[line.get_label()]) for line in left.lines if line.get_label() in steps_of]
    parts += [_Growing(line, np.asarray(line.get_xdata())) for line in right.lines]  # there, x is the step
    above = headline(title, "", "")
    step_name = gettext("step {number}")  # frames are drawn later, outside of the caller's style
    heading = figure.suptitle(_heading(above, step_name, 0))
    stand_still(figure)
    keep_place(right)

    def show(step: int) -> list[Artist]:
        heading.set_text(_heading(above, step_name, step))
        for part in parts:
            part.up_to(step)
        return [heading, *(part.line for part in parts)]

    steps = _shown(max(int(steps[-1]) for steps in steps_of.values()))
    return film(figure, show, steps)


def _heading(above: str, step_name: str, step: int) -> str:
    return "\n".join(part for part in (above, step_name.format(number=step)) if part)


class _Growing:
    """A line of which only the points up to a step are shown, the last of them with a marker."""

    def __init__(self, line: Line2D, steps: np.ndarray) -> None:
        self.line, self.steps = line, steps
        self.x, self.y = np.asarray(line.get_xdata(), "float64"), np.asarray(line.get_ydata(), "float64")
        every: Any = line.get_markevery()
        self.marked = list(range(len(steps))) if every is None else list(every)

    def up_to(self, step: int) -> None:
        count = int(np.searchsorted(self.steps, step, side="right"))
        self.line.set_data(self.x[:count], self.y[:count])
        self.line.set_markevery([i for i in self.marked if i < count - 1] + [count - 1] * (count > 0))


def _shown(last: int) -> list[int]:
    """Return the steps that have a frame."""
    if last <= MOST:
        return list(range(last + 1))
    early, even = np.geomspace(1, last + 1, MOST // 2) - 1, np.linspace(0, last, MOST // 2)
    return sorted({round(step) for step in [*early, *even]})
