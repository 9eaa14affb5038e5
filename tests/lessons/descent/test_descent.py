import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keras import ops
from matplotlib.animation import FuncAnimation

import kerasteach as kt


@pytest.fixture(scope="module")
def bowl():
    """Return two paths in the elongated bowl."""
    return kt.gradient_descent("elongated_bowl", learning_rate=[0.18, 0.21], steps=40)


def test_the_verdicts_are_the_last_row_of_each_path(bowl):
    """A row a path, in the order of the learning rates."""
    last = bowl.frame[bowl.frame["step"] == 40].reset_index(drop=True)
    pd.testing.assert_frame_equal(bowl.verdicts, last)
    assert bowl.verdicts["verdict"].tolist() == ["converged", "diverged"]


def test_the_landscape_is_that_of_the_functions_own_paths(bowl):
    """It is what `lessons.landscape` returns for the function and the descent, or for the descent's table."""
    pd.testing.assert_frame_equal(bowl.landscape(points=9), kt.lessons.landscape("elongated_bowl", bowl, points=9))
    pd.testing.assert_frame_equal(bowl.landscape(9), kt.lessons.landscape("elongated_bowl", bowl.frame, points=9))


def test_plot_draws_the_paths_over_the_function_with_its_minima(bowl):
    """The axes are the coordinates; a line a path; a star at the known minimum."""
    ax = bowl.plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert [star.get_xydata().tolist() for star in stars] == [[[0.0, 0.0]]]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["0.18: converged", "0.21: diverged"]


@pytest.mark.parametrize("quantity", ["value", "gradient_norm"])
def test_plot_draws_a_quantity_against_the_step(bowl, quantity):
    """The axes and lines are those of the table's own figure."""
    ax = bowl.plot(quantity=quantity)
    expected = kt.plotting.descent_values(bowl.frame, quantity)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (expected.get_xlabel(), expected.get_ylabel())
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), expected.lines[0].get_ydata())


def test_plot_takes_axes(bowl):
    """`ax=` is where it stands."""
    first, second = plt.subplots(1, 2)[1]
    assert bowl.plot(first) is first
    assert bowl.plot(ax=second, quantity="value") is second


def test_a_function_of_more_coordinates_has_its_values_plotted():
    """A path in three coordinates cannot be drawn: the values are drawn against the step, and nothing is animated."""
    descent = kt.gradient_descent(lambda w: ops.sum(w**2), [1.0, 2.0, 3.0], steps=4)
    assert descent.plot().get_xlabel() == "step"
    assert ".animate()" not in repr(descent)
    with pytest.raises(ValueError, match="one or two coordinates"):
        descent.animate()


@pytest.mark.filterwarnings("ignore:Animation was deleted")
def test_animate_returns_the_figures_animation(bowl):
    """The right half shows the quantity."""
    animation = bowl.animate("gradient_norm")
    assert isinstance(animation, FuncAnimation)
    assert "gradient" in animation._fig.axes[1].get_ylabel()


def test_a_descent_shows_where_its_paths_ended(bowl):
    """In a shell and in a notebook: the function, the verdicts, and what to call next."""
    assert repr(bowl).startswith("Descent of elongated_bowl: where each path ended\n")
    assert "diverged" in repr(bowl)
    assert "<code>.plot()</code>" in bowl._repr_html_()
    own = kt.gradient_descent(keras.ops.square, 1.0, steps=1)
    assert repr(own).startswith("Descent of square: where the path ended\n")
