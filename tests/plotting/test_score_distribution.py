import numpy as np
import pandas as pd
import pytest
from scipy import stats

import kerasteach as kt

SCORES = {"tanh": [0.80, 0.82, 0.81, 0.85], "relu": [0.90, 0.91, 0.93, 0.94]}


def history(scores=SCORES, metric="val_accuracy"):
    """Return a history of two epochs, of which the last has the scores."""
    rows = [
        (name, seed, epoch, metric, value if epoch else 0.0)
        for name, values in scores.items()
        for seed, value in enumerate(values)
        for epoch in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["activation", "seed", "epoch", "metric", "value"])


def lines(ax, marker):
    """Return the points of the lines that have this marker."""
    return [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == marker]


def test_each_seed_is_a_point_and_paired_seeds_are_joined():
    """The points are the last epoch's values; a thin line goes through those of one seed."""
    ax = kt.plotting.score_distribution(history())
    drawn = [line.get_ydata().tolist() for line in ax.lines]
    for values in SCORES.values():
        assert values in drawn
    for pair in zip(*SCORES.values(), strict=True):
        assert list(pair) in drawn
    assert ax.get_ylabel() == "test accuracy"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["tanh", "relu"]


def test_median_and_interval_are_those_of_numpy_and_scipy():
    """The bar is the median, the diamond the mean with Student's interval."""
    ax = kt.plotting.score_distribution(history())
    drawn = [line.get_ydata().tolist() for line in ax.lines]
    values = SCORES["tanh"]
    assert [np.median(values)] * 2 in drawn
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    bar = ax.containers[0]
    ends = bar.lines[2][0].get_segments()[0][:, 1]
    np.testing.assert_allclose(ends, expected)
    assert "95 % t interval" in ax.get_xlabel().replace("\n", " ")


def test_the_finding_is_the_paired_difference_of_two_networks():
    """Only where its interval leaves out 0."""
    title = " ".join(kt.plotting.score_distribution(history()).get_title().split())
    difference = np.subtract(SCORES["relu"], SCORES["tanh"])
    low, high = stats.t.interval(0.95, 3, loc=difference.mean(), scale=stats.sem(difference))
    assert f"relu: {difference.mean():.2g} higher than tanh" in title
    assert f"{low:.2g} to {high:.2g}" in title
    alike = history({"tanh": [0.8, 0.9, 0.7], "relu": [0.81, 0.88, 0.71]})
    assert kt.plotting.score_distribution(alike).get_title() == "test accuracy after the last epoch, 3 seeds"


@pytest.mark.parametrize(
    "scores",
    [
        {"": [0.5]},
        {"tanh": [np.nan, 0.5, 0.6], "relu": [np.inf] * 3},
        {"tanh": [np.nan]},
        {"a": [0.5] * 3, "b": [0.5] * 3},
    ],
)
def test_awkward_tables_are_drawn(scores):
    """One seed, values that are not finite, and all equal."""
    ax = kt.plotting.score_distribution(history(scores))
    bad = sum(not np.isfinite(value) for values in scores.values() for value in values)
    assert sum(map(len, lines(ax, "x"))) == bad


def test_an_unknown_metric_is_refused():
    """The error lists those that there are."""
    with pytest.raises(ValueError, match='`metric` must be one of "val_accuracy"'):
        kt.plotting.score_distribution(history(), "loss")


def test_points_stand_in_front_of_the_median():
    """A seed whose score is the median is not hidden below its bar."""
    ax = kt.plotting.score_distribution(history())
    front = {line.get_marker(): line.get_zorder() for line in ax.lines}
    points = [line for line in ax.lines if line.get_ydata().tolist() in list(SCORES.values())]
    assert min(point.get_zorder() for point in points) > max(front["None"], front.get("", 0))
