"""What `trace_step` returns: a training step as a table, and in words."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import pandas as pd

from kerasteach.lessons.backprop.explain.explanation import explained, readable
from kerasteach.lessons.backprop.explain.rendering import render
from kerasteach.lessons.backprop.step import Step
from kerasteach.tables.training_step import step_table


class TracedStep:
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

    def explain(self, format: Literal["text", "markdown", "latex"] = "text") -> str:  # noqa: A002  says it best
        """Say the step in the course's four steps, each line a formula, the numbers put in, and the result.

        Args:
            format: `"text"`; `"markdown"`, with formulas between dollar signs; or `"latex"`, displayed formulas that
                LaTeX (with amsmath), MathJax and KaTeX can set. Defaults to `"text"`.

        Raises:
            TypeError: If the format is no text.
            ValueError: If the format is another one, or the network or batch is too large to read.
        """
        return render(explained(self._step), format)

    def _repr_markdown_(self) -> str | None:
        return self.explain("markdown") if readable(self._step) else None

    def __repr__(self) -> str:
        depth, examples = self._step.layers[-1].depth, self._step.examples
        return f"<one training step: dense layers: {depth}, examples: {examples}, E = {self._step.total:.4g}>"
