"""Figures in a notebook: each is shown once, below the cell that draws it."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.animation import Animation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach.display import in_notebook
from kerasteach.plotting.saving import save
from kerasteach.validation import received


class ComposedFigure(Figure):
    """A figure of several panels, which a notebook shows once.

    Jupyter's inline backend shows every open figure at the end of a cell. A figure in the cell's last line is also
    shown as the cell's value, and is then closed, so that it does not appear twice.
    """

    def _ipython_display_(self) -> None:
        if "inline" in plt.get_backend():
            plt.close(self)
        raise NotImplementedError  # for IPython: show the figure as any other


def show_or_save(figure: Figure | Axes | Animation, path: str | Path) -> None:
    """Show a figure in a notebook; in a script, write it into a file and print the path.

    In a notebook, a figure appears below the cell that draws it, and an animation as a player with buttons. A script
    that runs again replaces its files.

    Args:
        figure: A figure, axes of it, or an animation.
        path: The file, as `kerasteach.plotting.save` takes it.

    Raises:
        TypeError: If it is no figure.
        ValueError: If the ending of the path is another one.
        RuntimeError: If it is to be an `.mp4`, and there is no ffmpeg.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4]}))
        >>> kt.plotting.show_or_save(ax, "figures/learning_curves.png")  # doctest: +SKIP
        figures/learning_curves.png
    """
    if not in_notebook():
        print(save(figure, path, overwrite=True))  # noqa: T201  the output of a script
    elif isinstance(figure, Animation):
        from IPython.display import HTML, display

        display(HTML(figure.to_jshtml()))
        plt.close(figure._fig)  # type: ignore[attr-defined]  # the still picture is not shown besides
    elif not isinstance(figure, (Figure, Axes)):
        raise TypeError(f"`figure` must be a figure, axes or an animation. {received('figure', figure)}")
