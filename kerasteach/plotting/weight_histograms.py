"""Histograms of the weights, layer by layer, before and after a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kerasteach import validation
from kerasteach.plotting.captions import AUTO, caption, check_title
from kerasteach.plotting.layer_names import as_text, short_of
from kerasteach.plotting.pages import composed, on_page, panels, write_headline
from kerasteach.plotting.style import blend, inks, new_axes
from kerasteach.plotting.wording import N_, gettext
from kerasteach.validation import received, text

PANELS = 9  # on a page
_BINS = 40
_MAGNITUDE = 1e37  # larger weights have no bins in float32


def weight_histograms_figure(
    before: Any, after: Any = None, parameter: str | None = "kernel", *, page: int = 1, title: str | None = AUTO
) -> Figure:
    """Draw how each layer's weights are spread, before and after a training, a panel a layer.

    The outline is before, the filled shape after, with the same bins; beside the layer's name stand the standard
    deviations, before and after.
    Weights that never left the shape they were drawn with have hardly been trained. Each panel has a scale of its own:
    a wide layer's weights are small to begin with.

    Args:
        before: A `WeightSnapshots`, whose first and last snapshots are drawn; or weights: a list of arrays such as
            `model.get_weights()` returns, or a mapping from names such as `Comparison.weights` holds.
        after: The weights of the same network after the training, in the same form. Defaults to `None`: the last
            snapshot, or without snapshots `before` alone.
        parameter: Which weights: `"kernel"`, `"bias"`, ...; `None` for all. Of weights without names, `"kernel"` means
            those of two dimensions or more. Defaults to `"kernel"`.
        page: Which nine of more weights. Defaults to `1`.
        title: `"auto"` for what is drawn, a text of your own, or `None`. Defaults to `"auto"`.

    Returns:
        The figure.

    Raises:
        TypeError: If these are no weights.
        ValueError: If there is no such weight or page, or `before` and `after` have different shapes.

    Example:
        >>> import numpy as np, kerasteach as kt
        >>> start, end = {"hidden/kernel": np.zeros((2, 3))}, {"hidden/kernel": np.ones((2, 3))}
        >>> figure = kt.plotting.weight_histograms_figure(start, end)
        >>> figure.axes[0].get_title()
        'hidden: 0, then 0'
    """
    check_title(title)
    first, last = _both(before, after)
    chosen = _chosen(first, parameter)
    shown, note = on_page([str(place) for place in range(len(chosen))], page, PANELS, N_("weights"))
    of_one = {name.rpartition("/")[2] for name, _ in chosen} if _is_named(first) else set()
    with composed():
        figure, axes = panels(len(shown), min(3, len(shown)), width=4.0, height=2.6)
        titles = _titles([name for name, _ in chosen], len(of_one) == 1)
        for number, ax in zip(shown, axes, strict=True):
            name, array = chosen[int(number)]
            _draw(ax, titles[int(number)], array, None if last is None else last[name])
        figure.supylabel(gettext("share of the weights"), fontsize=axes[0].xaxis.label.get_fontsize())
        what = gettext("weights by layer, with their standard deviation")
        if last is not None:
            what = gettext("weights by layer, with their standard deviation, before (outline) and after (filled)")
        write_headline(figure, title, what, note=note)
    return figure


def _both(before: Any, after: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray] | None]:
    """Return the weights before and after, by name."""
    snapshots, names = getattr(before, "snapshots", None), getattr(before, "names", None)
    if snapshots is not None:
        if not len(snapshots):
            raise ValueError("`before` has no snapshot yet: train a model with it. Received: 0 snapshots.")
        known = names if names is not None and len(names) == len(snapshots[0]) else None
        before = dict(zip(known, snapshots[0], strict=True)) if known else snapshots[0]
        if after is None:
            after = dict(zip(known, snapshots[-1], strict=True)) if known else snapshots[-1]
    first = _arrays("before", before)
    if after is None:
        return first, None
    last = _arrays("after", after)
    if {name: array.shape for name, array in first.items()} != {name: array.shape for name, array in last.items()}:
        if len(first) == len(last) and [a.shape for a in first.values()] == [a.shape for a in last.values()]:
            return first, dict(zip(first, last.values(), strict=True))  # of another copy, with other names
        raise ValueError(
            "`before` and `after` must be of the same network. Received: the shapes "
            f"{[array.shape for array in first.values()]} and {[array.shape for array in last.values()]}."
        )
    return first, last


def _arrays(argument: str, value: Any) -> dict[str, np.ndarray]:
    """Return arrays of numbers by name, where they have none by their number."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not isinstance(value, Mapping) and not is_list:
        raise TypeError(
            f"`{argument}` must be a WeightSnapshots, a list of arrays, or a mapping from names to arrays. "
            f"{received(argument, value)}"
        )
    items = value.items() if isinstance(value, Mapping) else ((f"#{place}", one) for place, one in enumerate(value))
    return {str(name): validation.array(argument, one) for name, one in items}


