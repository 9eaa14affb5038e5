"""What an optimizer's next step makes of the weights, whether or not it is to be taken."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.keras_internals import copy_weight_decay_exclusions


def after_step(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[Tensor],
    variables: Sequence[keras.Variable],
    apply: bool = False,
) -> list[np.ndarray]:
    """Return the variables' values after one step of the optimizer.

    The step is the optimizer's own, with its momentum, schedule, clipping and constraints, on the variables
    themselves. Unless it is to stay, the variables and the optimizer's state are then put back, bit by bit; an
    optimizer that has not yet been built stays so, because a copy of it takes the step.

    Args:
        optimizer: The optimizer.
        gradients: One for each variable, of the loss itself, as the optimizer would have to unscale it.
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
    touched = [*variables, *optimizer.variables]
    before = [ops.convert_to_numpy(one) for one in touched]
    try:
        # By the class, not the instance: where a capture listens, this is no step for it.
        _take(stepping, gradients, variables, type(stepping).apply)
        return [ops.convert_to_numpy(variable) for variable in variables]
    finally:
        for one, value in zip(touched, before, strict=True):
            one.assign(value)


def _take(optimizer: Any, gradients: Sequence[Tensor], variables: Sequence[Any], apply: Any = None) -> None:
    # Keras hands the optimizer the gradients of the loss that it has scaled itself.
    handed = [gradient * ops.cast(optimizer.scale_loss(1.0), gradient.dtype) for gradient in gradients]
    try:
        if apply is None:
            optimizer.apply(handed, list(variables))
        else:
            apply(optimizer, handed, list(variables))
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
