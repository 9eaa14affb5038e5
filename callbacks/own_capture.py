"""Base class of callbacks that look at a `GradientCapture`: the caller's, or one of their own."""

from __future__ import annotations

from typing import Any

import keras
from kerasteach.callbacks.gradient_capture import GradientCapture


class OwnCapture(keras.callbacks.Callback):
    """A callback with a capture; one of its own is not in Keras's list, and gets the calls from here.

    Args:
        given: The caller's capture, which is in the same list of callbacks; `None` for one of its own.
        statistics: What its own records, as means over each epoch.

    Attributes:
        capture: The capture.
    """

    def __init__(self, given: GradientCapture | None, statistics: list[str]) -> None:
        super().__init__()
        self._own = GradientCapture(every="epoch", statistics=statistics) if given is None else None
        self.capture: GradientCapture = given or self._own  # type: ignore[assignment]  # one of the two is there

    def set_params(self, params: dict[str, Any]) -> None:
        """Take what `fit` was given."""
        super().set_params(params)
        self._pass_on("set_params", params)

    def set_model(self, model: keras.Model) -> None:
        """Take the model."""
        super().set_model(model)
        self._pass_on("set_model", model)

    def _pass_on(self, method: str, *arguments: Any) -> None:
        """Call a method of the capture, if it is its own."""
        if self._own is not None:
            getattr(self._own, method)(*arguments)