def _is_named(weights: Mapping[str, np.ndarray]) -> bool:
    return not all(name.startswith("#") for name in weights)


def _chosen(weights: Mapping[str, np.ndarray], parameter: str | None) -> list[tuple[str, np.ndarray]]:
    """Return the weights that are meant, with their names."""
    present = [(name, one) for name, one in weights.items() if one.size]
    if parameter is None:
        found = present
    elif _is_named(weights):
        parameter = text("parameter", parameter)
        found = [(name, array) for name, array in present if name.rpartition("/")[2].split(" #")[0] == parameter]
    else:
        found = [(name, array) for name, array in present if parameter != "kernel" or array.ndim > 1]
    if not found:
        names = sorted({name.rpartition("/")[2] for name, _ in present})
        raise ValueError(
            f"`parameter` must be a weight of `before`: {', '.join(names) or 'it has none'}; None draws all. "
            f"{received('parameter', parameter)} {received('before', list(weights.values()))}"
        )
    return found


def _titles(paths: Sequence[str], alike: bool) -> list[str]:
    """Return what to call the weights: each by its layer, and by the parameter where the panels differ in it."""
    if all(path.startswith("#") for path in paths):
        return [gettext("weight {number}").format(number=int(path[1:]) + 1) for path in paths]
    if not alike or not all("/" in path for path in paths):
        return [as_text(path) for path in paths]
    layers = {number: path.rpartition("/")[0] for number, path in enumerate(paths, 1)}
    return [as_text(name) for name in short_of(layers).values()]


def _draw(ax: Axes, name: str, before: np.ndarray, after: np.ndarray | None) -> None:
    new_axes(ax)
    parts = [before.ravel()] + ([] if after is None else [after.ravel()])
    finite = [part[np.isfinite(part) & (np.abs(part) < _MAGNITUDE)] for part in parts]
    everything = np.concatenate(finite)
    if not everything.size:
        ax.set_yticks([])
        ax.text(0.5, 0.5, gettext("no finite weight"), transform=ax.transAxes, ha="center", va="center")
        caption(ax, AUTO, name)
        return
    edges = np.histogram_bin_edges(everything, _BINS)
    shares = [np.histogram(part, edges)[0] / max(1, whole.size) for part, whole in zip(finite, parts, strict=True)]
    ink = inks()
    if after is not None:
        ax.stairs(shares[1], edges, fill=True, color=blend(ink.forward, ink.surface, 0.75))
    ax.stairs(shares[0], edges, color=ink.text, lw=1.6, fill=False)
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
    spreads = [f"{part.std():.2g}" if part.size else gettext("none") for part in finite]
    lost = sum(whole.size - part.size for part, whole in zip(finite, parts, strict=True))
    both = gettext("{before}, then {after}").format(before=spreads[0], after=spreads[-1])
    what = f"{name}: {both if len(spreads) > 1 else spreads[0]}"
    if lost:
        what = gettext("{what}; {count} not finite").format(what=what, count=lost)
    caption(ax, AUTO, what)
