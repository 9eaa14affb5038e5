"""Layout of a figure of one panel, which is made higher where its text needs the room."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

_LEAST = 0.4  # of the height that the figure was given: what the axes have at least


class GrowingLayout(ConstrainedLayoutEngine):
    """Constrained layout that makes a figure higher where title, names of layers and legend leave too little for axes.

    The width stays as it is, such as that of a column, and so does a height that suffices.

    Args:
        height: The height that the figure was given, in inches.
    """

    def __init__(self, height: float) -> None:
        super().__init__()
        self._height = height

    def execute(self, fig: Any) -> None:
        """Make the figure as high as it must be, and lay it out."""
        if isinstance(fig, Figure) and fig.axes:
            # The layout knows how wide a label is, not whether it is longer than its axis.
            labels = [ax.yaxis.label.get_window_extent().height for ax in fig.axes]
            axes = max(_LEAST * self._height, 1.02 * max(labels) / fig.dpi)
            needed = axes + _around(fig)
            if needed > fig.get_figheight():
                fig.set_figheight(needed)
        super().execute(fig)


def _around(figure: Figure) -> float:
    """Return the height of what stands above and below the axes, in inches."""
    ax = figure.axes[0]
    box = ax.get_tightbbox()
    return 0.0 if box is None else max(0.0, box.height - ax.bbox.height) / figure.dpi + 0.1
