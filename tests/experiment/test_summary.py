import keras
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import kerasteach as kt
from kerasteach.experiment.summary import interval_name, mean_difference


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


@pytest.mark.parametrize("seeds", range(3, 10))
def test_below_ten_seeds_the_interval_is_students(seeds):
    """Its ends are those of SciPy's paired t test."""
    random = np.random.default_rng(seeds)
    values, reference = random.normal(size=seeds), random.normal(size=seeds)
    theirs = stats.ttest_rel(values, reference).confidence_interval(0.95)
    assert mean_difference(values, reference)[1:] == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    assert interval_name(seeds) == "95 % t interval"


def test_equal_differences_have_an_interval_of_one_point():
    """A network compared with itself differs by 0, from 0 to 0."""
    assert mean_difference(np.arange(4.0), np.arange(4.0)) == (0, 0, 0)


@pytest.mark.parametrize("values", [[3.0], [3.0, 5.0], [np.inf, 1.0, 2.0]])
def test_one_or_two_seeds_or_a_diverged_one_have_no_interval(values):
    """A mean there is, ends there are none."""
    mean, low, high = mean_difference(np.array(values), np.ones(len(values)))
    assert mean == np.mean(values) - 1
    assert np.isnan([low, high]).all()


def test_which_interval_depends_on_the_seeds():
    """None, Student's, and from ten the bootstrap's."""
    assert [interval_name(seeds) for seeds in (1, 2)] == [None, None]
    assert interval_name(10) == "95 % bootstrap interval"


def test_the_summary_has_paired_differences(comparison):
    """The mean over the seeds of each network minus the reference's for the same seed."""
    summary = comparison.summary(reference="relu")
    final = comparison.history.query("metric == 'val_accuracy' and epoch == 3")
    wide = final.pivot(index="seed", columns="activation", values="value")
    for name in ("sigmoid", "tanh"):
        difference = wide[name] - wide["relu"]
        assert summary.loc[name, "test_accuracy_difference"] == pytest.approx(difference.mean())
        ends = stats.ttest_rel(wide[name], wide["relu"]).confidence_interval(0.95)
        found = summary.loc[name, ["test_accuracy_difference_low", "test_accuracy_difference_high"]]
        assert found.tolist() == pytest.approx([ends.low, ends.high])
    assert (summary.loc["relu"].filter(like="difference") == 0).all()
    first = comparison.summary()
    assert (first.loc["sigmoid"].filter(like="difference") == 0).all()
    assert summary.drop(columns=summary.filter(like="difference")).equals(
        first.drop(columns=first.filter(like="difference"))
    )


@pytest.mark.slow
def test_a_grids_summary_has_a_row_a_combination():
    """The index has a level for each thing that varies, and a reference is a combination."""
    arguments = {"data": "iris", "hidden": (4,), "seeds": 2, "epochs": 2, "verbose": 0}
    result = kt.compare(("tanh", "relu"), vary={"learning_rate": [0.1, 0.5]}, **arguments)
    summary = result.summary(reference=("relu", 0.1))
    assert summary.index.names == ["activation", "learning_rate"]
    assert summary.index.tolist() == [("tanh", 0.1), ("tanh", 0.5), ("relu", 0.1), ("relu", 0.5)]
    assert summary.loc[("relu", 0.1), "final_loss_difference"] == 0
    row = result.history.query("activation == 'tanh' and learning_rate == 0.5 and metric == 'loss' and epoch == 1")
    assert summary.loc[("tanh", 0.5), "final_loss"] == row["value"].median()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None, pd.DataFrame()), TypeError, "`history` must be a table such as compare gives"),
        ((pd.DataFrame({"seed": [1]}), pd.DataFrame()), ValueError, "`history` lacks the columns activation, epoch"),
        ((None, None, None, []), ValueError, "`by` must name a column"),
        ((None, None, None, 3), TypeError, "`by` must be a list of columns"),
    ],
)
def test_a_summary_needs_the_tables_of_a_comparison(arguments, error, message):
    """The error names the argument and what makes such a table."""
    with pytest.raises(error, match=message):
        kt.experiment.summarize(*arguments)


def test_an_unknown_reference_is_an_error(comparison):
    """The message lists those there are."""
    with pytest.raises(ValueError, match=r"`reference` must be one of \['sigmoid', 'tanh', 'relu'\]"):
        comparison.summary("softmax")


def test_a_network_that_diverged_has_no_finite_loss():
    """What it had before it diverged does not count."""
    losses = pd.DataFrame({"activation": "relu", "seed": 0, "epoch": [0, 1, 2], "value": [1.0, 0.5, np.nan]})
    history = pd.concat([losses.assign(metric=metric) for metric in ("loss", "val_loss")])
    summary = kt.experiment.summarize(history, pd.DataFrame())
    assert summary.loc["relu", ["final_loss", "test_loss"]].tolist() == [np.inf, np.inf]


