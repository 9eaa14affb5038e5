from contextlib import nullcontext
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import kerasteach as kt
from kerasteach.plotting.style import ACTIVATIONS, looks

plotting = kt.plotting


NAMES = ("sigmoid", "tanh", "relu")


@pytest.fixture(scope="module")
def comparison():
    """Return the tables of a comparison of three networks with four layers, from three seeds over four epochs."""
    runs = [(place, name, seed, epoch) for place, name in enumerate(NAMES) for seed in range(3) for epoch in range(4)]
    history = [
        (name, seed, epoch, metric, 1 / (1.5 + epoch + place + 0.1 * seed))
        for place, name, seed, epoch in runs
        for metric in ("accuracy", "loss", "val_accuracy", "val_loss")
    ]
    layers = ("hidden_1", "hidden_2", "hidden_3", "output")
    gradients = [
        (
            name,
            seed,
            epoch,
            epoch,
            layer,
            depth,
            parameter,
            (place + 1.5 + 0.1 * (seed + epoch)) ** (depth - 4) * factor,
        )
        for place, name, seed, epoch in runs
        for depth, layer in enumerate(layers, 1)
        for parameter, factor in (("kernel", 3.0), ("bias", 1.0))
    ]
    columns = ["activation", "seed", "epoch"]
    return SimpleNamespace(
        history=pd.DataFrame(history, columns=[*columns, "metric", "value"]),
        gradients=pd.DataFrame(gradients, columns=[*columns, "step", "layer", "depth", "parameter", "norm"]),
    )


def one_model(table):
    """Return the rows of one network, without the columns that only a comparison has."""
    return table.query("activation == 'relu' and seed == 0").drop(columns=["activation", "seed"])


