import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import FancyArrowPatch, Polygon

import kerasteach as kt
from kerasteach.plotting.run_figures import FIGURES
from kerasteach.plotting.step_flow import flow_of
from kerasteach.tables.run import Run
from kerasteach.tables.training_step import Traced, step_table

NORMS = [0.001, 0.1, 1.0]


def gradients(norms=NORMS, seed=0, **keys):
    """Return a table of one step, with a layer of 32 units each but the last, of 2."""
    layers = range(1, len(norms) + 1)
    size = [32 if depth < len(norms) else 2 for depth in layers]
    names = [f"hidden_{depth}" for depth in layers]
    columns = {"epoch": 0, "step": 0, "layer": names, "depth": layers, "parameter": "bias", "size": size, "norm": norms}
    return pd.DataFrame({**keys, "seed": seed, **columns})


def backward(ax):
    """Return the thickness of the gradient's arrows, from the last layer's to the first's place on the x axis."""
    arrows = [patch.get_xy() for patch in ax.patches if isinstance(patch, Polygon) and patch.get_xy()[:, 1].max() < 0.1]
    return {round(xy[:, 0].min()): xy[0, 1] - xy[-2, 1] for xy in arrows}


def test_arrows_are_as_thick_as_the_logarithm_of_the_norm():
    """Between the thickest and the thinnest, over the decades that the norms span."""
    thick = backward(kt.plotting.network_gradients(gradients()))
    assert list(thick) == [1, 2, 3]
    assert (thick[3] - thick[2]) / (thick[3] - thick[1]) == pytest.approx(1 / 3)


def test_the_numbers_are_the_median_over_the_seeds():
    """They stand below the arrows, and the title says what they come to."""
    table = pd.concat([gradients(np.multiply(NORMS, factor), seed) for seed, factor in enumerate((1, 2, 9))])
    ax = kt.plotting.network_gradients(table)
    texts = [text.get_text() for text in ax.texts]
    assert {"0.002", "0.2", "2"} <= set(texts)
    assert "layer 1 gets 1,000 times less than layer 3" in ax.get_title()
    assert "median of 3 seeds" in " ".join(ax.get_title().split())


def test_layers_have_up_to_five_circles():
    """Of the sizes of their biases; of more units the middle one is a colon."""
    ax = kt.plotting.network_gradients(gradients())
    circles = {}
    for drawn in ax.collections[1:]:
        place = drawn.get_offsets()[0, 0]
        circles.setdefault(int(place), []).append(len(drawn.get_offsets()))
    assert circles == {0: [4, 3], 1: [4, 3], 2: [4, 3], 3: [2]}


@pytest.mark.parametrize(
    ("norms", "finding"),
    [
        ([1.0], ""),
        ([0.0, 0.0], "no layer gets any gradient"),
        ([0.0, 1.0], "layer 1 gets no gradient"),
        ([np.nan, 1.0], ""),
        ([1.0, 1.1], ""),
        ([4.0, 1.0], "layer 1 gets 4 times more than layer 2"),
        ([0.5] * 100, ""),
    ],
)
def test_the_finding_is_said_only_where_it_is_certain(norms, finding):
    """Also of one layer, a hundred, and norms that are 0 or not finite, which have no arrow."""
    ax = kt.plotting.network_gradients(gradients(norms))
    lines = ax.get_title().split("\n")
    assert lines[0] == finding if finding else lines[0].startswith("arrows: norm of the bias gradient")
    assert len(backward(ax)) == sum(np.isfinite(norm) and norm > 0 for norm in norms)


def test_networks_are_drawn_on_one_scale():
    """An arrow of one thickness is one norm in all panels."""
    table = pd.concat([gradients([norm] * 2, activation=name) for name, norm in (("tanh", 1.0), ("sigmoid", 0.01))])
    figure = kt.plotting.network_gradients_figure(table)
    tanh, sigmoid = (backward(ax)[1] for ax in figure.axes)
    assert tanh > 2 * sigmoid


def test_text_has_12_points_on_a_slide():
    """However many networks and layers: three networks are on a page, and of many layers some are numbered."""
    table = pd.concat([gradients([0.5] * 30, activation=f"network {number}") for number in range(6)])
    with kt.plotting.style("lecture"):
        figure = kt.plotting.network_gradients_figure(table)
        assert len(figure.axes) == 3
        assert figure.get_suptitle() == "page 1 of 2: networks 1 to 3 of 6"
        larger = 13.33 / figure.get_figwidth()
        assert min(text.get_fontsize() for ax in figure.axes for text in ax.texts) * larger >= 12
    assert kt.plotting.pages(table, networks=3) == FIGURES["network_gradients"].pages(Run({"gradients": table})) == 2


