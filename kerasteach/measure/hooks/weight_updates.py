"""Updates of the weights in a training step: what an optimizer changed, whatever its rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasteach.measure.branches import choose
from kerasteach.measure.reductions import as_tensor

Tensor = Any


def copies(weights: Sequence[keras.Variable], captured: Tensor | bool) -> list[Tensor]:
    """Return the weights as they are now, whatever the step does to them later.

    Args:
        weights: Variables that the optimizer is about to change.
        captured: Whether they are asked for at this step: a tensor, or `True` for every step.

    Returns:
        A copy of each; zeros where the step is not captured, which costs next to nothing.
    """
    if captured is True:
        return [_copy(weight) for weight in weights]
    found = choose(
        captured,
        lambda: [_copy(weight) for weight in weights],
        lambda: [ops.zeros(weight.shape, dtype=as_tensor(weight).dtype) for weight in weights],
    )
    return list(found)


def update(weight: Any, before: Tensor | None) -> Tensor | None:
    """Return what an optimizer added to a weight since its copy was made; `None` where there is no copy.

    The difference is made of the stored numbers: a change that is too small for the weight's dtype is 0.
    """
    if before is None:
        return None
    after = as_tensor(weight)
    if keras.backend.standardize_dtype(after.dtype) not in ("float32", "float64"):  # half as wide, it would be rounded
        after, before = ops.cast(after, "float32"), ops.cast(before, "float32")
    return ops.subtract(after, before)


def _copy(weight: keras.Variable) -> Tensor:
    """Return the value of a weight. Only PyTorch changes it in its place; the others keep what was read as it was."""
    value = as_tensor(weight)
    return value.detach().clone() if keras.backend.backend() == "torch" else value