FIGURES = {
    "learning_curves": lambda result, one: plotting.learning_curves(one(result.history)),
    "gradient_flow": lambda result, one: plotting.gradient_flow(one(result.gradients)),
    "gradient_heat_map_figure": lambda result, one: plotting.gradient_heat_map_figure(one(result.gradients)),
    "lecture_figure": lambda result, one: plotting.lecture_figure(one(result.history), one(result.gradients)),
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("style", ["default", "lecture"])
@pytest.mark.parametrize("one", [one_model, lambda table: table], ids=["one model", "a comparison"])
@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_draws_both_tables_in_both_styles(figure, one, style, comparison):
    """A comparison's tables and those of one model are drawn, without a warning."""
    with plotting.style("lecture") if style == "lecture" else nullcontext():
        drawn = FIGURES[figure](comparison, one)
        whole = drawn if isinstance(drawn, Figure) else drawn.figure
        whole.draw_without_rendering()
    assert all(ax.collections or ax.lines for ax in whole.axes)


def test_nothing_global_is_changed(comparison):
    """Drawing and the lecture style leave matplotlib's settings as they were."""
    before = dict(plt.rcParams)
    with plotting.style("lecture"):
        plotting.lecture_figure(comparison.history, comparison.gradients)
    assert dict(plt.rcParams) == before


def test_axes_given_are_the_axes_drawn_on(comparison):
    """`ax=` is returned."""
    _, ax = plt.subplots()
    assert plotting.learning_curves(comparison.history, ax=ax) is ax
    _, ax = plt.subplots()
    assert plotting.gradient_flow(comparison.gradients, ax=ax) is ax


def line(ax, color, style="-"):
    """Return the x and y of the line of this color and style."""
    (found,) = [one for one in ax.lines if one.get_color() == color and one.get_linestyle() == style]
    return found.get_xdata(), found.get_ydata()


def test_a_learning_curve_is_the_median_over_the_seeds(comparison):
    """The line is the median at epochs counted from 1, and the band reaches from the lowest to the highest seed."""
    ax = plotting.learning_curves(comparison.history)
    rows = comparison.history.query("activation == 'tanh' and metric == 'loss'")
    expected = rows.groupby("epoch")["value"]
    x, y = line(ax, ACTIVATIONS["tanh"].color)
    np.testing.assert_array_equal(x, [1, 2, 3, 4])
    np.testing.assert_allclose(y, expected.median())
    band = ax.collections[1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((expected.min().min(), expected.max().max()))


def test_a_run_that_stopped_keeps_its_last_value():
    """A seed that stopped at epoch 2 counts with that loss while the other trains on."""
    history = pd.DataFrame(
        {
            "activation": "relu",
            "seed": [0, 0, 1, 1, 1],
            "epoch": [0, 1, 0, 1, 2],
            "metric": "loss",
            "value": [4.0, 2.0, 6.0, 4.0, 3.0],
        }
    )
    _, y = line(plotting.learning_curves(history), ACTIVATIONS["relu"].color)
    np.testing.assert_allclose(y, [5.0, 3.0, 2.5])


def test_a_loss_that_became_nan_stays_a_gap():
    """A diverged run is not carried on at its last finite loss."""
    history = kt.measure.history_table({"loss": [1.0, np.nan, np.nan]})
    (drawn,) = plotting.learning_curves(history).lines
    np.testing.assert_array_equal(drawn.get_ydata(), [1.0, np.nan, np.nan])


def test_a_seed_that_diverged_counts_in_the_median():
    """Of losses 1, 2 and NaN the median is 2, not 1.5."""
    history = pd.DataFrame({"seed": [0, 1, 2], "epoch": 0, "metric": "loss", "value": [1.0, 2.0, np.nan]})
    (drawn,) = plotting.learning_curves(history).lines
    assert drawn.get_ydata().tolist() == [2.0]


def test_gradient_flow_tells_bias_and_kernel_apart(comparison):
    """Solid lines are the bias norms of the first epoch, dashed ones the kernel norms, by depth on a log axis."""
    ax = plotting.gradient_flow(comparison.gradients)
    assert ax.get_yscale() == "log"
    for parameter, style in (("bias", "-"), ("kernel", "--")):
        rows = comparison.gradients.query(f"activation == 'sigmoid' and epoch == 0 and parameter == '{parameter}'")
        x, y = line(ax, ACTIVATIONS["sigmoid"].color, style)
        np.testing.assert_array_equal(x, [1, 2, 3, 4])
        np.testing.assert_allclose(y, rows.groupby("depth")["norm"].median())
    labels = [" ".join(text.get_text().split()) for text in ax.get_legend().get_texts()]
    assert labels == ["sigmoid", "tanh", "relu", "bias (mean error signal)", "kernel"]


def test_gradient_flow_says_where_a_gradient_is_zero():
    """A log axis cannot show 0; the legend says so."""
    table = pd.concat(
        flow_table(activation=name, seed=0, layer=["a", "b"], depth=[1, 2], norm=[norm, 1.0])
        for name, norm in (("binary_step", 0.0), ("relu", 0.5))
    )
    table.insert(0, "activation", table.pop("activation"))
    ax = plotting.gradient_flow(table, parameter="bias")
    assert ax.get_legend().get_texts()[0].get_text().replace("\n", " ") == "binary_step (exactly 0 where missing)"
    heat_maps = plotting.gradient_heat_map_figure(table).axes
    assert heat_maps[0].get_title().replace("\n", " ") == "binary_step (hatched: exactly 0)"
    assert heat_maps[1].get_title() == "relu"


def flow_table(**columns):
    """Return a gradient table of one step."""
    return pd.DataFrame({"epoch": 0, "step": 0, "layer": "a", "depth": 1, "parameter": "bias", **columns})


@pytest.mark.parametrize(("norms", "expected"), [([1, np.nan, np.nan], np.nan), ([1.0, 0, 0], 0), ([1, 2, np.nan], 2)])
def test_norms_that_are_zero_or_not_finite_count_in_the_median(norms, expected):
    """A dead or diverged seed moves the median in the flow and in the heat map alike, and the legend says which."""
    table = flow_table(seed=[0, 1, 2], norm=norms)
    ax = plotting.gradient_flow(table)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [expected])
    label = ax.get_legend().get_texts()[0].get_text()
    assert ("exactly 0" in label, "not finite" in label) == (0 in norms, any(np.isnan(norms)))
    cells = np.ma.filled(plotting.gradient_heat_map(table).collections[0].get_array(), np.nan)
    np.testing.assert_array_equal(cells.ravel(), [expected if expected else np.nan])


def test_a_column_of_ones_own_tells_networks_apart(comparison):
    """It may stand anywhere; pandas's own index column does not count."""
    table = one_model(comparison.gradients)
    both = pd.concat([table.assign(network="first"), table.assign(network="second")]).reset_index()
    labels = [text.get_text() for text in plotting.gradient_flow(both).get_legend().get_texts()]
    assert labels[:2] == ["first", "second"]


def test_two_networks_without_a_name_are_refused(comparison):
    """Rows that stand for the same thing are not averaged silently."""
    table = one_model(comparison.history)
    with pytest.raises(ValueError, match=r"several rows for one seed, epoch, metric.*frame\.assign"):
        plotting.learning_curves(pd.concat([table, table]))


def test_a_network_without_biases_is_drawn(comparison):
    """Every figure falls back on the kernel, and says so."""
    kernels = comparison.gradients.query("parameter == 'kernel'")
    figure = plotting.lecture_figure(comparison.history, kernels)
    labels = [ax.get_ylabel().replace("\n", " ") for ax in figure.axes]
    assert labels.count("L2 norm of the kernel gradient") == 2
    assert not any("bias" in label for label in labels)


def test_a_resumed_training_is_drawn_from_its_first_epoch(comparison):
    """The first epoch of the table is the default, whatever its number."""
    later = comparison.gradients.query("epoch >= 2")
    assert "mean over the steps of epoch 3" in " ".join(plotting.gradient_flow(later).get_title().split())


def test_many_layers_are_numbered():
    """The names of 30 layers would stand on each other; a few numbers do not."""
    table = flow_table(layer=[f"block_{i}" for i in range(30)], depth=range(1, 31), norm=1.0)
    assert len(plotting.gradient_heat_map(table).get_yticklabels()) <= 12


def test_heat_maps_share_one_logarithmic_scale(comparison):
    """Each shows layer against epoch, output on top, and one color means one norm in all."""
    figure = plotting.gradient_heat_map_figure(comparison.gradients)
    maps = [ax.collections[0] for ax in figure.axes[:3]]
    assert {(one.norm.vmin, one.norm.vmax) for one in maps} == {(maps[0].norm.vmin, maps[0].norm.vmax)}
    assert all(isinstance(one.norm, LogNorm) for one in maps)
    shown = np.asarray(maps[1].get_array()).reshape(4, 4)
    rows = comparison.gradients.query("activation == 'tanh' and parameter == 'bias'")
    expected = rows.groupby(["depth", "epoch"])["norm"].median().unstack("epoch").iloc[::-1]
    np.testing.assert_allclose(shown, expected)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
        *("output", "hidden 3", "hidden 2", "hidden 1")
    ]


