from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.animation import writers
from matplotlib.collections import QuadMesh
from matplotlib.contour import QuadContourSet
from PIL import Image, ImageSequence

import kerasteach as kt
from kerasteach.plotting.style import looks

plotting = kt.plotting


def table(values, points=None, verdict="still going", learning_rate=0.1, optimizer="plain_sgd", **coordinates):
    """Return the table of one path."""
    values = np.asarray(values, "float64")
    coordinates = coordinates or {"x": values if points is None else points}
    return pd.DataFrame(
        {
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "step": np.arange(len(values)),
            **coordinates,
            "value": values,
            "gradient_norm": np.abs(values),
            "verdict": verdict,
        }
    )


def plane(size=21, width=2.0):
    """Return the landscape of x^2 + y^2."""
    grid = np.linspace(-width, width, size)
    x, y = (axis.ravel() for axis in np.meshgrid(grid, grid))
    return pd.DataFrame({"x": x, "y": y, "value": x**2 + y**2})


def curve():
    """Return the landscape of x^2."""
    x = np.linspace(-3, 3, 61)
    return pd.DataFrame({"x": x, "value": x**2})


def path_lines(ax, descent):
    """Return the lines of the paths, by their labels."""
    labels = {text.get_text().replace("\n", " ") for text in ax.get_legend().get_texts()}
    assert len(labels) == len(descent[["optimizer", "learning_rate"]].drop_duplicates())
    return {line.get_label(): line for line in ax.lines if line.get_label() in labels}


@pytest.fixture(scope="module")
def three():
    """Return a descent with a learning rate too small, good and too large, and its function."""
    path = kt.gradient_descent("elongated_bowl", learning_rate=[0.01, 0.18, 0.21], steps=50).frame
    return path, kt.lessons.landscape("elongated_bowl", points=31)


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("style", ["default", "lecture"])
@pytest.mark.parametrize("name", kt.lessons.functions.names())
def test_every_function_is_drawn_in_both_styles(name, style):
    """Path and values are drawn without a warning, also where paths overflow."""
    function = kt.lessons.functions.get(name)
    path = kt.gradient_descent(name, learning_rate=[*function.learning_rates, 2.5], steps=40).frame
    landscape = kt.lessons.landscape(name, path, points=31)
    with plotting.style("lecture") if style == "lecture" else plt.rc_context():
        drawn = [plotting.descent_path(path, landscape, function.minima), plotting.descent_values(path)]
        for ax in drawn:
            ax.figure.draw_without_rendering()
    assert [len(path_lines(ax, path)) for ax in drawn] == [path["learning_rate"].nunique()] * 2


def test_a_path_of_one_coordinate_lies_on_the_curve():
    """The curve is the landscape, the markers are the steps, and the axes show the landscape's range."""
    path = table([4.0, 1.0, 0.25], points=[2.0, 1.0, 0.5])
    ax = plotting.descent_path(path, curve(), minima=[0.0])
    (line,) = path_lines(ax, path).values()
    np.testing.assert_allclose(np.transpose(line.get_data()), [[2, 4], [1, 1], [0.5, 0.25]])
    np.testing.assert_allclose(ax.lines[0].get_xydata(), curve())
    assert ax.get_xlim() == (-3, 3)
    stars = [one for one in ax.lines if one.get_marker() == "*"]
    np.testing.assert_allclose(stars[0].get_xydata(), [[0, 0]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "value")


def test_a_path_of_two_coordinates_lies_on_contours():
    """The contours are of the landscape, the highest at its corners; the path is where its coordinates say."""
    path = table([5.0, 1.25], x=[-2.0, -1.0], y=[1.0, 0.5])
    ax = plotting.descent_path(path, plane(), minima=[(0.0, 0.0)])
    (line,) = path_lines(ax, path).values()
    np.testing.assert_allclose(line.get_xydata(), [[-2, 1], [-1, 0.5]])
    filled, lines = (one for one in ax.collections if isinstance(one, QuadContourSet))
    assert not [one for one in ax.collections if isinstance(one, QuadMesh)]
    assert (filled.levels[0], filled.levels[-1]) == (0.0, 8.0)
    assert set(lines.levels) < set(filled.levels)
    for level, paths in zip(lines.levels, lines.get_paths(), strict=True):
        np.testing.assert_allclose((paths.vertices**2).sum(axis=1), level, atol=0.02)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("x", "y", 1.0)


def test_a_path_that_flies_off_does_not_destroy_the_picture():
    """The axes stay those of the landscape; the line leaves in the right direction and ends outside."""
    far = [[-1.0, 0.5], [1.5, -1.5], [-40.0, 40.0], [1e200, -1e200], [np.inf, np.nan]]
    path = table([1.25, 4.5, 3200.0, np.inf, np.inf], x=[x for x, _ in far], y=[y for _, y in far], verdict="diverged")
    ax = plotting.descent_path(path, plane())
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-2, 2))
    (line,) = path_lines(ax, path).values()
    drawn = line.get_xydata()
    np.testing.assert_allclose(drawn[:3], far[:3])
    assert np.isnan(drawn[3:]).all()


