"""Initializers that draw for a seed, and the initialization that suits an activation."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import keras
import numpy as np

from kerasteach import activations
from kerasteach.activations import Activation
from kerasteach.activations.lookup import ACTIVATIONS
from kerasteach.validation import received, several, whole

__all__ = ["for_activation", "seeded"]


def for_activation(activation: str | Activation | None) -> keras.initializers.Initializer:
    """Return the initializer that was derived for layers of an activation.

    All are uniform, so that the same random draws serve for each: the kernels differ by a factor alone.

    The kernel is drawn from U(-r, r), with

    - sigmoid, tanh, softmax, linear, binary_step: Glorot's `r = sqrt(6 / (n_in + n_out))`
    - relu: He's `r = sqrt(6 / n_in)`
    - leaky_relu, which lets the share a = 0.01 pass: He's `r = sqrt(6 / ((1 + a^2) n_in))`
    - celu, elu, gelu, mish, selu, silu: He's condition, `r = sqrt(3 / (n_in E[f(z)^2]))`, with z from N(0, 1)

    He's condition keeps the mean square of what a layer puts out at 1, and is He's rule for ReLU, whose mean square is
    one half; for SELU it is LeCun's, `r = sqrt(3 / n_in)`, as its authors specify.

    Args:
        activation: One of these, by its name or as a function; `None` is linear.

    Raises:
        ValueError: If it is another function, for which no rule is published.

    Example:
        >>> import kerasteach as kt
        >>> kt.initializers.for_activation("relu").get_config()["mode"]
        'fan_in'

    Reference:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
        He et al., Delving deep into rectifiers, 2015, equations 10 and 15.
        Klambauer et al., Self-normalizing neural networks, 2017, section 2.
    """
    name = activations.name_of(activations.get(activation))
    initialization = None if name is None else ACTIVATIONS[name].initialization
    if initialization is None:
        known = ", ".join(name for name, other in ACTIVATIONS.items() if other.initialization is not None)
        raise ValueError(
            f'`initializer="matched"` knows what suits {known}; name an initializer for another function. '
            f"{received('activation', activation)}"
        )
    mode, scale = initialization
    return keras.initializers.VarianceScaling(scale, mode, "uniform")


def drawing(
    initializer: str | keras.initializers.Initializer, seed: int | None, position: int, shape: tuple[int, ...]
) -> str | keras.initializers.Initializer:
    """Return the initializer, which draws for a seed if one is given, else as Keras does."""
    if seed is not None:
        return seeded(initializer, seed, position, shape)
    return initializer if isinstance(initializer, str) else initializer.clone()


def seeded(
    initializer: str | keras.initializers.Initializer, seed: int, position: int, shape: tuple[int, ...]
) -> keras.initializers.Initializer:
    """Return an initializer that draws from a stream of its own for this seed, position and shape.

    Args:
        initializer: A name that Keras knows, or an initializer, whose own seed is not used.
        seed: The network's seed.
        position: The variable's place among the model's, from 0.
        shape: The variable's shape.

    Raises:
        ValueError: If Keras knows no such initializer.

    Example:
        >>> import keras, kerasteach as kt
        >>> kt.initializers.seeded("zeros", seed=0, position=1, shape=(3,))((3,)).numpy().tolist()
        [0.0, 0.0, 0.0]
    """
    check_initializer("initializer", initializer)
    numbers = whole("seed", seed, least=0), whole("position", position, least=0)
    sizes = [whole("shape", size, least=0) for size in several("shape", shape)]
    stream = int(np.random.SeedSequence((*numbers, *sizes)).generate_state(1)[0]) >> 1
    if isinstance(initializer, str):
        return _by_name(initializer, stream)
    config = initializer.get_config()
    return type(initializer).from_config({**config, "seed": stream} if "seed" in config else config)


def _by_name(initializer: str, stream: int) -> keras.initializers.Initializer:
    """Make the named initializer with a seed at once: without one, it would draw from Python's random state."""
    for config in ({"seed": stream}, {}):  # "zeros" and others that draw nothing take no seed
        with suppress(TypeError):
            named = keras.initializers.deserialize({"class_name": initializer, "config": config})
            if isinstance(named, keras.initializers.Initializer):
                return named
    raise ValueError(f"Keras knows no such initializer: {initializer!r}.")


def check_initializer(argument: str, initializer: Any) -> None:
    """Raise ValueError unless it is an initializer or the name of one; no random state is used."""
    fits = isinstance(initializer, keras.initializers.Initializer)
    if isinstance(initializer, str):
        with suppress(ValueError):
            fits = _by_name(initializer, 0) is not None
    if not fits:
        more = '"matched", ' if argument == "initializer" else ""
        raise ValueError(
            f'`{argument}` must be a name that Keras knows, such as "glorot_uniform" or "he_normal", {more}or an '
            f"initializer. {received(argument, initializer)}"
        )
