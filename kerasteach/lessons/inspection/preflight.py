"""Check of a compiled model before its training, on one batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops, tree

from kerasteach.diagnosis import Findings, diagnose
from kerasteach.diagnosis.diagnose import of_setup
from kerasteach.diagnosis.setup import Output, Setup, targets_and_outputs
from kerasteach.keras_internals import made_by
from kerasteach.lessons.batches import Batch, Batches
from kerasteach.lessons.inspection.evaluation import check_compiled
from kerasteach.lessons.inspection.restore import left_as_found
from kerasteach.lessons.inspection.training_step import train_on
from kerasteach.lessons.model_checks import fitting
from kerasteach.measure import record
from kerasteach.measure.selection import frozen_layers, layers_of
from kerasteach.tables.history import history_table
from kerasteach.validation import fits_memory, whole

_PARTS = 5  # of the steps, whose mean losses stand for epochs


def preflight(model: keras.Model, x: Any, y: Any = None, *, steps: int = 50, batch_size: int = 32) -> Findings:
    """Look at a compiled model and one batch before anyone trains for an hour. The model is left as it was.

    The batch is the first one. The last layer and the loss, the targets, the inputs and the first weights are looked
    at; then the model is trained on this batch alone, whose loss must fall, and the gradients of these steps are
    diagnosed as `kerasteach.diagnose` does.

    Weights, statistics of normalization, the layers' random seeds, the optimizer's state and the metrics are put back
    bit for bit, also after an exception or Ctrl-C.

    Args:
        model: A compiled Keras model. If it or its optimizer is not built yet, it is then.
        x: Inputs, `(examples, ...)`, as `fit` takes them; or a `tf.data.Dataset` or `keras.utils.PyDataset` of batches.
        y: Targets, `(examples, ...)`. Leave it out where `x` has them.
        steps: How many steps to train on the batch. Defaults to `50`.
        batch_size: The examples of the batch where `x` is arrays. Defaults to `32`.

    Returns:
        The findings: `print` them, or read their `frame`.

    Raises:
        ValueError: If the model is not compiled, or the data do not fit it.
        TypeError: If the data are no arrays and no data set.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="sigmoid")])
        >>> model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
        >>> kt.preflight(model, np.eye(2), np.array([0, 3])).frame["rule"].tolist()
        ['KT501', 'KT502']
    """
    check_compiled(model)
    fits_memory("steps", steps, 8 * whole("steps", steps, least=2))
    batch = next(iter(Batches(x, y, None, batch_size)), None)
    if batch is None:
        raise ValueError("`x` must have at least one batch. Received: a data set without any.")
    if not model.built:
        with fitting(model):
            model(batch[0])
    setup = _setup(model, batch)
    if not setup.trains or targets_and_outputs(setup) is not None:  # which cannot be trained
        return of_setup(setup)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    losses: list[float] = []
    with left_as_found(model), record(model.optimizer, model, statistics=["norm", "update_ratio"]) as tape:
        for _ in range(int(steps) + 1):
            loss, logs = train_on(model, batch)
            losses.append(loss)
            if len(losses) == 1:
                setup = replace(setup, outputs=_with_first_losses(setup.outputs, logs))
    return of_setup(replace(setup, losses=tuple(losses)), _in_steps(tape.frame, losses))


def _with_first_losses(outputs: tuple[Output, ...], logs: dict[str, Any]) -> tuple[Output, ...]:
    """Return the outputs, each with its own loss out of a step's logs."""
    names = [f"{output.name}_loss" for output in outputs] if len(outputs) > 1 else ["loss"]
    firsts = [float(logs[name]) if name in logs else None for name in names]
    return tuple(replace(output, first=first) for output, first in zip(outputs, firsts, strict=True))


