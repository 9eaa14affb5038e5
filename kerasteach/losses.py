"""Half the squared error, which the course differentiates by hand."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.validation import received, text


@keras.saving.register_keras_serializable(package="kerasteach")
class HalfSquaredError(keras.losses.Loss):
    """Half the sum of squares, `E = 1/2 * sum((t - a)^2)`, averaged over the batch.

    The sum runs over the last axis, so `dE/da = a - t` without a factor. Keras's `mse` takes the mean over that axis
    and has no half: its gradient is `2 / units` times this one.

    Args:
        reduction: As `keras.losses.Loss` takes it. Defaults to `"sum_over_batch_size"`, the mean over the batch.
        name: The loss's name. Defaults to `"half_squared_error"`.
        **kwargs: `dtype`, as every Keras loss takes it.

    Call arguments:
        y_true: The targets t, `(batch, ..., units)`, or `(batch,)` for a single output unit.
        y_pred: The outputs a, `(batch, ..., units)`.

    Raises:
        TypeError: If `reduction` or `name` is no text.
        ValueError: If Keras knows no such reduction; in a call, if targets and outputs differ in shape: broadcasting
            them would give a wrong error silently.

    Example:
        >>> import kerasteach as kt
        >>> float(kt.losses.HalfSquaredError()([[1.0, 2.0]], [[0.0, 0.0]]))
        2.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "half_squared_error", **kwargs: Any
    ) -> None:
        if reduction is not None and not isinstance(reduction, str):
            raise TypeError(f"`reduction` must be a name that Keras knows, or None. {received('reduction', reduction)}")
        super().__init__(reduction=reduction, name=text("name", name), **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the error of each example, `(batch, ...)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1:
            y_true = ops.expand_dims(y_true, -1)
        if len(y_pred.shape) < 2:
            raise ValueError(
                "`y_pred` must be (batch, units), or have more axes. "
                f"Received: y_pred.shape={tuple(y_pred.shape)}; y_pred[:, None] has one unit."
            )
        if not _agree(y_true.shape, y_pred.shape):
            raise ValueError(
                "`y_true` must have the shape of `y_pred`. Received: "
                f"y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}."
            )
        return 0.5 * ops.sum(ops.square(y_true - y_pred), axis=-1)


def _agree(first: tuple[int | None, ...], second: tuple[int | None, ...]) -> bool:
    """Return whether two shapes agree in every dimension that is known of both."""
    return len(first) == len(second) and all(a == b for a, b in zip(first, second, strict=True) if a and b)
