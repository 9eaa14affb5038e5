"""Tables as people have them: odd types, further columns, rows in any order."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.plotting.style import ACTIVATIONS

plotting = kt.plotting


def histories(names=("sigmoid", "relu"), **change):
    """Return the table of a comparison of two networks from two seeds over three epochs."""
    rows = [
        {"activation": name, "seed": seed, "epoch": epoch, "metric": metric, "value": 1 / (1 + epoch + seed + place)}
        for place, name in enumerate(names)
        for seed in (0, 1)
        for epoch in range(3)
        for metric in ("loss", "val_accuracy")
    ]
    return pd.DataFrame(rows).assign(**change)


def gradients(names=("sigmoid", "relu"), **change):
    """Return gradients of two networks with two layers each, over two epochs."""
    rows = [
        (name, seed, epoch, 9 * epoch + 1, f"layer_{depth}", depth, parameter, 10.0 ** (depth - place - seed))
        for place, name in enumerate(names)
        for seed in (0, 1)
        for epoch in (0, 1)
        for depth in (1, 2)
        for parameter in ("kernel", "bias")
    ]
    columns = ["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "norm"]
    return pd.DataFrame(rows, columns=columns).assign(**change)


FIGURES = {
    "learning_curves": (histories, plotting.learning_curves),
    "gradient_flow": (gradients, plotting.gradient_flow),
    "gradient_heat_map_figure": (gradients, plotting.gradient_heat_map_figure),
    "lecture_figure": (histories, lambda table: plotting.lecture_figure(table, gradients())),
}
SAME = {
    "categorical": lambda table: table.astype("category"),
    "nullable": lambda table: table.convert_dtypes(),
    "arrow": lambda table: table.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda table: table.astype(object),
    "from a CSV file with its index": lambda table: pd.read_csv(io.StringIO(table.to_csv())),
    "with several indices": lambda table: table.set_axis(pd.MultiIndex.from_product([[1], range(len(table))])),
    "with a repeated index": lambda table: table.set_axis([0] * len(table)),
    "with a numbered column": lambda table: table.assign(extra=1.5).rename(columns={"extra": 7}),
    "with a repeated foreign column": lambda table: pd.concat(
        [table, pd.DataFrame([[1, 2]] * len(table), columns=["a", "a"])], axis=1
    ),
}


def drawn(figure):
    """Return the points of every line and the text of every legend and title."""
    axes = figure.axes if isinstance(figure, plt.Figure) else [figure]
    lines = [np.asarray(line.get_xydata()).tolist() for ax in axes for line in ax.lines]
    cells = [
        np.ma.filled(one.get_array(), -1).tolist()
        for ax in axes
        for one in ax.collections
        if one.get_array() is not None
    ]
    legends = [text.get_text() for ax in axes if ax.get_legend() for text in ax.get_legend().get_texts()]
    return str([lines, cells, legends, [ax.get_title() for ax in axes]])


@pytest.mark.sample(1)
@pytest.mark.parametrize("form", SAME)
@pytest.mark.parametrize("name", FIGURES)
def test_a_table_in_another_form_gives_the_same_figure(name, form):
    """Types, indices and foreign columns change nothing."""
    table, draw = FIGURES[name]
    assert drawn(draw(SAME[form](table()))) == drawn(draw(table()))


@pytest.mark.parametrize("name", ["learning_curves", "gradient_flow"])
def test_rows_may_stand_in_any_order(name):
    """Lines run from left to right, whatever the order of the rows."""
    table, draw = FIGURES[name]
    shuffled = table().sample(frac=1, random_state=3)
    lines = [{str(line.get_xydata().tolist()) for line in draw(rows).lines} for rows in (table(), shuffled)]
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"norm": pd.Timedelta(1, "s")}, TypeError, "`gradients` must hold numbers in the column norm.*timedelta"),
        ({"norm": "large"}, TypeError, "numbers in the column norm. Received: 'large'"),
        ({"norm": 1j}, TypeError, "numbers in the column norm"),
        ({"epoch": 0.5}, ValueError, "whole numbers in the column epoch. Received: 0.5"),
        ({"depth": np.nan}, ValueError, "whole numbers in the column depth. Received: nan"),
        ({"layer": None}, ValueError, "a name in each row of the column layer. Received: 16 of 16 missing|32 of 32"),
        ({"activation": [None] * 16 + ["relu"] * 16}, ValueError, "column activation. Received: 16 of 32 missing"),
    ],
)
def test_a_column_that_cannot_be_drawn_is_named(change, error, message):
    """The error says which column, and what is in it."""
    with pytest.raises(error, match=message):
        plotting.gradient_flow(gradients(**change))


def test_columns_twice_or_in_levels_are_refused():
    """The error names the column, or those that are missing."""
    table = gradients()
    with pytest.raises(ValueError, match="more than one column called norm"):
        plotting.gradient_flow(pd.concat([table, table[["norm"]]], axis=1))
    with pytest.raises(ValueError, match="`gradients` lacks the columns epoch, depth"):
        plotting.gradient_flow(table.set_axis(pd.MultiIndex.from_product([["a"], table.columns]), axis=1))
    with pytest.raises(ValueError, match="more than one column called activation"):
        plotting.gradient_flow(pd.concat([table[["activation"]], table], axis=1))


def labels(ax):
    """Return the texts of a legend."""
    return [" ".join(text.get_text().split()) for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("place", [0, 11])
def test_a_column_that_the_user_adds_makes_no_networks(place):
    """A logarithm of the norm, before or behind the table's own columns, is not drawn and not named."""
    table = gradients()
    expected = labels(plotting.gradient_flow(table))
    table.insert(min(place, table.shape[1]), "log_norm", np.log10(table["norm"]))
    assert labels(plotting.gradient_flow(table)) == expected


