"""Figures of exercises: drawn from small tables that are made up, so that their answers can be read off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def gradient_flow(norms: Mapping[int, float], language: str) -> bytes:
    """Return a PNG of the gradient's norm against the layer.

    Args:
        norms: The norm of each layer's gradient, by its number from 1 at the input.
        language: The language of its labels.
    """
    from kerasteach import plotting

    table = pd.DataFrame({"depth": list(norms), "norm": list(norms.values())}).assign(epoch=0, parameter="bias")
    return _png(lambda: plotting.gradient_flow(_named(table), parameter="bias", title=None), language)


def dead_units(shares: Mapping[int, float], language: str) -> bytes:
    """Return a PNG of the share of dead units against the layer.

    Args:
        shares: The share of each layer's units that are dead, by its number from 1 at the input.
        language: The language of its labels.
    """
    from kerasteach import plotting

    table = pd.DataFrame({"depth": list(shares), "dead_fraction": list(shares.values())}).assign(epoch=0)
    return _png(lambda: plotting.activation_statistics(_named(table), "dead_fraction", title=None), language)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Name the layers by their numbers, in the language of the moment."""
    from kerasteach.plotting.layer_rows import layer_number

    return table.assign(layer=[layer_number(depth) for depth in table["depth"]])


def _png(draw: Callable[[], Axes], language: str) -> bytes:
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from kerasteach import plotting

    written = BytesIO()
    with plotting.style("notebook", language=language):
        ax = draw()
        ax.grid(visible=True, axis="y", alpha=0.5)
        figure = ax.get_figure(root=True)
        assert isinstance(figure, Figure)
        figure.savefig(written, format="png", dpi=110, metadata={"Software": None})
        plt.close(figure)
    return written.getvalue()
