"""Height of a figure whose text needs the room."""

import pandas as pd

from kerasteach import plotting


def curves(count):
    """Draw a learning curve of so many networks in a column of a page."""
    names = [f"a network with {number} layers" for number in range(count)]
    history = pd.concat(
        [pd.DataFrame({"network": name, "epoch": [0, 1], "metric": "loss", "value": [1.0, 0.5]}) for name in names]
    )
    with plotting.style("paper"):
        ax = plotting.learning_curves(history)
    ax.figure.draw_without_rendering()
    return ax


def test_a_long_legend_makes_a_column_higher_and_not_wider():
    """The axes keep two fifths of the height that was asked for, and a second drawing changes nothing."""
    ax = curves(12)
    width, height = ax.figure.get_size_inches()
    assert width == 3.5
    assert height > 2.6
    assert ax.get_position().height * height >= 0.4 * 2.6 - 0.05
    ax.figure.draw_without_rendering()
    assert tuple(ax.figure.get_size_inches()) == (width, height)


def test_a_figure_with_room_keeps_its_height():
    """One network needs no more than the column has."""
    assert tuple(curves(1).figure.get_size_inches()) == (3.5, 2.6)


def test_a_label_longer_than_its_axis_makes_a_column_higher():
    """It is not cut off above and below."""
    ax = curves(1)
    ax.set_ylabel("a label that is much longer than the axis beside it, and has one line")
    ax.figure.draw_without_rendering()
    box = ax.yaxis.label.get_window_extent()
    assert box.y0 >= 0
    assert box.y1 <= ax.figure.bbox.y1