def test_a_harmless_slope_does_not_look_like_vanishing():
    """The scale spans two powers of ten at least."""
    gradients = pd.DataFrame(
        {"epoch": 0, "step": 0, "layer": ["a", "b"], "depth": [1, 2], "parameter": "bias", "norm": [0.9, 1.0]}
    )
    low, high = plotting.gradient_flow(gradients, parameter="bias").get_ylim()
    assert high / low >= 100


def test_an_activation_looks_the_same_in_every_figure(comparison):
    """An activation's color and marker do not depend on which others are drawn."""
    alone = comparison.history[comparison.history["activation"] == "relu"]
    for history in (comparison.history, alone):
        drawn = plotting.learning_curves(history).lines[-1]
        assert (drawn.get_color(), drawn.get_marker()) == ACTIVATIONS["relu"]


def test_other_names_get_looks_of_their_own():
    """Variants that are no activation differ from each other and from the activations beside them."""
    chosen = looks(["relu", "mine", "yours"])
    assert len({look.color for look in chosen.values()}) == 3
    assert len(set(looks([*ACTIVATIONS, *map(str, range(20))]).values())) == len(ACTIVATIONS) + 20


def test_a_gap_stands_where_an_activation_jumps():
    """At the places that are known, on whichever side of them the point lies; nowhere else, in any order of rows."""
    table = kt.activations.table(["hard_tanh", "gelu", "binary_step"], x=np.linspace(-2, 2, 9)).sample(
        frac=1, random_state=0
    )
    axes = plotting.activations_figure(table).axes
    gaps = {
        ax.get_title(): [np.flatnonzero(np.isnan(line.get_ydata())).tolist() for line in ax.lines[2:]] for ax in axes
    }
    assert gaps["gelu"] == [[], []]
    assert [len(one) for one in gaps["hard_tanh"]] == [0, 2]
    assert gaps["binary_step"] == [[3], []]  # between -0.5 and 0
    colors = {ax.get_title(): ax.lines[2].get_color() for ax in axes}
    together = {line.get_label(): line.get_color() for line in axes[3].lines}
    assert all(colors[name] == together[name] for name in ("hard_tanh", "gelu", "binary_step"))
    assert len(set(together.values())) == 3


