"""Result of `gradient_descent`: the paths' table, their verdicts and their figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kerasteach.activations import Tensor
from kerasteach.display import Displayed, View
from kerasteach.lessons.descent.landscape import landscape
from kerasteach.tables.descent import coordinates

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Descent(Displayed):
    """Paths of gradient descent over a function.

    Attributes:
        frame: A row a step from 0, the start: `optimizer, learning_rate, step`, a column a coordinate, then
            `value, gradient_norm, verdict`.
        function: The function that was descended.
    """

    frame: pd.DataFrame
    function: Callable[..., Tensor]

    @property
    def verdicts(self) -> pd.DataFrame:
        """The last row of each path: where it ended, and its verdict."""
        return self.frame.groupby(["optimizer", "learning_rate"], sort=False).tail(1).reset_index(drop=True)

    def landscape(self, points: int | None = None) -> pd.DataFrame:
        """Tabulate the function around the paths, of one or two coordinates, as `kerasteach.lessons.landscape` does.

        Args:
            points: How many points a coordinate. Defaults to `401` for one coordinate and `121` for two.

        Raises:
            ValueError: If there are more than two coordinates, or `points` is no number of points.
        """
        return landscape(self.function, self.frame, points)

    def plot(self, ax: Axes | None = None, *, quantity: Literal["value", "gradient_norm"] | None = None) -> Axes:
        """Draw the paths over the function, of one or two coordinates; of more, their values against the step.

        Args:
            ax: Where to draw. Defaults to a new figure.
            quantity: `"value"` or `"gradient_norm"` to draw against the step. Defaults to `None`: the paths, where
                they can be drawn.

        Returns:
            The axes.

        Raises:
            TypeError: If an argument is of another kind.
            ValueError: If there is no such quantity.
        """
        from kerasteach import plotting

        if quantity is None and len(coordinates(self.frame)) <= 2:
            return plotting.descent_path(self.frame, self.landscape(), self._minima, ax=ax)
        return plotting.descent_values(self.frame, "value" if quantity is None else quantity, ax=ax)

    def animate(self, quantity: Literal["value", "gradient_norm"] = "value") -> FuncAnimation:
        """Return an animation of the paths, step by step, beside a quantity; `kerasteach.plotting.save` writes it.

        Args:
            quantity: `"value"` or `"gradient_norm"`. Defaults to `"value"`.

        Raises:
            TypeError: If the quantity is no text.
            ValueError: If there is no such quantity, or the function has more than two coordinates.
        """
        from kerasteach import plotting

        return plotting.descent_animation(self.frame, self.landscape(), self._minima, quantity)

    @property
    def _minima(self) -> Any:
        return getattr(self.function, "minima", ())  # of a function of the gallery

    def _view(self) -> View:
        name = getattr(self.function, "name", None) or getattr(self.function, "__name__", "a function")
        verdicts = self.verdicts
        title = f"Descent of {name}: where {'each path' if len(verdicts) > 1 else 'the path'} ended"
        drawn = len(coordinates(self.frame)) <= 2
        return View(title, verdicts, (".plot()", *([".animate()"] * drawn), ".frame"))
