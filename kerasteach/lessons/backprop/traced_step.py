"""Result of `trace_step`: a training step as a table, a figure and an explanation."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import pandas as pd

from kerasteach.display import Displayed, View
from kerasteach.lessons.backprop.explain.explanation import explained, readable
from kerasteach.lessons.backprop.explain.sections import render
from kerasteach.lessons.backprop.step import Step
from kerasteach.tables.training_step import step_table
from kerasteach.translation import SOURCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class TracedStep(Displayed):
    """One training step of a model: a table of its numbers, and an explanation of each.

    In a notebook it shows the explanation, if the network is small enough to read.
    """

    def __init__(self, step: Step) -> None:
        self._step = step

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The numbers, one a row: `phase, layer, depth, quantity, example, unit, source, value`.

        `phase` is `forward` (quantities `x, z, a`), `error` (`E`), `backward` (`dE/da, dE/dz, dE/dW, dE/db`) or
        `update` (`W, b, new W, new b`). `depth` counts the dense layers from 1 at the input; an activation layer has
        the depth of the dense layer before it. `example`, `unit` and `source` (a unit of the layer before) count from
        0, as the arrays' indices do. What does not apply is missing. `E` without a layer and an example is the batch's
        error, as Keras reports it; with a layer, the part that its regularizers add.
        """
        return step_table(self._step.parts())

    def explain(
        self,
        format: Literal["text", "markdown", "latex"] = "text",  # noqa: A002  the usual word
        *,
        language: str = SOURCE,
    ) -> str:
        """Explain the step in the course's four steps: each line a formula, its numbers, and the result.

        Args:
            format: `"text"`; `"markdown"`, with formulas between dollar signs; or `"latex"`, displayed formulas that
                LaTeX (with amsmath), MathJax and KaTeX can set. Defaults to `"text"`.
            language: The language of the sentences: `"en"`, or `"de"` for German. Defaults to `"en"`.

        Raises:
            TypeError: If the format or the language is no text.
            ValueError: If the format or the language is another one, or the network or batch is too large to read.
        """
        return render(explained(self._step, language), format)

    def plot(self, example: int = 0, ax: Axes | None = None, *, page: int = 1) -> Axes:
        """Draw the network with the step's numbers on it; returns the axes.

        Args:
            example: Which example of the batch, from 0. Defaults to `0`.
            ax: Where to draw. Defaults to a new figure of the size that the numbers need.
            page: Which page of a network that needs several; `kerasteach.plotting.pages` counts them. Defaults to `1`.

        Raises:
            TypeError: If `ax` is no axes.
            ValueError: If there is no such example, or the network is too large to read.
        """
        from kerasteach import plotting

        return plotting.traced_step(self.frame, example, ax, page=page)

    def _view(self) -> View:
        depth, examples = self._step.layers[-1].depth, self._step.examples
        title = f"TracedStep: dense layers: {depth}, examples: {examples}, E = {self._step.total:.4g}"
        return View(title, self.frame, (*([".explain()", ".plot()"] if readable(self._step) else []), ".frame"))

    def _repr_markdown_(self) -> str | None:
        return self.explain("markdown") if readable(self._step) else None

    def _repr_html_(self) -> str | None:  # type: ignore[override]  # which a notebook prefers to Markdown
        return None if readable(self._step) else super()._repr_html_()
