"""Lecture figure: learning curves, test score, gradient flow and gradient heat maps on one page."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from kerasteach.plotting import non_finite
from kerasteach.plotting.captions import AUTO, caption, check_title, keep
from kerasteach.plotting.comparison_tables import (
    GRADIENTS,
    HISTORY,
    Hue,
    levels_of,
    names_of,
    networks_in,
    setting_of,
    spread_note,
)
from kerasteach.plotting.gradient_flow import draw_flow, line_handles, lines_of, network_handles
from kerasteach.plotting.gradient_heat_map import heat_maps
from kerasteach.plotting.learning_curves import diverged, draw_curves, draw_levels, levels_in
from kerasteach.plotting.legends import legend_columns
from kerasteach.plotting.notebook import ComposedFigure
from kerasteach.plotting.pages import composed, headline, on_page, page_size
from kerasteach.plotting.style import looks, new_axes
from kerasteach.plotting.text_fitting import broken
from kerasteach.plotting.wording import gettext
from kerasteach.tables.checks import Table, frame_of

_LETTERS = 90  # in a line of the title
_LABEL_LETTERS = 14  # in a line of the label of a low panel
_LEGEND_LETTERS = 110  # in a line of the legend


def lecture_figure(
    history: Table,
    gradients: Table = None,
    title: str | None = AUTO,
    *,
    hue: Hue = None,
    page: int = 1,
) -> Figure:
    """Compose learning curves, test score, gradient flow and the gradients over time on one 16:9 page.

    A page has six networks at most, so that its text can be read; of more networks there are further pages.

    Args:
        history: A comparison, its table `history`, or `kerasteach.measure.history_table(model.fit(...))` for one model.
        gradients: The gradients: a comparison, a `GradientCapture` of one model, or the table of either. Defaults to
            `None`: those of the comparison that is given as `history`.
        title: A line above it all, such as what was trained on what; or `"auto"`, the finding of the gradient flow
            where there is one, with what the table says of data and training; or `None` for none. Defaults to `"auto"`.
        hue: The column, or columns, that distinguish networks. Defaults to `None`: those that `compare` writes.
        page: Which six of more networks. Defaults to `1`; `kerasteach.plotting.pages(history)` says how many pages
            there are.

    Returns:
        The figure: on top the training loss, the test score where there is one, and the gradient flow of the first
        epoch; below a heat map for each network of the gradients that carry the error signal, see `gradient_flow`.

    Raises:
        TypeError: If a table is no data frame, or a column of it holds values of another kind.
        ValueError: If a table lacks a column or has no row, the tables are of different networks, or there is no such
            page.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare("tanh", data="iris", hidden=(4,), seeds=1, epochs=1, verbose=0)
        >>> figure = kt.plotting.lecture_figure(result)
    """
    check_title(title)
    curves = networks_in("history", history, HISTORY, hue)
    recorded = history if gradients is None else gradients
    frame = networks_in("gradients", recorded, GRADIENTS, hue)
    names = names_of(curves)
    if set(names) != set(names_of(frame)):
        raise ValueError(
            "`history` and `gradients` must be of the same networks. "
            f"Received: {', '.join(names) or 'one'} and {', '.join(names_of(frame)) or 'one'}."
        )
    shown, note = on_page(names, page)
    with composed():
        figure = plt.figure(figsize=page_size(), layout="constrained", FigureClass=ComposedFigure)
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.5, 1], squeeze=False).flat
        lines = lines_of(frame, "both")
        # Of one model, the gradients know its learning rate, and the history does not.
        setting = setting_of(frame_of("gradients", recorded)) or setting_of(frame_of("history", history))
        levels = levels_of(frame_of("history", history))
        finding = _upper(top, curves, lines, shown, levels)
        heat_maps(
            next(iter(lines.values())),
            dict(zip(shown, bottom.subplots(1, len(shown), squeeze=False).flat, strict=True)),
        )
        keep(figure, "learning curves, gradients by layer, and gradients by layer and epoch", finding)
        above = headline(title, "\n".join(part for part in (finding, setting) if part), note, _LETTERS)
        if above:
            figure.suptitle(above)
    return figure


def _upper(
    figure: SubFigure,
    curves: pd.DataFrame,
    lines: Mapping[str, pd.DataFrame],
    shown: list[str],
    known: tuple[float | None, float | None],
) -> str:
    """Draw loss, score and gradient flow beside each other, with one legend below them, and return the finding."""
    look_of = looks(names_of(curves))
    curves = curves[curves["network"].isin(shown)]
    lines = {kind: rows[rows["network"].isin(shown)] for kind, rows in lines.items()}
    lines = {kind: rows for kind, rows in lines.items() if len(rows)}
    scores = [name for name in ("val_accuracy", "val_loss") if name in set(curves["metric"].unique())][:1]
    axes: list[Axes] = list(figure.subplots(1, 2 + len(scores), width_ratios=[1] * (1 + len(scores)) + [1.5]))
    found: dict[str, str] = {}
    for ax, metric in zip(axes, ["loss", *scores], strict=False):
        notes = diverged(curves, metric)
        draw_curves(new_axes(ax), curves, metric, look_of, notes)
        draw_levels(ax, levels_in(ax, metric, known))
        caption(ax, None, gettext("learning curves"))
        found = notes | found
    flow, what, finding = draw_flow(new_axes(axes[-1]), lines, "first", look_of)
    caption(axes[-1], what, what, finding, pad=non_finite.room_for_crosses(axes[-1]))
    axes[-1].set_ylabel(broken(axes[-1].get_ylabel(), _LABEL_LETTERS))
    found = flow | found
    handles = [*network_handles({name: look_of[name] for name in shown}, found), *line_handles(lines)]
    title = spread_note(curves) if shown != [""] else None
    columns = legend_columns([str(handle.get_label()) for handle in handles], _LEGEND_LETTERS)
    figure.legend(handles=handles, title=title, loc="outside lower center", ncols=columns, frameon=False)
    return finding
