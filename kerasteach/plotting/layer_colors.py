"""Colors of layers, by depth from input to output, with a scale that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_hex

from kerasteach.plotting.style import on_dark
from kerasteach.plotting.ticks import evenly

_MOST_TICKS = 12  # layers that have a label, at most
_ENDS, _ENDS_DARK = (0.0, 0.72), (0.3, 1.0)  # of the colors, those that are seen on the ground


def layer_colors(names: Mapping[int, str]) -> dict[int, str]:
    """Return a color for each layer, by its depth: dark at the input and light at the output.

    Example:
        >>> from kerasteach.plotting.layer_colors import layer_colors
        >>> layer_colors({1: "hidden", 2: "output"})[1]
        '#440154'
    """
    ends = _ENDS_DARK if on_dark() else _ENDS
    places = np.linspace(*ends, max(2, len(names)))
    return {depth: to_hex(mpl.colormaps["viridis"](place)) for depth, place in zip(names, places, strict=False)}


def color_scale(axes: Axes | Sequence[Axes], names: Mapping[int, str]) -> None:
    """Name the layers beside the axes, each at its color; the output is at the top."""
    colors = ListedColormap(list(layer_colors(names).values()))
    figure = (axes if isinstance(axes, Axes) else axes[0]).get_figure()
    assert figure is not None
    edges = np.arange(len(names) + 1) - 0.5
    bar = figure.colorbar(ScalarMappable(BoundaryNorm(edges, len(names)), colors), ax=axes, drawedges=False)
    places = evenly(list(names), _MOST_TICKS)
    bar.set_ticks(places, labels=[list(names.values())[place] for place in places])
    bar.ax.tick_params(length=0)
    bar.minorticks_off()
    bar.outline.set_visible(False)
