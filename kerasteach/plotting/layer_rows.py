"""Rows of layers in a table: their names, one for each call of a shared layer, and ticks that name them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.comparison_tables import names_of
from kerasteach.plotting.layer_names import as_text
from kerasteach.plotting.text_fitting import letters
from kerasteach.plotting.wording import gettext
from kerasteach.validation import choice

LAYERS = 8  # on a page, at most
_MOST_TICKS = 12  # layers that have a label, at most


def by_call(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which each call of a shared layer is a row of its own, with a depth and a name.

    Example:
        >>> import pandas as pd
        >>> from kerasteach.plotting.layer_rows import by_call
        >>> by_call(pd.DataFrame({"layer": ["a", "a", "b"], "depth": [1, 1, 2], "call": [1, 2, 1]}))["layer"].tolist()
        ['a (call 1)', 'a (call 2)', 'b']
    """
    if "call" not in frame or frame["call"].max() == 1:
        return frame
    shared = frame["layer"].isin(frame.loc[frame["call"] > 1, "layer"].unique())
    calls = frame["call"].map(lambda call: gettext("(call {number})").format(number=call))
    named = frame["layer"].where(~shared, frame["layer"] + " " + calls)
    pairs = pd.MultiIndex.from_frame(frame[["depth", "call"]])
    places = pd.Series(range(1, pairs.nunique() + 1), index=pairs.unique().sort_values())
    return frame.assign(layer=named.astype("str"), depth=places.reindex(pairs).to_numpy())


def names_by_depth(rows: pd.DataFrame) -> dict[int, str]:
    """Return what to call the layer at each depth: its name, shortened, or its number where networks differ in it."""
    pairs = rows[["depth", "layer"]].drop_duplicates().sort_values("depth")
    names: dict[int, list[str]] = {}
    for depth, layer in pairs.itertuples(index=False):
        names.setdefault(int(depth), []).append(str(layer))
    return {depth: as_text(own[0]) if len(own) == 1 else layer_number(depth) for depth, own in names.items()}


def layer_number(depth: int) -> str:
    """Return what to call a layer that has no one name."""
    return gettext("layer {depth}").format(depth=depth)


def name_columns(ax: Axes, names: dict[int, str]) -> None:
    """Name the layers below the axes, from input to output, or number them where their names have no room."""
    places = list(names)
    ax.set_xlim(places[0] - 0.5, places[-1] + 0.5)
    ax.set_xlabel(gettext("layer, from input (left) to output (right)"))
    longest = max(len(word) for name in names.values() for word in name.split() or [""])
    if (1 + longest) * len(places) < letters(ax):
        ax.set_xticks(places, [name.replace(" ", "\n") for name in names.values()])
    elif len(places) <= _MOST_TICKS // 2:
        ax.set_xticks(places, list(names.values()), rotation=30, ha="right")
    else:
        chosen = even(len(places), max(2, letters(ax) // 5))
        ax.set_xticks([places[place] for place in chosen], [str(places[place]) for place in chosen])


def even(number: int, most: int) -> list[int]:
    """Return places from 0 that are evenly spaced, so many at most.

    Example:
        >>> from kerasteach.plotting.layer_rows import even
        >>> even(10, 4)
        [0, 3, 6, 9]
    """
    return list(range(0, number, max(1, int(np.ceil(number / most)))))


def of_one_parameter(frame: pd.DataFrame, parameter: str | None = None) -> tuple[pd.DataFrame, str]:
    """Return the rows of a parameter, by default of the kernels if there are any, and its name.

    Raises:
        ValueError: If the table has none of it; the message names those that it has.
    """
    found = [str(name) for name in frame["parameter"].unique()]
    usual = "kernel" if "kernel" in found else found[0]
    chosen = usual if parameter is None else choice("parameter", parameter, found)
    return frame[frame["parameter"] == chosen], chosen


def parts_of(frame: pd.DataFrame) -> list[tuple[str, list[int]]]:
    """Return the pages: each has a network, and some of its layers."""
    pages = []
    for name in names_of(frame):
        depths = sorted(int(depth) for depth in frame.loc[frame["network"] == name, "depth"].unique())
        pages += [(name, part.tolist()) for part in np.array_split(depths, -(-len(depths) // LAYERS))]
    return pages
