"""Selection of layers: by name, wildcard, layer object, class of layers, or a function of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import keras

from kerasteach.keras_internals import sublayers
from kerasteach.tables.names import means
from kerasteach.validation import did_you_mean, several, shown

Layer: TypeAlias = Any  # keras.layers.Layer, of which type checkers know nothing
Selector: TypeAlias = str | Layer | type[Layer] | Callable[[Layer], bool]
Selectors: TypeAlias = Selector | Iterable[Selector] | None


def checked(layers: Selectors, argument: str = "layers") -> tuple[Selector, ...] | None:
    """Return the selectors as a tuple, or `None` for all layers.

    Raises:
        TypeError: If one is neither a name, a layer, a class of layers, nor a function.
        ValueError: If there is none.
    """
    if layers is None:
        return None
    single = isinstance(layers, (str, keras.layers.Layer)) or callable(layers) or not isinstance(layers, Iterable)
    asked = (layers,) if single else tuple(several(argument, layers, "names, layers, or functions of a layer"))
    if not asked:
        raise ValueError(f"`{argument}` must name a layer; leave it out for all of them. Received: {shown(layers)}.")
    for selector in asked:
        other_class = isinstance(selector, type) and not issubclass(selector, keras.layers.Layer)
        if other_class or not (isinstance(selector, (str, keras.layers.Layer)) or callable(selector)):
            raise TypeError(
                f'`{argument}` must be names such as "dense_1" or "conv*", layers, classes such as keras.layers.Dense, '
                f"or functions of a layer that say whether it is meant. Received: {shown(selector)}."
            )
    return asked


def inside(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers that a layer or model holds itself, in its order."""
    listed = layer.layers if isinstance(layer, keras.Model) else None
    return list(listed or sublayers(layer, recursive=False))


def layers_of(model: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return every layer inside the model, each once, a layer before those inside it, in the order of the model's."""
    found: dict[int, keras.layers.Layer] = {}

    def walk(outer: keras.layers.Layer) -> None:
        for layer in inside(outer):
            if id(layer) not in found:
                found[id(layer)] = layer
                walk(layer)

    walk(model)
    return list(found.values())


def frozen_layers(model: keras.layers.Layer) -> list[str]:
    """Return the names of the layers with weights that no step changes, because `trainable` is `False`."""
    return [layer.name for layer in layers_of(model) if layer.weights and not layer.trainable and not inside(layer)]


def choose(
    selectors: Sequence[Selector] | None,
    names: Sequence[str],
    owners: Callable[[keras.layers.Layer], Iterable[int]],
    model: keras.Model | None,
    argument: str = "layers",
) -> list[int]:
    """Return the indices of the variables or layers that selectors mean.

    Args:
        selectors: What `checked` returned.
        names: The name of the layer of each variable or layer.
        owners: Returns the indices of those that belong to a layer.
        model: Whose layers a function selects; `None` for no model.
        argument: What to call the selectors in an error.

    Returns:
        Indices into `names`, in their order.

    Raises:
        ValueError: If a selector means none of them (the message lists the names), or a function fails.
    """
    if selectors is None:
        return list(range(len(names)))
    chosen: set[int] = set()
    for selector in selectors:
        if isinstance(selector, str):
            meant = {index for index, name in enumerate(names) if means(selector, name)}
        else:
            meant = {index for layer in _meant(selector, model, argument) for index in owners(layer)}
        if not meant:
            name = selector if isinstance(selector, str) else getattr(selector, "name", selector)
            raise ValueError(
                f"`{argument}` must mean something that is recorded: {', '.join(dict.fromkeys(names)) or 'nothing'}. "
                f"Received: {shown(name)}.{did_you_mean(name, names)}"
            )
        chosen |= meant
    return sorted(chosen)


def _meant(selector: Any, model: keras.Model | None, argument: str) -> list[keras.layers.Layer]:
    """Return the layers that are an instance of a class, or of which a function says that they are meant."""
    if isinstance(selector, keras.layers.Layer):
        return [selector]
    found = []
    for layer in layers_of(model) if model is not None else []:
        try:
            chosen = isinstance(layer, selector) if isinstance(selector, type) else bool(selector(layer))
        except Exception as error:
            raise ValueError(
                f"`{argument}` has a function that fails for the layer {layer.name!r}: {type(error).__name__}: {error}"
            ) from error
        if chosen:
            found.append(layer)
    return found
