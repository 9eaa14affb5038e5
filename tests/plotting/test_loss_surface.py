import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm

import kerasteach as kt

plotting = kt.plotting


def bowl(lift=0.0, **change):
    """Return the surface a^2 + 4 b^2 + lift on a grid, and a path on it."""
    a, b = (one.ravel() for one in np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-1, 1, 5), indexing="ij"))
    surface = pd.DataFrame({"a": a, "b": b, "loss": a**2 + 4 * b**2 + lift})
    path = pd.DataFrame({"snapshot": range(3), "a": [-2.0, -1.0, 0.0], "b": [1.0, 0.2, 0.0]})
    path = path.assign(loss=[8.0, 1.2, 0.0], distance=[0.0, 0.0, 0.0])
    return surface, path.assign(**change)


def curve():
    """Return the surface w^2, which is not finite at its ends, and a path beside it."""
    w = np.linspace(-2, 2, 5)
    surface = pd.DataFrame({"layer/kernel[0, 0]": w, "loss": [np.inf, 1.0, 0.0, 1.0, np.nan]})
    path = pd.DataFrame(
        {"snapshot": [0, 1], "layer/kernel[0, 0]": [-1.0, 0.0], "loss": [3.0, 0.0], "distance": [2.0, 0]}
    )
    return surface, path


def range_test():
    """Return a range test that ends in a loss that is not finite."""
    losses = [2.0, 2.1, 1.5, 1.0, 50.0, np.nan]
    return pd.DataFrame(
        {"step": range(6), "learning_rate": np.geomspace(1e-4, 10, 6), "loss": losses, "smoothed": losses}
    )


@pytest.mark.sample(2)
@pytest.mark.parametrize("style", ["default", "lecture"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda: plotting.loss_surface(*bowl()),
        lambda: plotting.loss_surface(*curve()),
        lambda: plotting.learning_rate_test(range_test(), 0.01),
    ],
)
def test_figures_are_drawn_in_both_styles(draw, style):
    """Without a warning, and with global settings as they were."""
    before = dict(plt.rcParams)
    with plotting.style("lecture") if style == "lecture" else plt.rc_context():
        draw().figure.draw_without_rendering()
    assert dict(plt.rcParams) == before


def colors(ax):
    """Return the filled contours, which come first."""
    return ax.collections[0]


def test_colors_and_path_are_the_tables():
    """The contours are computed from the grid, the axes end where it ends, and the path is a line through it."""
    surface, path = bowl()
    ax = plotting.loss_surface(surface, path)
    (line,) = [one for one in ax.lines if one.get_label() == "path"]
    np.testing.assert_array_equal(line.get_xydata(), path[["a", "b"]])
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-1, 1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert (colors(ax).zmin, colors(ax).zmax) == (0, 8)
    assert [one.get_ylabel() for one in ax.child_axes] == ["loss"]
    went = "training went from loss 8 to 0"
    assert ax.get_title() == f"{went}\ntraining path from \N{WHITE CIRCLE} to \N{BLACK STAR}"


def test_the_color_scale_is_as_high_as_the_plane():
    """Also beside a path that is longer than wide, which leaves most of the figure's height empty."""
    a, b = (one.ravel() for one in np.meshgrid(np.linspace(0, 6, 9), np.linspace(0, 2, 5), indexing="ij"))
    ax = plotting.loss_surface(pd.DataFrame({"component_1": a, "component_2": b, "loss": a + b}))
    ax.figure.draw_without_rendering()
    (scale,) = ax.child_axes
    assert scale.get_window_extent().height == pytest.approx(ax.get_window_extent().height, rel=0.01)


@pytest.mark.sample(1)
@pytest.mark.parametrize(("lift", "logarithmic"), [(0.1, True), (1.0, False), (-4.0, False)])
def test_a_steep_surface_has_a_logarithmic_scale(lift, logarithmic):
    """Where the highest loss is more than 50 times the lowest, and none is 0 or below; the scale says so."""
    ax = plotting.loss_surface(bowl(lift)[0])
    assert isinstance(colors(ax).norm, LogNorm) == logarithmic
    label = "loss (logarithmic scale)" if logarithmic else "loss"
    assert ax.child_axes[0].get_ylabel() == label


def test_a_path_off_the_plane_says_so():
    """The title gives the largest distance."""
    ax = plotting.loss_surface(*bowl(distance=[0.52, 0.1, 0.0]))
    assert "projected: at most 0.52 off this plane" in " ".join(ax.get_title().split())


def test_a_path_over_one_weight_stands_at_its_own_losses():
    """It may lie off the curve, and the title says why."""
    surface, path = curve()
    ax = plotting.loss_surface(surface, path)
    (line,) = [one for one in ax.lines if one.get_label() == "path"]
    np.testing.assert_array_equal(line.get_ydata(), path["loss"])
    assert "at its own losses" in ax.get_title().replace("\n", " ")
    assert ax.get_ylabel() == "loss"