def test_hue_says_which_columns_tell_networks_apart():
    """One column or several, anywhere in the table; without it the error lists them."""
    table = pd.concat([histories(("relu",)).assign(team=team, year=2024) for team in ("a", "b")])
    assert labels(plotting.learning_curves(table, hue="team")) == ["a", "b"]
    assert labels(plotting.learning_curves(table, hue=["team", "year"])) == ["a, year 2024", "b, year 2024"]
    with pytest.raises(ValueError, match=r"several networks\?.*hue=\"network\".*Its other columns: team"):
        plotting.learning_curves(table)
    with pytest.raises(ValueError, match=r"`hue` must be one of .*Did you mean 'team'"):
        plotting.learning_curves(table, hue="teem")
    with pytest.raises(TypeError, match="`hue` must be a list of names of columns"):
        plotting.learning_curves(table, hue=3)


def test_networks_named_behind_the_table_need_no_hue():
    """A column called as `compare` or a person calls networks is used where rows would repeat otherwise."""
    table = histories(("relu",)).drop(columns="activation")
    both = pd.concat([table.assign(network=name) for name in ("first", "second")])
    assert labels(plotting.learning_curves(both)) == ["first", "second"]


def test_a_grid_names_optimizer_and_learning_rate():
    """What varies stands in the legend, numbers with what they are."""
    parts = []
    for name, rate in (("adam", 0.001), ("sgd", 0.01)):
        table = histories(("relu",)).drop(columns="activation")
        table.insert(0, "learning_rate", rate)
        table.insert(0, "optimizer", name)
        parts.append(table)
    expected = ["adam, learning rate 0.001", "sgd, learning rate 0.01"]
    assert labels(plotting.learning_curves(pd.concat(parts))) == expected


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", ["$a_$", "$10-$20", "_hidden", "", "a\\b{", "100 %"])
def test_names_are_drawn_as_they_are(name, tmp_path):
    """A dollar begins no formula, and an underscore hides no entry."""
    ax = plotting.learning_curves(histories((name, "relu")))
    plotting.save(ax, tmp_path / "figure.png")
    assert len(labels(ax)) == 2
    layers = gradients(layer=[name, name, f"{name} 2", f"{name} 2"] * 8)
    plotting.save(plotting.gradient_flow(layers), tmp_path / "flow.png")


@pytest.mark.sample(1)
@pytest.mark.parametrize("norm", [1e-320, 1e308, 0.0])
def test_norms_at_the_ends_of_the_numbers_are_drawn(norm, tmp_path):
    """Neither a subnormal nor an enormous norm, nor zeros alone, are an error or a warning."""
    plotting.save(plotting.gradient_flow(gradients(norm=norm)), tmp_path / "flow.png")
    plotting.save(plotting.gradient_heat_map_figure(gradients(norm=norm)), tmp_path / "maps.png")
    plotting.save(plotting.learning_curves(histories(value=norm)), tmp_path / "curves.png")


def test_gradients_that_are_all_zero_say_so():
    """There is a note in the axes instead of a scale without a meaning."""
    ax = plotting.gradient_flow(gradients(norm=0.0))
    assert [text.get_text() for text in ax.texts] == ["every gradient is exactly 0"]
    assert ax.get_yticks().size == 0


def normalized():
    """Return the gradients of dense, batch normalization, dense: the first bias has nothing but rounding."""
    names = [
        ("dense", 1, "kernel", 5.0),
        ("dense", 1, "bias", 1e-9),
        ("norm", 2, "gamma", 3.0),
        ("norm", 2, "beta", 2.0),
    ]
    names += [("out", 3, "kernel", 4.0), ("out", 3, "bias", 3.0)]
    frame = pd.DataFrame(names, columns=["layer", "depth", "parameter", "norm"])
    return pd.concat([pd.DataFrame({"epoch": 0, "step": 0}, index=frame.index), frame], axis=1)


def test_the_error_signal_is_drawn_by_default():
    """Where a normalization layer follows, its beta has the mean error signal, and the legend says so."""
    ax = plotting.gradient_flow(normalized())
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[2, 2.0], [3, 3.0]])
    assert labels(ax) == ["bias, or beta of a normalization behind it (mean error signal)", "kernel"]
    cells = plotting.gradient_heat_map(normalized()).collections[0]
    np.testing.assert_array_equal(np.ravel(cells.get_array()), [3.0, 2.0])
    assert cells.axes.figure.axes[1].get_ylabel() == "L2 norm of the beta or bias gradient"
    np.testing.assert_array_equal(plotting.gradient_flow(normalized(), "bias").lines[0].get_ydata(), [1e-9, 3.0])
    assert len(plotting.gradient_flow(normalized(), None).lines) == 1