def test_heads_of_arrows_are_no_needles():
    """Also in a wide and low panel none is much longer than thick, and a forward arrow is thicker than a line."""
    figure = kt.plotting.network_gradients_figure(gradients([0.5, 1.0]))
    figure.draw_without_rendering()
    (ax,) = figure.axes
    for arrow in ax.patches:
        corners = ax.transData.transform(arrow.get_xy())
        tip, neck = corners[3], corners[2]  # the start, the neck, the head's upper corner, and the tip
        assert abs(tip[0] - neck[0]) < 1.5 * 2 * abs(neck[1] - tip[1])


def test_of_many_layers_the_error_stands_behind_the_last():
    """The word is wider than a column there, and would lie on the units; the one arrow forward has a head, too."""
    ax = kt.plotting.network_gradients(gradients([0.5] * 100))
    (error,) = [text for text in ax.texts if text.get_text() == "error"]
    assert error.get_ha() == "left"
    corners = ax.transData.transform(ax.patches[0].get_xy())
    tip, neck = corners[3], corners[2]
    assert tip[0] - neck[0] > 0.8 * 2 * abs(neck[1] - tip[1])


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("count", [5, 9, 100])
def test_what_the_arrows_are_stands_beside_them(count, language):
    """However thick they are: the words lie on no arrow, and between these and the units."""
    tables = [gradients([1.0] * count, activation=f"network {number}") for number in range(3)]
    with kt.plotting.style("lecture", language=language):
        figure = kt.plotting.network_gradients_figure(pd.concat(tables))
        figure.draw_without_rendering()
    ax = figure.axes[0]
    words = [text.get_window_extent() for text in ax.texts if text.get_text().endswith(("pass", "schritt"))]
    assert len(words) == 2
    for arrow in ax.patches:
        box = arrow.get_window_extent()
        assert not any(box.overlaps(own) for own in words)


@pytest.fixture
def step():
    """Return the table of a traced step of two inputs, two units and one output, with made-up numbers."""
    w1, w2 = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([[5.0], [6.0]])
    x, a1, a2 = [[0.5, -1.0]], [[0.1, 0.2]], [[0.7]]
    first = {"layer": "first", "depth": 1}
    last = {"layer": "last", "depth": 2}
    unit = ("example", "unit")
    return step_table(
        [
            Traced("forward", "x", x, unit, **first),
            Traced("forward", "a", a1, unit, **first),
            Traced("forward", "a", a2, unit, **last),
            Traced("error", "E", 0.3, ()),
            Traced("backward", "dE/da", [[0.9]], unit, **last),
            Traced("backward", "dE/dz", [[0.5]], unit, **last),
            Traced("backward", "dE/da", [[2.5, 3.0]], unit, **first),
            Traced("backward", "dE/dz", [[0.25, -0.3]], unit, **first),
            Traced("update", "W", w1, ("source", "unit"), **first),
            Traced("update", "W", w2, ("source", "unit"), **last),
        ]
    )


def test_the_parts_that_flow_add_up(step):
    """Forward `w a`, backward `w dE/dz`, whose sum over the units is dE/da."""
    flow = flow_of(step, 0)
    np.testing.assert_allclose(flow.forward[1], [[0.5], [1.2]])
    np.testing.assert_allclose(flow.backward[1].sum(axis=1), [2.5, 3.0])
    np.testing.assert_allclose(flow.signals[0], [1 * 0.25 + 2 * -0.3, 3 * 0.25 + -4 * -0.3])


def test_a_traced_step_has_every_units_number(step):
    """On the left the outputs, on the right dE/dz, of the inputs dE/dx; the arrow of the largest part is thickest."""
    figure = kt.plotting.network_gradients_figure(step)
    left, right = ([text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts] for ax in figure.axes)
    assert left == ["input", "0.5", "-1", "first", "0.1", "0.2", "last", "0.7", "error", "0.3"]
    assert right == ["input", "-0.35", "1.9", "first", "0.25", "-0.3", "last", "0.5", "error", "E"]
    widths = [patch.get_linewidth() for patch in figure.axes[1].patches if isinstance(patch, FancyArrowPatch)]
    assert len(widths) == 7
    assert widths.index(max(widths)) == 5  # 6 * 0.5, from the output to the second unit


def test_what_does_not_fit_is_refused(step):
    """The error says what would."""
    with pytest.raises(ValueError, match="`page` must be 1"):
        kt.plotting.network_gradients_figure(step, page=2)
    with pytest.raises(ValueError, match="a whole traced step"):
        kt.plotting.network_gradients_figure(step[step["quantity"] != "W"])
    with pytest.raises(ValueError, match='`epoch` must be "first", "all" or of the table'):
        kt.plotting.network_gradients(gradients(), epoch=7)
