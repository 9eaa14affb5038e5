"""Which rows carry a layer's error signal, on tables and on trained networks."""

import keras
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.tables.error_signal import signal_rows


def carriers(layers):
    """Return the depths and parameters chosen in a table of layers, each a list of parameters."""
    rows = [(0, depth, name, 1.0) for depth, names in enumerate(layers, 1) for name in names]
    found = signal_rows(pd.DataFrame(rows, columns=["epoch", "depth", "parameter", "norm"]))
    return list(zip(found["depth"], found["parameter"], strict=True))


DENSE, NORM = ["kernel", "bias"], ["gamma", "beta"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([DENSE, DENSE], [(1, "bias"), (2, "bias")]),
        ([DENSE, NORM, DENSE], [(2, "beta"), (3, "bias")]),
        ([["kernel"], NORM, ["kernel"]], [(2, "beta"), (3, "kernel")]),
        ([["kernel"], ["gamma"], DENSE], [(1, "kernel"), (3, "bias")]),
        ([DENSE, ["alpha"], DENSE], [(1, "bias"), (3, "bias")]),
        (
            [["embeddings"], ["kernel", "recurrent_kernel", "bias"], DENSE],
            [(1, "embeddings"), (2, "bias"), (3, "bias")],
        ),
        ([DENSE, ["signal"], DENSE], [(1, "bias"), (3, "bias")]),
    ],
)
def test_one_parameter_a_layer(layers, expected):
    """The bias; beta where a normalization follows; the kernel where there is neither."""
    assert carriers(layers) == expected


def test_each_network_of_a_comparison_by_itself():
    """Networks of one table may have other layers at a depth."""
    rows = [("plain", 0, 1, "bias"), ("plain", 0, 2, "bias"), ("normed", 0, 1, "bias"), ("normed", 0, 2, "beta")]
    table = pd.DataFrame(rows, columns=["model", "epoch", "depth", "parameter"])
    assert signal_rows(table)["parameter"].tolist() == ["bias", "bias", "beta"]


def test_a_bias_before_batch_normalization_has_no_gradient():
    """What the rule is for: that bias has rounding alone, and the rows chosen are all of one magnitude."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
    model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Activation("tanh"))
    model.add(keras.layers.Dense(1))
    model.compile(kt.optimizers.PlainSGD(0.1), "mse")
    capture = kt.callbacks.GradientCapture()
    x = np.random.default_rng(0).normal(size=(32, 4))
    model.fit(x, x[:, :1], verbose=0, callbacks=[capture])
    table = capture.frame
    before = table[(table["depth"] == 1) & (table["parameter"] == "bias")]["norm"].iloc[0]
    chosen = signal_rows(table)["norm"]
    assert before < 1e-5 * chosen.min()


@pytest.mark.sample(1)
@pytest.mark.parametrize("options", [{"center": False}, {"center": False, "scale": False}])
def test_a_normalization_without_beta_leaves_the_kernel(options):
    """The rows chosen then are the kernels' in front of it, and the comparison's ratio is theirs."""

    def network():
        hidden = [
            layer
            for _ in range(3)
            for layer in (keras.layers.Dense(8), keras.layers.BatchNormalization(**options), keras.layers.ReLU())
        ]
        return keras.Sequential([*hidden, keras.layers.Dense(3, activation="softmax")])

    result = kt.compare(models={"normed": network}, data="iris", seeds=1, epochs=1, verbose=0)
    table = result.gradients
    chosen = signal_rows(table).groupby("depth")["parameter"].first()
    assert chosen.tolist() == ["kernel", "kernel", "kernel", "bias"]
    kernels = table[table["parameter"] == "kernel"].groupby("depth")["norm"].mean()
    assert result.summary()["gradient_ratio"].iloc[0] == pytest.approx(kernels.iloc[0] / kernels.iloc[2])


def test_a_dead_layer_keeps_its_bias():
    """Gradients that are 0 altogether are a finding, and no rounding."""
    rows = [(0, 1, "kernel", 0.0), (0, 1, "bias", 0.0), (0, 2, "kernel", 2.0), (0, 2, "bias", 1.0)]
    table = pd.DataFrame(rows, columns=["epoch", "depth", "parameter", "norm"])
    assert signal_rows(table)["parameter"].tolist() == ["bias", "bias"]


def test_a_bias_below_a_kernel_that_explodes_still_carries_the_signal():
    """The inputs of a layer may grow a millionfold in one step; a bias that is rounding alone is so in every step."""
    rows = [(0, step, 1, name) for step in (0, 1) for name in DENSE]
    table = pd.DataFrame(rows, columns=["epoch", "step", "depth", "parameter"])
    assert signal_rows(table.assign(norm=[1.0, 0.5, 1e9, 0.6]))["parameter"].tolist() == ["bias"] * 2
    assert signal_rows(table.assign(norm=[1.0, 1e-9, 1e9, 1e-8]))["parameter"].tolist() == ["kernel"] * 2
