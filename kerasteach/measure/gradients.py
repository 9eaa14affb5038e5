"""The seam: the one place that stands between Keras and an optimizer, and shows listeners every gradient.

Keras hands the gradients of every training step to the optimizer's public `apply`, inside the compiled step. A hook
in its place passes them on unchanged, after telling its listeners; the last listener to leave puts `apply` back.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.devices import require_tensorflow
from kerasteach.measure import statistics
from kerasteach.measure.records import Parameter
from kerasteach.optimizers import PlainSGD

Tensor = Any
Listener = Callable[[keras.optimizers.Optimizer, Sequence[Tensor | None], Sequence[keras.Variable]], None]

_BUFFER_BYTES = 16 * 2**20  # how much of the device's memory a recorder takes at most, unless one step needs more
_SMALL = 4096  # entries; so few are measured in float64 at no cost that shows
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

    Returns:
        A description of each. Layers of one name in different sub-models are told apart: `d`, `d #2`, ...
    """
    layers: dict[str, list[set[str]]] = {}  # for each owner's path, the parameters of each layer that goes by it
    depths: dict[tuple[str, int], int] = {}
    found = []
    for variable in variables:
        owner, _, parameter = variable.path.rpartition("/")
        namesakes = layers.setdefault(owner, [set()])
        if parameter in namesakes[-1]:  # a layer has each parameter once: this is another one of its name
            namesakes.append(set())
        namesakes[-1].add(parameter)
        depth = depths.setdefault((owner, len(namesakes)), len(depths) + 1)
        layer = owner.removeprefix(f"{model.name}/") if model is not None else owner
        layer += f" #{len(namesakes)}" if len(namesakes) > 1 else ""
        found.append(Parameter(layer, depth, parameter, variable.path, int(np.prod(variable.shape))))
    return found


class Recorder:
    """A listener that computes statistics of every gradient in the training step and keeps them on the device.

    Args:
        variables: Returns the variables to record; called in the first step, when every model is built.
        names: The statistics, out of `kerasteach.measure.statistics.ALL`.
        steps: How many steps there will be between two calls of `fetch`. Defaults to `None`, not known.
        at_least: How many of them there must be room for, whatever the memory. Defaults to `1`.

    Attributes:
        variables: The variables that are recorded, in the order of the rows; empty before the first step.
        capacity: How many steps there is room for; what comes between two calls of `fetch` beyond them is not kept.
    """

    def __init__(
        self,
        variables: Callable[[], Sequence[keras.Variable]],
        names: Sequence[str],
        steps: int | None = None,
        at_least: int = 1,
    ) -> None:
        require_tensorflow()
        self.names = tuple(names)
        self.variables: list[keras.Variable] = []
        self.capacity = at_least
        self._find_variables = variables
        self._steps, self._at_least = steps or _STEPS_UNKNOWN, at_least
        self._buffer: Any = None
        self._count: Any = None

    def __call__(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Tensor | None],
        variables: Sequence[keras.Variable],
    ) -> None:
        """Compute one step's statistics and keep them; called inside the training step."""
        tf = require_tensorflow()
        if self._buffer is None:
            self._make_room(tf)
        received = {
            id(variable): (self._true(gradient, optimizer, variables), variable)
            for gradient, variable in zip(gradients, variables, strict=True)
            if gradient is not None
        }
        learning_rate = optimizer.learning_rate if "update_ratio" in self.names else None
        row = self._row(received, learning_rate)
        large = [gradient for gradient, _ in received.values() if _worth_float32(gradient)]
        if large:
            trusted = ops.all([statistics.in_range(gradient) for gradient in large])
            fast = row
            row = ops.cond(trusted, lambda: fast, lambda: self._row(received, learning_rate, exact=True))
        # Counted only where there was a batch: TensorFlow runs what depends on no data even when the data have ended.
        with tf.control_dependencies([row]):
            self._buffer.scatter_nd_update([[ops.minimum(self._count, self.capacity)]], [row])
            self._count.assign_add(1)

    def _row(self, received: dict[int, tuple[Tensor, Any]], learning_rate: Tensor, exact: bool = False) -> Tensor:
        """Return one step's statistics, `(variables, statistics)`, NaN where a variable received no gradient."""
        nothing = ops.full((len(self.names),), np.nan, dtype="float64")
        rows = [nothing] * len(self.variables)
        for number, variable in enumerate(self.variables):
            if id(variable) in received:
                gradient, weight = received[id(variable)]
                rate = learning_rate if weight.constraint is None else np.nan  # the rule is not all that moves it
                dtype = "float64" if exact or not _worth_float32(gradient) else "float32"
                options = {"weight": weight, "learning_rate": rate, "dtype": dtype}
                rows[number] = statistics.compute(self.names, gradient, **options)
        return ops.stack(rows)

    def _true(self, gradient: Tensor, optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]) -> Tensor:
        """Return the gradient dense and unscaled."""
        dense = require_tensorflow().convert_to_tensor(
            gradient
        )  # an embedding's gradient comes as slices, with rows repeated
        scale = _loss_scale(optimizer, variables)
        return dense if scale is None else ops.cast(dense, "float32") / scale

    def fetch(self) -> np.ndarray:
        """Return what was recorded since the last call, `(steps, variables, statistics)`, and start anew.

        Warns:
            UserWarning: If more steps were taken than there was room for.
        """
        if self._buffer is None:
            return np.empty((0, 0, len(self.names)))
        count = int(self._count)
        self._count.assign(0)
        if count > self.capacity:
            warnings.warn(f"Of {count} steps only the first {self.capacity} found room in the buffer.", stacklevel=2)
        return np.asarray(self._buffer[: min(count, self.capacity)])

    def _make_room(self, tf: Any) -> None:
        self.variables = list(self._find_variables())
        one_step = max(1, len(self.variables) * len(self.names)) * np.dtype("float64").itemsize
        self.capacity = max(self._at_least, min(self._steps, _BUFFER_BYTES // one_step))
        # Plain TensorFlow variables that no Keras object tracks: a model or an optimizer that is saved meanwhile
        # holds no trace of them.
        with tf.init_scope():
            shape = (self.capacity + 1, len(self.variables), len(self.names))  # the last row takes what finds no room
            self._buffer = tf.Variable(tf.zeros(shape, "float64"), trainable=False, name="gradient_statistics")
            self._count = tf.Variable(0, dtype="int64", trainable=False, name="gradient_steps")


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


def _worth_float32(gradient: Tensor) -> bool:
    """Say whether a gradient is so large that measuring it in float64 would slow the training down."""
    return gradient.dtype != "float64" and int(np.prod(gradient.shape)) > _SMALL


def _loss_scale(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> Tensor | None:
    """Return the factor that this optimizer multiplied the loss by, and so the gradients; `None` for 1."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        if not optimizer.built:  # as it is about to do itself; only then its scale is a variable
            optimizer.build(list(variables))
        return ops.cast(optimizer.dynamic_scale, "float32")
    return getattr(optimizer, "loss_scale_factor", None) or None
