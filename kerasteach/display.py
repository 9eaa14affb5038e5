"""Display of results: a short text in a shell, a short HTML view in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 5  # of the table


@dataclass(frozen=True)
class View:
    """What is shown of a result.

    Attributes:
        title: What it is, in one line: `"GradientCapture: 3 layers, 40 steps"`.
        table: Its table, of which the head is shown. Defaults to `None`: it has none.
        calls: What to call next, as code: `(".plot()", ".frame")`. Defaults to none.
    """

    title: str
    table: pd.DataFrame | None = None
    calls: Sequence[str] = field(default=())


class Displayed:
    """A result that shows itself: `repr` in a shell, HTML in a notebook. A subclass defines `_view`.

    Example:
        >>> import pandas as pd
        >>> from kerasteach.display import Displayed, View
        >>> class Losses(Displayed):
        ...     def _view(self):
        ...         return View("Losses: 2 epochs", pd.DataFrame({"loss": [0.5, 0.25]}), (".plot()",))
        >>> Losses()
        Losses: 2 epochs
           loss
        0  0.50
        1  0.25
        Next: .plot()
    """

    def _view(self) -> View:
        raise NotImplementedError

    def __repr__(self) -> str:
        view = self._view()
        parts = [view.title]
        if view.table is not None and len(view.table):
            parts.append(view.table.head(_ROWS).to_string())
            parts += [_more(view.table)] if len(view.table) > _ROWS else []
        return "\n".join([*parts, *([f"Next: {', '.join(view.calls)}"] if view.calls else [])])

    def _repr_html_(self) -> str:
        view = self._view()
        parts = [f"<p><strong>{escape(view.title)}</strong></p>"]
        if view.table is not None and len(view.table):
            parts.append(view.table.head(_ROWS).to_html(notebook=True))  # which escapes what the cells hold
            parts += [f"<p>{_more(view.table)}</p>"] if len(view.table) > _ROWS else []
        if view.calls:
            parts.append(f"<p>Next: {', '.join(f'<code>{escape(call)}</code>' for call in view.calls)}</p>")
        return "\n".join(parts)


def _more(table: pd.DataFrame) -> str:
    return f"... {len(table):,} rows, {len(table.columns)} columns"


def in_notebook() -> bool:
    """Say whether the program is a notebook's kernel; a shell of IPython's is none."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")
