import numpy as np
import pandas as pd
import pytest

import kerasteach as kt

plotting = kt.plotting


def ratios(values=((1e-3, 2e-3), (1e-6, 3e-6)), steps=(0, 1), epochs=(0, 0), **columns):
    """Return a capture's table: for each layer its ratios, step by step."""
    parts = [
        pd.DataFrame({"epoch": epochs, "step": steps, "layer": f"layer_{depth}", "depth": depth, "update_ratio": own})
        for depth, own in enumerate(values, 1)
    ]
    return pd.concat(parts).assign(parameter="kernel", **columns)


def test_a_line_a_layer():
    """The points are the table's, in steps from 0, behind the range and the rule of thumb."""
    ax = plotting.update_ratios(ratios())
    assert ax.lines[0].get_ydata() == [1e-3, 1e-3]
    assert [line.get_ydata().tolist() for line in ax.lines[1:]] == [[1e-3, 2e-3], [1e-6, 3e-6]]
    assert ax.lines[1].get_xdata().tolist() == [0, 1]
    assert ax.get_yscale() == "log"
    (band,) = ax.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == (1e-4, 1e-1)


def test_the_title_names_the_layer_that_is_farthest_out():
    """The number is the median of what is drawn in the last epoch; within the range there is no finding."""
    title = plotting.update_ratios(ratios()).get_title().replace("\n", " ")
    assert title.startswith("layer 2: steps 50 times below the usual range in epoch 1")
    high = plotting.update_ratios(ratios([[0.5], [1e-3]], steps=[0], epochs=[0])).get_title().replace("\n", " ")
    assert high.startswith("layer 1: steps 5 times above the usual range in epoch 1")
    assert plotting.update_ratios(ratios([[1e-3]], steps=[0], epochs=[0])).get_title().startswith("layer 1: change of")


def test_layers_are_named_as_in_the_other_figures():
    """Without the cell of a recurrent layer, and without the number that Keras has counted up to."""
    names = {1: "lstm_4/lstm_cell", 2: "dense_7"}
    table = ratios()
    ax = plotting.update_ratios(table.assign(layer=table["depth"].map(names)))
    texts = [label.get_text() for label in ax.figure.axes[1].get_yticklabels()]
    assert texts == ["lstm", "dense"]


def test_one_row_an_epoch_is_drawn_by_epochs():
    """Means over epochs have no step of their own."""
    ax = plotting.update_ratios(ratios(steps=(9, 19), epochs=(0, 1)))
    assert ax.get_xlabel() == "epochs trained"
    assert ax.lines[1].get_xdata().tolist() == [1, 2]


def test_what_is_marked_is_explained():
    """The range and the line of usual steps, in the title."""
    title = " ".join(plotting.update_ratios(ratios()).get_title().split())
    assert title.endswith("shaded: 0.0001 to 0.1, dashed: 0.001")


def test_the_reason_why_nothing_is_drawn_stands_inside_the_axes():
    """In a narrow column, too, beside the scale of colors."""
    with plotting.style("paper", language="de"):
        table = ratios([(0.0, 0.0)] * 2)
        ax = plotting.update_ratios(table.assign(layer="hidden_" + table["layer"].astype(str)))
        ax.get_figure().draw_without_rendering()
    (reason,) = ax.texts
    box = reason.get_window_extent()
    assert ax.bbox.x0 < box.x0 < box.x1 < ax.bbox.x1


def test_a_seed_is_no_line():
    """Of several seeds it is the median, and the title says so."""
    seeds = [ratios([[1e-3 * (seed + 1)]], steps=[0], epochs=[0]).assign(seed=seed) for seed in range(3)]
    table = pd.concat(seeds)
    ax = plotting.update_ratios(table[["seed", *table.columns.drop("seed")]])
    assert ax.lines[1].get_ydata().tolist() == [2e-3]
    assert "median of 3 seeds" in ax.get_title()


def test_several_networks_have_a_panel_each():
    """One panel refuses them, and names the function that draws all."""
    table = pd.concat([ratios().assign(network=name) for name in ("first", "second")])
    with pytest.raises(ValueError, match="update_ratios_figure"):
        plotting.update_ratios(table, hue="network")
    figure = plotting.update_ratios_figure(table, hue="network")
    assert [ax.get_title().split(":")[0] for ax in figure.axes[:2]] == ["first", "second"]
    assert plotting.pages(table, hue="network") == 1


@pytest.mark.parametrize("values", [(0.0, 0.0), (np.nan, np.nan), (np.inf, 1e-3), (0.0, 1e-320), (1e-3, 1e300)])
def test_awkward_ratios_are_drawn(values):
    """All 0, not finite, beyond any axis."""
    ax = plotting.update_ratios(ratios([values]))
    ax.get_figure().draw_without_rendering()
    assert np.isfinite(ax.get_ylim()).all()


def test_a_table_without_ratios_says_how_to_get_them():
    """The error names the column."""
    with pytest.raises(ValueError, match="update_ratio"):
        plotting.update_ratios(ratios().drop(columns="update_ratio").assign(norm=1.0))