def test_a_point_beyond_all_drawing_is_drawn_in_its_direction():
    """A leap to 1e200 and back is a line at the right angle, of numbers that can be drawn."""
    path = table([1.0, np.inf, 2.0], x=[1.0, 3e200, 1.0], y=[0.0, 4e200, 1.0])
    (line,) = path_lines(plotting.descent_path(path, plane()), path).values()
    far = line.get_xydata()[1]
    assert np.abs(far).max() < 1e6
    np.testing.assert_allclose(far[1] / far[0], 4 / 3)


def test_values_are_drawn_against_steps(three):
    """A line a learning rate, with its verdict in the legend, on a log axis."""
    path, _ = three
    ax = plotting.descent_values(path)
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        *("0.01: still going", "0.18: converged", "0.21: diverged")
    ]
    assert ax.get_legend().get_title().get_text() == "learning rate"
    line = path_lines(ax, path)["0.18: converged"]
    rows = path.query("learning_rate == 0.18")
    np.testing.assert_allclose(line.get_xdata(), rows["step"])
    np.testing.assert_allclose(line.get_ydata(), rows["value"])
    norms = path_lines(plotting.descent_values(path, "gradient_norm"), path)["0.18: converged"]
    np.testing.assert_allclose(norms.get_ydata(), rows["gradient_norm"])


def test_the_axis_is_that_of_the_paths_that_stay():
    """One that flies off to 1e300 leaves it at the top, with a triangle at the step that does."""
    stay = table([4.0, 3.0, 2.0, 1.0], learning_rate=0.1)
    gone = table([4.0, 16.0, 1e300, np.inf], learning_rate=2.0, verdict="diverged")
    ax = plotting.descent_values(pd.concat([stay, gone]))
    low, high = ax.get_ylim()
    assert (low, high) == (0.5, 40.0)
    triangles = [line for line in ax.lines if line.get_marker() == "^"]
    assert [(float(one.get_xdata()[0]), float(one.get_ydata()[0])) for one in triangles] == [(2.0, high)]
    assert triangles[0].get_color() == looks(["0.1", "2"])["2"].color


def test_a_path_that_converges_does_not_flatten_the_others():
    """A log axis shows eight powers of ten below the highest; zero has no point on it."""
    path = pd.concat([table(10.0 ** -np.arange(0, 200, 2)), table([1.0, 0.0, 0.0], learning_rate=0.5)])
    low, high = plotting.descent_values(path).get_ylim()
    assert (low, high) == pytest.approx((1e-8, 10.0))


def test_values_below_zero_have_a_linear_axis():
    """A function with a negative minimum cannot be on a log axis."""
    ax = plotting.descent_values(table([1.0, 0.0, -1.5]))
    assert ax.get_yscale() == "linear"
    low, high = ax.get_ylim()
    assert low < -1.5
    assert high > 1


def test_a_fall_without_end_can_be_drawn():
    """Minus 1e300 has a place beyond the axis of the paths that stay."""
    gone = table([1.0, -1e30, -1e300, -np.inf], learning_rate=2.0, verdict="diverged")
    ax = plotting.descent_values(pd.concat([table([1.0, 0.0, -1.0]), gone]))
    drawn = path_lines(ax, pd.concat([table([1.0]), gone]))["2: diverged"].get_ydata()
    assert ax.get_ylim()[0] > -2
    assert (drawn[1:] > -1e6).all()
    assert (drawn[1:] < ax.get_ylim()[0]).all()


