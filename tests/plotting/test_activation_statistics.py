import numpy as np
import pandas as pd
import pytest

import kerasteach as kt

plotting = kt.plotting


def outputs(dead=0.0, steps=None, epochs=3, **columns):
    """Return a capture's table of two layers, a row an epoch; `dead` is the share of layer a in the last one."""
    table = pd.DataFrame([(epoch, depth, name) for epoch in range(epochs) for depth, name in ((1, "a"), (2, "b"))])
    table.columns = ["epoch", "depth", "layer"]
    table["step"] = table["epoch"].map(lambda epoch: 10 * epoch + 9) if steps is None else steps
    table["dead_fraction"] = np.where((table["epoch"] == epochs - 1) & (table["depth"] == 1), dead, 0.0)
    return table.assign(mean=0.5, std=[0.25, 0.5] * epochs, zero_fraction=0.5, saturated_fraction=np.nan, **columns)


def cells(figure, panel=0):
    """Return the numbers that a panel's colors stand for, the input first."""
    return figure.axes[panel].collections[0].get_array().reshape(2, -1)


def test_the_cells_are_the_means_of_the_steps():
    """Two steps of an epoch are one cell, and the median over the seeds counts."""
    one = pd.DataFrame({"epoch": 0, "step": [0, 1], "depth": 1, "layer": "a", "zero_fraction": [0.2, 0.4]})
    other = pd.DataFrame({"epoch": 0, "step": [0, 1], "depth": 2, "layer": "b", "zero_fraction": [0.0, 1.0]})
    table = pd.concat([one, other])
    seeds = [table.assign(seed=seed, zero_fraction=table["zero_fraction"] * seed) for seed in (0, 1, 2)]
    figure = plotting.activation_statistics_figure(pd.concat(seeds)[["seed", *table]])
    np.testing.assert_allclose(cells(figure).ravel(), [0.3, 0.5])
    assert figure.get_suptitle() == "Outputs by layer and epoch, median of 3 seeds"


def test_the_title_says_which_units_are_dead():
    """Where every row stands for a whole epoch, silence in it is certain."""
    figure = plotting.activation_statistics_figure(outputs(dead=0.62))
    assert figure.get_suptitle().splitlines()[0] == "a: 62 % of the units are 0 for every example of epoch 3"
    assert figure.axes[0].get_title() == "dead units: 0 for a whole epoch"


@pytest.mark.parametrize(
    "table",
    [
        outputs(dead=0.62, steps=[0, 0, 10, 10, 20, 20]),  # every tenth step: a window that ends with an epoch's first
        outputs(dead=0.62, epochs=1, steps=0),  # perhaps the first of many
        outputs(dead=0.62).drop(columns="step"),
        pd.concat([outputs(dead=0.62), outputs(dead=0.62, steps=[8, 8, 18, 18, 28, 28])]),
    ],
    ids=["every n-th step", "one step", "no step", "two steps an epoch"],
)
def test_nothing_is_called_dead_without_a_whole_epoch(table):
    """A unit that is 0 for a batch may fire in the next."""
    figure = plotting.activation_statistics_figure(table)
    assert "units are 0" not in figure.get_suptitle()
    assert "dead" not in plotting.describe(figure)


def test_zeros_are_no_finding():
    """Half of a ReLU's outputs are 0 as a rule."""
    assert plotting.activation_statistics_figure(outputs()).get_suptitle() == "Outputs by layer and epoch"


def test_saturation_of_a_hidden_layer_is_a_finding():
    """The output's is none: there it is what a good classifier does."""
    saturated = outputs().assign(saturated_fraction=[0.3, 0.9] * 3)
    above = plotting.activation_statistics_figure(saturated).get_suptitle()
    assert above.startswith("a: 30 % of the outputs lie within 0.01 of a limit in epoch 3")
    only_output = outputs().assign(saturated_fraction=[0.0, 0.9] * 3)
    assert "limit" not in plotting.activation_statistics_figure(only_output).get_suptitle()


def test_the_band_is_the_standard_deviation():
    """From mean - std to mean + std, layer by layer."""
    ax = plotting.activation_statistics(outputs(), "mean")
    band = ax.collections[0].get_paths()[0].vertices
    assert {(float(x), float(y)) for x, y in band} == {(1, 0.25), (1, 0.75), (2, 0.0), (2, 1.0)}


def test_networks_are_lines_in_their_colors():
    """One panel compares networks at an epoch, and names them."""
    both = pd.concat([outputs(dead=share).assign(activation=name) for name, share in (("relu", 0.5), ("tanh", 0))])
    both = both[["activation", *both.columns.drop("activation")]]
    ax = plotting.activation_statistics(both, "dead_fraction", epoch=2)
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.5, 0.0], [0.0, 0.0]]
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["relu", "tanh"]
    assert plotting.pages(both.assign(call=1)) == 2
    assert "of tanh" in plotting.activation_statistics_figure(both, page=2).get_suptitle()


def test_calls_of_a_shared_layer_are_rows_of_their_own():
    """Each call has its name, and what comes behind them stands further up."""
    table = pd.DataFrame({"epoch": 0, "layer": ["a", "b", "b"], "depth": [1, 2, 2], "call": [1, 1, 2]})
    figure = plotting.activation_statistics_figure(table.assign(zero_fraction=[0.1, 0.2, 0.3]))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["a", "b (call 1)", "b (call 2)"]


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "table",
    [
        outputs().assign(mean=np.nan, std=np.inf),
        outputs(epochs=1),
        outputs().query("depth == 1"),
        outputs().assign(layer="a_name_that_is_too_long_for_any_axis_of_any_figure"),
        outputs().drop(columns=["mean", "std", "dead_fraction"]),
    ],
    ids=["not finite", "one epoch", "one layer", "long name", "one statistic"],
)
def test_awkward_tables_are_drawn(table):
    """Nothing of it warns or fails."""
    with plotting.style("paper"):
        plotting.activation_statistics_figure(table).draw_without_rendering()


def test_errors_say_what_would_work():
    """An unknown statistic or epoch, and a table without any."""
    with pytest.raises(ValueError, match=r"`statistic` must be .*zero_fraction"):
        plotting.activation_statistics(outputs(), "kurtosis")
    with pytest.raises(ValueError, match=r'`epoch` must be "first", "last" or of the table, 0 to 2. Received: epoch=7'):
        plotting.activation_statistics(outputs(), epoch=7)
    with pytest.raises(ValueError, match="`activations` must have a column out of dead_fraction"):
        plotting.activation_statistics_figure(outputs()[["epoch", "depth", "layer"]])


def test_of_several_seeds_the_median_of_the_means_is_drawn():
    """The line of the last panel, in the last epoch."""
    seeds = [outputs().assign(seed=seed, mean=float(seed)) for seed in (0, 1, 5)]
    table = pd.concat(seeds)
    figure = plotting.activation_statistics_figure(table[["seed", *outputs()]])
    np.testing.assert_array_equal(figure.axes[-2].lines[-1].get_ydata(), [1.0, 1.0])


def test_a_network_without_numbers_is_named():
    """Its line is missing, and the legend says that it is not known."""
    table = pd.concat([outputs().assign(network=name) for name in ("first", "second")])
    table.loc[table["network"] == "second", "zero_fraction"] = np.nan
    legend = plotting.activation_statistics(table, hue="network").get_legend()
    names = [text.get_text().replace("\n", " ") for text in legend.get_texts()]
    assert names == ["first", "second (not known where missing)"]
