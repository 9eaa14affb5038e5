"""One step of an optimizer, taken or only tried."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.keras_internals import copy_weight_decay_exclusions
from kerasteach.variables import restored


def after_step(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[Tensor],
    variables: Sequence[keras.Variable],
    apply: bool = False,
) -> list[np.ndarray]:
    """Return the variables' values after one step of the optimizer.

    The step is the optimizer's own, with its momentum, schedule, clipping and constraints, on the variables
    themselves. Unless it is to stay, the variables and the optimizer's state are then restored, bit for bit; an
    optimizer that is not built stays so, because a copy of it takes the step.

    Args:
        optimizer: The optimizer.
        gradients: One for each variable, of the unscaled loss.
        variables: What it moves.
        apply: Whether the step stays. Defaults to `False`.

    Raises:
        ValueError: If the optimizer was built for other variables.
    """
    if not variables:
        return []
    if apply:
        _take(optimizer, gradients, variables)
        return [ops.convert_to_numpy(variable) for variable in variables]
    stepping = optimizer if optimizer.built else _copy(optimizer)
    with restored([*variables, *optimizer.variables]):
        # By the class, not the instance: a capture must not record this step.
        _take(stepping, gradients, variables, type(stepping).apply)
        return [ops.convert_to_numpy(variable) for variable in variables]


def _take(optimizer: Any, gradients: Sequence[Tensor], variables: Sequence[Any], apply: Any = None) -> None:
    # Keras gives the optimizer the gradients of the loss that the optimizer has scaled.
    scaled = [gradient * ops.cast(optimizer.scale_loss(1.0), gradient.dtype) for gradient in gradients]
    try:
        if apply is None:
            optimizer.apply(scaled, list(variables))
        else:
            apply(optimizer, scaled, list(variables))
    except ValueError as error:
        if "Unknown variable" not in str(error):
            raise
        raise ValueError(
            "`optimizer` must be new, or have been built for this model's trainable variables. "
            f"Received: {type(optimizer).__name__}, built for others."
        ) from None


def _copy(optimizer: Any) -> Any:
    """Return a copy of an optimizer that has not been built, with the learning rate of its first step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of a function as learning rate; the copy goes without it
        config = optimizer.get_config()
    if "learning_rate" in config:
        config["learning_rate"] = float(optimizer.learning_rate)
    copy = type(optimizer).from_config(config)
    copy_weight_decay_exclusions(optimizer, copy)
    return copy
