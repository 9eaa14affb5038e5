"""Findings in titles: what the drawn medians say, and nothing where they do not."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.legend import Legend
from matplotlib.text import Text

import kerasteach as kt

plotting = kt.plotting


def gradients(norms, seeds=1, name="sigmoid"):
    """Return a table of one network, of which each seed has a norm a layer, by depth."""
    norms = np.broadcast_to(norms, (seeds, np.shape(norms)[-1]))
    rows = [
        (name, seed, 0, 0, f"layer_{depth}", depth, "bias", norm)
        for seed in range(seeds)
        for depth, norm in enumerate(norms[seed], 1)
    ]
    columns = ["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "norm"]
    return pd.DataFrame(rows, columns=columns)


def title(ax):
    """Return the first line of a title, which may be broken."""
    return " ".join(ax.get_title().split())


@pytest.mark.parametrize(
    ("norms", "finding"),
    [
        ([0.001, 0.1, 1.5], "sigmoid: layer 1 gets 1,500 times less than layer 3"),
        ([20.0, 1.0], "sigmoid: layer 1 gets 20 times more than layer 2"),
        ([1e-12, 1.0], "sigmoid: layer 1 gets more than a billion times less than layer 2"),
        ([0.5, 1.0], ""),
        ([0.0, 1.0], ""),
        ([np.nan, 1.0], ""),
        ([1.0], ""),
    ],
)
def test_a_gradient_that_vanishes_is_the_finding(norms, finding):
    """By how much, of the norms that are drawn; and nothing where no norm or no number says so."""
    drawn = title(plotting.gradient_flow(gradients(norms)))
    assert drawn.startswith(finding or "gradients by layer, mean over the steps of epoch 1")
    assert drawn.endswith("gradients by layer, mean over the steps of epoch 1, sigmoid")


def test_a_finding_of_seeds_says_so_and_holds_for_each():
    """One seed without vanishing leaves the median without a finding."""
    all_vanish = gradients([[0.001, 1.0], [0.01, 1.0], [0.1, 1.0]], 3)
    assert "100 times less than layer 2 (median of 3 seeds)" in title(plotting.gradient_flow(all_vanish))
    one_does_not = gradients([[0.001, 1.0], [0.01, 1.0], [1.0, 1.0]], 3)
    assert "times" not in title(plotting.gradient_flow(one_does_not))


def test_a_healthy_network_is_a_finding_of_its_heat_map():
    """All medians lie within a factor, which the title names; of others it says nothing."""
    assert title(plotting.gradient_heat_map(gradients([0.5, 1.0, 2.0]))).startswith(
        "all layers stay within a factor of 4"
    )
    assert "factor" not in title(plotting.gradient_heat_map(gradients([0.01, 1.0, 2.0])))


def history(**curves):
    """Return the losses of networks."""
    parts = [kt.measure.history_table({"loss": losses}).assign(network=name) for name, losses in curves.items()]
    return pd.concat(parts)[["network", "epoch", "metric", "value"]]


def test_a_target_is_a_line_and_the_finding_says_when_it_is_passed():
    """Its line is inside the axis, with its name."""
    ax = plotting.learning_curves(history(first=[1.0, 0.4, 0.1], second=[1.0, 0.9, 0.8]), target=0.05)
    assert title(ax) == "loss below 0.05: not within 3 epochs"
    assert ax.get_ylim()[0] < 0.05
    assert labels(ax) == ["target 0.05"]
    ax = plotting.learning_curves(history(first=[1.0, 0.4, 0.1], second=[1.0, 0.9, 0.8]), target=0.5)
    assert title(ax) == "loss below 0.5: first after 2 epochs, second not within 3 epochs"


def test_a_steep_loss_has_a_logarithmic_axis():
    """One that falls by more than a hundred, and none that reaches 0."""
    scales = [
        plotting.learning_curves(kt.measure.history_table({"loss": losses})).get_yscale()
        for losses in ([2.0, 0.01], [2.0, 0.1], [2.0, 0.0], [1e14, 2.0])
    ]
    assert scales == ["log", "linear", "linear", "log"]


@pytest.mark.parametrize(("values", "low"), [([0.1, 0.1025], 0), ([0.6, 0.9], 0.5), ([0.95, 0.99], 0.9)])
def test_an_accuracy_is_not_zoomed(values, low):
    """Its axis ends at 1; where nothing is learnt it begins at 0, with the level of guessing."""
    table = kt.measure.history_table({"accuracy": values})
    ax = plotting.learning_curves(table, "accuracy", chance=0.1 if low == 0 else None)
    assert ax.get_ylim() == pytest.approx((low, 1), abs=0.05)
    assert len(ax.lines) == (2 if low == 0 else 1)


def test_one_network_of_several_seeds_explains_its_band():
    """There is a legend, although there is one line."""
    table = pd.concat([kt.measure.history_table({"loss": [1.0, 0.5]}).assign(seed=seed) for seed in range(3)])
    for ax in (
        plotting.learning_curves(table),
        plotting.gradient_flow(gradients([0.5, 1.0], 3).drop(columns="activation"), None),
    ):
        (label,) = ax.get_legend().get_texts()
        assert " ".join(label.get_text().split()) == "median of 3 seeds, band: lowest to highest"


def known(**metrics):
    """Return a table that says how many classes there are, and at which loss training was to stop."""
    table = kt.measure.history_table(metrics)
    table.attrs["setting"] = {"classes": 4, "error_below": 0.2}
    return table


def labels(ax):
    """Return the names of the levels that are drawn across the axes."""
    return [text.get_text() for text in ax.texts]


def test_a_comparisons_target_and_chance_are_drawn_unasked():
    """The target with the training loss alone, the chance where an accuracy's axis reaches it; both can be left out."""
    table = known(loss=[1.0, 0.5, 0.1], accuracy=[0.25, 0.5, 0.7], val_accuracy=[0.95, 0.97, 0.99])
    ax = plotting.learning_curves(table)
    assert labels(ax) == ["target 0.2"]
    assert title(ax).startswith("loss below 0.2 after 3 epochs")
    assert labels(plotting.learning_curves(table, "accuracy")) == ["chance 0.25"]
    assert labels(plotting.learning_curves(table, "accuracy", chance=None)) == []
    assert labels(plotting.learning_curves(table, "val_accuracy")) == []
    assert labels(plotting.learning_curves(table, target=None)) == []


