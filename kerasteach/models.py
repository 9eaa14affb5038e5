"""The network that every comparison varies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from kerasteach.activation_checks import check_layer
from kerasteach.activations import Activation
from kerasteach.initializers import check_initializer, drawing, for_activation, seeded
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
        initializer: Draws every layer's kernel; `"matched"` gives each layer the initialization made for its
            activation, see `kerasteach.initializers.for_activation`. Defaults to `"glorot_uniform"`, U(-r, r) with
            `r = sqrt(6 / (n_in + n_out))`.
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
        check_initializer("initializer", initializer)
    check_initializer("bias_initializer", bias_initializer)
    _check_dtype(dtype)
    functions = [activation] * (len(widths) - 2) + [output_activation]
    names = [f"hidden_{number}" for number in range(1, len(widths) - 1)] + ["output"]
    layers = [
        Dense(
            units,
            activation=function,
            kernel_initializer=drawing(
                for_activation(function) if fitting else initializer, seed, 2 * position, (features, units)
            ),
            bias_initializer=drawing(bias_initializer, seed, 2 * position + 1, (units,)),
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


def _check_dtype(dtype: Any) -> None:
    try:
        keras.dtype_policies.get(dtype)
    except Exception as error:
        raise ValueError(
            f'`dtype` must be a dtype or a dtype policy that Keras knows, such as "float32". {received("dtype", dtype)}'
        ) from error
