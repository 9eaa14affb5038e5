"""Flow of numbers through the connections of a network in one traced step, forward and backward."""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from kerasteach.plotting.style import blend, inks, plain
from kerasteach.plotting.unit_cards import of_example
from kerasteach.plotting.wording import gettext

MOST_UNITS = 24  # of a layer
_WRITTEN = 12  # units of a layer that have room for their numbers
_THICKEST = 7.0  # points


class Flow(NamedTuple):
    """Numbers of one example.

    Attributes:
        names: The layers' names, the input's first, the error's last.
        outputs: Of each layer the units' outputs, those of the input first; last the error.
        signals: Of each layer dE/dz of its units, of the input dE/dx; last 1, which dE/dE is.
        forward: Of each layer but the input the parts `w a`, `(sources, units)`, that its units are sums of.
        backward: Of each layer but the input the parts `w dE/dz`, `(sources, units)`, that flow back to its sources.
    """

    names: list[str]
    outputs: list[np.ndarray]
    signals: list[np.ndarray]
    forward: list[np.ndarray]
    backward: list[np.ndarray]

    @property
    def most_units(self) -> int:
        """How many units the largest layer has."""
        return max(map(len, self.outputs))


def flow_of(table: pd.DataFrame, example: int) -> Flow:
    """Return the numbers of one example of a traced step, layer by layer.

    Raises:
        ValueError: If rows of the step are missing, there is no such example, or a layer has more than 24 units.
    """
    rows, _ = of_example(table, example)
    try:
        flow = _flow(rows)
    except (IndexError, KeyError, ValueError) as error:  # rows that a traced step has are not there
        raise ValueError(
            "`gradients` must hold gradients by layer, or a whole traced step: kerasteach.trace_step(...).frame."
        ) from error
    if flow.most_units > MOST_UNITS:
        raise ValueError(
            f"`gradients` must be of a network with up to {MOST_UNITS} units a layer, where a step is traced; a "
            f"GradientCapture draws any. Received: a layer of {flow.most_units} units."
        )
    return flow


def _flow(rows: pd.DataFrame) -> Flow:
    layers = rows[rows["layer"].notna()]
    first = layers[(layers["layer"] == layers["layer"].iloc[0]) & (layers["quantity"] == "x")]
    names, outputs, signals = [gettext("input")], [_units(first)], [np.zeros(0)]
    forward, backward = [], []
    derivatives = np.zeros(0)
    for depth in sorted(layers["depth"].dropna().unique()):
        layer = layers[layers["depth"] == depth]
        dense = layer[layer["layer"] == layer.loc[layer["quantity"] == "W", "layer"].iloc[0]]
        last = layer[layer["layer"] == layer.loc[layer["quantity"] == "a", "layer"].iloc[-1]]
        weights = dense[dense["quantity"] == "W"].pivot(index="source", columns="unit", values="value").to_numpy()
        signal = _units(dense[dense["quantity"] == "dE/dz"])
        forward.append(weights * outputs[-1][:, None])
        backward.append(weights * signal[None, :])
        signals.append(signal)
        outputs.append(_units(last[last["quantity"] == "a"]))
        derivatives = _units(last[last["quantity"] == "dE/da"])
        names.append(str(dense["layer"].iloc[0]))
    signals[0] = backward[0].sum(axis=1)  # dE/dx
    error = rows[(rows["quantity"] == "E") & rows["layer"].isna() & rows["example"].isna()]["value"].iloc[0]
    derivatives = derivatives if len(derivatives) == len(outputs[-1]) else np.full(len(outputs[-1]), np.nan)
    forward.append(np.ones((len(outputs[-1]), 1)) * np.nan)
    backward.append(derivatives[:, None])
    return Flow([*names, gettext("error")], [*outputs, np.array([error])], [*signals, np.ones(1)], forward, backward)


def _units(rows: pd.DataFrame) -> np.ndarray:
    """Return values in the order of the units."""
    return rows.sort_values("unit")["value"].to_numpy("float64")


