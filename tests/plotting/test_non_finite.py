"""Networks that left the finite numbers: marked in every figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt

plotting = kt.plotting
NOTE = "2 of 3 seeds not finite from epoch 6"


def lost(table, value, name="relu", seeds=(0, 1), epoch=5):
    """Let seeds of a network leave the finite numbers in an epoch."""
    gone = (table["activation"] == name) & table["seed"].isin(seeds) & (table["epoch"] >= epoch)
    return table.assign(**{value: table[value].where(~gone)})


@pytest.fixture(scope="module")
def history():
    """Return curves of two networks from three seeds over ten epochs; sigmoid stops after seven."""
    rows = [
        {"activation": name, "seed": seed, "epoch": epoch, "metric": metric, "value": 2.0 - 0.1 * epoch + 0.01 * seed}
        for name, last in (("sigmoid", 7), ("relu", 10))
        for seed in range(3)
        for epoch in range(last)
        for metric in ("loss", "val_accuracy")
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def gradients():
    """Return gradients of two networks with two layers from three seeds over ten epochs."""
    rows = [
        (name, seed, epoch, epoch, f"layer_{depth}", depth, "bias", 0.1 * depth + 0.01 * seed)
        for name in ("sigmoid", "relu")
        for seed in range(3)
        for epoch in range(10)
        for depth in (1, 2)
    ]
    columns = ["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "norm"]
    return pd.DataFrame(rows, columns=columns)


def labels(legend):
    """Return the texts of a legend."""
    return [" ".join(text.get_text().split()) for text in legend.get_texts()]


def crosses(ax):
    """Return where crosses stand at the upper edge of the axes."""
    return [float(point[0]) for one in ax.collections if one.get_zorder() == 5 for point in one.get_offsets()]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_learning_curves_mark_where_seeds_left(history, bad):
    """The legend says how many and when, a cross stands there, and the band ends before it."""
    table = lost(history, "value")
    ax = plotting.learning_curves(table.assign(value=table["value"].fillna(bad)))
    assert labels(ax.get_legend()) == ["sigmoid", f"relu {NOTE}"]
    assert crosses(ax) == [6.0]
    band = ax.collections[1].get_paths()[0].vertices
    assert band[:, 0].max() == 5


def test_a_stop_and_a_divergence_look_different(history):
    """A network that stopped has no cross and no note, and its line ends at its last value."""
    ax = plotting.learning_curves(history)
    assert labels(ax.get_legend()) == ["sigmoid", "relu"]
    assert crosses(ax) == []
    assert ax.lines[0].get_xdata().max() == 7


def test_one_lost_seed_keeps_the_median_and_ends_the_band(history):
    """Of three seeds the median goes on; the band does not go on with the other two alone."""
    ax = plotting.learning_curves(lost(history, "value", seeds=(0,)))
    assert labels(ax.get_legend())[1] == "relu 1 of 3 seeds not finite from epoch 6"
    assert np.isfinite(ax.lines[1].get_ydata()).all()
    assert ax.collections[1].get_paths()[0].vertices[:, 0].max() == 5


def test_a_test_score_tells_that_the_loss_is_lost(history):
    """An accuracy is finite whatever a network puts out; the loss says that it diverged."""
    only_loss = history["metric"] == "loss"
    table = pd.concat([lost(history[only_loss], "value"), history[~only_loss]])
    ax = plotting.learning_curves(table, "val_accuracy")
    assert labels(ax.get_legend())[1] == "relu 2 of 3 seeds loss not finite from epoch 6"
    assert crosses(ax) == [6.0]


def test_a_value_that_comes_back_is_not_lost_for_good(history):
    """The note says in which epoch."""
    table = history.query("activation == 'relu' and seed == 0").copy()
    table.loc[table["epoch"] == 3, "value"] = np.nan
    assert labels(plotting.learning_curves(table).get_legend()) == ["relu not finite in epoch 4"]


def test_all_that_is_lost_says_so_in_the_axes(history):
    """No scale without a meaning, and no entry without a name."""
    table = history.query("activation == 'relu'").drop(columns="activation").assign(value=np.nan)
    ax = plotting.learning_curves(table)
    assert [text.get_text() for text in ax.texts] == ["no finite value: 3 of 3 seeds not finite from epoch 1"]
    assert ax.get_yticks().size == 0
    (label,) = labels(ax.get_legend())
    assert label.endswith("highest 3 of 3 seeds not finite from epoch 1")


def test_gradient_flow_marks_lost_seeds(gradients):
    """In the epoch that is drawn by crosses at the layers, of a later one in the legend."""
    ax = plotting.gradient_flow(lost(gradients, "norm"))
    assert labels(ax.get_legend()) == ["sigmoid", f"relu ({NOTE})"]
    assert crosses(ax) == []
    ax = plotting.gradient_flow(lost(gradients, "norm"), epoch=7)
    assert crosses(ax) == [1.0, 2.0]
    assert "epoch 8" in ax.get_title()


def test_crosses_of_networks_that_left_together_are_all_seen(history, gradients):
    """In one epoch, or at one layer, they stand below each other."""
    both = lost(lost(history, "value"), "value", name="sigmoid")
    flows = lost(lost(gradients, "norm"), "norm", name="sigmoid")
    for ax in (plotting.learning_curves(both), plotting.gradient_flow(flows, epoch=7)):
        marks = [one for one in ax.collections if one.get_zorder() == 5]
        size = 1.3 * plt.rcParams["lines.markersize"] * ax.figure.dpi / 72
        places = [one.get_offset_transform().transform(one.get_offsets())[0] for one in marks]
        assert len(places) == (2 if ax.get_xlabel() == "epochs trained" else 4)
        assert min(np.abs(a - b).max() for i, a in enumerate(places) for b in places[:i]) > size


def test_markers_of_deep_networks_are_drawn_whole():
    """Above and below the ends of sixteen decades there is room for half a marker."""
    columns = ["seed", "epoch", "step", "layer", "depth", "parameter", "norm"]
    rows = [(0, 0, 0, f"layer_{depth}", depth, "bias", 10.0 ** (depth - 17)) for depth in range(1, 18)]
    ax = plotting.gradient_flow(pd.DataFrame(rows, columns=columns))
    ends = ax.transData.transform([(1, 1e-16), (17, 1.0)])[:, 1]
    half = plt.rcParams["lines.markersize"] / 2 * ax.figure.dpi / 72
    assert ends[0] - half > ax.bbox.y0
    assert ends[1] + half < ax.bbox.y1


def test_heat_maps_mark_lost_seeds(gradients):
    """A dotted line where the first left, how many in the title, hatched where the median is not finite."""
    table = lost(gradients, "norm").query("activation == 'relu'")
    ax = plotting.gradient_heat_map(table)
    assert " ".join(ax.get_title().split()).endswith(f"relu (hatched: not finite), {NOTE}")
    assert ax.lines[0].get_xdata() == [5, 5]
    one = lost(gradients, "norm", seeds=(2,)).query("activation == 'relu'")
    drawn = " ".join(plotting.gradient_heat_map(one).get_title().split())
    assert drawn == "gradients by layer and epoch, relu, 1 of 3 seeds not finite from epoch 6"


def test_the_lecture_figure_marks_lost_seeds(history, gradients):
    """Once in its legend, and in the heat map's title."""
    figure = plotting.lecture_figure(lost(history, "value"), lost(gradients, "norm"))
    legends = [legend for part in figure.subfigs for legend in part.legends]
    assert f"relu ({NOTE})" in labels(legends[0])
    titles = [" ".join(ax.get_title().split()) for ax in figure.axes]
    assert f"relu (hatched: not finite) {NOTE}" in titles


