"""Animations and stills of any figure over a column of its table."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kerasteach import plotting, progress
from kerasteach.plotting import frames, saving


def table(epochs=3, **columns):
    """Return two points an epoch, which rise by ten from epoch to epoch."""
    rows = [(epoch, x, 10.0 * epoch + x) for epoch in range(epochs) for x in (1, 2)]
    return pd.DataFrame(rows, columns=["epoch", "x", "y"]).assign(**columns)


def points(table, ax=None, **options):
    """Draw the points of a table, as a caller's own function does."""
    ax.plot(table["x"], table["y"], **options)
    return ax


def figures(film):
    """Return the figures of an animation's frames."""
    film._draw_was_started = True  # or matplotlib warns that nobody saw it
    (shown,) = film._fig.artists
    return shown._figures


def picture(figure):
    """Return the pixels of a figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def test_each_epoch_is_a_frame():
    """It has the rows of its epoch, and its name, counted from 1 as Keras prints it."""
    made = figures(plotting.animate(points, table(), color="C3"))
    assert [figure.axes[0].get_title() for figure in made] == ["epoch 1", "epoch 2", "epoch 3"]
    assert [figure.axes[0].lines[0].get_ydata().tolist() for figure in made] == [[1, 2], [11, 12], [21, 22]]
    assert made[0].axes[0].lines[0].get_color() == "C3"


@pytest.mark.slow
def test_axes_stand_still():
    """Limits show all frames, and the panel has one place, however wide a legend is."""

    def named(table, ax):
        ax.plot(table["x"], table["y"], label="a name " * int(table["epoch"].iloc[0] + 1))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))

    made = [figure.axes[0] for figure in figures(plotting.animate(named, table()))]
    assert {ax.get_ylim() for ax in made} == {made[0].get_ylim()}
    assert made[0].get_ylim()[0] < 1 < 22 < made[0].get_ylim()[1]
    assert len({ax.get_position().bounds for ax in made}) == 1
    legend = made[-1].get_legend().get_window_extent()
    assert legend.x1 <= made[-1].figure.bbox.x1


@pytest.mark.slow
def test_a_legend_that_looks_for_a_free_place_stays_where_it_is():
    """In all frames it stands where the first one has it."""

    def rising(table, ax):
        level = table["epoch"].iloc[0]
        ax.plot([0, 1], [level, 2 - level], label="line")
        ax.legend()

    made = figures(plotting.animate(rising, table()))
    places = [figure.axes[0].get_legend().get_window_extent().bounds for figure in made if picture(figure) is not None]
    np.testing.assert_allclose(places, places[:1] * 3, atol=0.5)


def test_a_growing_figure_has_the_ticks_of_the_whole():
    """Learning curves up to each epoch: the axis is numbered as for all epochs."""
    history = pd.DataFrame({"epoch": range(6), "metric": "loss", "value": np.arange(6.0)})
    made = figures(plotting.animate(plotting.learning_curves, history, past=True))
    assert [len(figure.axes[0].lines[0].get_xdata()) for figure in made] == [1, 2, 3, 4, 5, 6]
    assert {tuple(figure.axes[0].get_xticks()) for figure in made} == {tuple(made[-1].axes[0].get_xticks())}


def test_colors_mean_the_same_in_all_frames():
    """The range of a color scale is that of all frames."""

    def image(table, ax):
        return ax.imshow([table["y"]])

    made = figures(plotting.animate(image, table()))
    assert {figure.axes[0].images[0].get_clim() for figure in made} == {(1.0, 22.0)}


def test_a_network_that_stopped_stays_as_it_is():
    """Its last rows are drawn on, so that every frame has every network, in its own look."""
    gradients = pd.DataFrame(
        [("a", 0, 1, 0.5), ("b", 0, 1, 0.1), ("b", 1, 1, 0.2)], columns=["network", "epoch", "depth", "norm"]
    ).assign(layer="one", parameter="bias")
    made = figures(plotting.animate(plotting.gradient_flow, gradients))
    assert [[float(line.get_ydata()[0]) for line in figure.axes[0].lines] for figure in made] == [
        [0.5, 0.1],
        [0.5, 0.2],
    ]


def test_a_figure_of_several_panels_is_animated():
    """What the function returns is the frame, and its name stands above all panels."""

    def both(table):
        figure, axes = plt.subplots(1, 2)
        for ax in axes:
            points(table, ax)
        return figure

    made = figures(plotting.animate(both, table(), title="two panels"))
    assert [figure.get_suptitle() for figure in made] == [f"two panels, epoch {number}" for number in (1, 2, 3)]
    assert {ax.get_ylim() for figure in made for ax in figure.axes} == {made[0].axes[0].get_ylim()}
    assert len(plt.get_fignums()) == 1  # the animation's own


@pytest.mark.slow
def test_another_column_names_the_frames():
    """Numbers stand as they are, words as they are written, and no more frames than asked for."""
    rates = table().rename(columns={"epoch": "learning_rate"})
    made = figures(plotting.animate(points, rates, "learning_rate"))
    assert made[1].axes[0].get_title() == "learning rate 1"
    words = table(2, kind=["sgd", "sgd", "adam", "adam"])
    assert [one.axes[0].get_title() for one in figures(plotting.animate(points, words, "kind"))] == ["sgd", "adam"]
    few = figures(plotting.animate(points, table(100), frames=3, title=None))
    assert [one.axes[0].lines[0].get_ydata()[0] for one in few] == [1, 501, 991]
    assert few[0].axes[0].get_title() == ""


def test_frames_keep_the_style_they_were_made_in():
    """An animation that is drawn after the style's block is as dark as in it."""
    with plotting.style(dark=True):
        film = plotting.animate(points, table(2))
        inside = picture(figures(film)[1])
    film._func(1)
    np.testing.assert_array_equal(picture(film._fig)[..., :3], inside[..., :3])