def test_a_flat_landscape_has_no_contours():
    """It is drawn without a warning."""
    path = table([1.0, 1.0], x=[0.0, 1.0], y=[0.0, 0.0])
    ax = plotting.descent_path(path, plane().assign(value=1.0))
    assert len([one for one in ax.collections if isinstance(one, QuadContourSet)]) == 1


def test_if_all_fly_off_there_is_an_axis_still():
    """It shows the first six powers of ten of the way."""
    ax = plotting.descent_values(table(10.0 ** np.arange(0, 300, 3), verdict="diverged"))
    assert ax.get_ylim() == pytest.approx((0.5, 1e7))


@pytest.mark.parametrize(
    ("keys", "title", "labels"),
    [
        ([("adam", 0.1), ("plain_sgd", 0.1)], "learning rate 0.1", ["adam", "plain gradient descent"]),
        ([("adam", 0.1), ("adam", 0.5)], "adam, learning rate", ["0.1", "0.5"]),
        ([("plain_sgd", 0.1), ("plain_sgd", 0.1000000001)], "learning rate", ["0.1", "0.1000000001"]),
        ([("adam", 0.1), ("my_own", 0.5)], "optimizer, learning rate", ["adam, 0.1", "my own, 0.5"]),
    ],
)
def test_the_legend_names_what_differs(keys, title, labels):
    """Optimizers, learning rates, or both."""
    path = pd.concat([table([2.0, 1.0], optimizer=name, learning_rate=rate) for name, rate in keys])
    legend = plotting.descent_values(path).get_legend()
    assert legend.get_title().get_text().replace("\n", " ") == title
    assert [text.get_text().replace("\n", " ") for text in legend.get_texts()] == [
        f"{label}: still going" for label in labels
    ]


def test_a_long_path_has_few_markers():
    """Five thousand markers would be a smear; the first steps, the longest, have theirs."""
    x = np.geomspace(2, 0.01, 5001)
    path = table(x**2, points=x)
    (line,) = path_lines(plotting.descent_path(path, curve()), path).values()
    assert len(line.get_markevery()) <= 30
    assert line.get_markevery()[:3] == [0, 1, 2]
    assert line.get_markevery()[-1] == 5000


def test_axes_given_are_the_axes_drawn_on():
    """`ax=` is returned."""
    _, (left, right) = plt.subplots(1, 2)
    assert plotting.descent_path(table([4.0, 1.0]), curve(), ax=left) is left
    assert plotting.descent_values(table([4.0, 1.0]), ax=right) is right


def growing(frames):
    """Return how many pixels of the first look's color each frame has."""
    color = np.array([0, 0x44, 0x88])
    return [int((np.abs(frame[..., :3] - color).sum(axis=-1) < 60).sum()) for frame in frames]


@pytest.mark.slow
def test_an_animation_is_written_whole(tmp_path):
    """A GIF has a frame a step, in which the path grows; nothing else is left in the folder."""
    path = table([4.0, 1.0, 0.25, 0.0625], points=[2.0, 1.0, 0.5, 0.25])
    made = plotting.save(plotting.descent_animation(path, curve()), tmp_path / "new" / "film.gif")
    assert [file.name for file in made.parent.iterdir()] == ["film.gif"]
    with Image.open(made) as image:
        frames = [np.asarray(frame.convert("RGB"), dtype=int) for frame in ImageSequence.Iterator(image)]
        image.seek(image.n_frames - 1)
        assert image.info["duration"] > 1000  # the last one stays
    assert len(frames) == 4
    counts = growing(frames)
    assert counts == sorted(set(counts))


@pytest.mark.slow
def test_a_long_animation_has_few_frames():
    """The first steps, the last, and few between."""
    x = np.geomspace(2, 0.01, 3001)
    film = plotting.descent_animation(table(x**2, points=x), curve())
    steps = list(film.new_frame_seq())
    film._draw_was_started = True  # or matplotlib warns that nobody saw it
    assert steps[0] == 0
    assert steps[-1] == 3000
    assert len(set(steps)) <= 50
    assert sorted(steps) == steps


