"""Gradient descent as the course writes it, and optimizers by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import keras
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.validation import finite, is_number, received, text

PLAIN_LEARNING_RATE = 0.1  # of `PlainSGD` where an optimizer is chosen by name, or none is named


@keras.saving.register_keras_serializable(package="kerasteach")
class PlainSGD(keras.optimizers.Optimizer):
    """Gradient descent with one rule, `w <- w - learning_rate * gradient`.

    There is no momentum, no decay and no clipping, so the change of a weight is its gradient times the learning
    rate: what `GradientCapture` records can be checked against the weights by hand.

    Args:
        learning_rate: A float, a `keras.optimizers.schedules.LearningRateSchedule`, or a function that takes nothing
            and returns a float (to be saved and loaded, it must be registered with Keras). Defaults to `0.01`.
        name: The optimizer's name. Defaults to `"plain_sgd"`.

    Raises:
        ValueError: If the learning rate is negative or not finite.
        TypeError: If it is no number, schedule or function; or for an argument that this optimizer leaves out on
            purpose, naming `keras.optimizers.SGD`, which has it.

    Example:
        >>> import keras, kerasteach as kt
        >>> w = keras.Variable([1.0, 2.0])
        >>> kt.optimizers.PlainSGD(0.5).apply([keras.ops.ones(2)], [w])
        >>> w.numpy().tolist()
        [0.5, 1.5]
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule | Callable[[], float] = 0.01,
        name: str = "plain_sgd",
        **left_out: Any,
    ) -> None:
        left_out = {name: value for name, value in left_out.items() if value is not None and value is not False}
        if left_out:
            asked = ", ".join(f"{name}={value!r}" for name, value in left_out.items())
            raise TypeError(
                "PlainSGD takes `learning_rate` and `name` only: it has no momentum, decay or clipping. "
                f"Received: {asked}. Use keras.optimizers.SGD for more."
            )
        super().__init__(learning_rate=_checked(learning_rate), name=text("name", name))

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        """Take one step for one variable: `w <- w - learning_rate * gradient`."""
        learning_rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        self.assign_sub(variable, ops.multiply(gradient, learning_rate))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the learning rate is rounded to float32, as Keras keeps it."""
        return {"name": self.name, "learning_rate": super().get_config()["learning_rate"]}


def _checked(learning_rate: Any) -> Any:
    if callable(learning_rate) and not isinstance(learning_rate, type):  # a schedule, too
        return learning_rate
    if not is_number(learning_rate):
        raise TypeError(
            "`learning_rate` must be a number, a learning rate schedule or a function. "
            f"{received('learning_rate', learning_rate)}"
        )
    rate = finite("learning_rate", learning_rate)
    if rate < 0:
        raise ValueError(f"`learning_rate` must be finite and not negative. {received('learning_rate', learning_rate)}")
    return rate


def get(optimizer: str | keras.optimizers.Optimizer | None = None, learning_rate: Any = None) -> Any:
    """Return an optimizer, by its name where it is given by name.

    Args:
        optimizer: A name that Keras knows, such as `"adam"`; `"plain_sgd"`; or an optimizer, which is returned as it
            is. Defaults to `None`, which is `"plain_sgd"`.
        learning_rate: What `PlainSGD` takes as its learning rate; only together with a name. Defaults to `None`: that
            optimizer's own default, and 0.1 for `"plain_sgd"`.

    Raises:
        ValueError: If it is no name that Keras knows and no optimizer; if an optimizer comes with a learning rate, or
            the rate is negative or not finite.
        TypeError: If the learning rate is no number, schedule or function.

    Example:
        >>> import kerasteach as kt
        >>> float(kt.optimizers.get("adam", 0.5).learning_rate)
        0.5
        >>> kt.optimizers.get().name
        'plain_sgd'
    """
    rate = None if learning_rate is None else _checked(learning_rate)
    if isinstance(optimizer, keras.optimizers.Optimizer):
        if rate is not None:
            raise ValueError(
                "`learning_rate` belongs to a named optimizer; this one has its own. "
                f"{received('learning_rate', learning_rate)}"
            )
        return optimizer
    if optimizer is None or (isinstance(optimizer, str) and optimizer.lower() in ("plain_sgd", "plainsgd")):
        return PlainSGD(PLAIN_LEARNING_RATE if rate is None else rate)
    if isinstance(optimizer, str):
        with suppress(KeyError, TypeError, ValueError):  # an unknown name, or one that needs arguments
            named = keras.optimizers.get(optimizer)
            return named if rate is None else type(named)(learning_rate=rate)
    raise ValueError(
        '`optimizer` must be a name that Keras knows, such as "sgd" or "adam", or an optimizer. '
        f"{received('optimizer', optimizer)}"
    )


def is_plain(optimizer: keras.optimizers.Optimizer) -> bool:
    """Say whether an optimizer does nothing but subtract the learning rate times the gradient."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    options = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "gradient_accumulation_steps")
    return isinstance(optimizer, PlainSGD) or (
        type(optimizer) is keras.optimizers.SGD
        and not optimizer.momentum
        and not any(getattr(optimizer, option) for option in options)
    )
