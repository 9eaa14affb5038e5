"""Legends cover no curve."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from kerasteach.plotting.legends import keep_place, legend_columns, legend_outside
from kerasteach.plotting.style import style


def drawn(names, ax=None):
    """Return axes with a line a name, laid out, and their legend."""
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    for place, name in enumerate(names):
        ax.plot([0, 1], [0, place], label=name)
    ax.set_xlabel("epochs")
    legend = legend_outside(ax, title="median of 3 seeds")
    ax.figure.draw_without_rendering()
    return ax, legend


@pytest.mark.parametrize("names", [["sigmoid", "tanh"], ["n" * 9 + str(k) for k in range(9)], ["a long name " * 4]])
@pytest.mark.parametrize("name", ["lecture", "paper"])
def test_a_legend_stands_outside_of_the_axes(names, name):
    """Beside them or below their label, and inside the figure."""
    with style(name):
        ax, legend = drawn(names)
    box = legend.get_window_extent()
    assert not ax.get_tightbbox(bbox_extra_artists=[]).padded(-1).overlaps(box)
    assert ax.figure.bbox.padded(1).contains(box.x0, box.y0)
    assert ax.figure.bbox.padded(1).contains(box.x1, box.y1)
    assert ax.bbox.height > 0.3 * ax.figure.bbox.height


def test_short_names_stand_beside_the_axes():
    """In one column, in the order of the lines."""
    ax, legend = drawn(["sigmoid", "relu"])
    assert legend.get_window_extent().x0 > ax.bbox.x1
    assert [text.get_text() for text in legend.get_texts()] == ["sigmoid", "relu"]


def test_names_below_fill_columns_of_different_widths():
    """A long name and short ones share the rows."""
    with style("paper"):
        _, legend = drawn(["sigmoid", "tanh", "relu", "bias of the output layer"])
    lefts = {round(text.get_window_extent().x0) for text in legend.get_texts()}
    assert len(lefts) == 2


def test_axes_without_a_layout_have_their_legend_inside():
    """Nothing makes room for it elsewhere."""
    ax, legend = drawn(["sigmoid", "relu"], plt.figure().add_subplot())
    assert np.all(ax.bbox.padded(1).intersection(ax.bbox, legend.get_window_extent()).size > 0)


@pytest.mark.parametrize("names", [["sigmoid", "tanh"], ["a long name " * 4]])
def test_a_legend_keeps_its_place(names):
    """Beside the axes and below them, also when the label of the x axis is another."""
    ax, legend = drawn(names)
    before = legend.get_window_extent().bounds
    ax.figure.set_layout_engine("none")
    keep_place(ax)
    ax.set_xlabel("epochs\ntrained")
    ax.figure.draw_without_rendering()
    np.testing.assert_allclose(legend.get_window_extent().bounds, before, atol=0.5)


def test_columns_are_of_one_length():
    """Eight names that fit in seven columns stand in four, so that no column is longer than the others."""
    assert legend_columns(["sigmoid"] * 8, 100) == 4
    assert legend_columns(["sigmoid"] * 3, 100) == 3
