"""Model as a chain of layers that formulas can explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import keras

from kerasteach.keras_internals import made_by
from kerasteach.layers import Dense
from kerasteach.lessons.backprop.nonlinearity import Nonlinearity, of_function, of_layer
from kerasteach.lessons.model_checks import own_methods
from kerasteach.measure.parameters import without_model

_OWN = ("call", "train_step", "compute_loss")  # methods that decide, where a subclass overrides them
_RANDOM = (keras.layers.Dropout, keras.layers.GaussianNoise, keras.layers.GaussianDropout, keras.layers.AlphaDropout)


@dataclass(frozen=True)
class Link:
    """One layer: `z = x W + b` where it has a kernel, `z = x` where it has none, and `a = f(z)`."""

    name: str  # the layer's name, as the tables of gradients have it
    dtype: str  # its compute dtype, `"float32"` or `"float64"`
    depth: int  # how many dense layers there are up to this one, from 1 at the input
    nonlinearity: Nonlinearity  # the function f
    variables: dict[str, keras.Variable]  # W, `(sources, units)`, and b, `(units,)`, where the layer has them


def check_structure(model: keras.Model) -> None:
    """Raise ValueError unless this is a Sequential or functional model of Keras's own, with one input and one output.

    A Sequential model that has not been built has neither yet.
    """
    changed = own_methods(model, _OWN)
    if changed:
        _refuse(model, f"it is a class with its own {changed[0]}")
    if not isinstance(model, keras.Sequential) and not getattr(model, "inputs", None):
        _refuse(model, "it is not Sequential or functional")
    for what in ("inputs", "outputs"):
        count = len(getattr(model, what, None) or ())
        if count > 1:
            _refuse(model, f"it has {count} {what}")


def read(model: keras.Model) -> list[Link]:
    """Return the layers of a model that is one chain of dense layers, activation layers and Flatten.

    Args:
        model: A Sequential or functional model, built, with one input and one output; it may contain others.

    Raises:
        ValueError: If it is not; the message names the first layer that cannot be explained, and the reason.
    """
    layers = list(_layers(model))
    links: list[Link] = []
    depth, seen = 0, Counter[str]()
    axes = len(model.inputs[0].shape)
    called = Counter(map(id, layers))
    for layer in layers:
        if called[id(layer)] > 1:
            _refuse(layer, "it is called more than once")
        _check(layer, layers[0].compute_dtype)
        name = without_model(model, getattr(layer, "path", None) or layer.name)
        seen[name] += 1
        name += f" #{seen[name]}" if seen[name] > 1 else ""
        dense = type(layer) in (Dense, keras.layers.Dense)
        axes = 2 if type(layer) is keras.layers.Flatten else axes
        if axes != 2 and (dense or _nonlinearity(layer).name == "softmax"):
            _refuse(layer, "its input must be (examples, features); Flatten before it makes it so")
        depth += dense
        variables = {"W": layer.kernel, "b": layer.bias} if dense else {}
        variables = {letter: variable for letter, variable in variables.items() if variable is not None}
        links.append(Link(name, layer.compute_dtype, depth, _nonlinearity(layer), variables))
    if not depth:
        raise ValueError(f"`model` must have a Dense layer. Received: {[link.name for link in links]}.")
    return links


def _layers(model: keras.Model) -> Iterator[Any]:
    """Yield the layers in the order of their calls, those of inner models in their place."""
    check_structure(model)
    if not getattr(model, "inputs", None):
        _refuse(model, "its inputs are unknown")
    order = model.layers if isinstance(model, keras.Sequential) else _order(model)
    for layer in order:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _order(model: Any) -> list[Any]:
    """Return the operations of a functional model from its input to its output, one for each call."""
    for operation in model.operations:
        if not isinstance(operation, keras.layers.InputLayer | keras.Model):
            _check(operation)
    order: list[Any] = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        operation, tensor = made_by(tensor)
        order.append(operation)
    return order[::-1]


def _check(layer: Any, dtype: str | None = None) -> None:
    """Raise ValueError unless the layer computes what its formula says."""
    if not isinstance(layer, keras.layers.Layer):
        _refuse(layer, "it is an operation, not a layer; an activation layer can stand in its place")
    if isinstance(layer, _RANDOM):
        _refuse(layer, "it draws new random numbers at every call; trace a model without it")
    _nonlinearity(layer)
    if layer.activity_regularizer is not None:
        _refuse(layer, "its activity_regularizer adds an error of its own")
    if getattr(layer, "lora_enabled", False) or layer.quantization_mode:
        _refuse(layer, "its kernel is quantized, or trained by LoRA")
    dtypes = {layer.compute_dtype, layer.variable_dtype, dtype or layer.compute_dtype}
    if dtypes not in ({"float32"}, {"float64"}):
        _refuse(layer, f"it computes in {layer.dtype_policy.name}; all layers must share float32, or float64")


def _nonlinearity(layer: Any) -> Nonlinearity:
    if type(layer) in (Dense, keras.layers.Dense):
        function, why = of_function(layer.activation), f"its activation is the layer {type(layer.activation).__name__}"
    elif type(layer) is keras.layers.Flatten:
        function, why = of_function(keras.activations.linear), ""
    else:
        function, why = of_layer(layer), "it is another kind of layer"
    return function or _refuse(layer, why)


def _refuse(layer: Any, why: str) -> NoReturn:
    raise ValueError(
        "trace_step explains Sequential and functional models that are one chain of Dense, activation and Flatten "
        f"layers. It cannot explain {getattr(layer, 'name', layer)!r} ({type(layer).__name__}): {why}."
    )
