import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

import kerasteach as kt

SIDE = np.linspace(-1, 1, 11)


def plane(slope=1.0, seed=0, **keys):
    """Return the table of a network whose value is `slope * x_1 + x_2`."""
    one, two = (axis.ravel() for axis in np.meshgrid(SIDE, SIDE, indexing="ij"))
    return pd.DataFrame({**keys, "seed": seed, "x_1": one, "x_2": two, "output": "value_1", "value": slope * one + two})


def curve(slope=1.0, seed=0, output="value_1", **keys):
    """Return the table of a network with one input whose value is `slope * x_1`."""
    return pd.DataFrame({**keys, "seed": seed, "x_1": SIDE, "output": output, "value": slope * SIDE})


def scattered(ax):
    """Return the scatters of a panel."""
    return [drawn for drawn in ax.collections if isinstance(drawn, PathCollection)]


def test_the_colors_are_the_mean_over_the_seeds():
    """On the grid; a seed that is not finite is left out, and the title says so."""
    lost = plane(9.0, 2).assign(value=np.nan)
    ax = kt.plotting.fitted_surface(pd.concat([plane(1.0, 0), plane(3.0, 1), lost]))
    expected = (2 * SIDE[:, None] + SIDE[None, :]).T
    np.testing.assert_allclose(ax.images[0].get_array(), expected, atol=1e-12)
    assert ax.get_title() == "1 of 3 seeds not finite"


def test_data_have_the_color_of_their_own_value():
    """On the scale of the surface, those of the test as squares."""
    x = np.array([[0.0, 0.0], [0.5, -0.5]])
    ax = kt.plotting.fitted_surface(plane(), x, [[5.0], [0.1]], x_test=x[:1], y_test=[0.3])
    train, test = scattered(ax)
    assert train.get_array().tolist() == [5.0, 0.1]
    assert test.get_array().tolist() == [0.3]
    assert train.norm is ax.images[0].norm
    assert (train.norm.vmin, train.norm.vmax) == (-2.0, 5.0)


def test_a_constant_surface_and_a_lost_one_are_drawn():
    """Neither has contours."""
    kt.plotting.fitted_surface(plane().assign(value=1.0)).figure.draw_without_rendering()
    ax = kt.plotting.fitted_surface(plane().assign(value=np.nan))
    assert ax.get_title() == "not finite"
    assert not ax.images


def test_each_network_has_a_panel_on_one_scale():
    """The figure's colors mean the same everywhere."""
    table = pd.concat([plane(slope, model=name) for name, slope in (("a", 1.0), ("b", 4.0))])
    figure = kt.plotting.fitted_surface_figure(table)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    assert {ax.images[0].norm.vmax for ax in figure.axes[:2]} == {5.0}


def test_a_curve_is_the_median_over_the_seeds():
    """With a band from the lowest to the highest."""
    ax = kt.plotting.fitted_curve(pd.concat([curve(slope, seed) for seed, slope in enumerate((1.0, 2.0, 6.0))]))
    [line] = [line for line in ax.lines if len(line.get_xdata())]
    np.testing.assert_allclose(line.get_ydata(), 2 * SIDE)
    assert ax.get_title() == "median of 3 seeds, band: lowest to highest"


def test_the_distance_of_the_data_is_that_of_numpy():
    """The root of the mean square of the training data's distance from the line."""
    x, y = np.array([-0.5, 0.25, 1.0]), np.array([-0.4, 0.25, 1.3])
    ax = kt.plotting.fitted_curve(curve(), x[:, None], y, x_test=[0.1], y_test=[9.0])
    expected = np.sqrt(np.mean((x - y) ** 2))
    assert ax.get_title().replace("\n", " ").startswith(f"training data: {expected:.2g} off the line")
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn["training data"] == np.stack([x, y], axis=1).tolist()
    assert drawn["test data"] == [[0.1, 9.0]]


def test_the_outputs_of_one_network_are_lines():
    """Named by the output; of several networks there is one output alone."""
    both = pd.concat([curve(output="a"), curve(-1.0, output="b")])
    ax = kt.plotting.fitted_curve(both)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    with pytest.raises(ValueError, match="`predictions` must have one network, or one output"):
        kt.plotting.fitted_curve(pd.concat([both.assign(model=name) for name in "xy"]), hue="model")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": [0.0]}, "`x` and `y` belong together"),
        ({"x": [0.0], "y": [0.0, 1.0]}, r"`x` must be \(examples,\)"),
        ({"feature": ""}, "`feature` must not be empty"),
    ],
)
def test_data_that_do_not_fit_a_curve_are_refused(arguments, message):
    """The error names the argument."""
    with pytest.raises(ValueError, match=message):
        kt.plotting.fitted_curve(curve(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.zeros((2, 2)), "y": np.zeros((2, 3))}, "`y` must have a value for each output, or one"),
        ({"output": "value_7"}, "`output` must be one of"),
        ({"x_test": np.zeros((2, 3)), "y_test": [0, 0]}, "`x_test` must have the two features"),
    ],
)
def test_data_that_do_not_fit_a_surface_are_refused(arguments, message):
    """The error names the argument."""
    with pytest.raises(ValueError, match=message):
        kt.plotting.fitted_surface(plane(), **arguments)
