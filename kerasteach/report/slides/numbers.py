"""Numbers of a figure in words: lines for the notes of its slide, and the finding that they state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kerasteach.plotting.comparison_tables import GRADIENTS, HISTORY, median, networks_in
from kerasteach.plotting.gradient_flow import STRIKING, lines_of, of_epoch
from kerasteach.plotting.learning_curves import METRICS
from kerasteach.plotting.run_figures import score_of
from kerasteach.plotting.score_distribution import final_scores
from kerasteach.tables.group_means import group_means
from kerasteach.tables.names import percent, times
from kerasteach.tables.run import Run

_MOST = 12  # networks that a note has a line for
_NAMED = 3  # networks that a title names


class Numbers(NamedTuple):
    """Numbers of a figure.

    Attributes:
        lines: For the notes, a line a network.
        finding: A sentence that they state, for the title; empty where there is none, or the figure has its own.
    """

    lines: list[str] = []  # noqa: RUF012  never changed
    finding: str = ""


def numbers(name: str, run: Run) -> Numbers:
    """Return the numbers of a figure of a run; none for a figure that shows no numbers of networks.

    Args:
        name: The figure's name, as in `kerasteach.plotting.run_figures.FIGURES`.
        run: A run that the figure fits.
    """
    return _NUMBERS[name](run) if name in _NUMBERS else Numbers()


def score(run: Run) -> str:
    """Return the metric of the test part: its accuracy, or its loss; the training loss where there is none."""
    return score_of(run) or "loss"


def last_values(run: Run, metric: str) -> pd.DataFrame:
    """Return a metric after the last epoch, a row a seed and a column a network; infinite where it is not finite."""
    return final_scores(networks_in("history", run.tables["history"], HISTORY), metric)


def ends_of_flow(run: Run) -> pd.DataFrame:
    """Return the gradient's norm in the first epoch, a row a network and seed, a column a layer's place."""
    rows, _ = of_epoch(_signal(run), "first")
    means = group_means(rows.groupby(["network", "seed", "depth"], sort=False)["norm"])
    return means.unstack("depth").sort_index(axis=1)


def _signal(run: Run) -> pd.DataFrame:
    """Return the rows that carry the error signal."""
    frame = networks_in("gradients", run.tables["gradients"], GRADIENTS)
    return next(iter(lines_of(frame, None).values()))


def _of_metric(run: Run, metric: str) -> Numbers:
    values = last_values(run, metric)
    called = METRICS.get(metric, metric.replace("_", " "))
    lines = [f"{_named(str(name))}{called} {_spread(values[name].dropna())}" for name in values]
    return Numbers(_shortened(lines), _of_ends(values, metric, called))


def _of_ends(values: pd.DataFrame, metric: str, called: str) -> str:
    """Say which network ends best and which worst, by the medians over the seeds."""
    medians = values.median()
    if len(medians) < 2:
        return f"{called} after the last epoch: {_number(medians.iloc[0])}" if len(medians) else ""
    order = medians.sort_values(ascending="accuracy" not in metric, kind="stable")
    best, worst = order.iloc[0], order.iloc[-1]
    seeds = f" (medians of {len(values)} seeds)" if len(values) > 1 else ""
    if _number(best) == _number(worst):
        return f"All networks end with a {called} of {_number(best)}{seeds}"
    high, low = ("highest", "lowest") if "accuracy" in metric else ("lowest", "highest")
    return (
        f"{order.index[0]} ends with the {high} {called}, {_number(best)}; "
        f"{order.index[-1]} with the {low}, {_number(worst)}{seeds}"
    )


def _of_flow(run: Run) -> Numbers:
    """State the gradient in the first and the last layer of each network; where it is striking, the figure says so."""
    ends = ends_of_flow(run)
    lines: list[str] = []
    near = True
    for name, rows in ends.groupby(level="network", sort=False):
        known = rows.dropna(axis=1, how="all").median()
        first, last = known.iloc[0], known.iloc[-1]
        text = f"{_named(str(name))}layer {known.index[0]} {first:.2g}, layer {known.index[-1]} {last:.2g}"
        usable = len(known) > 1 and first > 0 and last > 0 and np.isfinite([first, last]).all()
        less = "less" if first < last else "more"
        factor = times(max(last / first, first / last)) if usable else ""
        lines.append(f"{text}; the first gets {factor} times {less}" if usable else text)
        near = near and bool(usable and max(last / first, first / last) < STRIKING)
    each = " in each network" if len(lines) > 1 else ""
    return Numbers(
        _shortened(lines), f"The first and the last layer differ by less than a factor of ten{each}" if near else ""
    )


def _of_heat_map(run: Run) -> Numbers:
    """State how far the gradients of each network lie apart, over its layers and epochs."""
    rows = _signal(run)
    means = group_means(rows.groupby(["network", "seed", "depth", "epoch"], sort=False)["norm"]).reset_index()
    middle = median(means, "norm", ["network", "depth", "epoch"])
    factors: dict[str, float] = {}
    for name in rows["network"].unique():
        values = middle[name].to_numpy()
        whole = bool((np.isfinite(values) & (values > 0)).all())
        factors[str(name)] = float(values.max() / values.min()) if whole else np.inf
    said = {name: times(factor) if np.isfinite(factor) else "" for name, factor in factors.items()}
    lines = [
        f"{_named(name)}{f'gradients differ by a factor of {text}' if text else 'some are 0 or not finite'}"
        for name, text in said.items()
    ]
    if not all(said.values()) or len(said) > _NAMED:
        return Numbers(_shortened(lines))
    factors_said = ", ".join(f"{text} ({name})" if name else text for name, text in said.items())
    return Numbers(lines, f"Over all layers and epochs, gradients differ by a factor of {factors_said}")


def _of_confusion(run: Run) -> Numbers:
    """State how many examples of the test part each network takes for what they are."""
    table = run.tables["confusion"]
    keys = [name for name in table.columns[: list(table.columns).index("true")] if name != "seed"]
    parts: list[tuple[str, float]] = []
    lines = []
    for key, rows in table.groupby(keys, sort=False) if keys else [((), table)]:
        name = ", ".join(map(str, key if isinstance(key, tuple) else (key,)))
        right = rows["true"] == rows["predicted"]
        share = rows.loc[right, "count"].sum() / rows["count"].sum()
        parts.append((name, share))
        lines.append(f"{_named(name)}{percent(share)} right{_most_confused(rows[~right])}")
    named = ", ".join(f"{name} {percent(share)}".strip() for name, share in sorted(parts, key=lambda part: -part[1]))
    return Numbers(_shortened(lines), f"Right in the test part: {named}" if len(parts) <= _NAMED else "")


def _most_confused(wrong: pd.DataFrame) -> str:
    counts = wrong.groupby(["true", "predicted"], sort=False)["count"].sum()
    if counts.empty or not counts.max():
        return ""
    pair: Any = counts.idxmax()
    true, predicted = pair
    return f"; most often confused: {true} taken for {predicted}, {counts.max():,} times"


def _of_updates(run: Run) -> Numbers:
    """State how far the last epoch's steps move the weights of each network, against their size."""
    kinds = GRADIENTS | {"update_ratio": "number"}
    frame = networks_in("gradients", run.tables["gradients"], kinds)
    last = frame[(frame["epoch"] == frame["epoch"].max()) & (frame["parameter"] == "kernel")]
    middle = median(last, "update_ratio", ["network", "depth"])
    lines = []
    for name, values in middle.groupby(level="network", sort=False):
        low, high = values.min(), values.max()
        lines.append(
            f"{_named(str(name))}a step of the last epoch changes a kernel by {low:.1g} to {high:.1g} of its size"
        )
    one = len(lines) == 1 and bool(np.isfinite(middle).all())
    return Numbers(_shortened(lines), f"{lines[0][:1].upper()}{lines[0][1:]}" if one else "")


def _spread(values: pd.Series) -> str:
    if len(values) == 1:
        return f"{_number(values.iloc[0])}"
    middle, low, high = (_number(value) for value in (values.median(), values.min(), values.max()))
    return f"{middle} ({low} to {high}, {len(values)} seeds)"


def _number(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "not finite"


def _named(name: str) -> str:
    return f"{name}: " if name else ""


def _shortened(lines: list[str]) -> list[str]:
    rest = len(lines) - _MOST
    return lines if rest <= 0 else [*lines[:_MOST], f"and {rest} more"]


_NUMBERS: dict[str, Callable[[Run], Numbers]] = {
    "lecture": lambda run: Numbers([*_of_metric(run, score(run)).lines, *_of_flow(run).lines]),
    "learning_curves": lambda run: _of_metric(run, "loss"),
    "test_scores": lambda run: _of_metric(run, score(run)),
    "score_distribution": lambda run: Numbers(_of_metric(run, score(run)).lines),
    "gradient_flow": _of_flow,
    "gradient_heat_map": _of_heat_map,
    "confusion_matrix": _of_confusion,
    "update_ratios": _of_updates,
}
