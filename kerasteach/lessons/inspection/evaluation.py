"""Evaluation of a model's loss at other weights, without changing the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.batches import Batch, Batches, examples_in
from kerasteach.lessons.inspection.directions import Plane, Weights
from kerasteach.lessons.model_checks import checked_model, fitting, own_methods
from kerasteach.progress import progress_bar

_AT_ONCE = 32  # points that one call of the compiled function computes; between calls the bar moves
_OWN = ("train_step", "test_step", "compute_loss")  # a subclass that replaces one of these may need no targets
_PARALLEL = 4  # points that it computes side by side: more would take more memory


def check(model: Any, data: Batches) -> None:
    """Raise TypeError or ValueError unless the model is compiled and the data are finite."""
    check_compiled(model)
    if data.endless:
        raise ValueError(
            "`x` must have an end: take(...) some batches of it. Received: a data set that repeats itself."
        )


def check_compiled(model: Any) -> None:
    """Raise TypeError or ValueError unless this is a compiled Keras model."""
    if not checked_model(model).compiled:
        raise ValueError(
            f"`model` must be compiled, with a loss; call model.compile first. Received: the model {model.name!r}."
        )


def check_targets(model: keras.Model, batch: Batch) -> None:
    """Raise ValueError if targets are missing that the compiled loss needs."""
    if batch[1] is None and model.loss is not None and not own_methods(model, _OWN):
        raise ValueError("`y` must be the targets: the model is compiled with a loss. Received: y=None.")


def prepare(model: keras.Model, data: Batches) -> None:
    """Evaluate one batch, so that the variables of the model and of its metrics are built.

    Raises:
        ValueError: If there is no batch, or the model's evaluation returns no loss.
    """
    batch = next(iter(data), None)
    if batch is None:
        raise ValueError("`x` must have at least one batch. Received: a data set without any.")
    check_targets(model, batch)
    with fitting(model):
        logs = model.test_step(keras.utils.pack_x_y_sample_weight(*batch))
    loss_in(logs, "test_step")


def loss_in(logs: Mapping[str, Any], method: str) -> Any:
    """Return the loss that a model's method returned among its logs, or raise ValueError."""
    if "loss" not in logs:
        raise ValueError(f"`model.{method}` must return a `loss`. Received: a {method} that returns {list(logs)}.")
    return logs["loss"]


def mean_losses(
    model: keras.Model, data: Batches, plane: Plane, points: np.ndarray, snapshots: Sequence[Weights], verbose: bool
) -> np.ndarray:
    """Return the loss that `evaluate` would return at each point of a plane, and with each of several snapshots.

    Args:
        model: A compiled model that has been evaluated once.
        data: The data, read once, so that no more than a batch is in memory.
        plane: The plane of the points.
        points: Their coordinates, `(points, axes)`.
        snapshots: Values of all weights.
        verbose: Whether to show a bar.

    Returns:
        Losses in float64, `(points + snapshots,)`: the means over the batches, each counted by its examples.
    """
    on_plane, with_weights = _compiled(model, plane)
    at_once = min(_AT_ONCE, len(points))
    padded = np.pad(points - plane.origin, ((0, -len(points) % at_once), (0, 0)), mode="edge")  # calls of one shape
    chunks = padded.reshape(-1, at_once, len(plane.axes))
    sums, examples = np.zeros(len(points) + len(snapshots)), 0
    count = data.count and data.count * len(chunks)
    with progress_bar(verbose, count, "loss surface", f"{len(points)} points") as report:
        for number, batch in enumerate(data):
            losses: list[Any] = []
            for done, chunk in enumerate(chunks, start=number * len(chunks) + 1):
                losses.extend(on_plane(chunk, batch).numpy())
                report(done)
            losses = losses[: len(points)] + [with_weights(snapshot, batch).numpy() for snapshot in snapshots]
            with np.errstate(invalid="ignore"):  # losses of inf and -inf give NaN
                sums += examples_in(batch) * np.asarray(losses, "float64")
            examples += examples_in(batch)
    return sums / examples


def _compiled(
    model: keras.Model, plane: Plane
) -> tuple[Callable[[np.ndarray, Batch], Tensor], Callable[[Weights, Batch], Tensor]]:
    """Return two functions that compute a batch's losses: at offsets in the plane, `(points, axes)`; at all weights."""
    tf = require_tensorflow()
    moved = [
        (variable, tf.constant(center), [tf.constant(step, variable.dtype) for step in steps])
        for variable, center, *steps in zip(model.trainable_variables, plane.center, *plane.directions, strict=True)
        if any(np.any(step) for step in steps)
    ]

    def at(offset: Tensor, batch: Batch) -> Tensor:
        values = []
        for variable, value, steps in moved:
            for coordinate, step in zip(tf.unstack(tf.cast(offset, value.dtype)), steps, strict=True):
                value += coordinate * step
            values.append((variable, value))
        return _loss(model, values, batch)

    def on_plane(offsets: Tensor, batch: Batch) -> Tensor:
        together = 1 if model.run_eagerly else _PARALLEL
        return tf.map_fn(
            lambda offset: at(offset, batch), offsets, fn_output_signature="float32", parallel_iterations=together
        )

    def with_weights(values: Weights, batch: Batch) -> Tensor:
        return _loss(model, list(zip(model.weights, values, strict=True)), batch)

    if model.run_eagerly:
        return on_plane, with_weights
    options = {"reduce_retracing": True, "jit_compile": model.jit_compile}
    return tf.function(on_plane, **options), tf.function(with_weights, **options)


def _loss(model: keras.Model, values: list[tuple[keras.Variable, Tensor]], batch: Batch) -> Tensor:
    """Return the loss of the model's own evaluation of a batch at these weights; no variable is written."""
    with keras.StatelessScope(values, collect_losses=True):
        model.reset_metrics()
        data = keras.utils.pack_x_y_sample_weight(*batch)  # as in `evaluate`, without what is None
        return keras.ops.cast(model.test_step(data)["loss"], "float32")