def test_the_lecture_figure_names_target_and_chance_at_their_lines():
    """Not in its legend, which would take a second row of the page; its description has them."""
    table = known(loss=[1.0, 0.5, 0.1], val_accuracy=[0.25, 0.5, 0.7])
    figure = plotting.lecture_figure(table, gradients([0.5, 1.0]).drop(columns=["activation", "seed"]))
    assert [labels(ax) for ax in figure.axes[:2]] == [["target 0.2"], ["chance 0.25"]]
    (legend,) = figure.findobj(Legend)
    assert not [text for text in legend.get_texts() if "target" in text.get_text() or "chance" in text.get_text()]
    assert "Drawn are: target 0.2." in plotting.describe(figure)


@pytest.mark.parametrize(
    ("losses", "target"),
    [([2.0, 0.5, 0.1, 0.05], 0.2), ([0.2, 0.2, 0.2, 2.0], 0.2), ([1.0, 0.9, 0.8, 0.7], 0.69), ([1.0, 0.5, 0.1], 1.0)],
)
def test_the_name_of_a_level_lies_on_no_curve_and_inside_the_axes(losses, target):
    """Wherever the curve runs: the name stands above the line or below it, at the right or at the left."""
    ax = plotting.learning_curves(kt.measure.history_table({"loss": losses}), target=target)
    ax.get_figure().draw_without_rendering()
    box = ax.texts[0].get_window_extent()
    assert ax.bbox.x0 <= box.x0 < box.x1 <= ax.bbox.x1
    assert ax.bbox.y0 <= box.y0 < box.y1 <= ax.bbox.y1
    curve = ax.lines[0]
    assert not curve.get_path().transformed(curve.get_transform()).intersects_bbox(box, filled=False)
    assert ax.texts[0].get_zorder() < curve.get_zorder()  # where it cannot be avoided, the curve is whole