def _in_steps(gradients: pd.DataFrame, losses: list[float]) -> Findings:
    """Diagnose steps on one batch: a few parts of them stand for epochs."""
    part = np.arange(len(losses)) * _PARTS // len(losses)
    means = pd.Series(losses).groupby(part).mean().tolist()
    return diagnose(gradients.assign(epoch=part[gradients["step"]]), history=history_table({"loss": means}))


def _setup(model: keras.Model, batch: Batch) -> Setup:
    layers = layers_of(model)
    inputs = tree.flatten(batch[0])
    names = list(batch[0]) if isinstance(batch[0], dict) else [str(number) for number in range(1, len(inputs) + 1)]
    numbers = {name: np.asarray(x) for name, x in zip(names, inputs, strict=False)}
    kernels = {layer.name: getattr(layer, "kernel", None) for layer in layers if layer.trainable}
    return Setup(
        outputs=tuple(_outputs(model, batch)),
        inputs={name: x for name, x in numbers.items() if np.issubdtype(x.dtype, np.number)},
        layers=tuple(type(layer).__name__ for layer in layers if not isinstance(layer, keras.layers.InputLayer)),
        kernels={
            name: ops.convert_to_numpy(kernel) for name, kernel in kernels.items() if isinstance(kernel, keras.Variable)
        },
        losses=(),
        frozen=tuple(frozen_layers(model)),
        trains=bool(model.trainable_variables),
    )


def _outputs(model: keras.Model, batch: Batch) -> Iterator[Output]:
    """Yield each output with its loss and targets, which Keras takes by position or by name."""
    with fitting(model):
        predicted = model(batch[0], training=False)
    values = tree.flatten(predicted)
    # `tree.flatten` goes through a dictionary in the order of its keys.
    names = sorted(predicted) if isinstance(predicted, dict) else getattr(model, "output_names", None)
    if names is None or len(names) != len(values):
        names = [str(number) for number in range(1, len(values) + 1)]
    losses, targets = _by_output(model.loss, names), _by_output(batch[1], names)
    lasts = _last_layers(model, len(values))
    for name, value, given, target, last in zip(names, values, losses, targets, lasts, strict=True):
        loss, from_logits = _loss(given)
        yield Output(
            name=str(name),
            loss=loss,
            from_logits=from_logits,
            activation=_activation(last),
            units=int(value.shape[-1]) if len(value.shape) > 1 else 1,
            targets=np.asarray(target) if target is not None else np.zeros(0),
        )


def _by_output(given: Any, names: Sequence[str]) -> list[Any]:
    """Return what was given for each output: by name, by position, or the same for all."""
    if isinstance(given, dict):
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple) and len(given) == len(names):
        return list(given)
    return [given] * len(names)


def _last_layers(model: keras.Model, number: int) -> list[Any]:
    """Return the layer that each of so many outputs comes from; `None` where it is unknown."""
    outputs = getattr(model, "outputs", None)
    if outputs:
        return [made_by(output)[0] for output in tree.flatten(outputs)]
    return [model if number == 1 else None] * number


def _loss(given: Any) -> tuple[str, bool | None]:
    """Return the name of a loss, as Keras's function is called, and whether it takes logits."""
    loss = keras.losses.get(given) if not isinstance(given, list | tuple | dict) else None
    if isinstance(loss, keras.losses.Loss):
        if not type(loss).__module__.startswith(("keras.", "kerasteach.")):
            return "", None
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(loss).__name__).lower()
        return name, loss.get_config().get("from_logits")
    known = getattr(loss, "__module__", "").startswith("keras.")
    return (str(getattr(loss, "__name__", "")), False) if known else ("", None)


def _activation(last: Any) -> str:
    """Return the name of the function of a layer, of a model that of its last; empty where it is unknown."""
    while getattr(last, "layers", None):
        last = last.layers[-1]
    if isinstance(last, keras.layers.Softmax | keras.layers.ReLU):
        return type(last).__name__.lower()
    if not hasattr(last, "activation"):
        return ""
    return "linear" if last.activation is None else str(getattr(last.activation, "__name__", ""))
