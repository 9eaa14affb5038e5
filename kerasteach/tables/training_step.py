"""Table of one training step: one number a row, with its symbol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_STEP_TYPES = dict.fromkeys(("phase", "layer", "quantity"), "str") | dict.fromkeys(
    ("depth", "example", "unit", "source"), "Int64"
)


@dataclass(frozen=True)
class Traced:
    """Numbers of one quantity in a traced step."""

    phase: str  # `"forward"`, `"error"`, `"backward"` or `"update"`
    quantity: str  # `x, z, a, E, dE/da, dE/dz, dE/dW, dE/db, W, b, new W` or `new b`
    values: Any
    axes: tuple[str, ...]  # the meaning of each axis of the values, counted from 0: `"example"`, `"unit"`, `"source"`
    layer: str | None = None  # the layer's name; `None` for a quantity of the whole network
    depth: int | None = None  # the number of dense layers up to this one, from 1 at the input


def step_table(parts: Iterable[Traced]) -> pd.DataFrame:
    """Lay out the numbers of a traced step as a tidy table, one number a row.

    Returns:
        The columns `phase, layer, depth, quantity, example, unit, source, value`; what does not apply is missing.
    """
    frames = []
    for part in parts:
        values = np.asarray(part.values, "float64")
        places = dict(zip(part.axes, np.indices(values.shape).reshape(values.ndim, values.size), strict=True))
        columns: dict[str, Any] = {"phase": part.phase, "layer": part.layer, "depth": part.depth}
        columns["quantity"] = part.quantity
        columns |= {axis: places.get(axis) for axis in ("example", "unit", "source")}
        frame = pd.DataFrame({**columns, "value": values.ravel()}).astype(_STEP_TYPES)
        frame["layer"] = frame["layer"].where(np.full(len(frame), part.layer is not None))  # not pandas 2's "None"
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def symbol(letter: str, depth: int | None = None, index: tuple[int, ...] = (), latex: bool = False) -> str:
    """Return the symbol of a number of a training step: `a2[0]` is output 0 of the second dense layer.

    Example:
        >>> from kerasteach.tables.training_step import symbol
        >>> symbol("W", 1, (0, 2)), symbol("x"), symbol("a'", 1, (0,), latex=True)
        ('W1[0,2]', 'x', "a_{1}'[0]")
    """
    place = f"[{','.join(map(str, index))}]" if index else ""
    if not latex or depth is None:
        return f"{letter.rstrip(chr(39))}{'' if depth is None else depth}{letter[1:]}{place}"
    return f"{letter[0]}_{{{depth}}}{letter[1:]}{place}"
