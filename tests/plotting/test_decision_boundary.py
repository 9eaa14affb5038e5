import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

import kerasteach as kt

SIDE = np.linspace(-1, 1, 21)


def plane(border, seed=0, **keys):
    """Return the table of a classifier that is sure of `right` beyond a border of x_1, and of `left` before it."""
    one, two = (axis.ravel() for axis in np.meshgrid(SIDE, SIDE, indexing="ij"))
    right = 1 / (1 + np.exp(-20 * (one - border)))
    parts = [
        pd.DataFrame({**keys, "seed": seed, "x_1": one, "x_2": two, "output": name, "value": value})
        for name, value in (("left", 1 - right), ("right", right))
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def two():
    """Return two networks of two seeds each, whose borders are known."""
    return pd.concat([plane(b + s / 10, s, model=name) for name, b in (("a", -0.5), ("b", 0.5)) for s in (0, 1)])


def lines(ax):
    """Return the points of all contours of a panel."""
    return [path.vertices for drawn in ax.collections for path in drawn.get_paths() if len(path.vertices)]


def test_each_network_has_a_panel_and_each_seed_a_boundary(two):
    """The lines stand where the two classes are equally probable."""
    figure = kt.plotting.decision_boundary_figure(two)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    for ax, border in zip(figure.axes, (-0.5, 0.5), strict=True):
        found = sorted(float(points[:, 0].mean()) for points in lines(ax))
        assert found == pytest.approx([border, border + 0.1], abs=0.01)


def test_the_color_is_that_of_the_more_probable_class(two):
    """Left and right of the border the picture has the colors of the legend."""
    figure = kt.plotting.decision_boundary_figure(two)
    picture = np.asarray(figure.axes[1].images[0].get_array())  # (x_2, x_1, 3), origin below
    left, right = (np.array(patch.get_facecolor()[:3]) for patch in figure.legends[0].legend_handles[:2])
    for pixel, own, other in ((picture[10, 0], left, right), (picture[10, -1], right, left)):
        assert np.abs(pixel - own).sum() < np.abs(pixel - other).sum()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["left", "right", "boundary of each seed"]


def test_examples_are_drawn_on_top(two):
    """A scatter for each class, at the examples."""
    x, y = np.array([[-0.9, 0.0], [0.9, 0.0], [0.8, 0.1]]), np.array([0, 1, 1])
    ax = kt.plotting.decision_boundary_figure(two, x, y).axes[0]
    points = [drawn.get_offsets().tolist() for drawn in ax.collections if isinstance(drawn, PathCollection)]
    assert points == [x[:1].tolist(), x[1:].tolist()]


def test_networks_of_a_grid_are_named_with_what_a_number_is_of():
    """A learning rate alone would be a bare number."""
    table = pd.concat([plane(0.0, activation="relu", learning_rate=rate) for rate in (0.1, 0.5)])
    titles = [ax.get_title() for ax in kt.plotting.decision_boundary_figure(table).axes]
    assert titles == ["relu, learning rate 0.1", "relu, learning rate 0.5"]


def test_what_is_no_classification_is_refused(two):
    """Values that are no probabilities, and examples without classes, are errors that say so."""
    with pytest.raises(ValueError, match="must hold the probabilities of two classes or more"):
        kt.plotting.decision_boundary_figure(two.assign(value=2.0))
    with pytest.raises(ValueError, match="`x` and `y` belong together"):
        kt.plotting.decision_boundary_figure(two, np.zeros((1, 2)))
    with pytest.raises(ValueError, match="`predictions` lacks the columns x_1"):
        kt.plotting.decision_boundary_figure(two.drop(columns="x_1"))


def small(data):
    """Return the predictions of a small comparison."""
    return kt.compare("tanh", data=data, hidden=(3,), seeds=1, epochs=1, verbose=0).predictions


@pytest.mark.slow
def test_the_plane_has_the_units_and_names_of_the_data():
    """A table of heights and weights gives axes in centimeters and kilograms, which the own examples fit."""
    random = np.random.default_rng(0)
    x = pd.DataFrame({"height": random.normal(170, 10, 60), "weight": random.normal(7e4, 5e3, 60)})
    y = np.where(x["height"] > 170, "tall", "small")
    predictions = small((x, y))
    low, high = x.min(), x.max()
    assert low["height"] - 10 < predictions["x_1"].min() < low["height"] + 15
    assert high["weight"] - 5e3 < predictions["x_2"].max() < high["weight"] + 5e3
    ax = kt.plotting.decision_boundary_figure(predictions, x, y).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("height", "weight")
    points = [drawn.get_offsets() for drawn in ax.collections if isinstance(drawn, PathCollection)][:2]
    assert sorted(map(len, points)) == sorted([(y == "tall").sum(), (y == "small").sum()])


@pytest.mark.slow
def test_a_data_set_has_the_units_of_its_examples():
    """By name and as a Dataset alike, the plane covers `x_train`."""
    moons = kt.datasets.load("moons")
    for data in ("moons", moons):
        predictions = small(data)
        assert predictions["x_1"].min() == pytest.approx(moons.x_train[:, 0].min(), abs=0.6)
        kt.plotting.decision_boundary_figure(predictions, moons.x_test, moons.y_test)


def test_features_may_be_named(two):
    """In place of those that the table has."""
    ax = kt.plotting.decision_boundary_figure(two, features=("length", "$ per m")).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length", r"\$ per m")
    with pytest.raises(ValueError, match="`features` must be two names"):
        kt.plotting.decision_boundary_figure(two, features=("length",))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 4)), np.zeros(3), r"the two features of the plane.*shape \(3, 4\)"),
        (np.zeros((3, 2)), np.zeros(2), r"a class or a value for each of `x`.*shape \(2,\)"),
        (np.full((3, 2), 170.0), np.zeros(3), "in the units of the plane.*3 of 3 examples outside"),
        (np.zeros((3, 2)), [0, 1, 2], "classes out of left, right, or their numbers from 0 to 1.*0, 1, 2"),
        (np.zeros((3, 2)), ["up", "left", "left"], "classes out of left, right.*left, up"),
    ],
)
def test_examples_that_do_not_fit_are_refused(two, x, y, message):
    """The error says what the plane has and what was received."""
    with pytest.raises(ValueError, match=message):
        kt.plotting.decision_boundary_figure(two, x, y)


def test_data_of_more_features_have_no_plane():
    """The error says which data have one."""
    with pytest.raises(
        ValueError, match=r"`predictions` has no row: .*two features, as compare\(data=\(x\[:, :2\], y\)\)"
    ):
        kt.plotting.decision_boundary_figure(small("iris"))
