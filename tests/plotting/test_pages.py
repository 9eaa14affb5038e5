"""Text on a slide, in points, and the pages of figures with several panels."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import kerasteach as kt

plotting = kt.plotting
SLIDE = (13.33, 7.5)  # inches
FEW, SIX = ("sigmoid", "tanh", "relu"), ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "my_own_network")


def history(names, epochs=20):
    """Return falling losses and rising accuracies."""
    rows = [
        (name, seed, epoch, metric, 2.0 / (1 + epoch + place + seed))
        for place, name in enumerate(names)
        for seed in (0, 1)
        for epoch in range(epochs)
        for metric in ("loss", "val_accuracy")
    ]
    return pd.DataFrame(rows, columns=["activation", "seed", "epoch", "metric", "value"])


def gradients(names, depths=(7,), epochs=20):
    """Return vanishing gradients of networks of these depths in turn."""
    rows = [
        (name, seed, epoch, epoch, f"hidden_{depth}", depth, parameter, 10.0 ** -(depth + place))
        for place, name in enumerate(names)
        for seed in (0, 1)
        for epoch in range(epochs)
        for depth in range(1, depths[place % len(depths)] + 1)
        for parameter in ("kernel", "bias")
    ]
    columns = ["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "norm"]
    return pd.DataFrame(rows, columns=columns)


def predictions(names):
    """Return a plane of three classes for each network."""
    one, two = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9), indexing="ij"))
    odds = np.exp([one, two, -one - two])
    parts = [
        pd.DataFrame({"activation": name, "seed": 0, "x_1": one, "x_2": two, "output": f"class {k}", "value": value})
        for name in names
        for k, value in enumerate(odds / odds.sum(axis=0))
    ]
    return pd.concat(parts, ignore_index=True)


def descent():
    """Return the table of a descent, and its landscape."""
    path = kt.gradient_descent("elongated_bowl", learning_rate=[0.01, 0.18], steps=20).frame
    return path, kt.lessons.landscape("elongated_bowl", points=21)


def surface():
    """Return a bowl on a grid."""
    a, b = (one.ravel() for one in np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-1, 1, 9), indexing="ij"))
    return pd.DataFrame({"a": a, "b": b, "loss": a**2 + b**2})


def range_test():
    """Return a range test."""
    loss = [2.0, 2.1, 1.5, 1.0, 5.0]
    return pd.DataFrame({"learning_rate": np.geomspace(1e-4, 1, 5), "loss": loss, "smoothed": loss})


def traced(inputs, hidden, outputs=1):
    """Return the traced step of a small network."""
    model = kt.models.mlp("sigmoid", (hidden,), inputs=inputs, outputs=outputs, seed=0, output_activation="sigmoid")
    model.compile("sgd", "mse")
    return kt.trace_step(model, [[1.0] * inputs], [[0.0] * outputs]).frame


SINGLE = {
    "learning_curves": lambda: plotting.learning_curves(history(SIX)),
    "gradient_flow": lambda: plotting.gradient_flow(gradients(SIX)),
    "gradient_heat_map": lambda: plotting.gradient_heat_map(gradients(["relu"])),
    "activation_curves": lambda: plotting.activation_curves(kt.activations.table()),
    "learning_rate_test": lambda: plotting.learning_rate_test(range_test()),
    "loss_surface": lambda: plotting.loss_surface(surface()),
    "descent_path": lambda: plotting.descent_path(*descent()),
    "descent_values": lambda: plotting.descent_values(descent()[0]),
    "training_step": lambda: plotting.traced_step(traced(1, 1)),
    "training_step of six units": lambda: plotting.traced_step(traced(2, 3)),
    "training_step of 4-4-3": lambda: plotting.traced_step(traced(4, 4, 3)),
    "training_step of 4-4-3, page 2": lambda: plotting.traced_step(traced(4, 4, 3), page=2),
    "training_step of 1-10-1": lambda: plotting.traced_step(traced(1, 10), page=2),
    "training_step of 10-1-1": lambda: plotting.traced_step(traced(10, 1)),
    "decision_boundary": lambda: plotting.decision_boundary(predictions(["relu"])),
}
COMPOSED = {
    "lecture_figure": lambda: plotting.lecture_figure(history(FEW), gradients(FEW), "digits: six hidden layers of 32"),
    "lecture_figure of six": lambda: plotting.lecture_figure(history(SIX), gradients(SIX)),
    "lecture_figure of depths": lambda: plotting.lecture_figure(history(FEW), gradients(FEW, (3, 5, 9))),
    "lecture_figure of one epoch": lambda: plotting.lecture_figure(history(FEW, 1), gradients(FEW, epochs=1)),
    "gradient_heat_map_figure": lambda: plotting.gradient_heat_map_figure(gradients(SIX)),
    "gradient_heat_map_figure of depths": lambda: plotting.gradient_heat_map_figure(gradients(FEW, (3, 5, 9))),
    "decision_boundary_figure": lambda: plotting.decision_boundary_figure(predictions(SIX)),
    "activations_figure": lambda: plotting.activations_figure(kt.activations.table()),
}


def points(draw, style):
    """Return the smallest text on a slide that a figure fills, in points: the text that is drawn, ticks included."""
    plt.close("all")
    if style == "lecture":
        with plotting.style("lecture"):
            figure = draw()
    else:
        figure = draw()
    whole = figure if isinstance(figure, plt.Figure) else figure.get_figure(root=True)
    whole.draw_without_rendering()
    width, height = (inches + 0.3 for inches in whole.get_tightbbox().size)  # what `save` writes, with its margin
    texts = [text for text in whole.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return min(text.get_fontsize() for text in texts) * min(SLIDE[0] / width, SLIDE[1] / height)


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", [*SINGLE, *COMPOSED])
def test_text_on_a_slide_can_be_read(name):
    """The lecture style has 14 points at least; in figures of several panels 12, and more than the default style."""
    draw = (SINGLE | COMPOSED)[name]
    lecture = points(draw, "lecture")
    assert lecture >= (14 if name in SINGLE else 12)
    if name in COMPOSED:
        assert lecture > points(draw, "default")


def test_a_page_is_as_large_as_its_text():
    """A composed figure is that of a slide, or as much smaller as its text: it is never drawn in specks."""
    sizes = {}
    for name in ("lecture", "notebook", "paper"):
        with plotting.style(name):
            figure = plotting.lecture_figure(history(FEW), gradients(FEW))
        sizes[name] = figure.get_figwidth() / figure.axes[0].xaxis.label.get_fontsize()
        assert figure.get_figwidth() <= 12.8
    assert max(sizes.values()) < 1.1 * min(sizes.values())


LONG = ("a_network_with_batch_normalization_and_dropout_behind_every_hidden_layer_and_a_residual_sum", "relu")
NINE = tuple(f"network {number}" for number in range(9))


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "draw",
    [
        lambda page: plotting.lecture_figure(history(NINE), gradients(NINE), page=page),
        lambda page: plotting.gradient_heat_map_figure(gradients(NINE), page=page),
        lambda page: plotting.decision_boundary_figure(predictions(NINE), page=page),
    ],
)
def test_more_than_six_networks_have_further_pages(draw):
    """Each page says which networks it has, and together they have all."""
    titles = [[ax.get_title() for ax in draw(page).axes] for page in (1, 2)]
    assert [[title for title in page if title in NINE] for page in titles] == [list(NINE[:6]), list(NINE[6:])]
    assert "page 2 of 2: networks 7 to 9 of 9" in draw(2).get_suptitle()
    with pytest.raises(ValueError, match=r"`page` must be from 1 to 2, of 9 networks\. Received: page=3"):
        draw(3)


def test_a_page_of_one_network_has_its_number():
    """Not "7 to 7"."""
    figure = plotting.gradient_heat_map_figure(gradients(NINE[:7]), page=2)
    assert figure.get_suptitle() == "page 2 of 2: number 7 of 7"


@pytest.mark.parametrize("page", [0, -1, 1.5, "1", None, True])
def test_a_page_is_a_whole_number(page):
    """The error names the argument."""
    with pytest.raises(ValueError, match="`page` must be a whole number from 1"):
        plotting.gradient_heat_map_figure(gradients(FEW), page=page)


@pytest.mark.slow
def test_pages_are_counted_from_any_table():
    """One for six networks, two for nine."""
    for table in (history, gradients, predictions):
        assert [plotting.pages(table(names)) for names in (FEW, SIX, NINE)] == [1, 1, 2]
    with pytest.raises(TypeError, match="`table` must be"):
        plotting.pages(5)


def test_a_network_has_one_look_on_all_pages():
    """Its color comes from all networks, not from those of the page."""
    second = plotting.lecture_figure(history(NINE), gradients(NINE), page=2).axes[0].lines[0]
    alone = plotting.learning_curves(history(NINE)).lines[6]
    assert (second.get_color(), second.get_marker()) == (alone.get_color(), alone.get_marker())


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("style", ["default", "lecture"])
@pytest.mark.parametrize("depths", [(7,), (3, 5, 9, 2, 7, 4)])
def test_texts_of_six_networks_do_not_overlap(depths, style):
    """Titles, layers' names and epochs keep apart on the fullest page."""
    if style == "lecture":
        with plotting.style("lecture"):
            figure = plotting.lecture_figure(history(SIX), gradients(SIX, depths), "digits")
    else:
        figure = plotting.lecture_figure(history(SIX), gradients(SIX, depths), "digits")
    figure.canvas.draw()
    for ax in figure.axes:
        texts = [
            ax.title,
            ax.xaxis.label,
            *ax.get_yticklabels(),
            *(ax.get_xticklabels() if ax.get_xlabel() == "epochs trained" else []),
        ]
        boxes = [one.get_window_extent() for one in texts if one.get_text().strip() and one.get_visible()]
        inside = [box for box in boxes if box.width and ax.bbox.expanded(3, 3).contains(box.x0, box.y0)]
        overlaps = [(a, b) for i, a in enumerate(inside) for b in inside[:i] if a.padded(-2).overlaps(b.padded(-2))]
        assert not overlaps
    titles = [ax.title.get_window_extent() for ax in figure.axes if ax.get_title()]
    assert not [1 for i, a in enumerate(titles) for b in titles[:i] if a.overlaps(b)]


@pytest.mark.parametrize(
    "draw", [lambda: plotting.learning_curves(history(LONG)), lambda: plotting.gradient_flow(gradients(LONG))]
)
def test_a_legend_is_no_wider_than_its_axes(draw):
    """Names of ninety letters are broken, and do not press the axes together."""
    ax = draw()
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().width <= ax.bbox.width
    assert ax.bbox.width > 0.7 * ax.figure.bbox.width
    assert "".join(ax.get_legend().get_texts()[0].get_text().split()) == LONG[0]
