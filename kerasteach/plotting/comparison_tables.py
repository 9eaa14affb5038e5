"""Networks in a tidy table: the columns that distinguish them, their median over the seeds, and a line for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kerasteach.plotting.setting import setting_in_words
from kerasteach.plotting.style import Look, inks, plain
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Kind, checked, frame_of, named_columns, renamed
from kerasteach.validation import choice, did_you_mean, received, several

# The columns that `compare` varies, and usual names for networks that were trained one by one.
VARIED = (
    *("activation", "hidden_layers", "width", "learning_rate", "initializer", "optimizer", "batch_size"),
    *("model", "network", "variant"),
)
HISTORY: dict[str, Kind] = {"epoch": "whole", "metric": "name", "value": "number"}
GRADIENTS: dict[str, Kind] = {
    "epoch": "whole",
    "depth": "whole",
    "layer": "name",
    "parameter": "name",
    "norm": "number",
}
PREDICTIONS: dict[str, Kind] = {"x_1": "number", "x_2": "number", "output": "name", "value": "number"}
CONFUSION: dict[str, Kind] = {"true": "name", "predicted": "name", "count": "number"}
_OPTIONAL: dict[str, Kind] = {"seed": "name", "step": "whole", "path": "name"}
ACTIVATIONS: dict[str, Kind] = {"epoch": "whole", "depth": "whole", "layer": "name"}
HISTOGRAMS: dict[str, Kind] = {**ACTIVATIONS, "low": "number", "high": "number", "count": "whole"}
_OF_OUTPUTS = ("mean", "std", "zero_fraction", "dead_fraction", "saturated_fraction")
_MORE: dict[str, dict[str, Kind]] = {
    "activations": {"call": "whole", **dict.fromkeys(_OF_OUTPUTS, "number")},
    "histograms": {"call": "whole", "parameter": "name"},
}
_MEASURED = ("norm", "value", "update_ratio", "count", *_OF_OUTPUTS)  # not among the keys of a row
_MADE_BY = {
    "history": "Comparison.history, or kerasteach.measure.history_table for one model,",
    "gradients": "Comparison.gradients, or GradientCapture.frame for one model,",
    "predictions": "Comparison.predictions, for data with two features,",
    "confusion": "Comparison.confusion, of a classification,",
    "activations": "ActivationCapture.frame",
    "histograms": "GradientCapture.histograms, or that of an ActivationCapture, with `histogram=True`,",
}
_EMPTY = {
    "gradients": "was the network trained, and its gradients captured?",
    "predictions": "a comparison has predictions for data with two features, as compare(data=(x[:, :2], y)) has",
    "confusion": "a comparison has the confusion of classes where classes are predicted",
}
Hue = str | Sequence[str] | None
MARKERS = 25  # on a line of many layers, at most about twice as many


def networks_in(argument: str, value: Any, columns: Mapping[str, Kind], hue: Hue = None) -> pd.DataFrame:
    """Check a table of a comparison, or of one model, and name the network of each row.

    Args:
        argument: What to call the table in an error: `"history"`, `"gradients"`, `"predictions"`, `"activations"` or
            `"histograms"`.
        value: The table, or a result that has it.
        columns: The columns that the figure draws, and what they hold.
        hue: The column, or columns, that distinguish networks. Defaults to what `compare` varies, of the columns in
            front of those that are drawn. A column that is added behind them counts only where rows would repeat.

    Returns:
        The columns `network`, `seed` and those that are drawn. Of one model, the network's name is empty, as is its
        seed where it has none.

    Raises:
        TypeError: If it is no data frame, or a column holds values of another kind.
        ValueError: If a column is missing, the table has no row, or two rows have the same keys.
    """
    value = frame_of(argument, value)
    if isinstance(value, pd.DataFrame) and value.empty and argument in _EMPTY:
        raise ValueError(f"`{argument}` has no row: {_EMPTY[argument]}. Received: {len(value)} rows.")
    drawn = checked(argument, value, columns, _MADE_BY[argument], _OPTIONAL | _MORE.get(argument, {}))
    table = named_columns(value)
    keys = _columns_of(hue, table, list(columns))
    frame = _with_names(argument, table, drawn, keys)
    if hue is None and _repeats(frame):
        keys = [name for name in table if name in VARIED]
        frame = _with_names(argument, table, drawn, keys)
    if _repeats(frame):
        raise ValueError(_several_networks(argument, table, frame, hue))
    return frame


def _columns_of(hue: Hue, table: pd.DataFrame, drawn: Sequence[str]) -> list[str]:
    """Return the columns that distinguish networks."""
    if hue is not None:
        names = [hue] if isinstance(hue, str) else several("hue", hue, "names of columns")
        return [choice("hue", name, map(str, table)) for name in names]
    first = min(list(table).index(name) for name in drawn)
    return [name for name in list(table)[:first] if name in VARIED]


def _with_names(argument: str, table: pd.DataFrame, drawn: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Put the name of each row's network in front, one name for each combination."""
    network: Any = ""
    if keys:
        parts = [_names(argument, table[key]) for key in keys]
        network = parts[0].str.cat(pd.concat(parts[1:], axis=1), sep=", ") if len(parts) > 1 else parts[0]
    frame = drawn.drop(columns="seed", errors="ignore")
    frame.insert(0, "network", network)
    frame.insert(1, "seed", drawn.get("seed", ""))
    return frame


