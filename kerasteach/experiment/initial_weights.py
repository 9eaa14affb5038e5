"""Initial weights that a seed fixes, for networks of any builder, in float32."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np

from kerasteach.initializers import seeded
from kerasteach.keras_internals import fresh_layer_names
from kerasteach.measure.selection import layers_of

_ONE_AT_A_TIME = threading.RLock()  # the random states are the process's


@contextmanager
def float32() -> Iterator[None]:
    """Build and train in float32 inside this block, whatever the caller's dtype policy is, which then is as it was."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def fair_network(build: Callable[[], keras.Model], example: np.ndarray, seed: int) -> keras.Model:
    """Build a network with initial weights that a seed fixes.

    Each variable that its layer's initializer drew is drawn again, by that initializer, for the seed, the variable's
    position among the model's weights and its shape, as in `kerasteach.models.mlp`: networks that share layers start
    alike there. Values that the builder assigned itself (weights that were loaded, constants) stay. A variable whose
    layer has no such initializer stays as the builder draws it, after Python's and NumPy's random states were set to
    the seed.

    The caller's random states, dtype policy and count of layers are left as found; the networks are float32.

    Args:
        build: Makes the network.
        example: A few examples, `(examples, ...)`, for a network that learns its input's shape from the first call.
        seed: Fixes the weights.

    Returns:
        The network, built. Its layers and variables have the same names each time.
    """
    with float32(), _as_if_first(seed):
        model = build()
        if isinstance(model, keras.Model):  # the caller refuses anything else
            model(example)
    if isinstance(model, keras.Model):
        _draw_again(model, seed)
    return model


@contextmanager
def _as_if_first(seed: int) -> Iterator[None]:
    """Give each build the same random states and layer names, one thread after the other."""
    with _ONE_AT_A_TIME:
        python, numpy = random.getstate(), np.random.get_state()
        stream = int(np.random.SeedSequence(seed, spawn_key=(2,)).generate_state(1)[0])
        random.seed(stream)
        np.random.seed(stream)
        try:
            with fresh_layer_names():
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def _draw_again(model: keras.Model, seed: int) -> None:
    # The innermost layer comes last.
    owners = {id(variable): layer for layer in layers_of(model) for variable in layer.weights}
    for position, variable in enumerate(model.weights):
        initializer = _initializer_of(variable, owners.get(id(variable), model))
        if initializer is not None:
            fair = seeded(initializer, seed, position, tuple(variable.shape))
            variable.assign(fair(tuple(variable.shape), variable.dtype))


def _initializer_of(variable: keras.Variable, layer: keras.layers.Layer) -> keras.initializers.Initializer | None:
    """Return the initializer that drew a variable's value, or `None` where none did or it is unknown."""
    for name in (variable.name, variable.name.removesuffix("_kernel")):  # recurrent_kernel: recurrent_initializer
        initializer = getattr(layer, f"{name}_initializer", None)
        if not isinstance(initializer, keras.initializers.Initializer) or "seed" not in initializer.get_config():
            continue
        if isinstance(initializer.seed, keras.random.SeedGenerator):  # it draws anew each time
            return initializer
        drawn = initializer(tuple(variable.shape), variable.dtype)
        return initializer if np.array_equal(*map(keras.ops.convert_to_numpy, (drawn, variable))) else None
    return None
