"""Rows of layers in a table: their names, one for each call of a shared layer, and ticks that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.comparison_tables import names_of
from kerasteach.plotting.layer_names import as_text, short_names
from kerasteach.plotting.text_fitting import fitted, letters
from kerasteach.plotting.ticks import whole_ticks
from kerasteach.plotting.wording import gettext
from kerasteach.validation import choice

LAYERS = 8  # on a page, at most
_TURN = 30  # degrees, of names that are longer than their layer is wide
_APART = 4.5  # letters from layer to layer, of turned names that do not touch
_MOST_HEIGHT = 0.35  # of the height of the axes: what turned names may take


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


def probes_apart(rows: pd.DataFrame, *, numbered: bool) -> pd.DataFrame:
    """Return the rows of probes with a depth of its own for each, also where several follow one layer.

    Args:
        rows: The rows of probes alone.
        numbered: Whether to number the probes of a network from 1 where some share a depth. If not, those that share a
            depth stand between it and the next.

    Example:
        >>> import pandas as pd
        >>> from kerasteach.plotting.layer_rows import probes_apart
        >>> rows = pd.DataFrame({"network": "", "layer": ["a", "b", "c"], "depth": [1, 1, 2]})
        >>> probes_apart(rows, numbered=True)["depth"].tolist()
        [1, 2, 3]
        >>> probes_apart(rows, numbered=False)["depth"].tolist()
        [1.0, 1.25, 2.0]
    """
    places = rows[["network", "depth", "layer"]].drop_duplicates().sort_values(["network", "depth"], kind="stable")
    of_depth = places.groupby(["network", "depth"])
    if (of_depth["layer"].transform("size") == 1).all():
        return rows
    between = places["depth"] + 0.5 * of_depth.cumcount() / of_depth["layer"].transform("size")
    places["apart"] = places.groupby("network").cumcount() + 1 if numbered else between
    return rows.assign(depth=rows.merge(places, how="left")["apart"].to_numpy())


def names_by_depth(rows: pd.DataFrame) -> dict[int, str]:
    """Return what to call the layer at each depth: its name, shortened, or its number where networks differ in it."""
    names: dict[int, set[str]] = {}
    for of_network in short_names(rows):
        for depth, layer in of_network.items():
            names.setdefault(int(depth), set()).add(layer)
    texts = {depth: as_text(next(iter(own))) for depth, own in sorted(names.items()) if len(own) == 1}
    clear = {depth: text for depth, text in texts.items() if list(texts.values()).count(text) == 1}
    return {depth: clear.get(depth, layer_number(depth)) for depth in sorted(names)}


def layer_number(depth: int) -> str:
    """Return what to call a layer that has no one name."""
    return gettext("layer {depth}").format(depth=depth)


def name_columns(ax: Axes, names: Mapping[int, str], depths: Sequence[int] = ()) -> None:
    """Name the layers below the axes, from input to output, or number them where their names have no room.

    Args:
        ax: The axes.
        names: What the layers are called, by depth; nothing where they are to be numbered.
        depths: The first and the last layer. Defaults to those that have a name.
    """
    places = [*names, *depths]
    ax.set_xlim(min(places) - 0.5, max(places) + 0.5)
    ax.set_xlabel(fitted(ax, gettext("layer, from input (left) to output (right)")))
    longest = max((len(word) for name in names.values() for word in name.split() or [""]), default=0)
    if names and (1 + longest) * len(names) < letters(ax):
        ax.set_xticks(list(names), [name.replace(" ", "\n") for name in names.values()])
    elif names and _may_be_turned(ax, list(names.values())):
        ax.set_xticks(list(names), list(names.values()), rotation=_TURN, ha="right")
    else:
        whole_ticks(ax.xaxis, min(10, max(2, letters(ax) // 5)))


def _may_be_turned(ax: Axes, names: Sequence[str]) -> bool:
    """Say whether turned names stand clear of each other, and leave most of the height to the axes."""
    apart, high = letters(ax) / len(names), letters(ax, upright=True)
    return apart > _APART and max(map(len, names)) * np.sin(np.radians(_TURN)) < _MOST_HEIGHT * high


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