def test_a_loss_that_is_not_finite_is_hatched():
    """A curve has a gap there with hatching around it; colors leave it open over a hatched ground."""
    surface, _ = curve()
    ax = plotting.loss_surface(surface)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [np.nan, 1, 0, 1, np.nan])
    assert [(one.get_x(), one.get_x() + one.get_width()) for one in ax.patches] == [(-2, -1.5), (1.5, 2)]
    surface, _ = bowl()
    surface.loc[surface["a"] > 1, "loss"] = np.nan
    ax = plotting.loss_surface(surface)
    assert max(path.vertices[:, 0].max() for path in colors(ax).get_paths() if len(path.vertices)) == 1
    assert ax.patch.get_hatch() == "///"
    assert ax.get_title() == "hatched: the loss is not finite"


@pytest.mark.sample(2)
@pytest.mark.parametrize("loss", [np.nan, np.inf, 0.0, 3.0])
def test_a_surface_of_one_value_is_drawn(loss):
    """Also where it is not finite anywhere."""
    plotting.loss_surface(bowl()[0].assign(loss=loss))
    plotting.loss_surface(curve()[0].assign(loss=loss))


def test_random_directions_and_paths_are_named_in_words():
    """The axes say what the coordinates are."""
    surface = bowl()[0].rename(columns={"a": "direction_1", "b": "direction_2"})
    assert plotting.loss_surface(surface).get_ylabel() == "second random direction"
    surface = bowl()[0].rename(columns={"a": "component_1", "b": "component_2"})
    assert plotting.loss_surface(surface).get_xlabel() == "along the path (distance of the weights)"


def test_a_range_test_shows_losses_smoothed_loss_and_suggestion():
    """Dots, line and mark are the table's; the axis ends below the explosion; the legend says what is not finite."""
    table = range_test().assign(smoothed=[2.0, 2.0, 1.8, 1.2, 40.0, np.nan])
    ax = plotting.learning_rate_test(table, 0.01)
    dots, line, mark = ax.lines
    np.testing.assert_array_equal(dots.get_xydata(), table[["learning_rate", "loss"]])
    np.testing.assert_array_equal(line.get_xydata(), table[["learning_rate", "smoothed"]])
    assert mark.get_xdata() == [0.01, 0.01]
    assert ax.get_xscale() == "log"
    assert 2.1 < ax.get_ylim()[1] < 5
    labels = [one.get_text().replace("\n", " ") for one in ax.get_legend().get_texts()]
    assert labels == ["each batch's own loss", "smoothed (not finite from 10 on)", "suggested rate: 0.01"]


@pytest.mark.parametrize("losses", [[np.nan, np.nan], [1.0, 1.0], [1.0, 2.0]])
def test_a_range_test_without_a_suggestion_is_drawn(losses):
    """Nothing is marked."""
    table = pd.DataFrame({"learning_rate": [0.1, 1.0], "loss": losses, "smoothed": losses})
    assert len(plotting.learning_rate_test(table).lines) == 2


def test_axes_given_are_the_axes_drawn_on():
    """`ax=` is returned."""
    for draw in (
        lambda ax: plotting.loss_surface(*bowl(), ax=ax),
        lambda ax: plotting.learning_rate_test(range_test(), ax=ax),
    ):
        _, ax = plt.subplots()
        assert draw(ax) is ax


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plotting.loss_surface([1]), TypeError, r"`surface` must be a table.*Received: surface=\[1\]"),
        (lambda: plotting.loss_surface(bowl()[0], [1]), TypeError, "`trajectory` must be a table"),
        (lambda: plotting.loss_surface(bowl()[1]), ValueError, "one or two columns of coordinates, then `loss`"),
        (lambda: plotting.loss_surface(bowl()[0][:0]), ValueError, "`surface` has no row. Received: 0 rows"),
        (lambda: plotting.loss_surface(bowl()[0][1:]), ValueError, "each point of a grid once. Received: 44 rows"),
        (lambda: plotting.loss_surface(bowl()[0], curve()[1]), ValueError, "`trajectory` lacks the columns a, b"),
        (lambda: plotting.learning_rate_test([1]), TypeError, "`table` must be .*find_learning_rate"),
        (
            lambda: plotting.learning_rate_test(bowl()[0]),
            ValueError,
            "`table` lacks the columns learning_rate, smoothed",
        ),
        (lambda: plotting.learning_rate_test(range_test()[:0]), ValueError, "Received: 0 rows"),
        (lambda: plotting.learning_rate_test(range_test(), "0.1"), TypeError, "`suggestion` must be a number"),
        (lambda: plotting.learning_rate_test(range_test(), 0.0), ValueError, "finite and more than 0"),
    ],
)
def test_what_cannot_be_drawn_says_why(draw, error, message):
    """Each error names what was received and what would work."""
    with pytest.raises(error, match=message):
        draw()
