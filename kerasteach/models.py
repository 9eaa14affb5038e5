"""The network that every comparison varies."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from kerasteach import activations
from kerasteach.activation_checks import check_layer
from kerasteach.activation_names import ACTIVATIONS
from kerasteach.activations import Activation
from kerasteach.layers import Dense
from kerasteach.validation import fits_memory, received, several, whole


def mlp(
    activation: str | Activation = "relu",
    hidden: Sequence[int] = (32, 32, 32),
    *,
    inputs: int,
    outputs: int,
    output_activation: str | Activation | None = "softmax",
    initializer: str | keras.initializers.Initializer = "glorot_uniform",
    bias_initializer: str | keras.initializers.Initializer = "zeros",
    seed: int | None = None,
    dtype: str | None = None,
    name: str = "mlp",
) -> keras.Sequential:
    """Build a multilayer perceptron: dense hidden layers of one activation, and an output layer.

    Args:
        activation: The hidden layers' function: a name that `kerasteach.activations.get` knows, or a function.
        hidden: The units of each hidden layer, from the input on. Empty means none. Defaults to `(32, 32, 32)`.
        inputs: The number of features of an example.
        outputs: The number of output units: of classes, or of values to predict.
        output_activation: Defaults to `"softmax"`; `None` (linear) is for a regression.
        initializer: Draws every layer's kernel; `"matched"` gives each layer the initialisation made for its
            activation, see `matched`. Defaults to `"glorot_uniform"`, U(-r, r) with `r = sqrt(6 / (n_in + n_out))`.
        bias_initializer: Draws every layer's bias. Defaults to `"zeros"`.
        seed: With a seed, each variable's first values are drawn for the seed, the variable's position and its shape,
            and neither use nor change any global random state: two networks that differ in their activation alone
            start alike, and two layers of one shape differ. Defaults to `None`, Keras's own drawing.
        dtype: The layers' dtype or dtype policy. Defaults to Keras's global one.
        name: The model's name. Defaults to `"mlp"`.

    Returns:
        A model that is built and not compiled, with layers `hidden_1`, `hidden_2`, ... and `output`:
        input `(batch, inputs)`, output `(batch, outputs)`.

    Raises:
        ValueError: If a number of units is not a positive integer, or an activation is unknown or a layer with
            weights, which all hidden layers would share.
        TypeError: If `hidden` is no list, or an activation no function.

    Example:
        >>> import kerasteach as kt
        >>> kt.models.mlp("tanh", hidden=(8, 8), inputs=4, outputs=3).count_params()
        139
    """
    widths = _checked_units(inputs, hidden, outputs)
    seed = None if seed is None else whole("seed", seed, least=0)
    if isinstance(activation, keras.layers.Layer):
        check_layer("activation", activation)
    fitting = isinstance(initializer, str) and initializer == "matched"
    if not fitting:
        _check_initializer("initializer", initializer)
    _check_initializer("bias_initializer", bias_initializer)
    _check_dtype(dtype)
    functions = [activation] * (len(widths) - 2) + [output_activation]
    names = [f"hidden_{number}" for number in range(1, len(widths) - 1)] + ["output"]
    layers = [
        Dense(
            units,
            activation=function,
            kernel_initializer=_drawing(
                matched(function) if fitting else initializer, seed, 2 * position, (features, units)
            ),
            bias_initializer=_drawing(bias_initializer, seed, 2 * position + 1, (units,)),
            dtype=dtype,
            name=layer_name,
        )
        for position, ((features, units), function, layer_name) in enumerate(
            zip(pairwise(widths), functions, names, strict=True)
        )
    ]
    return keras.Sequential([keras.Input((inputs,)), *layers], name=name)


def draw_weights(network: keras.Sequential, seed: int) -> list[np.ndarray]:
    """Draw the weights that a network of `mlp` would have had from another seed, without building one.

    Args:
        network: What `mlp` returned, for any seed.
        seed: The seed.

    Returns:
        An array for each of `network.weights`.

    Example:
        >>> import numpy as np, kerasteach as kt
        >>> one, other = (kt.models.mlp(hidden=(8,), inputs=4, outputs=3, seed=seed) for seed in (0, 1))
        >>> drawn = kt.models.draw_weights(one, seed=1)
        >>> all(np.array_equal(a, b) for a, b in zip(drawn, other.get_weights()))
        True
    """
    if not isinstance(network, keras.Sequential) or not all(isinstance(one, Dense) for one in network.layers):
        raise TypeError(f"`network` must be a network that `mlp` returned. {received('network', network)}")
    drawn: list[np.ndarray] = []
    for layer in network.layers:
        for variable, initializer in ((layer.kernel, layer.kernel_initializer), (layer.bias, layer.bias_initializer)):
            own = keras.initializers.get(seeded(initializer, seed, len(drawn), tuple(variable.shape)))
            drawn.append(keras.ops.convert_to_numpy(own(variable.shape, variable.dtype)))
    return drawn


def _checked_units(inputs: int, hidden: Sequence[int], outputs: int) -> list[int]:
    given = [("inputs", inputs), *(("hidden", units) for units in several("hidden", hidden)), ("outputs", outputs)]
    widths = [(argument, whole(argument, units)) for argument, units in given]
    for one, other in pairwise(widths):
        argument, units = max(one, other, key=lambda width: width[1])
        fits_memory(argument, units, one[1] * other[1])
    return [units for _, units in widths]


def matched(activation: str | Activation | None) -> keras.initializers.Initializer:
    """Return the initialisation that was made for layers of an activation.

    All are uniform, so that the same random draws serve for each: the kernels differ by a factor alone.

    | activation | kernel from U(-r, r) |
    |---|---|
    | sigmoid, tanh, softmax, linear, binary_step | Glorot: `r = sqrt(6 / (n_in + n_out))` |
    | relu | He: `r = sqrt(6 / n_in)` |
    | leaky_relu, which lets the share a = 0.01 pass | He: `r = sqrt(6 / ((1 + a^2) n_in))` |
    | celu, elu, gelu, mish, selu, silu | He's condition: `r = sqrt(3 / (n_in E[f(z)^2]))`, z from N(0, 1) |

    He's condition keeps the mean square of what a layer puts out at 1, and is He's rule for ReLU, whose mean square is
    one half; for SELU it is LeCun's, `r = sqrt(3 / n_in)`, as its authors want it.

    Args:
        activation: One of these, by its name or as a function; `None` is linear.

    Raises:
        ValueError: If it is another function, for which no rule is published.

    Example:
        >>> import kerasteach as kt
        >>> kt.models.matched("relu").get_config()["mode"]
        'fan_in'

    Reference:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
        He et al., Delving deep into rectifiers, 2015, equations 10 and 15.
        Klambauer et al., Self-normalizing neural networks, 2017, section 2.
    """
    name = activations.name_of(activations.get(activation))
    initialization = None if name is None else ACTIVATIONS[name].initialization
    if initialization is None:
        known = ", ".join(name for name, one in ACTIVATIONS.items() if one.initialization is not None)
        raise ValueError(
            f'`initializer="matched"` knows what suits {known}; name an initializer for another function. '
            f"{received('activation', activation)}"
        )
    mode, scale = initialization
    return keras.initializers.VarianceScaling(scale, mode, "uniform")


def _drawing(
    initializer: str | keras.initializers.Initializer, seed: int | None, position: int, shape: tuple[int, ...]
) -> str | keras.initializers.Initializer:
    """Return the initializer, drawing for a seed if there is one, or as Keras does."""
    if seed is not None:
        return seeded(initializer, seed, position, shape)
    return initializer if isinstance(initializer, str) else initializer.clone()


def seeded(
    initializer: str | keras.initializers.Initializer, seed: int, position: int, shape: tuple[int, ...]
) -> keras.initializers.Initializer:
    """Return an initializer that draws from a stream of its own for this seed, position and shape.

    Args:
        initializer: A name that Keras knows, or an initializer, whose own seed is not used.
        seed: Which network.
        position: The variable's place among the model's, from 0.
        shape: The variable's shape.

    Raises:
        ValueError: If Keras knows no such initializer.

    Example:
        >>> import keras, kerasteach as kt
        >>> kt.models.seeded("zeros", seed=0, position=1, shape=(3,))((3,)).numpy().tolist()
        [0.0, 0.0, 0.0]
    """
    _check_initializer("initializer", initializer)
    numbers = whole("seed", seed, least=0), whole("position", position, least=0)
    sizes = [whole("shape", size, least=0) for size in several("shape", shape)]
    stream = int(np.random.SeedSequence((*numbers, *sizes)).generate_state(1)[0]) >> 1
    if isinstance(initializer, str):
        return _by_name(initializer, stream)
    config = initializer.get_config()
    return type(initializer).from_config({**config, "seed": stream} if "seed" in config else config)


def _by_name(initializer: str, stream: int) -> keras.initializers.Initializer:
    """Make the named initializer with a seed at once: without one, it would draw from Python's random state."""
    for config in ({"seed": stream}, {}):  # one that draws nothing, such as "zeros", takes no seed
        with suppress(TypeError):
            found = keras.initializers.deserialize({"class_name": initializer, "config": config})
            if isinstance(found, keras.initializers.Initializer):
                return found
    raise ValueError(f"Keras knows no such initializer: {initializer!r}.")


def _check_initializer(argument: str, initializer: Any) -> None:
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


def _check_dtype(dtype: Any) -> None:
    try:
        keras.dtype_policies.get(dtype)
    except Exception as error:
        raise ValueError(
            f'`dtype` must be a dtype or a dtype policy that Keras knows, such as "float32". {received("dtype", dtype)}'
        ) from error
