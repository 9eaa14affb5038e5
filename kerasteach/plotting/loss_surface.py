"""Loss surface: a curve over one coordinate, or colors and contours over two, with the trajectory of the training."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patheffects import withStroke

from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.comparison_tables import phrase, setting_of
from kerasteach.plotting.style import inks, new_axes, plain
from kerasteach.plotting.text_fitting import broken, fitted, letters
from kerasteach.plotting.wording import N_, gettext
from kerasteach.tables.checks import Kind, Table, checked, columns_before, frame_of
from kerasteach.validation import table

_LONG = 3.0  # sides of the picture: a path that is longer is drawn in other scales, which the title says
_LEVELS = 16
_ON_THE_PLANE = 1e-3  # a path that is nearer to the plane than this lies in it
_MOST_DOTS = 60  # a path of more snapshots is drawn as a line alone
_DEEPEST = 1e-100  # of the highest loss: what a logarithmic scale shows
_STEEP = 50  # a loss that spans more than this factor has a logarithmic scale
_AXES = {
    "direction_1": N_("first random direction (1: the length of the filters)"),
    "direction_2": N_("second random direction"),
    "component_1": N_("along the path (distance of the weights)"),
    "component_2": N_("across the path (distance of the weights)"),
    "loss": N_("loss"),
}


def loss_surface(surface: Table, trajectory: Table = None, ax: Axes | None = None, *, title: str | None = AUTO) -> Axes:
    """Draw a model's loss over one or two coordinates, and the trajectory of its training.

    Over two coordinates, colors and contours show the loss, on a logarithmic scale where it spans more than a factor
    of 50. Where the loss is not finite, the plane is hatched. The trajectory is projected onto the plane: the
    snapshots' own losses differ from the surface's below them, and the title says how far they are off this plane at
    most. Over one coordinate, the trajectory is drawn at the snapshots' own losses.

    Args:
        surface: What `kerasteach.loss_surface` returns, or its table: one or two columns of coordinates on a whole
            grid, then `loss`.
        trajectory: A table of `snapshot`, the same coordinates, `loss` and `distance`. Defaults to `None`: that of the
            surface, and none where only the table is given.
        ax: Where to draw. Defaults to a new figure.
        title: `"auto"`, what is drawn, and above it from which to which loss the training went; a text; or `None` for
            no title. Defaults to `"auto"`.

    Returns:
        The axes.

    Raises:
        TypeError: If a table is no data frame, or a column holds no numbers.
        ValueError: If a column is missing, there is no row, or the rows are no whole grid.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> surface = pd.DataFrame({"w": [-1.0, 0.0, 1.0], "loss": [1.0, 0.0, 1.0]})
        >>> kt.plotting.loss_surface(surface).get_xlabel()
        'w'
    """
    check_title(title)
    trajectory = getattr(surface, "trajectory", None) if trajectory is None else trajectory
    setting = setting_of(frame_of("surface", surface))
    surface, coordinates = _checked_surface(frame_of("surface", surface))
    path = None if trajectory is None else _checked_trajectory(trajectory, coordinates)
    ax = new_axes(ax)
    what = []
    if len(coordinates) == 1:
        _draw_curve(ax, surface, coordinates[0])
        height, path_is = "loss", gettext("training path from {start} to {end}, at its own losses")
    else:
        stretched = _draw_colors(ax, surface, coordinates)
        height, path_is = coordinates[1], gettext("training path from {start} to {end}")
        far = 0.0 if path is None else path["distance"].max()
        if far > _ON_THE_PLANE:
            path_is = gettext("training path from {start} to {end}, projected: at most {distance} off this plane")
        what += [stretched] if stretched else []
    ax.set_xlabel(fitted(ax, _label(coordinates[0])))
    ax.set_ylabel(broken(_label(height), letters(ax, upright=True)))
    finding = ""
    if path is not None:
        _draw_path(ax, path[coordinates[0]].to_numpy(), path[height].to_numpy())
        signs = {"start": "\N{WHITE CIRCLE}", "end": "\N{BLACK STAR}"}
        what.insert(0, path_is.format(distance=f"{path['distance'].max():.2g}", **signs))
        finding = _finding(path["loss"].to_numpy())
    if not np.isfinite(surface["loss"]).all():
        what.append(gettext("hatched: the loss is not finite"))
    caption(ax, title, phrase(*what, setting), finding)
    return ax


def _label(coordinate: str) -> str:
    return plain(gettext(_AXES.get(coordinate, coordinate)))


def _finding(losses: np.ndarray) -> str:
    """Say from which loss to which the training went."""
    if len(losses) < 2 or not np.isfinite(losses[[0, -1]]).all() or f"{losses[0]:.3g}" == f"{losses[-1]:.3g}":
        return ""
    message = gettext("training went from loss {first} to {last}")
    return message.format(first=f"{losses[0]:.3g}", last=f"{losses[-1]:.3g}")


def _checked_surface(surface: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns that are drawn, and the names of the coordinates: those in front of the loss."""
    made_by = "kerasteach.loss_surface(...)"
    coordinates = columns_before(table("surface", surface, ["loss"], made_by), "loss")
    if len(coordinates) not in (1, 2):
        raise ValueError(
            "`surface` must have one or two columns of coordinates, then `loss`. "
            f"Received: {len(surface)} rows with the columns {', '.join(map(str, surface))}."
        )
    kinds: dict[str, Kind] = dict.fromkeys([*coordinates, "loss"], "number")
    frame = checked("surface", surface, kinds, made_by)
    points = frame[coordinates]
    whole = len(frame) == points.nunique().prod() and not points.duplicated().any() and points.nunique().min() > 1
    if not whole or not np.isfinite(points.to_numpy()).all():
        raise ValueError(f"`surface` must have each point of a grid once. Received: {len(frame)} rows, which do not.")
    return frame, coordinates