@pytest.mark.slow
def test_an_animation_stands_still():
    """Neither the axes nor the legend move from frame to frame."""
    path = table([4.0, 1.0, 0.25], x=[2.0, 1.0, 0.5], y=[0.0, 0.0, 0.0])
    film = plotting.descent_animation(path, plane())
    figure = plt.gcf()

    def places():
        figure.canvas.draw()
        boxes = [ax.get_window_extent().bounds for ax in figure.axes]
        return [*boxes, figure.axes[1].get_legend().get_window_extent().bounds]

    film._func(0)
    first = places()
    film._func(2)
    film._draw_was_started = True
    np.testing.assert_allclose(places(), first)


@pytest.mark.slow
def test_an_animation_that_fails_leaves_no_file(tmp_path, monkeypatch):
    """An error in the middle leaves the old file as it was."""
    old = plotting.save(plotting.descent_animation(table([4.0, 1.0]), curve()), tmp_path / "film.gif")
    before = old.read_bytes()
    film = plotting.descent_animation(table([4.0, 1.0]), curve())

    def fail(image, target, **_):
        Path(target).write_bytes(b"half of it")
        raise OSError("the disk is full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="the disk is full"):
        plotting.save(film, old, overwrite=True)
    assert old.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["film.gif"]


def test_without_ffmpeg_an_mp4_is_refused(tmp_path, monkeypatch):
    """The error names it, and the way that needs nothing."""
    monkeypatch.setattr(type(writers), "is_available", lambda self, name: False)
    film = plotting.descent_animation(table([4.0, 1.0]), curve())
    film._draw_was_started = True
    with pytest.raises(RuntimeError, match=r"An \.mp4 needs the program ffmpeg.*a \.gif needs nothing"):
        plotting.save(film, tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not writers.is_available("ffmpeg"), reason="needs the program ffmpeg")
def test_with_ffmpeg_an_mp4_is_written(tmp_path):
    """A file of that kind is there."""
    path = plotting.save(plotting.descent_animation(table([4.0, 1.0]), curve()), tmp_path / "film.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (
            lambda: plotting.descent_values([1, 2]),
            TypeError,
            r"`descent` must be a table such as kerasteach\.gradient_descent gives",
        ),
        (
            lambda: plotting.descent_values(table([1.0]).drop(columns="verdict")),
            ValueError,
            "`descent` lacks the columns verdict",
        ),
        (lambda: plotting.descent_values(table([])), ValueError, "Received: 0 rows"),
        (
            lambda: plotting.descent_values(pd.concat([table([1.0])] * 2)),
            ValueError,
            "2 rows, .*several for the same step",
        ),
        (lambda: plotting.descent_values(table([np.inf])), ValueError, "has no finite value"),
        (lambda: plotting.descent_values(table([1.0]), "loss"), ValueError, "`quantity` must be .*'loss'"),
        (lambda: plotting.descent_path(table([1.0]), plane()), ValueError, "the columns x, y, value for .* along x"),
        (
            lambda: plotting.descent_path(table([1.0]), curve().assign(value=np.nan)),
            ValueError,
            "`landscape` must be what",
        ),
        (lambda: plotting.descent_path(table([1.0]), None), TypeError, "`landscape` must be a table"),
        (
            lambda: plotting.descent_path(table([1.0], a=[1.0], b=[1.0], c=[1.0]), curve()),
            ValueError,
            "one or two coordinates.*along a, b, c",
        ),
        (lambda: plotting.save(plt.figure(), "figure.gif"), ValueError, r"must end in \.png, \.svg, \.pdf"),
    ],
)
def test_what_cannot_be_drawn_says_why(draw, error, message):
    """Each error names what was received and what would work."""
    with pytest.raises(error, match=message):
        draw()


def test_an_animation_is_no_picture(tmp_path):
    """Its endings are others."""
    film = plotting.descent_animation(table([4.0, 1.0]), curve())
    film._draw_was_started = True
    with pytest.raises(ValueError, match=r"must end in \.gif, \.mp4"):
        plotting.save(film, tmp_path / "film.png")
