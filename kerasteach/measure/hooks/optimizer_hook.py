"""Optimizer hook: the one place between Keras and an optimizer, where listeners receive every gradient.

Keras hands the gradients of every training step to the optimizer, inside the compiled step. The hook replaces the
optimizer's method, calls its listeners, and passes the gradients on unchanged; what a listener returns is called once
the optimizer has changed the weights. The last listener to leave restores the method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasteach.keras_internals import updated_variables
from kerasteach.measure.hooks.graphs import after_reading, as_written, is_here

Tensor = Any

_LARGE = 2**12  # entries; a second copy of a smaller gradient costs less than the operation that prevents it


class TrainingStep(NamedTuple):
    """One call of an optimizer, inside the training step.

    Attributes:
        optimizer: The optimizer.
        gradients: Those of the batch's loss: dense, unscaled, before clipping, and the sum over all devices; `None`
            for a variable that has none.
        variables: What they are the gradients of.
    """

    optimizer: keras.optimizers.Optimizer
    gradients: Sequence[Tensor | None]
    variables: Sequence[keras.Variable]


AfterUpdate = Callable[[], None]
Listener = Callable[[TrainingStep], AfterUpdate | None]
Later = list[tuple[Listener, AfterUpdate]]


class _Hook:
    """Replacement of one optimizer's method: calls the listeners, the method, and what the listeners returned."""

    def __init__(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer
        self.name = hooked_method(optimizer)
        self.method = getattr(optimizer, self.name)
        self.was_instance_attribute = self.name in vars(optimizer)
        self.listeners: list[Listener] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return (self._apply_stateless if self.name == "stateless_apply" else self._apply)(*args, **kwargs)

    def _apply(self, grads: Iterable[Tensor | None], trainable_variables: Any = None) -> Any:
        variables = updated_variables(self.optimizer) if trainable_variables is None else list(trainable_variables)
        gradients = list(grads)  # which may be a generator, and can be gone through once
        later = self._show(gradients, variables)
        gradients = [after_reading(gradient) if _is_large(gradient) else gradient for gradient in gradients]
        result = self.method(gradients, None if trainable_variables is None else variables)
        self._finish(later)
        return result

    def _apply_stateless(
        self, optimizer_variables: Any, grads: Iterable[Tensor | None], trainable_variables: Any
    ) -> tuple[Any, Any]:
        gradients, own, weights = list(grads), self.optimizer.variables, updated_variables(self.optimizer)

        def scope(values: Any, weight_values: Any) -> keras.StatelessScope:
            state = [*zip(own, values, strict=True), *zip(weights, weight_values, strict=True)]
            return keras.StatelessScope(state_mapping=state)

        with scope(optimizer_variables, trainable_variables) as before:
            later = self._show(gradients, weights)
        values = [before.get_current_value(variable) for variable in own]
        trained, values = self.method(values, gradients, trainable_variables)
        with scope(values, trained) as after:
            self._finish(later)
        return trained, [after.get_current_value(variable) for variable in own]

    @as_written
    def _show(self, gradients: Sequence[Tensor | None], variables: Sequence[keras.Variable]) -> Later:
        """Call the listeners, and return what each wants called after the update."""
        total = _total([_unscaled(gradient, self.optimizer, variables) for gradient in gradients])
        later: Later = []
        for listener in list(self.listeners) if total is not None else ():
            after = self._call(listener, listener, TrainingStep(self.optimizer, total or (), variables))
            if after is not None:
                later.append((listener, after))
        return later

    @as_written
    def _finish(self, later: Later) -> None:
        for listener, after in later:
            self._call(listener, after)

    def _call(self, listener: Listener, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of a listener, which leaves if it fails, so that the next training does not."""
        try:
            return function(*arguments)
        except BaseException:
            self.listeners.remove(listener)
            raise


def hooked_method(optimizer: keras.optimizers.Optimizer) -> str:
    """Return the name of the method to which Keras hands this optimizer's gradients."""
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    return "stateless_apply" if scaled and keras.backend.backend() == "jax" else "apply"


def attach(optimizer: keras.optimizers.Optimizer, listener: Listener) -> None:
    """Have a listener called with each `TrainingStep`, inside every training step that is traced from now on."""
    name = hooked_method(optimizer)
    hook = vars(optimizer).get(name)
    if not isinstance(hook, _Hook):
        hook = _Hook(optimizer)
        setattr(optimizer, name, hook)
    hook.listeners.append(listener)


def detach(optimizer: keras.optimizers.Optimizer, listener: Listener) -> None:
    """Take the listener back; with the last one gone, the optimizer's method is what it was before."""
    name = hooked_method(optimizer)
    hook = vars(optimizer).get(name)
    if not isinstance(hook, _Hook):
        return
    hook.listeners = [other for other in hook.listeners if other != listener]  # a method is another object each time
    if not hook.listeners:
        delattr(optimizer, name)
        if hook.was_instance_attribute:
            setattr(optimizer, name, hook.method)


def loss_scale(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> Tensor | None:
    """Return the factor that this optimizer multiplied the loss by, and so the gradients; `None` for 1."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        if not optimizer.built:  # as it is about to do itself; only then its scale is a variable
            optimizer.build(list(variables))
        return ops.cast(optimizer.dynamic_scale, "float32")
    return getattr(optimizer, "loss_scale_factor", None) or None


def replicas() -> int:
    """Return how many devices share the training step that is being traced."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def _is_large(gradient: Tensor) -> bool:
    """Say whether the optimizer is to wait until a gradient is read, so that no second copy of it is made."""
    if keras.backend.backend() != "tensorflow" or replicas() > 1:
        return False
    import tensorflow as tf

    here = tf.is_symbolic_tensor(gradient) and is_here(gradient)
    return here and (gradient.shape.num_elements() or 0) >= _LARGE


def _unscaled(gradient: Tensor, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> Tensor:
    """Return the gradient dense and unscaled."""
    if gradient is None:
        return None
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gradient = tf.convert_to_tensor(gradient)  # an embedding's comes as slices, with rows repeated
    scale = loss_scale(optimizer, variables)
    return gradient if scale is None else ops.cast(gradient, "float32") / scale


def _total(gradients: list[Tensor | None]) -> list[Tensor | None] | None:
    """Return the sums over all devices that share the step; `None` on all but the first, which alone calls listeners.

    Keras divides each device's loss by their number, so the sum is the gradient that it applies.
    """
    if replicas() == 1:
        return gradients
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    sums = iter(context.all_reduce("sum", [gradient for gradient in gradients if gradient is not None]))
    total = [None if gradient is None else next(sums) for gradient in gradients]
    first: int | None = tf.get_static_value(context.replica_id_in_sync_group)
    return total if first == 0 else None
