"""Data of a page's charts: the numbers of each network and seed, by epoch and layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.plotting.comparison_tables import ACTIVATIONS, GRADIENTS, HISTORY, names_of, networks_in
from kerasteach.plotting.gradient_flow import lines_of, norm_range
from kerasteach.plotting.learning_curves import METRICS
from kerasteach.tables.run import Run

_MOST = 30_000  # points of a chart: beyond it every n-th epoch is taken, evenly
_STEEP = 100  # a loss that falls by more than this factor has a logarithmic axis
_NORM = "L2 norm of the gradient"
_STATISTICS = {
    "dead_fraction": "share of dead units",
    "zero_fraction": "share of outputs that are 0",
    "saturated_fraction": "share of saturated outputs",
    "std": "standard deviation of the outputs",
    "mean": "mean of the outputs",
}


@dataclass(frozen=True)
class Choice:
    """What a chart can show, one at a time.

    Attributes:
        label: What it is called.
        axis: What its axis is called.
        log: Whether its axis is logarithmic.
        low: The lower end of its axis.
        high: The upper end.
    """

    label: str
    axis: str
    log: bool
    low: float
    high: float


@dataclass(frozen=True)
class ChartData:
    """Numbers of a chart.

    Attributes:
        name: The chart's name, and its place on the page.
        title: What it shows.
        across: What its horizontal axis is.
        across_is: What one place of the axis is called: `"layer"`.
        choices: What it can show.
        epochs: The epochs that a slider goes through, from 1; none where the epochs are the horizontal axis.
        places: The names of the places on the horizontal axis, by their numbers.
        rows: `[choice, network, seed, epoch, place, value]`, the first three and the epoch as positions in their lists;
            a value that is not finite is `None`.
    """

    name: str
    title: str
    across: str
    across_is: str
    choices: list[Choice]
    epochs: list[int]
    places: dict[int, str]
    rows: list[list[Any]]


@dataclass(frozen=True)
class ChartSet:
    """All charts of a page, and what they share.

    Attributes:
        networks: The names of the networks; of one model, nothing.
        keys: The same as matplotlib draws them, by which `kerasteach.plotting.style.looks` knows them.
        seeds: The names of the seeds.
        charts: The charts.
    """

    networks: list[str]
    keys: list[str]
    seeds: list[str]
    charts: list[ChartData]


def chart_set(run: Run) -> ChartSet:
    """Return the charts that the tables of a run allow."""
    frames = {
        name: networks_in(name, run.tables[name], columns)
        for name, columns in (("gradients", GRADIENTS), ("history", HISTORY), ("activations", ACTIVATIONS))
        if run.has(name)
    }
    names = list(dict.fromkeys(name for frame in frames.values() for name in names_of(frame)))
    seeds = list(dict.fromkeys(str(seed) for frame in frames.values() for seed in frame["seed"].unique()))
    networks = [name.replace(r"\$", "$").strip() for name in names]
    made = {"gradients": _flow, "history": _curves, "activations": _statistics}
    charts = [chart for name, frame in frames.items() for chart in made[name](frame, names, seeds)]
    return ChartSet(networks, names, seeds, charts)


def _flow(frame: pd.DataFrame, networks: Sequence[str], seeds: Sequence[str]) -> Iterator[ChartData]:
    parts = {label: rows.rename(columns={"norm": "value"}) for label, rows in lines_of(frame, "both").items()}
    yield _by_layer("gradient-flow", "Gradient by layer", parts, networks, seeds, norms=True)


def _statistics(frame: pd.DataFrame, networks: Sequence[str], seeds: Sequence[str]) -> Iterator[ChartData]:
    parts = {
        label: frame.rename(columns={name: "value"})
        for name, label in _STATISTICS.items()
        if name in frame and frame[name].notna().any()
    }
    if parts:
        yield _by_layer("outputs", "Outputs by layer", parts, networks, seeds)


def _by_layer(
    name: str,
    title: str,
    parts: Mapping[str, pd.DataFrame],
    networks: Sequence[str],
    seeds: Sequence[str],
    norms: bool = False,
) -> ChartData:
    """Return a chart with the layers as horizontal axis, and the epochs for a slider."""
    keys = ["network", "seed", "epoch", "depth"]
    means = {label: _means(rows, keys) for label, rows in parts.items()}
    every = pd.concat(means.values())
    epochs = _thinned(every["epoch"], len(every))
    layers = pd.concat(parts.values())[["depth", "layer"]].drop_duplicates()
    numbers = sorted(layers["depth"].unique().tolist())
    places = {depth: "; ".join(layers.loc[layers["depth"] == depth, "layer"].unique()) for depth in numbers}
    choices = [_choice(label, rows["value"].to_numpy(), _NORM if norms else "") for label, rows in means.items()]
    rows = [
        row
        for number, one in enumerate(means.values())
        for row in _rows(one[one["epoch"].isin(epochs)], number, networks, seeds, epochs, "depth")
    ]
    return ChartData(
        name,
        title,
        "layer, from input (left) to output (right)",
        "layer",
        choices,
        [epoch + 1 for epoch in epochs],
        places,
        rows,
    )


def _curves(frame: pd.DataFrame, networks: Sequence[str], seeds: Sequence[str]) -> Iterator[ChartData]:
    found = [str(metric) for metric in frame["metric"].unique()]
    metrics = [*(metric for metric in METRICS if metric in found), *(one for one in found if one not in METRICS)]
    epochs = _thinned(frame["epoch"], len(frame))
    choices: list[Choice] = []
    rows: list[list[Any]] = []
    for number, metric in enumerate(metrics):
        one = _means(frame[frame["metric"] == metric], ["network", "seed", "epoch"])
        one = one[one["epoch"].isin(epochs)].assign(place=lambda shown: shown["epoch"] + 1)
        values = one["value"].to_numpy()
        shown = values[np.isfinite(values)]
        steep = "loss" in metric and len(shown) > 0 and shown.min() > 0 and shown.max() > _STEEP * shown.min()
        choices.append(_choice(METRICS.get(metric, str(metric).replace("_", " ")), values, log=steep))
        rows += _rows(one, number, networks, seeds, [], "place")
    places = {epoch + 1: f"{epoch + 1}" for epoch in epochs}
    yield ChartData("curves", "Learning curves", "epochs trained", "epoch", choices, [], places, rows)


def _means(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the mean over the steps of an epoch; of which one is not finite, the mean is not."""
    values = frame["value"].where(np.isfinite(frame["value"]), np.inf)
    return frame.assign(value=values).groupby(keys, sort=True, dropna=False)["value"].mean().reset_index()


