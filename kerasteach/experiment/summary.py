"""From a comparison's tables to one line a variant."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kerasteach.measure.stopping import Target


def summarise(
    history: pd.DataFrame, gradients: pd.DataFrame, error_below: float | None = None, by: str = "activation"
) -> pd.DataFrame:
    """Summarise a comparison: the median over the seeds of each quantity, and its lowest and highest value.

    Args:
        history: Columns `activation, seed, epoch, metric, value`.
        gradients: Columns `activation, seed, epoch, depth, parameter, norm` and more; empty if none were captured.
        error_below: The error at which training was to stop. Defaults to `None`: there was none.
        by: The column that tells the variants apart. Defaults to `"activation"`.

    Returns:
        A frame with a row a variant, in the order of the table, and for each quantity q the columns `q`, `q_min` and
        `q_max`:

        - `final_loss`: the training loss of the last epoch; infinite for a seed that diverged.
        - `test_accuracy`, or `test_loss` for a regression: on the test part, after the last epoch.
        - `epochs`: how many were run.
        - `epochs_to_error`: how many it took until the training loss was below `error_below`, over the seeds that came
          there; and `seeds_below_error`, how many did.
        - `gradient_ratio`: norm of the bias gradient in the first hidden layer over that in the last one, as means over
          the steps of the first epoch. Near 1 the error signal reaches the front; near 0 it has vanished.
    """
    runs = _runs(history, gradients, error_below, [by, "seed"])
    order = history[by].drop_duplicates()
    groups = runs.drop(columns="seed").groupby(by, sort=False)
    parts = {"": groups.median(), "_min": groups.min(), "_max": groups.max()}
    columns = {
        f"{name}{suffix}": part[name] for name in runs if name not in (by, "seed") for suffix, part in parts.items()
    }
    summary = pd.DataFrame(columns).reindex(order).rename_axis(by)
    summary.insert(0, "seeds", groups.size().reindex(order))
    if error_below is not None:
        summary["seeds_below_error"] = groups["epochs_to_error"].count().reindex(order)
    return summary


def _runs(history: pd.DataFrame, gradients: pd.DataFrame, error_below: float | None, keys: list[str]) -> pd.DataFrame:
    """Return the quantities of each run, a row a run."""
    wide = history.pivot(index=[*keys, "epoch"], columns="metric", values="value").reset_index("epoch")
    last = wide.groupby(level=keys, sort=False).last()
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
    last_hidden = gradients["depth"].max() - 1
    bias = gradients[(gradients["epoch"] == 0) & (gradients["parameter"] == "bias")]
    norms = bias.groupby([*keys, "depth"])["norm"].mean().unstack("depth")
    if last_hidden < 1 or 1 not in norms:
        return pd.Series(np.nan, index=norms.index)
    return norms[1] / norms[last_hidden]
