"""Names in a table: of each trainable variable, and of the layer that owns it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasteach.measure.selection import inside, layers_of
from kerasteach.tables.captures import Parameter


def describe(variables: Sequence[keras.Variable], model: keras.Model | None = None) -> list[Parameter]:
    """Describe each variable: its layer, the depth of that layer, and which of its parameters the variable is.

    The owner is the layer object that holds the variable. Without one, as in a loop without a model, the variable's
    path names the owner, and a path that comes again is that of another layer.

    Args:
        variables: Trainable variables in the order in which the model calls their layers.
        model: The model, whose own name is left out of the layers' names.

    Returns:
        A description of each. Layers of one name in different sub-models are called `d`, `d #2`, and parameters of one
        name in a layer `w`, `w #2`.
    """
    owners = _owners(model) if model is not None else {}
    by_path: dict[str, list[set[str]]] = {}  # of the layers without an object, the parameters of each of that path
    layers: dict[Any, tuple[str, int]] = {}  # name and depth, by the layer's id or its path and number
    used: set[tuple[str, str]] = set()
    described = []
    for variable in variables:
        path = getattr(variable, "path", variable.name)
        layer = owners.get(id(variable))
        place = _place(path, layer)
        parameter = path.removeprefix(f"{place}/")
        if layer is None:
            namesakes = by_path.setdefault(place, [set()])
            if parameter in namesakes[-1]:
                namesakes.append(set())
            namesakes[-1].add(parameter)
        key = (place, len(by_path[place])) if layer is None else id(layer)
        if key not in layers:
            name = without_model(model, place)
            layers[key] = (_numbered(name, {other for other, _ in layers.values()}), len(layers) + 1)
        name, depth = layers[key]
        parameter = _numbered(parameter, {other for owner, other in used if owner == name})
        used.add((name, parameter))
        described.append(Parameter(name, depth, parameter, path, int(np.prod(variable.shape))))
    return described


def _owners(model: keras.Model) -> dict[int, keras.layers.Layer]:
    """Return the layer that holds each trainable variable itself, by the variable's id.

    Of several layers that share a variable it is the one that made it, whose path begins the variable's.
    """
    owners: dict[int, keras.layers.Layer] = {}
    for layer in layers_of(model):
        if isinstance(layer, keras.Model):
            continue  # which may hold layers that it does not list
        below = {id(variable) for inner in inside(layer) for variable in inner.trainable_variables}
        for variable in layer.trainable_variables:
            made = layer.path is not None and getattr(variable, "path", "").startswith(f"{layer.path}/")
            if id(variable) not in below and (made or id(variable) not in owners):
                owners[id(variable)] = layer
    return owners


def _place(path: str, layer: keras.layers.Layer | None) -> str:
    """Return the path of the layer that a variable of this path belongs to."""
    place = path.rpartition("/")[0]
    if layer is None or not (layer.path or layer.name):
        return place
    own = str(layer.path or layer.name)
    return own if not place or place.startswith(f"{own}/") else place


def _numbered(name: str, used: set[str]) -> str:
    """Return a name, with a number after it where it is used already."""
    number = 1
    while (name if number == 1 else f"{name} #{number}") in used:
        number += 1
    return name if number == 1 else f"{name} #{number}"


def without_model(model: Any, path: str) -> str:
    """Return the path of a layer without the name of the model around it, if there is one."""
    return path if model is None else path.removeprefix(f"{model.name}/")
