"""What of a drawn figure does not stand as it should: text cut off, text on text, a legend on a line."""

from itertools import combinations, pairwise
from unittest.mock import patch

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.text import Text

TOUCHING = 1.5  # pixels by which boxes may overlap: a box is somewhat larger than its letters
COVERED = 0.1  # share of a line's length that a legend may cover


def problems(drawn):
    """Return a sentence for each text that is cut off or overlaps another one, and each legend on a line.

    Args:
        drawn: A figure, or axes.
    """
    figure = drawn.get_figure(root=True) if isinstance(drawn, Axes) else drawn
    texts = _drawn_texts(figure)
    width, height = figure.bbox.size
    found = []
    for text, corners in texts:
        (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
        beyond = max(-left, -bottom, right - width, top - height)
        if beyond > TOUCHING:
            found.append(f"{_name(text)} is cut off by {beyond:.0f} pixels")
    for (text, corners), (other, others) in combinations(texts, 2):
        depth = _overlap(corners, others)
        if depth > TOUCHING:
            found.append(f"{_name(text)} overlaps {_name(other)} by {depth:.0f} pixels")
    return [*found, *_covered(figure)]


def _drawn_texts(figure):
    """Return every text that a drawing of the figure draws, with the corners of its box, in pixels."""
    drawn = {}
    draw = Text.draw

    def note(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            drawn[id(text)] = (text, _corners(text, renderer))
        return draw(text, renderer, *args, **kwargs)

    with patch.object(Text, "draw", note):
        figure.draw_without_rendering()
    return list(drawn.values())


def _corners(text, renderer):
    """Return the corners of a text's box, `(4, 2)`, turned as the text is."""
    box = Text.get_window_extent(text, renderer)  # of an annotation without its arrow
    angle = text.get_rotation()
    if angle % 90 == 0:
        return np.array([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)])
    text.set_rotation(0)
    flat = Text.get_window_extent(text, renderer)
    text.set_rotation(angle)
    middle = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
    across, up = (np.radians(angle + turn) for turn in (0, 90))
    right = flat.width / 2 * np.array([np.cos(across), np.sin(across)])
    top = flat.height / 2 * np.array([np.cos(up), np.sin(up)])
    return np.array([middle + x * right + y * top for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def _overlap(first, second):
    """Return by how many pixels two rectangles overlap: the least along the directions of their edges."""
    depth = np.inf
    for corners in (first, second):
        for start, end in pairwise(corners[:3]):
            edge = end - start
            length = np.hypot(*edge)
            if length == 0:
                return 0.0
            a, b = first @ edge / length, second @ edge / length
            depth = min(depth, min(a.max(), b.max()) - max(a.min(), b.min()))
    return depth


def _covered(figure):
    """Yield a sentence for each line of which a legend covers more than a little."""
    boxes = [legend.get_window_extent() for legend in figure.findobj(Legend)]
    lines = [(one, line) for one in figure.axes if boxes for line in one.lines if line.get_visible()]
    for ax, line in lines:
        points = line.get_transform().transform(np.column_stack(line.get_data(orig=False)).astype(float))
        points = _between(points[np.isfinite(points).all(axis=1)])
        points = points[_inside(points, ax.bbox.padded(1))] if line.get_clip_on() else points
        for box in boxes:
            inside = _inside(points, box)
            if len(points) and inside.mean() > COVERED:
                yield f"a legend covers {inside.mean():.0%} of the line {line.get_label()!r}"


def _inside(points, box):
    """Return which points lie inside a box."""
    return (points > (box.x0, box.y0)).all(axis=1) & (points < (box.x1, box.y1)).all(axis=1)


def _between(points):
    """Return points every few pixels along a line through these."""
    parts = [points[:1]]
    for start, end in pairwise(points):
        count = max(1, min(1000, int(np.hypot(*(end - start)) / 3)))
        parts.append(start + (end - start) * np.linspace(0, 1, count + 1)[1:, None])
    return np.concatenate(parts)


def _name(text):
    words = text.get_text().replace("\n", " ")
    return repr(words if len(words) < 40 else f"{words[:37]}...")
