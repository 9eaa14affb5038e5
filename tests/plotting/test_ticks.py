"""Ticks stand at whole and even numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.plotting.layer_names import layer_names
from kerasteach.plotting.layer_rows import names_by_depth
from kerasteach.plotting.ticks import evenly, whole_ticks


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        (range(1, 5), [1, 2, 3, 4]),
        (range(1, 11), [2, 4, 6, 8, 10]),
        (range(1, 21), [5, 10, 15, 20]),
        (range(1, 101), [20, 40, 60, 80, 100]),
        (range(1, 301), [100, 200, 300]),
        ([7], [7]),
        ([1, 26, 51], [1, 26, 51]),
        (range(1, 72, 10), [1, 21, 41, 61]),
    ],
)
def test_ticks_have_one_distance(numbers, shown):
    """A multiple of 1, 2, 5, 10, 20, ..., of numbers that are a run."""
    assert [numbers[place] for place in evenly(numbers)] == shown


@pytest.mark.parametrize("epochs", [2, 3, 9, 18, 40, 250])
def test_epochs_are_numbered_evenly(epochs):
    """Whole, and the same distance apart, in the learning curves and in the heat map."""
    ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": np.linspace(1, 0.5, epochs)}))
    low, high = ax.get_xlim()
    shown = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert np.ptp(np.diff(shown)) == 0
    assert np.allclose(np.mod(shown, 1), 0)
    gradients = pd.DataFrame({"epoch": range(epochs), "step": 0, "layer": "a", "depth": 1, "parameter": "bias"})
    labels = kt.plotting.gradient_heat_map(gradients.assign(norm=1.0)).get_xticklabels()
    assert np.ptp(np.diff([int(label.get_text()) for label in labels])) == 0


@pytest.mark.parametrize(
    ("ends", "shown"),
    [((0.5, 1.5), [1]), ((0.5, 2.5), [1, 2]), ((0.5, 5.5), [2, 4]), ((0.8, 6.2), [2, 4, 6]), ((6.5, 8.5), [7, 8])],
)
def test_narrow_axes_have_two_ticks(ends, shown):
    """Where there are two whole numbers: one tick would not say what lies between it and the next."""
    ax = plt.figure().subplots()
    ax.set_xlim(ends)
    whole_ticks(ax.xaxis, 2)
    assert [tick for tick in ax.get_xticks() if ends[0] <= tick <= ends[1]] == shown


@pytest.mark.parametrize(
    ("layers", "shown"),
    [
        (["lstm_1/lstm_cell", "lstm_2/lstm_cell", "output"], ["lstm 1", "lstm 2", "output"]),
        (
            ["bidirectional/forward_lstm/lstm_cell", "bidirectional/backward_lstm/lstm_cell", "dense"],
            ["forward lstm", "backward lstm", "dense"],
        ),
        (["a/rnn/cell", "a/rnn/cell_1", "b/rnn/cell"], ["a/rnn/cell", "a/rnn/cell 1", "b"]),
        (["dense_43", "dense_44", "dense_45"], ["dense 1", "dense 2", "dense 3"]),
        (["conv2d_9", "dense_4", "dense_5"], ["conv2d", "dense 1", "dense 2"]),
        (["dense", "dense_1", "dense_2"], ["dense", "dense 1", "dense 2"]),
        (["hidden_1", "hidden_2", "output"], ["hidden 1", "hidden 2", "output"]),
        (["dense", "dense_7"], ["dense", "dense 7"]),
    ],
)
def test_layers_have_short_names(layers, shown):
    """Without cells that say nothing, and without the numbers of other models; names that differ still do."""
    rows = pd.DataFrame({"network": "", "depth": range(1, len(layers) + 1), "layer": layers})
    assert list(layer_names(rows).values()) == shown


def test_layers_whose_short_names_are_the_same_are_numbered():
    """Long names that differ in their middle alone, which is left out, would name two layers alike."""
    name = "a_block_with_a_long_name_{}_and_a_long_end_of_it"
    rows = pd.DataFrame({"network": "", "depth": [1, 2, 3], "layer": [name.format(1), name.format(2), "output"]})
    assert layer_names(rows) == {}
    assert names_by_depth(rows) == {1: "layer 1", 2: "layer 2", 3: "output"}


def test_two_models_of_one_program_have_the_same_names():
    """Keras counts on from one to the next."""
    first = pd.DataFrame({"network": "a", "depth": [1, 2], "layer": ["dense_3", "dense_4"]})
    second = first.assign(network="b", layer=["dense_5", "dense_6"])
    assert layer_names(pd.concat([first, second])) == {1: "dense 1", 2: "dense 2"}


def layers_of(ax):
    """Return what stands below the axes."""
    ax.get_figure().draw_without_rendering()
    low, high = ax.get_xlim()
    return [
        label.get_text()
        for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if low <= place <= high
    ]


@pytest.mark.parametrize(
    ("width", "count", "name", "shown"),
    [
        (6.4, 3, "hidden_{}", ["hidden\n1", "hidden\n2", "hidden\n3"]),
        (6.4, 5, "convolution_{}", [f"convolution {number}" for number in range(1, 6)]),  # turned
        (1.9, 5, "hidden_{}", ["2", "4"]),  # turned, they would touch
        (6.4, 30, "hidden_{}", ["5", "10", "15", "20", "25", "30"]),
    ],
)
def test_layers_are_named_where_there_is_room(width, count, name, shown):
    """In lines or turned where no name touches another, else numbered at multiples of 1, 2, 5, 10, ..."""
    table = pd.DataFrame({"epoch": 0, "depth": range(1, count + 1), "parameter": "bias", "norm": 1.0})
    table["layer"] = [name.format(depth) for depth in table["depth"]]
    with kt.plotting.style("notebook"):
        ax = kt.plotting.gradient_flow(table, ax=plt.figure(figsize=(width, 4.8)).subplots())
    assert layers_of(ax) == shown


def test_a_scale_of_layers_has_even_numbers():
    """Of a hundred layers every tenth has its name."""
    table = pd.DataFrame({"epoch": 0, "depth": range(1, 101), "parameter": "kernel", "update_ratio": 1e-3})
    ax = kt.plotting.update_ratios(table.assign(layer=[f"layer_{depth}" for depth in table["depth"]]))
    labels = [label.get_text() for label in ax.get_figure().axes[1].get_yticklabels()]
    assert labels == [f"layer {depth}" for depth in range(10, 101, 10)]