@pytest.mark.parametrize("losses", [[2.3026, 2.3025, 2.3027], [2.3]])
def test_a_loss_that_hardly_changes_is_a_flat_line(losses):
    """Its axis spans a tenth of it, so that noise is no zigzag."""
    low, high = plotting.learning_curves(kt.measure.history_table({"loss": losses})).get_ylim()
    assert high - low == pytest.approx(0.1 * 2.3, rel=0.01)


def test_a_descent_says_what_it_descends():
    """A function of the gallery by name and formula, one of the caller's by its name."""
    descent = kt.gradient_descent("rosenbrock", learning_rate=1e-3, steps=1)
    assert "rosenbrock: (1 \N{MINUS SIGN} x)² + 100 (y \N{MINUS SIGN} x²)²" in title(plotting.descent_values(descent))

    def hill(x):
        return x**2

    assert kt.gradient_descent(hill, 1.0, steps=1).frame.attrs["setting"] == "hill"
    assert kt.gradient_descent(lambda x: x**2, 1.0, steps=1).frame.attrs["setting"] == ""


def test_what_the_table_knows_stands_below_the_finding():
    """A setting among its attributes, such as data and network."""
    table = history(first=[1.0, 0.5])
    table.attrs["setting"] = "digits: 6 hidden layers"
    assert title(plotting.learning_curves(table)) == "training loss, first, digits: 6 hidden layers"


def test_a_probe_is_drawn_without_its_parameter_being_named():
    """Dotted beside the others, or alone, under the name of an error signal."""
    probed = pd.concat([gradients([0.5, 1.0]), gradients([0.5, 1.0]).assign(parameter="signal", norm=2.0)])
    probed["path"] = probed["parameter"]
    ax = plotting.gradient_flow(probed)
    assert [line.get_linestyle() for line in ax.lines] == ["-", ":"]
    assert " ".join(ax.get_legend().get_texts()[-1].get_text().split()) == "error signal at the probes"
    alone = plotting.gradient_flow(probed[probed["parameter"] == "signal"])
    assert alone.get_ylabel() == "L2 norm of the error signal"


def descent(**paths):
    """Return a descent along x of plain paths, by verdict."""
    parts = [
        pd.DataFrame({"optimizer": "plain_sgd", "learning_rate": rate, "step": range(len(x)), "x": x}).assign(
            value=np.square(x), gradient_norm=np.abs(x), verdict=verdict
        )
        for rate, (verdict, x) in enumerate(paths.items(), 1)
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_descent_says_which_rate_converges():
    """After how many steps, and which diverges."""
    ax = plotting.descent_values(descent(converged=[2.0, 1.0, 0.1], diverged=[2.0, 4.0, 8.0]))
    assert title(ax) == "1 converges in 2 steps, 2 diverges gradient descent"


def test_a_path_that_diverges_slowly_is_drawn_to_its_end():
    """It is not cut at the top where the axis has room for it."""
    ax = plotting.descent_values(descent(converged=[2.0, 1.0, 0.1], diverged=[2.0, 4.0, 12.0]))
    assert ax.get_ylim()[1] > 144
    assert not [line for line in ax.lines if line.get_marker() == "^" and line.get_clip_on() is False]


def test_the_word_start_stands_away_from_the_path():
    """On the other side of the first step."""
    path = descent(converged=[2.0, 1.0, 0.1])
    x = np.linspace(-3, 3, 61)
    ax = plotting.descent_path(path, pd.DataFrame({"x": x, "value": x**2}))
    (word,) = [text for text in ax.texts if text.get_text() == "start"]
    step = np.array([-1.0, -3.0]) / [6, 9]
    assert np.dot(word.get_position(), step) < 0


def test_contours_of_a_narrow_valley_are_smooth():
    """Between the points of the grid the function is a cubic: the value on a line is its level."""
    side = np.linspace(-1.5, 1.5, 41)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side, indexing="ij"))
    table = pd.DataFrame({"x": x, "y": y, "value": (1 - x) ** 2 + 100 * (y - x**2) ** 2})
    path = descent(converged=[1.0, 0.5]).assign(y=[0.0, 0.1])
    path = path[["optimizer", "learning_rate", "step", "x", "y", "value", "gradient_norm", "verdict"]]
    lines = plotting.descent_path(path, table).collections[1]
    points = lines.get_paths()[0].vertices
    found = (1 - points[:, 0]) ** 2 + 100 * (points[:, 1] - points[:, 0] ** 2) ** 2
    assert np.abs(found - lines.levels[0]).max() < 0.3


