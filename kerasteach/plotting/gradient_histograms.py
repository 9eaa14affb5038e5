"""Histograms of the gradients: which magnitudes their entries have, layer by layer, and how that changes."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.figure import Figure

from kerasteach.plotting.captions import AUTO, check_title
from kerasteach.plotting.comparison_tables import Hue
from kerasteach.plotting.histogram_panels import histograms_figure, histograms_in
from kerasteach.plotting.layer_rows import of_one_parameter
from kerasteach.plotting.style import inks
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table


def gradient_histograms_figure(
    histograms: Table,
    parameter: str | None = None,
    epochs: Iterable[int] | None = None,
    *,
    hue: Hue = None,
    page: int = 1,
    title: str | None = AUTO,
) -> Figure:
    """Draw how the magnitudes of each layer's gradient are spread, and how that changes over the training.

    Left, a ridge a layer, the output at the top: the share of the entries by magnitude, on a logarithmic axis, in the
    deeper color the later the epoch. What such an axis cannot show is written below the layer's name, for the last of
    the epochs: the share of entries that are exactly 0, and of those that are not finite. Ridges that move to the left
    from the output to the input are a gradient that vanishes. Right, a panel a layer over time: in the deepest band lie
    the middle 38 % of the magnitudes that are not 0, in the next 68 %, in the palest 90 %; the line is the median.

    Args:
        histograms: A `GradientCapture(histogram=True)`, or its table `histograms`.
        parameter: Which rows: `"kernel"`, `"bias"`, ... Defaults to `None`: the kernels, if there are any.
        epochs: The epochs of the ridges, as Keras numbers them, six at most. Defaults to `None`: the first, the middle
            and the last.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which eight of more layers, and network. Defaults to `1`; `kerasteach.plotting.pages` says how many pages
            there are.
        title: `"auto"` for what is drawn, a text of your own, or `None`. Defaults to `"auto"`.

    Returns:
        The figure.

    Raises:
        TypeError: If `histograms` is no data frame, or a column of it holds values of another kind.
        ValueError: If the table lacks a column or has no row, has none of this parameter, or there is no such epoch or
            page.

    Example:
        >>> import pandas as pd, kerasteach as kt
        >>> table = pd.DataFrame({"epoch": 0, "step": 0, "layer": "dense", "depth": 1, "parameter": "kernel",
        ...                       "low": [0.0, 0.1, 1.0], "high": [0.0, 1.0, 10.0], "count": [10, 20, 10]})
        >>> figure = kt.plotting.gradient_histograms_figure(table)
    """
    check_title(title)
    frame = histograms_in(histograms, hue)
    of = gettext("gradients")
    if "parameter" in frame:
        frame, parameter = of_one_parameter(frame, parameter)
        of = gettext("{parameter} gradients").format(parameter=parameter)
    return histograms_figure(frame, epochs, page, title, of, inks().backward)
