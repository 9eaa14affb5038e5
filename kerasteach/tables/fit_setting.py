"""Setting of a training: its network and optimizer, as values for the titles of figures.

Only what is certain is in it. Keras is imported on the first call, which whoever trains has done.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np


def fit_setting(model: Any, optimizer: Any) -> dict[str, Any]:
    """Return what is trained, and with which optimizer: see `kerasteach.plotting.setting.setting_in_words`.

    Args:
        model: A Keras model.
        optimizer: The optimizer whose steps are taken.

    Returns:
        `hidden`, the units of each hidden layer, of a built model that is one chain of layers of which those with
        weights are `Dense`, beside normalizations; other models have no such key. `learning_rates`: the rate by the
        name of the optimizer, see `rates_of`.

    Example:
        >>> import keras
        >>> from kerasteach.tables.fit_setting import fit_setting
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8), keras.layers.Dense(1)])
        >>> fit_setting(model, keras.optimizers.Adam(0.01))
        {'hidden': [8], 'learning_rates': {'Adam': 0.01}}
    """
    hidden = _hidden(model)
    return {**({"hidden": hidden} if hidden else {}), "learning_rates": rates_of(optimizer)}


def rates_of(optimizer: Any) -> dict[str, float | None]:
    """Return the learning rate that an optimizer has now, by its name; `None` where a schedule or function makes it."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales the loss
    # A rate that is a number has a variable. `optimizer.learning_rate` would call a function of the caller's.
    rate = next((one for one in optimizer.variables if one.name == "learning_rate"), None)
    return {type(optimizer).__name__: None if rate is None else rate_as_given(rate.numpy())}


def rate_as_given(rate: Any) -> float:
    """Return a learning rate as it was given to Keras, which keeps float32: 0.1 for 0.10000000149.

    Example:
        >>> from kerasteach.tables.fit_setting import rate_as_given
        >>> rate_as_given(0.10000000149011612)
        0.1
    """
    return float(str(np.float32(rate)))


def without_changed_rates(setting: Mapping[str, Any], rates: Mapping[str, float | None]) -> dict[str, Any]:
    """Return a setting without a rate that is another one now, and without an optimizer that was replaced.

    Example:
        >>> from kerasteach.tables.fit_setting import without_changed_rates
        >>> without_changed_rates({"learning_rates": {"Adam": 0.01}}, {"Adam": 0.005})
        {'learning_rates': {'Adam': None}}
    """
    before = setting.get("learning_rates", {})
    kept = {name: rate if rate == rates[name] else None for name, rate in before.items() if name in rates}
    return {**setting, "learning_rates": kept}


def setting_of_history(history: Any) -> dict[str, Any]:
    """Return what is certain of the training that Keras's `History` is of: the network, and the optimizer's name.

    Whether the learning rate was another one meanwhile, a history does not say. The optimizer is that of the training
    where the model has been neither trained nor compiled since.
    """
    import keras

    model = history.model
    if not isinstance(model, keras.Model):
        return {}
    # A history may be used without `fit`, and a copied model has none.
    optimizer = getattr(model, "optimizer", None) if getattr(model, "history", None) is history else None
    same = optimizer is not None and int(keras.ops.convert_to_numpy(optimizer.iterations)) > 0
    setting = fit_setting(model, optimizer) if same else {"hidden": _hidden(model)}
    return {**setting, "learning_rates": dict.fromkeys(setting.get("learning_rates", {}))}


def _hidden(model: Any) -> list[int]:
    """Return the units of each hidden layer of a chain; none where the model is anything else."""
    import keras

    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    if not model.built or not layers or not (isinstance(model, keras.Sequential) or _is_chain(model, layers)):
        return []
    if not str(getattr(type(model).call, "__module__", "")).startswith("keras."):
        return []  # a class of the caller's own may call its layers as it likes
    dense = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    normalizations = (keras.layers.BatchNormalization, keras.layers.LayerNormalization, keras.layers.Normalization)
    others = [
        layer for layer in layers if layer.weights and not isinstance(layer, (keras.layers.Dense, *normalizations))
    ]
    return [] if others else [int(layer.units) for layer in dense[:-1]]


def _is_chain(model: Any, layers: list[Any]) -> bool:
    """Say whether a functional model is one chain: each layer is called once, with what the one before it returns."""
    if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
        return False
    try:
        links = all(after.input is before.output for before, after in pairwise(layers))
        return links and layers[0].input is model.inputs[0] and layers[-1].output is model.outputs[0]
    except AttributeError:  # a layer of several calls
        return False
