"""Automatic differentiation of a function of one tensor, on each backend of Keras."""

from __future__ import annotations

from collections.abc import Callable

from kerasteach.activations.lazy_import import keras, ops
from kerasteach.activations.properties import Tensor


def pull_back(function: Callable[[Tensor], Tensor], x: Tensor, error: Tensor | None = None) -> Tensor:
    """Return dE/dx for an E whose dE/da is given, where `a = function(x)`: back-propagation through the function.

    Args:
        function: Maps a tensor to a tensor.
        x: Its input, a tensor of floats.
        error: dE/da, in the shape of `a`. Defaults to `None`: 1 everywhere.

    Returns:
        dE/dx, in the shape of `x`; 0 where E does not depend on it.

    Raises:
        RuntimeError: If Keras runs on a backend that differentiates nothing.

    Example:
        >>> import keras
        >>> from kerasteach.activations.autodiff import pull_back
        >>> pull_back(keras.ops.square, keras.ops.array([1.0, 3.0])).numpy().tolist()
        [2.0, 6.0]
    """
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise RuntimeError(
            "Derivatives of functions without a formula need Keras on TensorFlow, JAX or torch. "
            f"Received: the backend {backend!r}."
        )
    return _BACKENDS[backend](function, x, error)


def _tensorflow(function: Callable[[Tensor], Tensor], x: Tensor, error: Tensor | None) -> Tensor:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        a = function(x)
    return tape.gradient(a, x, output_gradients=error, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _jax(function: Callable[[Tensor], Tensor], x: Tensor, error: Tensor | None) -> Tensor:
    import jax

    a, back = jax.vjp(function, x)
    return back(ops.ones_like(a) if error is None else error)[0]


def _torch(function: Callable[[Tensor], Tensor], x: Tensor, error: Tensor | None) -> Tensor:
    import torch

    with torch.enable_grad():
        x = x.detach().requires_grad_()
        a = function(x)
        if not a.requires_grad:
            return torch.zeros_like(x)
        return torch.autograd.grad(a, x, torch.ones_like(a) if error is None else error, materialize_grads=True)[0]


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
