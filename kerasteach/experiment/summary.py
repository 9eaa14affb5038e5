"""Summary of a comparison: a row a variant."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from kerasteach.stopping import Target
from kerasteach.tables.error_signal import signal_rows
from kerasteach.tables.intervals import interval_name, mean_difference
from kerasteach.validation import finite, received, several, table, text

__all__ = ["interval_name", "mean_difference", "summarize"]


def summarize(
    history: pd.DataFrame,
    gradients: pd.DataFrame,
    error_below: float | None = None,
    by: str | Sequence[str] = "activation",
    reference: Any = None,
    learning_rates: Sequence[float | str] | None = None,
) -> pd.DataFrame:
    """Summarize a comparison: the median over the seeds of each quantity, and its lowest and highest value.

    Args:
        history: Columns `activation, seed, epoch, metric, value`.
        gradients: Columns `activation, seed, epoch, depth, parameter, norm` and more; empty if none were captured.
        error_below: The error at which training was to stop. Defaults to `None`: there was none.
        by: The column, or columns, that distinguish the variants. Defaults to `"activation"`.
        reference: The variant that the others are compared with, as in the index of the result. Defaults to `None`,
            the first.
        learning_rates: The learning rate of each variant, or the name of its schedule, in the order of the table.
            Defaults to `None`: no column of it.

    Returns:
        A frame with a row a variant, in the order of the table, and for each quantity q the columns `q`, `q_min` and
        `q_max`:

        - `seeds`: how many there are; `learning_rate`, where it was asked for.
        - `final_loss`: the training loss of the last epoch; infinite for a seed that diverged.
        - `test_accuracy`, or `test_loss` for a regression: on the test part, after the last epoch.
        - `epochs`: how many were run.
        - `epochs_to_error`: how many it took until the training loss was below `error_below`, over the seeds that came
          there; and `seeds_below_error`, how many did.
        - `gradient_ratio`: the norm of the error signal's gradient in the first layer over that in the last hidden
          one, as means over the steps of the first epoch. Near 1 the error signal reaches the front; near 0 it has
          vanished; it is 0 where no hidden layer receives any, and NaN where there is no hidden layer. A layer's signal
          is read from its bias, behind which a normalization layer's `beta` stands in, and from its kernel where it has
          neither: see `kerasteach.tables.error_signal`.

        With several variants, also the mean over the seeds of `final_loss` and of the test score minus the reference's
        for the same seed, `final_loss_difference`, and the ends of its 95 % interval, `final_loss_difference_low` and
        `_high`: Student's t interval below ten seeds, from ten the bootstrap's, and NaN with one or two seeds; see
        `kerasteach.tables.intervals`. Where the interval leaves out 0, the seeds agree that the variants
        differ.

    Raises:
        ValueError: If the reference is none of the variants, or a table lacks columns.
        TypeError: If a table is none.
    """
    by = [text("by", name) for name in ([by] if isinstance(by, str) else several("by", by, "columns"))]
    if not by:
        raise ValueError("`by` must name a column, or several. Received: by=[].")
    table("history", history, (*by, "seed", "epoch", "metric", "value"), "compare")
    needed = (*by, "seed", "epoch", "depth", "parameter", "norm") if getattr(gradients, "size", 1) else ()
    table("gradients", gradients, needed, "compare")
    error_below = None if error_below is None else finite("error_below", error_below)
    order = _index(history[by].drop_duplicates())
    reference = _checked(reference, order)
    rates = None if learning_rates is None else _one_each(learning_rates, order)
    runs = _runs(history, gradients, error_below, [*by, "seed"])
    groups = runs.drop(columns="seed").groupby(by if len(by) > 1 else by[0], sort=False)
    parts = {"": groups.median(), "_min": groups.min(), "_max": groups.max()}
    quantities = [str(name) for name in runs if name not in (*by, "seed")]
    columns = {f"{name}{suffix}": part[name] for name in quantities for suffix, part in parts.items()}
    summary = pd.DataFrame(columns).reindex(order)
    summary.insert(0, "seeds", groups.size().reindex(order))
    if rates is not None:
        summary.insert(1, "learning_rate", rates)
    if error_below is not None:
        summary["seeds_below_error"] = groups["epochs_to_error"].count().reindex(order)
    if len(order) > 1:
        compared = [name for name in quantities if name.endswith(("loss", "accuracy"))]
        summary = summary.join(_differences(runs, by, order, reference, compared))
    return summary


def _index(variants: pd.DataFrame) -> pd.Index:
    return pd.MultiIndex.from_frame(variants) if variants.shape[1] > 1 else pd.Index(variants.iloc[:, 0])


def _checked(reference: Any, variants: pd.Index) -> Any:
    if reference is None:
        return variants[0] if len(variants) else None
    with suppress(TypeError):  # what cannot be hashed names no variant
        if reference in set(variants.tolist()):
            return reference
    raise ValueError(f"`reference` must be one of {variants.tolist()}. {received('reference', reference)}")


def _one_each(learning_rates: Any, variants: pd.Index) -> list[float | str]:
    rates = several("learning_rates", learning_rates, "numbers")
    if len(rates) != len(variants):
        raise ValueError(
            f"`learning_rates` must have one for each of {variants.tolist()}. "
            f"{received('learning_rates', learning_rates)}"
        )
    return rates


def _differences(
    runs: pd.DataFrame, by: list[str], variants: pd.Index, reference: Any, quantities: list[str]
) -> pd.DataFrame:
    columns = {}
    for name in quantities:
        wide = runs.pivot(index="seed", columns=by if len(by) > 1 else by[0], values=name)
        found = [mean_difference(wide[variant].to_numpy(), wide[reference].to_numpy()) for variant in variants]
        for suffix, values in zip(("", "_low", "_high"), zip(*found, strict=True), strict=True):
            columns[f"{name}_difference{suffix}"] = values
    return pd.DataFrame(columns, index=variants)


def _runs(history: pd.DataFrame, gradients: pd.DataFrame, error_below: float | None, keys: list[str]) -> pd.DataFrame:
    """Return the quantities of each run, a row a run."""
    wide = history.pivot(index=[*keys, "epoch"], columns="metric", values="value").reset_index("epoch")
    last = wide.groupby(level=keys, sort=False).last(skipna=False)
    score = "accuracy" if "val_accuracy" in last else "loss"
    runs = {"final_loss": last["loss"], f"test_{score}": last[f"val_{score}"], "epochs": last["epoch"] + 1}
    runs |= {name: losses.fillna(np.inf) for name, losses in runs.items() if name.endswith("loss")}
    if error_below is not None:
        target = Target("loss", error_below)
        below = wide[wide["loss"].map(lambda loss: target.reason(loss) is not None)]
        runs["epochs_to_error"] = (below.groupby(level=keys, sort=False)["epoch"].first() + 1).astype("float64")
    if len(gradients):
        runs["gradient_ratio"] = _gradient_ratio(gradients, keys)
    return pd.DataFrame(runs).reset_index()


def _gradient_ratio(gradients: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Return, for each network, the signal in its first layer over that in its last hidden one; NaN where none is."""
    signal = signal_rows(gradients[gradients["epoch"] == gradients["epoch"].min()])
    output = signal.groupby(keys, sort=False)["depth"].transform("max")
    hidden = signal[signal["depth"] < output].groupby([*keys, "depth"], sort=True)["norm"].mean()
    ends = hidden.groupby(level=keys, sort=False)
    first, last = ends.first(skipna=False), ends.last(skipna=False)
    return (first / last).mask((first == 0) & (last == 0), 0.0)