def test_one_epoch_has_one_whole_tick(history):
    """Not 0.945 to 1.050."""
    ax = plotting.learning_curves(history.query("epoch == 0"))
    assert [tick for tick in ax.get_xticks() if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]] == [1]


def plane(values, seed):
    """Return a plane of two classes."""
    x, y = (axis.ravel() for axis in np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], indexing="ij"))
    parts = [
        pd.DataFrame({"activation": "relu", "seed": seed, "x_1": x, "x_2": y, "output": name, "value": value})
        for name, value in (("a", values), ("b", 1 - values))
    ]
    return pd.concat(parts)


def test_decision_boundaries_say_how_many_seeds_are_lost():
    """The others are drawn; of none there is a hatched panel."""
    good, bad = plane(np.linspace(0, 1, 9), 0), plane(np.full(9, np.nan), 1)
    title = plotting.decision_boundary(pd.concat([good, bad])).get_title()
    assert title.split() == ["relu", "1", "of", "2", "seeds", "not", "finite"]
    ax = plotting.decision_boundary_figure(bad).axes[0]
    assert ax.get_title().split() == ["relu", "not", "finite"]
    assert ax.patch.get_hatch() == "///"


def test_a_panel_without_a_boundary_says_so():
    """One class wins everywhere."""
    title = plotting.decision_boundary_figure(plane(np.full(9, 0.9), 0)).axes[0].get_title()
    assert " ".join(title.split()) == "relu no boundary: a everywhere"