def test_a_gif_has_a_frame_for_each_epoch(tmp_path):
    """All have one size; the last one stays."""
    film = plotting.animate(points, table(3, y=0.0).assign(y=lambda rows: rows["epoch"] * rows["x"]))
    path = plotting.save(film, tmp_path / "film.gif")
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (3, (640, 480))
        image.seek(2)
        assert image.info["duration"] > 1000
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_a_terminal_shows_how_far_it_is(tmp_path, monkeypatch):
    """While the frames are drawn, and while they are written; not with `verbose=0`."""
    seen = []

    class Bar:
        def __init__(self, show, total, description):
            self.words = description if show else "nothing"

        def __enter__(self):
            return lambda completed, done: seen.append(f"{self.words} {done}")

        def __exit__(self, *_):
            return None

    for module in (plotting.animate.__globals__, saving.__dict__):
        monkeypatch.setitem(module, "progress_bar", Bar)
        monkeypatch.setitem(module, "on_a_terminal", lambda: True)
    film = plotting.animate(points, table(1))
    plotting.save(film, tmp_path / "film.gif", verbose=0)
    assert seen[0] == "drawing 1 of 1 frames"
    assert set(seen[1:]) == {f"nothing {number} of 9 frames" for number in range(1, 10)}


def test_a_pipe_shows_no_bar(monkeypatch, capsys):
    """Standard error of a test is none of a terminal."""
    assert not frames.on_a_terminal()
    with progress.progress_bar(frames.on_a_terminal(), 1, "drawing") as report:
        report(1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plotting.animate("flow", table()), TypeError, "`figure_function` must be a function that draws"),
        (lambda: plotting.animate(points, [1, 2]), TypeError, "`table` must be a table"),
        (lambda: plotting.animate(points, table(), "age"), ValueError, "`over` must be .*epoch.*Received: over='age'"),
        (lambda: plotting.animate(points, table(0)), ValueError, "`table` has no value in the column epoch"),
        (lambda: plotting.animate(points, table(), frames=0), ValueError, "`frames`"),
        (lambda: plotting.animate(lambda table: 1, table()), TypeError, "must take `ax`, or return a figure.*int"),
        (lambda: plotting.stills_figure(lambda table: Figure(), table()), TypeError, "must take `ax`: a still"),
        (
            lambda: plotting.stills_figure(points, table(), page=2),
            ValueError,
            "`page` must be from 1 to 1, of 3 stills",
        ),
    ],
)
def test_what_cannot_be_animated_says_why(call, error, message):
    """Each error names the argument, and what was received."""
    with pytest.raises(error, match=message):
        call()


def test_stills_stand_beside_each_other():
    """The first and the last epoch and some between, with the same axes, and labels and legend once."""

    def named(table, ax):
        ax.plot(table["x"], table["y"], label="a long\nname")
        ax.set(xlabel="x", ylabel="y")
        ax.legend(title="a legend")

    figure = plotting.stills_figure(named, table(9), stills=4, title="four of nine")
    assert [ax.get_title() for ax in figure.axes] == ["epoch 1", "epoch 4", "epoch 6", "epoch 9"]
    assert figure.get_suptitle() == "four of nine"
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert [ax.get_xlabel() for ax in figure.axes].count("x") == 1
    assert [ax.get_ylabel() for ax in figure.axes] == ["y", "", "", ""]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a long name"]
    assert not [ax for ax in figure.axes if ax.get_legend()]


def test_a_label_longer_than_a_still_stands_below_all():
    """In one line above the legend, instead of several below one still."""

    def named(table, ax):
        ax.plot(table["x"], table["y"], label="a name")
        ax.set(xlabel="a rather\nlong label")
        ax.legend(title="a legend")

    figure = plotting.stills_figure(named, table(3))
    assert [ax.get_xlabel() for ax in figure.axes] == [""] * 3
    assert figure.legends[0].get_title().get_text() == "a rather long label\na legend"


def test_more_than_six_stills_have_pages():
    """The second page has the rest, and says so."""
    figure = plotting.stills_figure(points, table(8), stills=8, page=2)
    assert [ax.get_title() for ax in figure.axes] == ["epoch 7", "epoch 8"]
    assert figure.get_suptitle() == "page 2 of 2: stills 7 to 8 of 8"


@pytest.mark.slow
def test_nothing_of_a_frame_is_cut_off():
    """A label that is longer than the figure is high makes all frames higher; they keep one size."""

    def labeled(table, ax):
        points(table, ax)
        ax.set_ylabel("a label that is long " * int(table["epoch"].iloc[0] * 2 + 1))

    with plotting.style("paper"):
        made = figures(plotting.animate(labeled, table(2)))
    assert len({tuple(figure.get_size_inches()) for figure in made}) == 1
    label = made[1].axes[0].yaxis.label.get_window_extent()
    assert label.y0 >= 0
    assert label.y1 <= made[1].bbox.y1
