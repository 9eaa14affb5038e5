"""Figure of a training whose fault is to be found: loss, accuracies, gradients, steps, units and images."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kerasteach.plotting.activation_statistics import activation_statistics
from kerasteach.plotting.gradient_flow import gradient_flow
from kerasteach.plotting.learning_curves import learning_curves
from kerasteach.plotting.pages import composed, panels
from kerasteach.plotting.update_ratios import update_ratios
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table

_COLUMNS = 4  # of images
_IMAGE, _ROW = 0.85, 1.25  # the side of an image, and the height of a row with its labels


def clinic_figure(
    history: Table, gradients: Table, activations: Table, images: np.ndarray, labels: np.ndarray, *, chance: float
) -> Figure:
    """Draw a training on one page, and say nothing of what is wrong with it.

    Args:
        history: Loss and accuracies, with `val_accuracy`.
        gradients: Of each step, with `norm` and `update_ratio`.
        activations: Of each epoch, with `dead_fraction`.
        images: Some images, `(examples, 64)`.
        labels: Their labels, `(examples,)`.
        chance: The accuracy of a guess.

    Returns:
        The figure.
    """
    with composed():
        figure, axes = panels(6, 3, width=4.4, height=3.6)
        learning_curves(history, ax=axes[0], title=gettext("Loss in training"))
        learning_curves(history, "val_accuracy", axes[1], chance=chance, title=gettext("Accuracy on new images"))
        _examples(axes[2], images, labels)
        gradient_flow(gradients, ax=axes[3], title=gettext("Gradient, layer by layer"))
        update_ratios(gradients, ax=axes[4], title=gettext("Steps of the kernels, layer by layer"))
        activation_statistics(activations, "dead_fraction", ax=axes[5], title=gettext("Units that are always 0"))
    return figure


def _examples(ax: Axes, images: np.ndarray, labels: np.ndarray) -> None:
    """Draw square images in rows, each above its label."""
    side, rows = round(images.shape[1] ** 0.5), -(-len(images) // _COLUMNS)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(number, _COLUMNS)
        left, top = column, -row * _ROW
        extent = (left, left + _IMAGE, top - _IMAGE, top)
        ax.imshow(image.reshape(side, side), cmap="gray", vmin=0, vmax=images.max(), extent=extent)
        ax.text(left + _IMAGE / 2, top - _IMAGE - 0.05, str(label), ha="center", va="top")
    ax.set(xlim=(0, _COLUMNS), ylim=(-rows * _ROW, 0), aspect="equal", title=gettext("Images and their labels"))
    ax.set_axis_off()