def _names(argument: str, column: pd.Series | pd.DataFrame) -> pd.Series:
    """Return what a figure calls the networks: a number with the name of its column."""
    if isinstance(column, pd.DataFrame):
        raise ValueError(f"`{argument}` has more than one column called {column.columns[0]}.")
    prefix = f"{column.name} ".replace("_", " ") if pd.api.types.is_numeric_dtype(column) else ""
    return renamed(argument, column, lambda value: plain(f"{prefix}{value}"))


def _repeats(frame: pd.DataFrame) -> bool:
    """Say whether two rows have the same keys. Two weights of a layer may share a name, but not a path."""
    if frame.duplicated([name for name in frame if name not in _MEASURED]).any():
        return True
    if "layer" not in frame:
        return False
    places = ["network", "seed", "depth"]
    layers = frame[frame["parameter"] != "signal"] if "parameter" in frame else frame  # a probe may stand at any depth
    return bool(layers[[*places, "layer"]].drop_duplicates().duplicated(places).any())


def _several_networks(argument: str, table: pd.DataFrame, frame: pd.DataFrame, hue: Hue) -> str:
    row = ", ".join(str(name) for name in frame if name not in (*_MEASURED, "network", "layer", "path"))
    others = [str(name) for name, column in table.items() if name not in frame and column.map(str).nunique() > 1]
    found = f" Its other columns: {', '.join(others)}." if others else ""
    return (
        f"`{argument}` has several rows for one {row}: several networks? Give each a name in a column of its own, "
        f'frame.assign(network="first"), and say hue="network".{found} '
        f"{received('hue', hue)}{did_you_mean(hue, others)}"
    )


def names_of(frame: pd.DataFrame) -> list[str]:
    """Return the names of the networks, in the order of the table."""
    return [str(name) for name in frame["network"].unique()]


def median(rows: pd.DataFrame, value: str, by: str | list[str]) -> pd.Series:
    """Return the median over the seeds. A seed that is not finite counts as infinite instead of dropping out."""
    known = rows.assign(**{value: rows[value].where(np.isfinite(rows[value]), np.inf)})
    return known.groupby(by)[value].median().replace(np.inf, np.nan)


def spread_note(frame: pd.DataFrame) -> str:
    """Say in a few words what a line and its band show."""
    seeds = frame["seed"].nunique()
    if seeds == 1:
        return gettext("one seed")
    return gettext("median of {seeds} seeds, band: lowest to highest").format(seeds=seeds)


def setting_of(value: Any) -> str:
    """Return what the table says of data, network and training, in words; nothing where it says nothing."""
    setting = value.attrs.get("setting") if isinstance(value, pd.DataFrame) else None
    return plain(setting_in_words(setting if isinstance(setting, Mapping) else str(setting))) if setting else ""


def levels_of(value: Any) -> tuple[float | None, float | None]:
    """Return the loss at which training was to stop, and the accuracy of guessing, where the table knows them."""
    setting = value.attrs.get("setting") if isinstance(value, pd.DataFrame) else None
    known = setting if isinstance(setting, Mapping) else {}
    return known.get("error_below"), 1 / known["classes"] if known.get("classes") else None


def phrase(*parts: str) -> str:
    """Join what is said, with commas."""
    return ", ".join(part for part in parts if part and part != gettext("(no name)"))


def median_of(frame: pd.DataFrame) -> str:
    """Say that what is drawn is the median of several seeds; nothing of one."""
    seeds = frame["seed"].nunique()
    return gettext("median of {seeds} seeds").format(seeds=seeds) if seeds > 1 else ""


def of_seeds(frame: pd.DataFrame) -> str:
    """Say what the numbers of a finding are, where there are several seeds: `" (median of 10 seeds)"`."""
    seeds = frame["seed"].nunique()
    return " " + gettext("(median of {seeds} seeds)").format(seeds=seeds) if seeds > 1 else ""


def line_with_band(
    ax: Axes, rows: pd.DataFrame, x: str, y: str, look: Look, *, hollow: bool = False, **line: Any
) -> pd.Series:
    """Draw one network's median over its seeds as a line, and the lowest to the highest as a band.

    The band ends where a seed is not finite: of the others alone it would not be the lowest to the highest.

    Returns:
        The median, as it is drawn.
    """
    known = rows[y].where(np.isfinite(rows[y]), np.inf)  # a seed that is not finite counts as the highest
    values = rows.assign(**{y: known}).pivot(index=x, columns="seed", values=y)
    table = values.to_numpy()
    with np.errstate(invalid="ignore"):  # between two infinite values
        middle = pd.Series(np.nanmedian(table, axis=1), index=values.index).replace(np.inf, np.nan)
    style: dict[str, Any] = {"ls": "--", "markerfacecolor": inks().surface} if hollow else {"ls": "-"}
    ax.plot(middle.index, middle, **{"color": look.color, "marker": look.marker, **style, **line})
    if table.shape[1] > 1:
        whole = ~np.isinf(table).any(axis=1)
        low, high = (np.where(whole, end(table, axis=1), np.nan) for end in (np.nanmin, np.nanmax))
        alpha = 0.1 if hollow else 0.25
        ax.fill_between(values.index, low, high, color=look.color, alpha=alpha, lw=0)
    return middle
