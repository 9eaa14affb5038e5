"""Figures of exercises: drawn from small tables that are made up, so that their answers can be read off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAYER = "layer {}"


def gradient_flow(norms: Mapping[int, float]) -> bytes:
    """Return a PNG of the gradient's norm against the layer.

    Args:
        norms: The norm of each layer's gradient, by its number from 1 at the input.
    """
    from kerasteach import plotting

    table = pd.DataFrame({"depth": list(norms), "norm": list(norms.values())}).assign(epoch=0, parameter="bias")
    table["layer"] = [LAYER.format(depth) for depth in norms]
    return _png(lambda: plotting.gradient_flow(table, parameter="bias", title=None))


def dead_units(shares: Mapping[int, float]) -> bytes:
    """Return a PNG of the share of dead units against the layer.

    Args:
        shares: The share of each layer's units that are dead, by its number from 1 at the input.
    """
    from kerasteach import plotting

    table = pd.DataFrame({"depth": list(shares), "dead_fraction": list(shares.values())}).assign(epoch=0)
    table["layer"] = [LAYER.format(depth) for depth in shares]
    return _png(lambda: plotting.activation_statistics(table, "dead_fraction", title=None))


def _png(draw: Callable[[], Axes]) -> bytes:
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from kerasteach import plotting

    written = BytesIO()
    with plotting.style("notebook"):
        ax = draw()
        ax.grid(visible=True, axis="y", alpha=0.5)
        figure = ax.get_figure(root=True)
        assert isinstance(figure, Figure)
        figure.savefig(written, format="png", dpi=110, metadata={"Software": None})
        plt.close(figure)
    return written.getvalue()
