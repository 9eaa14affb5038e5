"""Tables of a run, as its figures, its diagnosis and its pages take them. Needs no drawing library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Run:
    """Tables of a run, and what its readers need besides: figures, a diagnosis, pages.

    Attributes:
        tables: By name. A comparison has `history`, `gradients` and, where they fit the data, `predictions` and
            `confusion`; a capture has `gradients` or `activations`, and its histograms as `gradient_histograms` or
            `activation_histograms`. Those without a row count as missing. `attrs["setting"]` of a table has
            what was trained on what, as values.
        task: `"classification"` or `"regression"`. Defaults to nothing: not known.
        target: The training loss at which training was to stop. Defaults to `None`: there was none.
        examples: Returns the examples in the units of `predictions`, as `decision_boundary` takes them: `x` and `y`.
            Defaults to none, where they are not known.
        summary: Returns the summary of a comparison. Defaults to `None`: it is none.
        note: What is to be known of the run, such as that it is not finished. Defaults to nothing.
    """

    tables: Mapping[str, pd.DataFrame]
    task: str = ""
    target: float | None = None
    examples: Callable[[], dict[str, Any]] = dict
    summary: Callable[[], pd.DataFrame] | None = None
    note: str = ""

    def has(self, table: str) -> bool:
        """Say whether there is a table of this name, with a row."""
        return table in self.tables and not self.tables[table].empty
