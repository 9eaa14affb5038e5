"""Question for the room, whose answer the run gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasteach.plotting.learning_curves import METRICS
from kerasteach.report.slides.numbers import ends_of_flow, last_values, score
from kerasteach.tables.names import times
from kerasteach.tables.run import Run

_CLEAR = 2.0  # times: gradients that are closer to each other have no clear smallest
_CHOICES = 8  # answers on a slide


class Question(NamedTuple):
    """A question, the answers to choose from, and the right one.

    Attributes:
        text: The question.
        choices: Answers, of which one is right; may be none.
        answer: The right one with its numbers, in a sentence.
        figure: The name of the figure that shows it; empty where none does.
    """

    text: str
    choices: tuple[str, ...]
    answer: str
    figure: str


def question(run: Run) -> Question:
    """Return the first question that the run answers clearly: each seed agrees, and no two answers are near."""
    return next(found for ask in _QUESTIONS if (found := ask(run)) is not None)


def _slowest_network(run: Run) -> Question | None:
    """Ask for the network with the smallest gradient in its first layer."""
    if not run.has("gradients"):
        return None
    ends = ends_of_flow(run)
    first = ends.apply(lambda norms: norms.loc[norms.first_valid_index()], axis=1).unstack("network")
    names = list(dict.fromkeys(ends.index.get_level_values("network")))
    first = first[names]
    if len(names) < 2 or not _usable(first):
        return None
    order = first.median().sort_values(kind="stable")
    slowest, next_one = order.index[0], order.index[1]
    agreed = bool((first.idxmin(axis=1) == slowest).all())
    if not agreed or order.iloc[1] < _CLEAR * order.iloc[0]:
        return None
    text = (
        f"{slowest}. In the first epoch its first layer gets a gradient of {order.iloc[0]:.2g}, "
        f"{times(order.iloc[1] / order.iloc[0])} times less than that of {next_one}, the next{_seeds(first)}."
    )
    return Question("Which network's first layer learns slowest at the start?", _choices(names), text, "gradient_flow")


def _slowest_layer(run: Run) -> Question | None:
    """Ask for the layer of a single network with the smallest gradient."""
    if not run.has("gradients"):
        return None
    norms = ends_of_flow(run).dropna(axis=1, how="all")
    if len(set(norms.index.get_level_values("network"))) > 1 or norms.shape[1] < 3 or not _usable(norms):
        return None
    order = norms.median().sort_values(kind="stable")
    if not (norms.idxmin(axis=1) == order.index[0]).all() or order.iloc[-1] < _CLEAR * order.iloc[0]:
        return None
    text = (
        f"Layer {order.index[0]}. In the first epoch it gets a gradient of {order.iloc[0]:.2g}, "
        f"{times(order.iloc[-1] / order.iloc[0])} times less than layer {order.index[-1]}{_seeds(norms)}."
    )
    choices = _choices(f"layer {depth}" for depth in norms.columns)
    ask = "Which layer gets the smallest gradient at the start, counted from the input?"
    return Question(ask, choices, text, "gradient_flow")


def _best_network(run: Run) -> Question | None:
    """Ask for the network that ends best, by its test score, or else by its training loss."""
    if not run.has("history") or "loss" not in set(run.tables["history"]["metric"]):
        return None
    metric = score(run)
    values = last_values(run, metric)
    whole = values.dropna()
    if len(values.columns) < 2 or whole.empty:
        return None
    sign = -1.0 if "accuracy" in metric else 1.0
    order = (sign * whole.median()).sort_values(kind="stable")
    best = whole[order.index[0]] * sign
    if not all((best < sign * whole[name]).all() for name in order.index[1:]):
        return None
    called, high = METRICS[metric], "highest" if sign < 0 else "lowest"
    ends = f"{sign * order.iloc[0]:.3g}, before {order.index[1]} with {sign * order.iloc[1]:.3g}"
    figure = "learning_curves" if metric == "loss" else "test_scores"
    ask = f"Which network has the {high} {called} after the last epoch?"
    return Question(ask, _choices(map(str, whole)), f"{order.index[0]}: {ends}{_seeds(whole)}.", figure)


def _half_of_the_loss(run: Run) -> Question | None:
    """Ask a single network's epoch in which the loss has fallen to half."""
    if not run.has("history"):
        return None
    rows = run.tables["history"]
    losses = rows[rows["metric"] == "loss"].sort_values("epoch")
    if losses.empty or losses["epoch"].duplicated().any() or not np.isfinite(losses["value"]).all():
        return None
    start = float(losses["value"].iloc[0])
    half = losses[losses["value"] <= start / 2]
    if start <= 0 or half.empty:
        return None
    epoch, value = int(half["epoch"].iloc[0]) + 1, float(half["value"].iloc[0])
    text = f"After epoch {epoch}: the loss is {value:.3g} then, and was {start:.3g} after the first."
    return Question("After which epoch is the loss half of what it was after the first?", (), text, "learning_curves")


def _most_zeros(run: Run) -> Question | None:
    """Ask for the layer of a single network with the most outputs that are 0."""
    if not run.has("activations") or "zero_fraction" not in run.tables["activations"]:
        return None
    rows = run.tables["activations"]
    last = rows[rows["epoch"] == rows["epoch"].max()]
    shares = last.groupby(["depth", "layer"], sort=True)["zero_fraction"].mean()
    order = shares.sort_values(ascending=False, kind="stable")
    if list(rows.columns).index("epoch") or len(order) < 2 or not order.iloc[0] > order.iloc[1] + 0.02:
        return None
    names = _choices(str(layer) for _, layer in shares.index)
    text = f"{order.index[0][1]}: {100 * order.iloc[0]:.0f} % of its outputs are exactly 0 in the last epoch."
    return Question("Which layer puts out the most zeros?", names, text, "activation_statistics")


def _open(run: Run) -> Question:
    """Ask what the run does not answer, and say so."""
    text = "This run does not answer it: collect the reasons, then train again with ten times the rate."
    return Question("What would you expect with a learning rate ten times as large, and why?", (), text, "")


def _choices(names: Iterable[str]) -> tuple[str, ...]:
    """Return the answers to choose from; none where a slide has no room for them."""
    found = tuple(names)
    return found if len(found) <= _CHOICES else ()


def _usable(norms: pd.DataFrame) -> bool:
    values = norms.to_numpy()
    return bool((np.isfinite(values) & (values > 0)).all())


def _seeds(table: pd.DataFrame) -> str:
    return f", by the medians of {len(table)} seeds, which all agree" if len(table) > 1 else ""


_QUESTIONS: tuple[Callable[[Run], Question | None], ...] = (
    _slowest_network,
    _slowest_layer,
    _best_network,
    _half_of_the_loss,
    _most_zeros,
    _open,
)