def test_activation_panels_draw_function_and_derivative():
    """Each panel has the function and its derivative, without a line across a jump."""
    figure = plotting.activations_figure(kt.activations.table(["binary_step", "tanh"], x=[-1.0, 0.0, 1.0]))
    step, tanh, together = figure.axes
    np.testing.assert_array_equal(step.lines[2].get_ydata(), [np.nan, 1, 1])
    np.testing.assert_allclose(tanh.lines[2].get_ydata(), np.tanh([-1, 0, 1]))
    np.testing.assert_allclose(tanh.lines[3].get_ydata(), 1 - np.tanh([-1, 0, 1]) ** 2)
    assert (step.get_title(), together.get_title()) == ("binary_step", "all derivatives")


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", ["figure.png", "figure.svg", "figure.pdf"])
def test_a_figure_is_written_in_its_format(name, tmp_path, comparison):
    """The ending decides; folders are made; the same figure gives the same bytes."""
    ax = plotting.learning_curves(comparison.history)
    path = plotting.save(ax, tmp_path / "new" / name)
    again = plotting.save(plotting.learning_curves(comparison.history), tmp_path / "again" / name)
    assert path.read_bytes() == again.read_bytes()
    magic = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[name.split(".")[1]]
    assert path.read_bytes().startswith(magic)
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_a_figure_is_not_overwritten_unasked(tmp_path, comparison):
    """`overwrite=True` replaces it."""
    ax = plotting.learning_curves(comparison.history)
    plotting.save(ax, tmp_path / "a.png")
    with pytest.raises(FileExistsError, match="`overwrite=True` replaces it"):
        plotting.save(ax, tmp_path / "a.png")
    plotting.save(ax, tmp_path / "a.png", overwrite=True)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (
            lambda r: plotting.learning_curves(r.history, "mae"),
            ValueError,
            '`metric` must be one of "accuracy", "loss", .*\'mae\'',
        ),
        (lambda r: plotting.learning_curves(r.gradients), ValueError, "`history` lacks the columns metric, value"),
        (lambda r: plotting.learning_curves(r.history[:0]), ValueError, "no row"),
        (
            lambda r: plotting.gradient_flow([1, 2]),
            TypeError,
            r"`gradients` must be a table.*GradientCapture.frame.*Received: gradients=\[1, 2\]",
        ),
        (
            lambda r: plotting.gradient_flow(r.gradients, epoch=9),
            ValueError,
            '`epoch` must be "first", "all" or of the table, 0 to 3',
        ),
        (
            lambda r: plotting.gradient_flow(r.gradients, "gamma"),
            ValueError,
            '`parameter` must be one of "both", "kernel", "bias"',
        ),
        (lambda r: plotting.gradient_heat_map(r.gradients), ValueError, "One heat map shows one network"),
        (lambda r: plotting.activations_figure(r.history), ValueError, "activations.table"),
        (lambda r: plotting.save(plt.figure(), "figure.jpeg"), ValueError, r"must end in \.png"),
    ],
)
def test_what_cannot_be_drawn_says_why(draw, error, message, comparison):
    """Each error names what was received and what would work."""
    with pytest.raises(error, match=message):
        draw(comparison)