def _checked_trajectory(trajectory: Table, coordinates: list[str]) -> pd.DataFrame:
    """Return the columns that are drawn, in the order of the training."""
    kinds: dict[str, Kind] = dict.fromkeys([*coordinates, "loss", "distance"], "number")
    frame = checked("trajectory", trajectory, kinds, "kerasteach.loss_surface(...)", {"snapshot": "whole"})
    return frame.sort_values("snapshot", kind="stable") if "snapshot" in frame else frame


def _draw_curve(ax: Axes, surface: pd.DataFrame, coordinate: str) -> None:
    surface = surface.sort_values(coordinate)
    place, loss = surface[coordinate].to_numpy(), surface["loss"].to_numpy(dtype="float64")
    ax.plot(place, np.where(np.isfinite(loss), loss, np.nan), color=inks().forward)
    between = (place[1:] + place[:-1]) / 2
    for left, right, value in zip([place[0], *between], [*between, place[-1]], loss, strict=True):
        if not np.isfinite(value):
            ax.axvspan(left, right, fc="none", ec=inks().muted, lw=0, hatch="///")
    ax.set_xlim(place[0], place[-1])


def _draw_colors(ax: Axes, surface: pd.DataFrame, coordinates: list[str]) -> str:
    """Draw colors and contours, and say where lengths are not the same in both directions."""
    losses = surface.pivot(index=coordinates[1], columns=coordinates[0], values="loss")
    shown = np.ma.masked_invalid(losses.to_numpy(dtype="float64"))
    ax.patch.set(hatch="///", edgecolor=inks().muted)  # what the colors leave open
    norm, levels = _scale(shown)
    if shown.count():
        across, up = losses.columns.to_numpy(), losses.index.to_numpy()
        ax.contourf(across, up, shown, levels=levels, norm=norm, cmap="cividis")
        ax.contour(across, up, shown, levels=levels, colors=inks().surface, linewidths=0.6, alpha=0.6)
    ax.set(xlim=(losses.columns[0], losses.columns[-1]), ylim=(losses.index[0], losses.index[-1]))
    kind = gettext("loss (logarithmic scale)") if isinstance(norm, LogNorm) else gettext("loss")
    beside = ax.inset_axes((1.04, 0, 0.05, 1))  # as high as the plane, also where that is low
    ax.figure.colorbar(ScalarMappable(norm, "cividis"), cax=beside, label=kind).ax.minorticks_off()
    return _scale_alike(ax) if set(coordinates) <= set(_AXES) else ""


def _scale_alike(ax: Axes) -> str:
    """Draw lengths alike in both directions where the picture does not become a strip, and say where they are not."""
    ratio = float(np.ptp(ax.get_xlim()) / np.ptp(ax.get_ylim()))
    if 1 / _LONG <= ratio <= _LONG:
        ax.set_aspect("equal")
        return ""
    box = 1 / _LONG if ratio > 1 else _LONG
    ax.set_box_aspect(box)
    vertical = gettext("the vertical scale is {factor} times as large")
    horizontal = gettext("the horizontal scale is {factor} times as large")
    message, factor = (vertical, ratio * box) if ratio > 1 else (horizontal, 1 / (ratio * box))
    return message.format(factor=f"{factor:.2g}") if factor >= 1.05 else ""


def _scale(losses: np.ma.MaskedArray) -> tuple[Normalize, np.ndarray]:
    """Return a scale for these losses, and where on it the contours are."""
    low, high = (float(losses.min()), float(losses.max())) if losses.count() else (0.0, 1.0)
    if low > 0 and high > _STEEP * low:
        low = max(low, _DEEPEST * high)
        return LogNorm(low, high), np.geomspace(low, high, _LEVELS)
    if not low < high:
        low, high = low - max(0.5, 0.01 * abs(low)), high + max(0.5, 0.01 * abs(high))
    return Normalize(low, high), np.linspace(low, high, _LEVELS)


def _draw_path(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    ink = inks()
    edge = [withStroke(linewidth=plt.rcParams["lines.linewidth"] + 2.5, foreground=ink.surface)]
    size = plt.rcParams["lines.markersize"]
    color = ink.backward
    ax.plot(x, y, color=color, path_effects=edge, label=gettext("path"))
    if len(x) <= _MOST_DOTS:
        ax.plot(x, y, ls="", marker="o", ms=0.8 * size, mfc=color, mec=ink.surface)
    ax.plot(x[0], y[0], ls="", marker="o", ms=1.6 * size, mfc=ink.surface, mec=color, mew=2)
    ax.plot(x[-1], y[-1], ls="", marker="*", ms=2.8 * size, mfc=color, mec=ink.surface, mew=1.5)