def draw_flow(ax: Axes, flow: Flow, direction: str) -> None:
    """Draw the units of each layer below each other, and arrows from layer to layer.

    Args:
        ax: Where to draw.
        flow: The numbers.
        direction: `"forward"` or `"backward"`.
    """
    ink, most = inks(), flow.most_units
    color = ink.forward if direction == "forward" else ink.backward
    ax.set(xlim=(-0.45, len(flow.names) - 0.55), ylim=(-most - 0.1, 0.35))
    ax.set_axis_off()
    places = [_heights(len(units), most) for units in flow.outputs]
    normal = float(plt.rcParams["font.size"])
    parts = flow.forward if direction == "forward" else flow.backward
    shown = [np.abs(part[np.isfinite(part)]) for part in parts]
    strongest = max((float(part.max(initial=0)) for part in shown), default=0.0)
    for layer, part in enumerate(parts):
        for (source, unit), value in np.ndenumerate(part):
            start, end = (layer, places[layer][source]), (layer + 1, places[layer + 1][unit])
            ends = (start, end) if direction == "forward" else (end, start)
            _arrow(ax, *ends, _thickness(value, strongest), color, thin=direction == "forward")
    numbers = flow.outputs if direction == "forward" else flow.signals
    for layer, (heights, values) in enumerate(zip(places, numbers, strict=True)):
        is_error = layer == len(flow.names) - 1
        name = plain(_short(flow.names[layer]))
        ax.text(layer, 0.2, name, ha="center", va="center", fontsize=normal, color=ink.text)
        for height, value in zip(heights, values, strict=True):
            text = _number(value) if most <= _WRITTEN else ""
            text = "E" if is_error and direction == "backward" else text
            _unit(ax, (layer, height), text, color)


def _heights(count: int, most: int) -> np.ndarray:
    """Return where the units of a layer stand, in the middle of the height that the largest layer needs."""
    return -0.5 - (most - count) / 2 - np.arange(count)


def _thickness(value: float, strongest: float) -> float | None:
    """Return an arrow's thickness as a share of the thickest, by the size of its number; `None` where it has none."""
    if not np.isfinite(value):
        return None
    return abs(value) / strongest if strongest > 0 else 0.0


def _arrow(ax: Axes, start: Any, end: Any, share: float | None, color: str, thin: bool) -> None:
    """Draw an arrow between two units: gray where its number is 0, thin where it has none."""
    ink = inks()
    if share is None and not thin:
        return
    if share is None:
        width, shade = 1.0, ink.muted
    elif share == 0:
        width, shade = 0.6, ink.faint
    else:
        width, shade = 0.6 + (_THICKEST - 0.6) * share, blend(color, ink.surface, 0.4 + 0.6 * share)
    style = f"-|>,head_length={0.3 + 0.12 * width**0.5},head_width={0.14 + 0.07 * width**0.5}"
    size = float(plt.rcParams["font.size"])
    arrow = FancyArrowPatch(
        start,
        end,
        arrowstyle=style,
        mutation_scale=size,
        shrinkA=2.0 * size,
        shrinkB=2.2 * size,
        lw=width,
        color=shade,
        zorder=1 + (share or 0.0),
        joinstyle="miter",
        capstyle="butt",
    )
    ax.add_patch(arrow)


def _unit(ax: Axes, place: tuple[float, float], text: str, color: str) -> None:
    ink, normal = inks(), float(plt.rcParams["font.size"])
    if not text:
        ax.plot(*place, marker="o", ms=0.8 * normal, mfc=ink.surface, mec=ink.text, zorder=3)
        return
    box = {"boxstyle": "round,pad=0.3,rounding_size=0.5", "fc": ink.surface, "ec": ink.text, "lw": 1.0}
    ax.text(*place, text, ha="center", va="center", fontsize=0.9 * normal, color=color, bbox=box, zorder=3)


def _short(name: str) -> str:
    name = name.replace("_", " ")
    return name if len(name) <= 12 else f"{name[:10]}..."


def _number(value: float) -> str:
    return f"{value + 0.0:.2g}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else gettext("not finite")