def _thinned(epochs: pd.Series, points: int) -> list[int]:
    """Return the epochs, or every n-th and the last where there would be too many points."""
    different = sorted(int(epoch) for epoch in epochs.unique())
    step = -(-points // _MOST)
    return [epoch for number, epoch in enumerate(different) if number % step == 0 or number == len(different) - 1]


def _choice(label: str, values: np.ndarray, axis: str = "", log: bool = False) -> Choice:
    """Return a choice with an axis that holds its values in every epoch, so that a slider moves the lines alone."""
    if log or axis == _NORM:
        low, high = norm_range(values)
        return Choice(label, axis or label, True, low / 1.6, high * 1.6)
    shown = values[np.isfinite(values)]
    if "accuracy" in label or "share" in label:
        return Choice(label, axis or label, False, 0.0, 1.0)
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.5
    return Choice(label, axis or label, False, low - margin if low < 0 else max(0.0, low - margin), high + margin)


def _rows(
    frame: pd.DataFrame, choice: int, networks: Sequence[str], seeds: Sequence[str], epochs: Sequence[int], place: str
) -> Iterator[list[Any]]:
    columns = zip(frame["network"], frame["seed"], frame["epoch"], frame[place], frame["value"], strict=True)
    for network, seed, epoch, where, value in columns:
        shown = float(f"{value:.4g}") if np.isfinite(value) else None
        number = epochs.index(epoch) if epochs else 0
        yield [choice, networks.index(str(network)), seeds.index(str(seed)), number, int(where), shown]