def gradients(layers, names=("net",)):
    """Return a table of gradients in which each layer, a dictionary, has norms by parameter."""
    rows = [
        (name, 0, epoch, depth, parameter, norm * (1 + epoch))
        for name in names
        for epoch in (0, 1)
        for depth, layer in enumerate(layers, 1)
        for parameter, norm in layer.items()
    ]
    return pd.DataFrame(rows, columns=["activation", "seed", "epoch", "depth", "parameter", "norm"])


def ratio(table):
    """Return the gradient ratio of each variant of a table."""
    names = table["activation"].unique()
    rows = [(name, 0, 0, metric, 1.0) for name in names for metric in ("loss", "val_loss")]
    history = pd.DataFrame(rows, columns=["activation", "seed", "epoch", "metric", "value"])
    return kt.experiment.summarize(history, table)["gradient_ratio"]


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"bias": 1}, {"bias": 4}, {"bias": 9}], 0.25),
        ([{"bias": 1}, {"bias": 9}], 1),
        ([{"kernel": 8, "bias": 1e-9}, {"gamma": 7, "beta": 2}, {"kernel": 3, "bias": 4}, {"bias": 9}], 0.5),
        ([{"kernel": 1}, {"kernel": 5}, {"kernel": 9}], 0.2),
        ([{"bias": 0}, {"bias": 0}, {"bias": 9}], 0),
        ([{"bias": 0}, {"bias": 2}, {"bias": 9}], 0),
        ([{"bias": 2}, {"bias": 0}, {"bias": 9}], np.inf),
        ([{"kernel": 3, "bias": 9}], np.nan),
        ([{"bias": np.nan}, {"bias": 4}, {"bias": 9}], np.nan),
    ],
)
def test_the_gradient_ratio_is_that_of_the_error_signal(layers, expected):
    """First layer over last hidden one, of the first epoch; no signal in any is 0, and no hidden layer is NaN."""
    np.testing.assert_equal(ratio(gradients(layers)).item(), expected)


def test_each_variant_has_the_ratio_of_its_own_layers():
    """A network without hidden layers beside one with: NaN and a number."""
    deep, flat = gradients([{"bias": 1}, {"bias": 4}, {"bias": 9}]), gradients([{"bias": 9}], ["flat"])
    found = ratio(pd.concat([flat, deep], ignore_index=True))
    np.testing.assert_equal(found.to_dict(), {"flat": np.nan, "net": 0.25})


@pytest.mark.slow
def test_a_network_before_batch_normalization_has_a_ratio():
    """The bias in front has no gradient; `beta` carries the signal, which did not vanish."""
    layers = keras.layers

    def normalized():
        hidden = [layers.Dense(8), layers.BatchNormalization(), layers.Activation("tanh")]
        return keras.Sequential([*hidden, layers.Dense(8, activation="tanh"), layers.Dense(3, activation="softmax")])

    summary = kt.compare(models={"mine": normalized}, data="iris", seeds=2, epochs=1, verbose=0).summary()
    assert summary["gradient_ratio"].between(0.1, 10).all()


@pytest.mark.slow
def test_each_optimizer_has_its_own_learning_rate():
    """Without a rate of the user's, Keras's defaults, and 0.1 for plain steps; summary and facts say so."""
    arguments = {"data": "iris", "hidden": (4,), "seeds": 1, "epochs": 1, "verbose": 0}
    result = kt.compare(vary={"optimizer": ["adam", "sgd", "plain_sgd"]}, **arguments)
    defaults = [keras.optimizers.Adam(), keras.optimizers.SGD(), kt.optimizers.PlainSGD(0.1)]
    rates = [round(float(one.learning_rate), 6) for one in defaults]
    assert result.facts["learning_rates"] == rates == [0.001, 0.01, 0.1]
    assert result.summary()["learning_rate"].to_dict() == dict(zip(["adam", "sgd", "plain_sgd"], rates, strict=True))
    alone = kt.compare("relu", optimizer=keras.optimizers.Adam(0.001), **arguments)
    np.testing.assert_array_equal(result.history.query("optimizer == 'adam'")["value"], alone.history["value"])


@pytest.mark.slow
def test_a_learning_rate_of_the_users_holds_for_all():
    """It is used with each named optimizer; a schedule goes by its name."""
    arguments = {"data": "iris", "hidden": (4,), "seeds": 1, "epochs": 1, "verbose": 0}
    same = kt.compare(vary={"optimizer": ["adam", "sgd"]}, learning_rate=0.05, **arguments)
    assert same.facts["learning_rates"] == [0.05, 0.05]
    decay = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))
    result = kt.compare(vary={"optimizer": {"decaying": decay, "fixed": keras.optimizers.SGD(0.2)}}, **arguments)
    assert result.summary()["learning_rate"].tolist() == ["CosineDecay", 0.2]
    with pytest.raises((TypeError, ValueError), match="learning_rate"):
        kt.compare(vary={"learning_rate": [None, 0.1]}, **arguments)