def test_a_range_test_says_where_the_loss_is_lowest():
    """And from where on it is not finite."""
    loss = [2.0, 1.0, 0.5, 3.0, np.nan]
    table = pd.DataFrame({"learning_rate": [0.001, 0.01, 0.1, 1.0, 10.0], "loss": loss, "smoothed": loss})
    found = title(plotting.learning_rate_test(table))
    assert found.startswith("the smoothed loss is lowest at a learning rate of 0.1, not finite from 10 on")


def test_a_long_path_is_not_stretched_without_a_word():
    """Lengths are alike, or the title says how they are not."""
    for across, words in ((4.0, ""), (0.6, "the vertical scale is 3.3 times as large")):
        a, b = (one.ravel() for one in np.meshgrid(np.linspace(0, 6, 9), np.linspace(0, across, 5), indexing="ij"))
        ax = plotting.loss_surface(pd.DataFrame({"component_1": a, "component_2": b, "loss": a + b}))
        assert title(ax) == words
        assert (ax.get_aspect() == 1.0) is (not words)


def test_a_derivative_lies_on_its_function():
    """In another color and thinner, so that both are seen where they are the same."""
    x = np.linspace(-1, 1, 5)
    table = pd.DataFrame({"activation": "relu", "x": x, "value": np.maximum(x, 0), "derivative": 1.0 * (x > 0)})
    function, derivative = plotting.activations_figure(table).axes[0].lines[2:]
    assert function.get_color() != derivative.get_color()
    assert function.get_linewidth() > 3 * derivative.get_linewidth()
    assert derivative.get_path_effects()  # an edge in the color of the ground, for a black line on a dark one


@pytest.mark.parametrize(
    "draw",
    [
        lambda **title: plotting.gradient_flow(gradients([0.001, 1.0]), **title),
        lambda **title: plotting.gradient_heat_map(gradients([0.5, 1.0]), **title),
        lambda **title: plotting.learning_curves(history(first=[1.0, 0.5]), target=0.6, **title),
        lambda **title: plotting.descent_values(descent(converged=[2.0, 0.1]), **title),
    ],
)
def test_a_title_may_be_given_or_left_out(draw):
    """The description keeps the finding in either case."""
    finding = draw().get_title().split("\n")[0]
    own, none = draw(title="my own"), draw(title=None)
    assert (own.get_title(), none.get_title()) == ("my own", "")
    assert finding.split(":")[0].split("(")[0].strip().lower()[:20] in plotting.describe(none).lower()


def probed():
    """Return gradients of two layers with a probe in front of them and two behind the first."""
    probes = [(0, "input", 0.1), (1, "before", 0.2), (1, "behind", 0.4)]
    rows = [
        {"epoch": 0, "step": 0, "layer": name, "depth": depth, "parameter": "signal", "norm": norm}
        for depth, name, norm in probes
    ]
    layers = gradients([0.5, 1.0]).drop(columns=["activation", "seed"])
    return pd.concat([layers, pd.DataFrame(rows)], ignore_index=True)


def test_probes_that_share_a_depth_with_a_layer_are_drawn_beside_it():
    """A probe has a name of its own at the depth of the layer before it: no second network, and no layer's name."""
    ax = plotting.gradient_flow(probed())
    dotted = ax.lines[-1]
    assert dotted.get_linestyle() == ":"
    assert dotted.get_xdata().tolist() == [0, 1, 1.25]
    assert dotted.get_ydata().tolist() == [0.1, 0.2, 0.4]
    assert not {"input", "before", "behind"} & {label.get_text() for label in ax.get_xticklabels()}


@pytest.mark.parametrize("draw", [plotting.gradient_heat_map, plotting.network_gradients, plotting.gradient_flow])
def test_probes_alone_are_drawn_one_beside_the_other(draw):
    """Each probe has a place of its own, also where two follow one layer, under its name."""
    ax = draw(probed(), parameter="signal")
    ax.figure.draw_without_rendering()
    texts = [text.get_text().replace("\n", " ") for text in ax.findobj(Text)]
    assert {"input", "before", "behind"} <= set(texts)
    assert not any("gets" in text for text in texts)  # a probe is no layer
