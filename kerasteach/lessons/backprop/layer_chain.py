"""A model read as a chain of layers, each of which can be explained by formulas."""

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

_OWN = ("call", "train_step", "compute_loss")  # what a class of one's own may replace, and what then decides
_RANDOM = (keras.layers.Dropout, keras.layers.GaussianNoise, keras.layers.GaussianDropout, keras.layers.AlphaDropout)


@dataclass(frozen=True)
class Link:
    """One layer: `z = x W + b` where it has a kernel, `z = x` where it has none, and `a = f(z)`.

    Attributes:
        name: The layer's name, as the tables of gradients have it.
        dtype: What it computes in, `"float32"` or `"float64"`.
        depth: How many dense layers there are up to this one, from 1 at the input.
        nonlinearity: What makes a of z.
        variables: W, `(sources, units)`, and b, `(units,)`, as far as the layer has them.
    """

    name: str
    dtype: str
    depth: int
    nonlinearity: Nonlinearity
    variables: dict[str, keras.Variable]


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
        model: A Sequential or functional model, built, with one input and one output; models inside it are looked
            into.

    Raises:
        ValueError: If it is not; the message names the first layer that cannot be explained, and says why.
    """
    layers = list(_layers(model))
    found: list[Link] = []
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
        found.append(Link(name, layer.compute_dtype, depth, _nonlinearity(layer), variables))
    if not depth:
        raise ValueError(f"`model` must have a Dense layer. Received: {[link.name for link in found]}.")
    return found


def _layers(model: keras.Model) -> Iterator[Any]:
    """Return the layers in the order in which they are called, those of models inside the model in their place."""
    check_structure(model)
    if not getattr(model, "inputs", None):
        _refuse(model, "Keras cannot say what goes into it")
    order = model.layers if isinstance(model, keras.Sequential) else _order(model)
    for layer in order:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _order(model: Any) -> list[Any]:
    """Return what a functional model calls, from its input to its output; a layer called twice is there twice."""
    for one in model.operations:
        if not isinstance(one, keras.layers.InputLayer | keras.Model):
            _check(one)
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
    own = {layer.compute_dtype, layer.variable_dtype, dtype or layer.compute_dtype}
    if own not in ({"float32"}, {"float64"}):
        _refuse(layer, f"it computes in {layer.dtype_policy.name}; all layers must share float32, or float64")


def _nonlinearity(layer: Any) -> Nonlinearity:
    if type(layer) in (Dense, keras.layers.Dense):
        found, why = of_function(layer.activation), f"its activation is the layer {type(layer.activation).__name__}"
    elif type(layer) is keras.layers.Flatten:
        found, why = of_function(keras.activations.linear), ""
    else:
        found, why = of_layer(layer), "it is another kind of layer"
    return found or _refuse(layer, why)


def _refuse(layer: Any, why: str) -> NoReturn:
    raise ValueError(
        "trace_step explains Sequential and functional models that are one chain of Dense, activation and Flatten "
        f"layers. It cannot explain {getattr(layer, 'name', layer)!r} ({type(layer).__name__}): {why}."
    )
