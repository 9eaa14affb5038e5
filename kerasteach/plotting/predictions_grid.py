"""Images with what a classifier says of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from kerasteach.plotting.captions import caption, check_title
from kerasteach.plotting.style import checked_axes, inks, new_axes, plain
from kerasteach.plotting.text_fitting import shortened
from kerasteach.plotting.wording import gettext, grouped, ngettext
from kerasteach.tables.class_labels import MISSING, Labeled, labeled
from kerasteach.validation import array, choice, received, whole


class _Grid(NamedTuple):
    """Axes, the lower left corner of each image, the size of the text in points, and an image's width by its height."""

    ax: Axes
    corners: list[tuple[float, float]]
    size: float
    ratio: float


_ORDERS = ("wrong first", "unsure first", "given")
_RIGHT, _WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"
_GAP = 0.16  # between images, as a share of an image
_COLUMNS = 8
_USUAL, _FAR = (1, 99), 3.0  # percent of the pixels, and how far beyond them the others may reach
_LONGEST = 12  # letters of a class's name
_LEAST = 0.75  # of the text's usual size: what the names below the images have at least; on a slide 14 points
_SMALLEST = 4.5  # sizes of the text: the width of an image for which a new figure becomes higher than usual


def predictions_grid(
    images: Any,
    y_true: Any,
    y_pred: Any,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    order: str = "wrong first",
    most: int = 24,
    columns: int | None = None,
    title: str | None = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw images with what a network says of each, the wrong ones marked by a frame and a cross.

    Below an image stands the class that the network gives it, with the probability where it is known; below a wrong one
    also its own class.

    Args:
        images: `(examples, height, width)`, with a last axis of 1 or 3 or 4 channels; or flattened squares of gray, as
            `(examples, 64)` of digits or `(examples, 784)` of MNIST. Gray images are drawn on the scale of all of them;
            colors are from 0 to 1, or from 0 to 255, and other ranges are stretched.
        y_true: The images' own classes: names or numbers, `(examples,)`, or one-hot rows `(examples, classes)`.
        y_pred: What a network says of them: names or numbers, or probabilities `(examples, classes)` or
            `(examples, 1)`, as `model.predict` returns them.
        labels: The classes' names, in the order of their numbers. Defaults to `None`: those that occur, in order.
        ax: Where to draw. Defaults to a new figure that fits the images.
        order: `"wrong first"`, the surest errors leading where probabilities are given; `"unsure first"`, which needs
            probabilities; or `"given"`. Defaults to `"wrong first"`.
        most: How many images to draw. Defaults to `24`.
        columns: How many stand in a row. Defaults to `None`: eight, or fewer where the names below them are long.
        title: `"auto"` for how many of all images are right, `None` for none, or a text. Defaults to `"auto"`.
        **kwargs: What `matplotlib.axes.Axes.imshow` takes, such as `cmap`.

    Returns:
        The axes.

    Raises:
        TypeError: If images are no numbers, or classes are neither numbers nor names.
        ValueError: If the images have another shape, or the arguments do not fit each other.

    Example:
        >>> import numpy as np, kerasteach as kt
        >>> ax = kt.plotting.predictions_grid(np.eye(8)[None].repeat(3, 0), [1, 2, 2], [1, 2, 1])
        >>> print(ax.get_title())
        2 of 3 images right
        3 images, the wrong ones first
    """
    check_title(title)
    ax = checked_axes(ax)
    pictures = _pictures(images)
    given = labeled(y_true, y_pred, labels)
    if len(pictures) != len(given.true):
        raise ValueError(
            "`images` must have an image for each of `y_true`. "
            f"Received: {len(pictures)} images and {len(given.true)} classes."
        )
    chosen = _chosen(given, choice("order", order, _ORDERS))[: whole("most", most)]
    ratio = pictures.shape[2] / pictures.shape[1]
    texts = [_text(given, number) for number in chosen]
    grid = _laid_out(ax, texts, None if columns is None else whole("columns", columns), ratio)
    for number, text, corner in zip(chosen, texts, grid.corners, strict=True):
        _image(grid.ax, pictures, number, corner, kwargs)
        _label(grid, text, corner, wrong=given.predicted[number] != given.true[number])
    right = int((given.predicted == given.true).sum())
    caption(grid.ax, title, _what(len(chosen), len(given.true), order), _finding(right, len(given.true)))
    return grid.ax


def _what(shown: int, count: int, order: str) -> str:
    """Say how many images are drawn, and in which order."""
    message = gettext("{shown} images") if shown == count else gettext("{shown} of them")
    orders = {"wrong first": gettext("the wrong ones first"), "unsure first": gettext("the least sure first")}
    parts = [message.format(shown=shown), orders.get(order, "")] if shown > 1 else [gettext("1 image")]
    return ", ".join(part for part in parts if part)


def _finding(right: int, count: int) -> str:
    message = ngettext("{right} of {count} image right", "{right} of {count} images right", count)
    return message.format(right=grouped(right), count=grouped(count))


def _pictures(images: Any) -> np.ndarray:
    """Return images as `(examples, height, width)` or `(examples, height, width, channels)`, colors from 0 to 1."""
    pictures = array("images", images)
    side = round(pictures.shape[1] ** 0.5) if pictures.ndim == 2 else 0
    if pictures.ndim == 2 and side * side == pictures.shape[1]:
        pictures = pictures.reshape(-1, side, side)
    if pictures.ndim == 4 and pictures.shape[3] == 1:
        pictures = pictures[..., 0]
    if pictures.ndim not in (3, 4) or (pictures.ndim == 4 and pictures.shape[3] not in (3, 4)) or not pictures.size:
        raise ValueError(
            "`images` must be (examples, height, width), with a last axis of 1, 3 or 4 channels, or flattened squares. "
            f"{received('images', images)}"
        )
    if pictures.ndim == 3:
        return pictures
    finite = np.nan_to_num(pictures, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= 1:
        return finite
    if low >= 0 and high <= 255:
        return finite / 255
    return (finite - low) / (high - low)


def _chosen(given: Labeled, order: str) -> np.ndarray:
    """Return the numbers of the images in the order in which they are drawn."""
    numbers = np.arange(len(given.true))
    if order == "given":
        return numbers
    if order == "unsure first":
        if given.shares is None:
            raise ValueError('`order="unsure first"` needs probabilities in `y_pred`. Received: classes alone.')
        return numbers[np.argsort(given.shares, kind="stable")]
    sure = np.zeros(len(numbers)) if given.shares is None else given.shares
    wrong = given.predicted != given.true
    return numbers[np.lexsort((np.where(wrong, -sure, 0.0), ~wrong))]


def _text(given: Labeled, number: int) -> str:
    """Return what stands below an image."""
    true, predicted = int(given.true[number]), int(given.predicted[number])
    share = "" if given.shares is None or predicted == MISSING else f" {100 * given.shares[number]:.0f} %"
    said = gettext("not finite") if predicted == MISSING else f"{shortened(given.names[predicted], _LONGEST)}{share}"
    if true == predicted:
        return f"{_RIGHT} {said}"
    return f"{_WRONG} {said}\n" + gettext("true: {class_name}").format(
        class_name=shortened(given.names[true], _LONGEST)
    )


def _laid_out(ax: Axes | None, texts: Sequence[str], columns: int | None, ratio: float) -> _Grid:
    """Return axes in which an image is 1 high, where each image stands, and how large the text is."""
    normal = float(plt.rcParams["font.size"])
    box = None if ax is None else ax.get_window_extent()
    letters = 0.6 * (1 + max(len(line) for text in texts for line in text.split("\n")))
    dots = 1.0 if ax is None else ax.get_figure(root=True).dpi / 72  # type: ignore[union-attr]  # it is on a figure
    width = 72 * float(plt.rcParams["figure.figsize"][0]) if box is None else box.width / dots
    across = min(columns or max(2, min(_COLUMNS, int(width / (letters * _LEAST * normal)))), len(texts))
    rows = [texts[first : first + across] for first in range(0, len(texts), across)]
    lines = [max(1 + text.count("\n") for text in row) for row in rows]
    limit = 1.3 * 72 * float(plt.rcParams["figure.figsize"][1]) if box is None else box.height / dots
    spare = 4.5 * normal if box is None else 0.0  # for the title
    image = width / across / (ratio + _GAP) * ratio  # points
    size = min(normal, width / across / letters)
    heights, texts_high = len(rows) / ratio * (1 + 2 * _GAP), 1.25 * size * sum(lines)  # of images; points
    if box is None:
        usual = 72 * float(plt.rcParams["figure.figsize"][1])
        image = min(image, max((usual - spare - texts_high) / heights, _SMALLEST * size))
    needed = heights * image + texts_high + spare
    if needed > limit:
        image, size = image * (limit - spare) / (needed - spare), size * max(0.75, (limit - spare) / (needed - spare))
    unit = ratio / image  # of a point, in heights of an image
    if ax is None:
        ax = new_axes(None)
        height = heights * image + 1.25 * size * sum(lines) + spare
        ax.get_figure(root=True).set_size_inches(width / 72, height / 72)  # type: ignore[union-attr]
    step = max(ratio + _GAP, letters * size * unit)
    tops = -np.cumsum([0.0, *(1 + 2 * _GAP + 1.25 * size * unit * count for count in lines)])
    corners = [(place % across * step, float(tops[place // across]) - 1) for place in range(len(texts))]
    ax.set(xlim=(-(step - ratio) / 2, across * step - (step - ratio) / 2), ylim=(float(tops[-1]), _GAP), aspect="equal")
    ax.set_axis_off()
    return _Grid(ax, corners, size, ratio)


def _image(ax: Axes, pictures: np.ndarray, number: int, corner: tuple[float, float], options: dict[str, Any]) -> None:
    left, low = corner
    ends = (left, left + pictures.shape[2] / pictures.shape[1], low, low + 1)
    scale: dict[str, Any] = {}
    if pictures.ndim == 3:
        scale = {"cmap": "gray", **dict(zip(("vmin", "vmax"), _grays(pictures), strict=True))}
    picture = np.ma.masked_invalid(pictures[number]) if pictures.ndim == 3 else pictures[number]
    ax.imshow(picture, **{"extent": ends, "interpolation": "nearest", **scale, **options})


def _grays(pictures: np.ndarray) -> tuple[float, float]:
    """Return what is black and what is white: the ends, but for a few pixels far out, as standardized images have."""
    known = pictures[np.isfinite(pictures)]
    if not known.size:
        return 0.0, 0.0
    ends, usual = np.percentile(known, [0, 100]), np.percentile(known, _USUAL)
    low, high = usual if np.ptp(ends) > _FAR * np.ptp(usual) > 0 else ends
    return min(0.0, float(low)), max(0.0, float(high))


def _label(grid: _Grid, text: str, corner: tuple[float, float], wrong: bool) -> None:
    """Write what the network says, and frame an image of which that is wrong."""
    ink = inks()
    grid.ax.text(
        corner[0] + grid.ratio / 2,
        corner[1] - 0.3 * _GAP,
        plain(text),
        ha="center",
        va="top",
        fontsize=grid.size,
        color=ink.backward if wrong else ink.text,
        fontfamily=[*plt.rcParams["font.family"], "DejaVu Sans"],  # which has the signs
        linespacing=1.1,
    )
    if wrong:
        width = max(1.5, grid.size / 5)
        grid.ax.add_patch(Rectangle(corner, grid.ratio, 1, fill=False, ec=ink.backward, lw=width, zorder=3))
