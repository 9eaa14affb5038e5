"""Table of one training step: a row a number."""

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
    """Numbers of one kind in a traced step: what they are of, and what their axes count.

    Attributes:
        phase: `"forward"`, `"error"`, `"backward"` or `"update"`.
        quantity: `x, z, a, E, dE/da, dE/dz, dE/dW, dE/db, W, b, new W` or `new b`.
        values: The numbers.
        axes: What each axis of the values counts, from 0: `"example"`, `"unit"`, `"source"`.
        layer: The layer's name; `None` for what belongs to the whole network.
        depth: The number of dense layers up to this one, from 1 at the input.
    """

    phase: str
    quantity: str
    values: Any
    axes: tuple[str, ...]
    layer: str | None = None
    depth: int | None = None


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
        frames.append(pd.DataFrame({**columns, "value": values.ravel()}).astype(_STEP_TYPES))
    return pd.concat(frames, ignore_index=True)


def symbol(letter: str, depth: int | None = None, index: tuple[int, ...] = (), latex: bool = False) -> str:
    """Return what a number of a training step is called: `a2[0]` is output 0 of the second dense layer.

    Example:
        >>> from kerasteach.tables.training_step import symbol
        >>> symbol("W", 1, (0, 2)), symbol("x"), symbol("a'", 1, (0,), latex=True)
        ('W1[0,2]', 'x', "a_{1}'[0]")
    """
    place = f"[{','.join(map(str, index))}]" if index else ""
    if not latex or depth is None:
        return f"{letter.rstrip(chr(39))}{'' if depth is None else depth}{letter[1:]}{place}"
    return f"{letter[0]}_{{{depth}}}{letter[1:]}{place}"
