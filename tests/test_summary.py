import numpy as np
import pandas as pd
import pytest
from scipy import stats

import kerasteach as kt
from kerasteach.experiment.paired import mean_difference


def test_the_interval_is_the_percentile_bootstrap():
    """Mean and ends are those of SciPy's, to the noise of resampling."""
    random = np.random.default_rng(1)
    values, reference = random.normal(size=20), random.normal(size=20)
    mean, low, high = mean_difference(values, reference)
    theirs = stats.bootstrap(
        (values - reference,), np.mean, method="percentile", n_resamples=50_000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert mean == pytest.approx((values - reference).mean())
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert mean_difference(values, reference) == (mean, low, high)  # the same each time


def test_one_seed_or_a_diverged_one_has_no_interval():
    """A mean there is, ends there are none."""
    mean, low, high = mean_difference(np.array([3.0]), np.array([1.0]))
    assert mean == 2
    assert np.isnan([low, high]).all()
    mean, low, high = mean_difference(np.array([np.inf, 1.0]), np.array([1.0, 1.0]))
    assert mean == np.inf
    assert np.isnan([low, high]).all()


def test_the_summary_has_paired_differences(comparison):
    """The mean over the seeds of each network minus the reference's for the same seed."""
    summary = comparison.summary(reference="relu")
    final = comparison.history.query("metric == 'val_accuracy' and epoch == 3")
    wide = final.pivot(index="seed", columns="activation", values="value")
    for name in ("sigmoid", "tanh"):
        difference = wide[name] - wide["relu"]
        assert summary.loc[name, "test_accuracy_difference"] == pytest.approx(difference.mean())
        assert difference.min() <= summary.loc[name, "test_accuracy_difference_low"]
        assert summary.loc[name, "test_accuracy_difference_high"] <= difference.max()
    assert (summary.loc["relu"].filter(like="difference") == 0).all()
    first = comparison.summary()
    assert (first.loc["sigmoid"].filter(like="difference") == 0).all()
    assert summary.drop(columns=summary.filter(like="difference")).equals(
        first.drop(columns=first.filter(like="difference"))
    )


def test_a_grids_summary_has_a_row_a_combination():
    """The index has a level for each thing that varies, and a reference is a combination."""
    arguments = {"data": "iris", "hidden": (4,), "seeds": 2, "epochs": 2, "progress": False}
    result = kt.compare(("tanh", "relu"), vary={"learning_rate": [0.1, 0.5]}, **arguments)
    summary = result.summary(reference=("relu", 0.1))
    assert summary.index.names == ["activation", "learning_rate"]
    assert summary.index.tolist() == [("tanh", 0.1), ("tanh", 0.5), ("relu", 0.1), ("relu", 0.5)]
    assert summary.loc[("relu", 0.1), "final_loss_difference"] == 0
    row = result.history.query("activation == 'tanh' and learning_rate == 0.5 and metric == 'loss' and epoch == 1")
    assert summary.loc[("tanh", 0.5), "final_loss"] == row["value"].median()


def test_an_unknown_reference_is_an_error(comparison):
    """The message lists those there are."""
    with pytest.raises(ValueError, match=r"`reference` must be one of \['sigmoid', 'tanh', 'relu'\]"):
        comparison.summary("softmax")


def test_a_network_that_diverged_has_no_finite_loss():
    """What it had before it diverged does not count."""
    losses = pd.DataFrame({"activation": "relu", "seed": 0, "epoch": [0, 1, 2], "value": [1.0, 0.5, np.nan]})
    history = pd.concat([losses.assign(metric=metric) for metric in ("loss", "val_loss")])
    summary = kt.experiment.summarise(history, pd.DataFrame())
    assert summary.loc["relu", ["final_loss", "test_loss"]].tolist() == [np.inf, np.inf]