def test_a_kernel_stands_for_a_layer_without_a_bias():
    """The legend calls it an error signal, but not its mean."""
    table = normalized().query("not (layer == 'out' and parameter == 'bias')")
    ax = plotting.gradient_flow(table)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[2, 2.0], [3, 4.0]])
    assert labels(ax)[0] == "beta or kernel (error signal)"


@pytest.mark.parametrize("limits", [(1, 1), (0, 1), (1,), "ab", 5, (1, np.nan)])
def test_limits_that_are_no_scale_are_refused(limits):
    """The error names the argument."""
    with pytest.raises((TypeError, ValueError), match="`limits` must be"):
        plotting.gradient_heat_map(gradients(("relu",)), limits=limits)


@pytest.mark.parametrize("ax", [5, "ax", plt.Figure])
def test_what_are_no_axes_is_refused(ax):
    """The error names the argument."""
    for draw in (
        lambda: plotting.learning_curves(histories(), ax=ax),
        lambda: plotting.gradient_flow(gradients(), ax=ax),
    ):
        with pytest.raises(TypeError, match="`ax` must be axes of matplotlib"):
            draw()


def test_the_wrong_kind_of_argument_is_named():
    """Parameter, epoch and page."""
    with pytest.raises(TypeError, match="`parameter` must be one of"):
        plotting.gradient_flow(gradients(), 5)
    with pytest.raises(ValueError, match='`epoch` must be "first", "all"'):
        plotting.gradient_flow(gradients(), epoch=[0])
    with pytest.raises(ValueError, match="`page` must be from 1 to 1"):
        plotting.gradient_heat_map_figure(gradients(), page=2)


def test_a_descent_keeps_its_coordinates_beside_added_columns():
    """A logarithm of the value makes no coordinate."""
    path = kt.gradient_descent("parabola", learning_rate=0.3, steps=5).frame
    landscape = kt.lessons.landscape("parabola", path)
    ax = plotting.descent_path(path.assign(log_value=1.0), landscape)
    assert ax.get_xlabel() == "x"


def test_one_network_keeps_its_look():
    """Without a name, the table of one model has no legend."""
    ax = plotting.learning_curves(histories(("relu",)).query("seed == 0").drop(columns=["activation", "seed"]))
    assert ax.get_legend() is None
    assert plotting.learning_curves(histories(("relu",))).lines[0].get_color() == ACTIVATIONS["relu"].color
