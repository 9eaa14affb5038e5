"""Gradient descent: the path over the function, and the value against the step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import phrase, setting_of
from kerasteach.plotting.contours import checked_landscape, checked_minima, draw_landscape, frame
from kerasteach.plotting.descent_paths import Path, paths_of
from kerasteach.plotting.equal_curves import show_covered
from kerasteach.plotting.legends import legend_outside
from kerasteach.plotting.style import inks, new_axes
from kerasteach.plotting.ticks import whole_ticks
from kerasteach.plotting.wording import N_, gettext, ngettext
from kerasteach.tables.checks import Table, frame_of
from kerasteach.validation import choice

_MARKED = 60  # steps of a path up to which each has a marker
_FAR = 1e4  # half widths of the picture: a point beyond is drawn so far off in its direction
_DECADES = 8  # what a logarithmic axis shows below the highest start or value
_MARGIN = 10.0  # factor of the margin above it
QUANTITIES = {"value": N_("value of the function"), "gradient_norm": N_("L2 norm of the gradient")}
_MOST_GONE = 2  # paths that diverged are named in a finding
_WHOLE = 100.0  # a path that diverges is shown whole up to this factor above the others
_ON_TOP = {"diverged": 2.0, "oscillating": 2.2}  # paths that cover much lie under the others, which have 2.4


def descent_path(
    descent: Table,
    landscape: Table,
    minima: Iterable[Any] = (),
    ax: Axes | None = None,
    *,
    title: str | None = AUTO,
) -> Axes:
    """Draw the paths of a descent on the function's curve (one coordinate) or contours (two).

    Each marker is a step, of a long path only some. The picture shows what the landscape covers, and paths that leave
    it run out of the picture. Contours lie closer together in the valley: their values rise with the cube of their
    number.

    Args:
        descent: What `kerasteach.gradient_descent` returns.
        landscape: What `kerasteach.lessons.descent.landscape` returns for the same function.
        minima: Known minima to mark with a star, each a number or a pair. Defaults to none.
        ax: Where to draw. Defaults to a new figure.
        title: `"auto"`, what is drawn, and above it which path converged first and which diverged; a text; or `None`
            for no title. Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If the descent is no data frame.
        ValueError: If a table lacks a column or has no row, or they do not have the same one or two coordinates.

    Example:
        >>> import kerasteach as kt
        >>> path = kt.gradient_descent("parabola", learning_rate=[0.01, 0.3], steps=20).frame
        >>> kt.plotting.descent_path(path, kt.lessons.landscape("parabola")).get_xlabel()
        'x'
    """
    check_title(title)
    paths, heading = paths_of(descent)
    setting = setting_of(frame_of("descent", descent))
    landscape, names = checked_landscape(descent, landscape)
    stars = checked_minima(minima, len(names))
    ax = new_axes(ax)
    draw_landscape(ax, landscape, names, stars)
    lines = []
    for path in paths:
        x, y = places(path, names, landscape)
        spaced = np.geomspace(1, len(x), _MARKED // 2).astype(int) - 1  # the first steps are the longest
        lines += ax.plot(x, y, markevery=_marked(len(x), spaced), **drawn_as(path))
    show_covered(lines)
    _mark_starts(ax, paths, names)
    legend_outside(ax, title=heading)
    caption(ax, title, phrase(gettext("gradient descent"), setting), _finding(paths))
    return ax


def descent_values(
    descent: Table,
    quantity: Literal["value", "gradient_norm"] = "value",
    ax: Axes | None = None,
    *,
    title: str | None = AUTO,
) -> Axes:
    """Draw the value against the step, a line a path: too small, good and too large a learning rate in comparison.

    The axis is logarithmic where no value is negative. Its ends fit the paths that do not diverge: a path that diverges
    leaves it at the top, where a triangle marks the step, and of a path that converges it shows eight powers of ten.

    Args:
        descent: What `kerasteach.gradient_descent` returns.
        quantity: `"value"` or `"gradient_norm"`. Defaults to `"value"`.
        ax: Where to draw. Defaults to a new figure.
        title: `"auto"`, what is drawn, and above it which path converged first and which diverged; a text; or `None`
            for no title. Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If the descent is no data frame.
        ValueError: If it lacks a column, has no row or no finite value, or the quantity is another.

    Example:
        >>> import kerasteach as kt
        >>> path = kt.gradient_descent("parabola", learning_rate=[0.01, 0.3, 1.02], steps=30).frame
        >>> [text.get_text() for text in kt.plotting.descent_values(path).get_legend().get_texts()]
        ['0.01: still going', '0.3: converged', '1.02: diverged']
    """
    check_title(title)
    paths, heading = paths_of(descent)
    setting = setting_of(frame_of("descent", descent))
    choice("quantity", quantity, QUANTITIES)
    ax = new_axes(ax)
    set_value_axis(ax, paths, quantity)
    low, high = ax.get_ylim()
    lines = []
    for path in paths:
        steps, values = path.rows["step"].to_numpy(), on_axis(path, quantity, low, high)
        spaced = np.linspace(0, len(steps) - 1, _MARKED // 2).astype(int)
        lines += ax.plot(steps, values, markevery=_marked(len(steps), spaced), **drawn_as(path))
        gone = leaving(steps, values, high)
        if gone is not None:
            size = 1.6 * plt.rcParams["lines.markersize"]
            ax.plot(gone, high, color=path.look.color, marker="^", ms=size, clip_on=False)
    ax.set(xlabel=gettext("step"), ylabel=gettext(QUANTITIES[quantity]))
    show_covered(lines)
    whole_ticks(ax.xaxis)
    legend_outside(ax, title=heading)
    caption(ax, title, phrase(gettext("gradient descent"), setting), _finding(paths))
    return ax


def _finding(paths: Sequence[Path]) -> str:
    """Say which path converged in how few steps, and which diverged."""
    done = [(int(path.rows["step"].iloc[-1]), path.name) for path in paths if path.verdict == "converged"]
    gone = [path.name for path in paths if path.verdict == "diverged"]
    parts = []
    if done:
        steps, name = min(done)
        if len(done) == 1:
            message = ngettext("{name} converges in {steps} step", "{name} converges in {steps} steps", steps)
            parts.append(message.format(name=name, steps=steps))
        elif sorted(done)[1][0] > steps:
            message = ngettext(
                "{name} converges first, in {steps} step", "{name} converges first, in {steps} steps", steps
            )
            parts.append(message.format(name=name, steps=steps))
    if len(gone) == 1:
        parts.append(gettext("{name} diverges").format(name=gone[0]))
    elif len(gone) == _MOST_GONE:
        parts.append(gettext("{first} and {second} diverge").format(first=gone[0], second=gone[1]))
    return ", ".join(parts)


def _mark_starts(ax: Axes, paths: Sequence[Path], names: Sequence[str]) -> None:
    """Mark where the paths begin."""
    columns = [*names, "value"][:2]
    starts = pd.concat([path.rows.head(1) for path in paths])[columns].drop_duplicates()
    size, ink = 1.8 * plt.rcParams["lines.markersize"], inks()
    ax.plot(*starts.to_numpy("float64").T, ls="", marker="o", ms=size, mfc="none", mec=ink.text, zorder=4)
    halo = [withStroke(linewidth=3, foreground=ink.surface)]
    for x, y in starts.itertuples(index=False):
        away = _away(ax, paths, columns, (x, y))
        sides = {-1: "right", 0: "center", 1: "left"}
        upright = {-1: "top", 0: "center", 1: "bottom"}
        across, up = np.sign(np.round(away)).astype(int)
        place = tuple(0.8 * size * away)
        options: dict[str, Any] = {"ha": sides[int(across)], "va": upright[int(up)], "path_effects": halo}
        ax.annotate(gettext("start"), (x, y), place, textcoords="offset points", zorder=4, **options)


def _away(ax: Axes, paths: Sequence[Path], columns: Sequence[str], start: tuple[float, float]) -> np.ndarray:
    """Return the direction, of length 1 in the picture, in which no path leaves a start and the picture goes on."""
    ends = np.array([ax.get_xlim(), ax.get_ylim()], "float64")
    span = np.ptp(ends, axis=1)
    here = (np.array(start, "float64") - ends[:, 0]) / span
    taken = []
    for path in paths:
        points = path.rows[list(columns)].to_numpy("float64")[:2]
        if len(points) > 1 and np.isfinite(points).all() and tuple(points[0]) == tuple(start):
            step = (points[1] - points[0]) / span
            length = float(np.hypot(*np.clip(step, -1e9, 1e9)))
            taken += [step / length] if 0 < length < 1e9 else []
    angles = np.arange(8) * np.pi / 4
    choices = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inside = ((here + 0.15 * choices > 0) & (here + 0.15 * choices < 1)).all(axis=1)
    crowded = np.max([choices @ one for one in taken], axis=0) if taken else -choices[:, 1]
    return choices[int(np.argmin(crowded + 10.0 * ~inside))]


def places(path: Path, names: Sequence[str], landscape: pd.DataFrame) -> np.ndarray:
    """Return where a path's points are drawn, `(2, rows)`.

    A path that leaves the picture for good is drawn out of it, and no further: chords between points outside would
    cross the picture and say nothing. A point that is out by far is drawn less far off in the same direction, because a
    drawing library has no place for 1e200.
    """
    points = path.rows[[*names, "value"][:2]].to_numpy("float64")
    points = np.where(np.isfinite(points).all(axis=1, keepdims=True), points, np.nan)
    ends = frame(landscape, names)
    middle, half = ends.mean(axis=1), np.ptp(ends, axis=1) / 2
    away = points / half - middle / half  # in half widths of the picture
    farthest = np.abs(away).max(axis=1, keepdims=True)
    inside = np.flatnonzero(farthest <= 1)
    away[inside[-1] + 2 if inside.size else 1 :] = np.nan
    return (middle + half * away / np.maximum(farthest / _FAR, 1)).T


def set_value_axis(ax: Axes, paths: Sequence[Path], quantity: str) -> None:
    """Set the scale and the ends of the axis by the paths that stay."""
    finite = [path.rows[quantity][np.isfinite(path.rows[quantity])].to_numpy("float64") for path in paths]
    starts = [values[0] for values in finite if values.size]
    if not starts:
        raise ValueError(f"The table has no finite {quantity}. Received: {sum(len(path.rows) for path in paths)} rows.")
    stay = [values for values, path in zip(finite, paths, strict=True) if path.verdict != "diverged"]
    top = max((values.max() for values in stay if values.size), default=np.inf)
    for path, values in zip(paths, finite, strict=True):
        near = len(values) == len(path.rows) and values.max() <= _WHOLE * top and values.min() >= 0
        if path.verdict == "diverged" and stay and near:
            stay = [*stay, values]
    shown = np.concatenate([starts, *(stay or finite)])
    low, high = float(shown.min()), float(shown.max())
    if (np.concatenate(finite) >= 0).all() and high > 0:
        high = high if stay else min(high, 1e6 * max(starts) or high)
        ax.set_yscale("log", nonpositive="mask")
        ax.minorticks_off()
        ax.set_ylim(max(shown[shown > 0].min() / 2, high * 10.0**-_DECADES), _MARGIN * high)
    else:
        margin = 0.15 * (high - low or 1.0)
        ax.set_ylim(low - margin, high + margin)


def on_axis(path: Path, quantity: str, low: float, high: float) -> np.ndarray:
    """Return the values to draw; one that a drawing library has no place for stands nearer, yet beyond the axis."""
    beyond = _FAR * (high - low)
    return np.clip(path.rows[quantity].to_numpy("float64"), low - beyond, high + beyond)


def leaving(steps: np.ndarray, values: np.ndarray, high: float) -> int | None:
    """Return the step with which a path leaves the axis at the top for good, if it does."""
    inside = np.flatnonzero(values <= high)
    after = inside[-1] + 1 if inside.size else 0
    return int(steps[after]) if after < len(steps) else None


def drawn_as(path: Path) -> dict[str, Any]:
    """Return how a path's line is drawn: thin, with small markers, because it has many."""
    return {
        "color": path.look.color,
        "marker": path.look.marker,
        "label": path.label,
        "ms": 0.7 * plt.rcParams["lines.markersize"],
        "lw": 0.7 * plt.rcParams["lines.linewidth"],
        "zorder": _ON_TOP.get(path.verdict, 2.4),
    }


def _marked(rows: int, spaced: np.ndarray) -> list[int]:
    return list(range(rows)) if rows <= _MARKED else sorted(set(spaced.tolist()))
