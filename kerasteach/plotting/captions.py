"""Titles that say what a figure shows, and descriptions of it in words, for those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, SubFigure

from kerasteach.plotting.level_lines import LevelName
from kerasteach.plotting.text_fitting import fitted
from kerasteach.plotting.wording import gettext, in_language, language
from kerasteach.validation import received, text

AUTO = "auto"  # a `title`: the finding where there is one, and what is drawn
_MATH = str.maketrans("", "", "$\\")
_PAD = 0.8  # of the title's letters


@dataclass(frozen=True)
class _Caption:
    what: str
    finding: str
    language: str = field(default_factory=language)  # that of the moment at which it is drawn


_captions: WeakKeyDictionary[Axes | Figure, _Caption] = WeakKeyDictionary()


def check_title(title: Any) -> None:
    """Refuse a title that cannot be written, before there is a figure.

    Raises:
        TypeError: If it is no text and not `None`.
        ValueError: If it has a letter that cannot be printed.
    """
    if title is not None and not all(line.isprintable() for line in text("title", title, empty=True).splitlines()):
        raise ValueError(f"`title` must be of letters that can be printed. {received('title', title)}")


def caption(ax: Axes, title: str | None, what: str, finding: str = "", *, pad: float | None = None) -> None:
    """Write the title of a panel, and keep its description for `describe`.

    Args:
        ax: The panel.
        title: The caller's: `"auto"` for the finding, with what is drawn below it; `None` for no title; or a text.
        what: What is drawn, in a few words, such as `"gradients by layer, mean over the steps of epoch 1"`.
        finding: One sentence that the drawn numbers say with certainty. Defaults to none.
        pad: Points between the title and the axes. Defaults to most of the title's height, in a figure of one panel.

    Raises:
        TypeError: If the title is no text and not `None`.
    """
    _captions[ax] = _Caption(what, finding)
    if title is None:
        return
    title = text("title", title, empty=True)
    lines = [finding, what] if title == AUTO else [title]
    if pad is None and ax.figure.axes == [ax]:
        # A number at the upper end of the axis stands half above it, and the title may be wider than the axes.
        pad = _PAD * float(ax.title.get_fontsize())
    parts = [part for line in lines for part in line.split("\n") if part]
    ax.set_title("\n".join(fitted(ax, part) for part in parts), pad=pad)


def keep(figure: Figure, what: str, finding: str) -> None:
    """Keep what a composed figure shows as a whole, and its finding, for `finding_of`."""
    _captions[figure] = _Caption(what, finding)


def finding_of(figure: Figure) -> tuple[str, str]:
    """Return the finding of a figure as a whole, and what is drawn; each may be empty.

    Those of a panel count where the figure has no other, so that no panel speaks for its neighbors.
    """
    panels = [_captions[ax] for ax in figure.axes if ax in _captions]
    known = _captions.get(figure) or (panels[0] if len(panels) == 1 else _Caption("", ""))
    return known.finding, known.what


def findings_of_panels(figure: Figure) -> list[str]:
    """Return the findings of a figure's panels, each with what is drawn there."""
    panels = [_captions[ax] for ax in figure.axes if ax in _captions]
    return [f"{panel.what}: {panel.finding}" if panel.what else panel.finding for panel in panels if panel.finding]


def describe(figure: Figure | Axes) -> str:
    """Describe a figure in words: what is drawn, the finding, and the range of each axis, panel by panel.

    It is the alternative text of a page, and what `save` writes into an SVG or PDF file.

    Args:
        figure: A figure, or axes of it, drawn by a function of `kerasteach.plotting`.

    Returns:
        The text: a paragraph a panel.

    Raises:
        TypeError: If it is no figure and no axes.

    Example:
        >>> import kerasteach as kt
        >>> ax = kt.plotting.learning_curves(kt.measure.history_table({"loss": [0.9, 0.4, 0.2]}))
        >>> print(kt.plotting.describe(ax))
        Horizontal axis: epochs trained, from 0.9 to 3.1. Vertical axis: training loss, from 0.165 to 0.935.
    """
    if isinstance(figure, Axes):
        return _of_panel(figure)
    if not isinstance(figure, (Figure, SubFigure)):
        raise TypeError(f"`figure` must be a figure or axes. {received('figure', figure)}")
    title = figure.get_suptitle()
    known = [ax for ax in figure.axes if ax in _captions]
    panels = [_of_panel(ax) for ax in known or figure.axes]
    return "\n\n".join(part for part in (_sentence(title), *panels) if part)


def heading(figure: Figure) -> str:
    """Return one line that says what a figure is: its title, or else what its first panel shows."""
    panels = [_captions.get(ax, _Caption("", "")) for ax in figure.axes]
    lines = [figure.get_suptitle(), *(ax.get_title() for ax in figure.axes[:1])]
    lines += [line for panel in panels for line in (panel.finding, panel.what)]
    return next((_sentence(line).rstrip(".") for line in lines if line.strip()), "")


def _of_panel(ax: Axes) -> str:
    """Describe a panel, in the language in which it was drawn."""
    known = _captions.get(ax, _Caption(ax.get_title(), ""))
    with in_language(known.language):
        return " ".join(_sentence(part) for part in _parts(ax, known) if part)


def _parts(ax: Axes, known: _Caption) -> list[str]:
    legend = ax.get_legend()
    names = [entry.get_text() for entry in legend.get_texts()] if legend else []
    names += [text.get_text() for text in ax.texts if isinstance(text, LevelName)]
    parts = [known.what, known.finding]
    parts += [gettext("drawn are: {names}").format(names="; ".join(names))] if names else []
    if ax.axison:
        parts += [_axis(gettext("horizontal axis"), ax.xaxis), _axis(gettext("vertical axis"), ax.yaxis)]
    return parts


def _axis(name: str, axis: Axis) -> str:
    """Say what an axis is, and from where to where it goes: in its own labels where it has names, else in numbers."""
    label = axis.get_label_text()
    low, high = sorted(axis.get_view_interval())
    parts = [label, gettext("logarithmic") if axis.get_scale() == "log" else ""]
    parts.append(gettext("from {low} to {high}").format(low=f"{low:.3g}", high=f"{high:.3g}"))
    return f"{name}: {', '.join(part for part in parts if part)}"


def _sentence(part: Any) -> str:
    words = " ".join(str(part).translate(_MATH).split())
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else ""
