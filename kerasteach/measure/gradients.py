"""The seam: the one place that stands between Keras and an optimizer, and shows listeners every gradient.

Keras hands the gradients of every training step to the optimizer's public `apply`, inside the compiled step. A hook
in its place passes them on unchanged, after telling its listeners; the last listener to leave puts `apply` back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.measure import statistics
from kerasteach.measure.records import Parameter
from kerasteach.optimizers import PlainSGD

Tensor = Any
Listener = Callable[[keras.optimizers.Optimizer, Sequence[Tensor | None], Sequence[keras.Variable]], None]

_BUFFER_BYTES = 16 * 2**20  # how much of the device's memory a recorder takes at most, unless one step needs more
_STEPS_UNKNOWN = 1024  # how many steps it makes room for where nobody knows how many there will be


class _Hook:
    """Stands in for one optimizer's `apply`: tells the listeners, then calls it."""

    def __init__(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer
        self.apply = optimizer.apply
        self.was_instance_attribute = "apply" in vars(optimizer)
        self.listeners: list[Listener] = []

    def __call__(self, grads: Sequence[Tensor | None], trainable_variables: Any = None) -> Any:
        variables = self.optimizer._trainable_variables if trainable_variables is None else trainable_variables
        for listener in self.listeners:
            listener(self.optimizer, list(grads), list(variables))
        return self.apply(grads, trainable_variables)


def attach(optimizer: keras.optimizers.Optimizer, listener: Listener) -> None:
    """Have a listener called with (optimizer, gradients, variables) inside every training step traced from now on."""
    hook = vars(optimizer).get("apply")
    if not isinstance(hook, _Hook):
        hook = _Hook(optimizer)
        optimizer.apply = hook
    hook.listeners.append(listener)


def detach(optimizer: keras.optimizers.Optimizer, listener: Listener) -> None:
    """Take the listener back; with the last one gone, the optimizer's `apply` is what it was before."""
    hook = vars(optimizer).get("apply")
    if not isinstance(hook, _Hook):
        return
    hook.listeners = [one for one in hook.listeners if one is not listener]
    if not hook.listeners:
        del optimizer.apply
        if hook.was_instance_attribute:
            optimizer.apply = hook.apply


def describe(variables: Sequence[keras.Variable], model: keras.Model | None = None) -> list[Parameter]:
    """Say of each variable which layer owns it, how deep that layer stands, and which of its parameters it is.

    Args:
        variables: Trainable variables in the order in which the model calls their layers.
        model: The model, whose own name is left out of the layers' names.
    """
    depths: dict[str, int] = {}
    found = []
    for variable in variables:
        owner, _, parameter = variable.path.rpartition("/")
        depth = depths.setdefault(owner, len(depths) + 1)
        layer = owner.removeprefix(f"{model.name}/") if model is not None else owner
        found.append(Parameter(layer, depth, parameter, variable.path, int(np.prod(variable.shape))))
    return found


class Recorder:
    """A listener that computes statistics of every gradient in the training step and keeps them on the device.

    Args:
        variables: The trainable variables to record.
        names: The statistics, out of `kerasteach.measure.statistics.ALL`.
        steps: How many steps there will be between two calls of `fetch`. Defaults to `None`, not known.
        at_least: How many of them there must be room for, whatever the memory. Defaults to `1`.

    Attributes:
        capacity: How many steps there is room for; what comes between two calls of `fetch` beyond them is not kept.
    """

    def __init__(
        self, variables: Sequence[keras.Variable], names: Sequence[str], steps: int | None = None, at_least: int = 1
    ) -> None:
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                f"Gradients are recorded with Keras on TensorFlow. Received: the backend {keras.backend.backend()!r}; "
                'set the environment variable KERAS_BACKEND="tensorflow" before Python starts.'
            )
        import tensorflow as tf

        self.names = tuple(names)
        self._rows = {id(variable): row for row, variable in enumerate(variables)}
        self._dtype = "float64" if any(variable.dtype == "float64" for variable in variables) else "float32"
        one_step = max(1, len(variables) * len(self.names)) * np.dtype(self._dtype).itemsize
        self.capacity = max(at_least, min(steps or _STEPS_UNKNOWN, _BUFFER_BYTES // one_step))
        # Plain TensorFlow variables that no Keras object tracks: a model or an optimizer that is saved meanwhile
        # holds no trace of them.
        with tf.init_scope():
            shape = (self.capacity + 1, len(variables), len(self.names))  # the last row takes what finds no room
            self._buffer = tf.Variable(tf.zeros(shape, self._dtype), trainable=False, name="gradient_statistics")
            self._count = tf.Variable(0, dtype="int64", trainable=False, name="gradient_steps")

    def __call__(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Tensor | None],
        variables: Sequence[keras.Variable],
    ) -> None:
        """Compute one step's statistics and keep them; called inside the training step."""
        import tensorflow as tf

        nothing = ops.full((len(self.names),), np.nan, dtype=self._dtype)
        rows = [nothing] * len(self._rows)
        scale = _loss_scale(optimizer)
        for gradient, variable in zip(gradients, variables, strict=True):
            row = self._rows.get(id(variable))
            if row is not None and gradient is not None:
                dense = tf.convert_to_tensor(gradient)  # an embedding's gradient comes as slices, with rows repeated
                numbers = statistics.compute(
                    self.names,
                    dense if scale is None else ops.cast(dense, "float32") / scale,
                    weight=variable,
                    learning_rate=optimizer.learning_rate,
                )
                rows[row] = ops.cast(numbers, self._dtype)
        row = ops.stack(rows)
        # Counted only where there was a batch: TensorFlow runs what depends on no data even when the data have ended.
        with tf.control_dependencies([row]):
            self._buffer.scatter_nd_update([[ops.minimum(self._count, self.capacity)]], [row])
            self._count.assign_add(1)

    def fetch(self) -> np.ndarray:
        """Return what was recorded since the last call, `(steps, variables, statistics)`, and start anew."""
        count = min(int(self._count), self.capacity)
        self._count.assign(0)
        return np.asarray(self._buffer[:count])


def recordable(names: Sequence[str], optimizer: keras.optimizers.Optimizer) -> tuple[str, ...]:
    """Return the statistics that can be computed rightly for this optimizer: `update_ratio` needs the plain rule."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    options = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "gradient_accumulation_steps")
    plain = isinstance(optimizer, PlainSGD) or (
        type(optimizer) is keras.optimizers.SGD
        and not optimizer.momentum
        and not any(getattr(optimizer, option) for option in options)
    )
    return tuple(name for name in names if plain or name != "update_ratio")


def _loss_scale(optimizer: keras.optimizers.Optimizer) -> Tensor | None:
    """Return the factor that this optimizer multiplied the loss by, and so the gradients; `None` for 1."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return ops.cast(optimizer.dynamic_scale if optimizer.built else optimizer.initial_scale, "float32")
    return optimizer.loss_scale_factor or None
