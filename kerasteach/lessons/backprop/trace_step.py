"""`trace_step`: one training step of a model, taken apart."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from kerasteach.activations import Tensor
from kerasteach.devices import require_tensorflow
from kerasteach.lessons.backprop.batch_error import BatchError, batch_error
from kerasteach.lessons.backprop.layer_chain import check_structure, read
from kerasteach.lessons.backprop.optimizer_step import after_step
from kerasteach.lessons.backprop.propagation import Output, Values, backward, forward, gradients, penalties
from kerasteach.lessons.backprop.step import LayerStep, Step, WeightStep
from kerasteach.lessons.backprop.traced_step import TracedStep
from kerasteach.lessons.model_checks import (
    check_loss,
    checked_batch,
    checked_model,
    fitting,
    keras_loss,
    loss_of,
    optimizer_of,
)
from kerasteach.optimizers import is_plain
from kerasteach.validation import flag


def trace_step(
    model: keras.Model,
    x: Any,
    y: Any,
    optimizer: str | keras.optimizers.Optimizer | None = None,
    apply: bool = False,
) -> TracedStep:
    """Take one training step apart: forward pass, error, backpropagation and update, with every number.

    The error signals dE/da and dE/dz are those of each example, of the batch's error E (its mean over the examples, as
    Keras has it); dE/dW and dE/db are summed over the examples, with what a regularizer adds: as the optimizer receives
    them. `kerasteach.lessons.backprop.propagation` has the rules.

    The numbers are those of `model.train_on_batch(x, y)`, to the rounding of the model's dtype. Behind softmax (or
    sigmoid), Keras takes the derivative of cross-entropy by z in one piece, and so does this; dE/da is then that of
    `E = -sum T ln a`.

    Args:
        model: A Sequential or functional model: one chain of `Dense` layers (Keras's or ours), activation layers and
            `Flatten`, with one input and one output. A Sequential model that has not been built is built for x.
        x: The batch, `(examples, features)`.
        y: The targets, as the loss takes them.
        optimizer: What updates the weights: an optimizer, or a name that Keras knows. Defaults to the compiled one, or
            to `PlainSGD(0.1)` where the model is not compiled. The loss is the compiled one, or `HalfSquaredError()`.
        apply: Whether the step is really taken. By default the model and the optimizer are left as they were.

    Returns:
        The step, with its table `frame`, `explain()` and `plot()`.

    Raises:
        TypeError: If `model` or `optimizer` is none of Keras's.
        ValueError: If a layer cannot be explained (the first one is named), x or y does not fit the model, or Keras
            minimizes more than the loss's formula.
        RuntimeError: If Keras runs on another backend than TensorFlow.

    Example:
        >>> import keras, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((1,)), kt.layers.Dense(1, "sigmoid", kernel_initializer="ones")])
        >>> trace = kt.trace_step(model, [[0.0]], [[1.0]])
        >>> trace.frame.query("quantity == 'dE/dz'")["value"].tolist()
        [-0.125]

    Reference:
        Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986.
    """
    require_tensorflow()
    apply = flag("apply", apply)
    check_structure(checked_model(model))
    chosen = optimizer_of(model, optimizer)
    batch = _Batch(model, x, y)
    before = [{letter: _snapshot(one) for letter, one in link.variables.items()} for link in batch.links]
    with fitting(model):
        here = batch.go_forward(before)
    check_loss(model, batch.targets, here.outputs[-1][2], here.total, here.error.name)
    signals = backward(batch.links, before, here.outputs, here.error)
    received = _with_penalties(gradients(before, here.outputs, signals), here.penalties)
    rate = float(chosen.learning_rate)  # a schedule's, of this step
    after = _updated(batch, before, received, chosen, apply)
    weights = _weight_steps(batch, before, after, received, here, is_plain(chosen))
    layers = []
    for number, link in enumerate(batch.links):
        x, z, a, error, delta = map(ops.convert_to_numpy, (*here.outputs[number], *signals[number]))
        own, penalty = weights[number], _sum(here.penalties[number])
        layers.append(LayerStep(link.name, link.depth, link.nonlinearity, x, z, a, error, delta, own, penalty))
    next_error = batch.go_forward(after).total
    return TracedStep(Step(tuple(layers), here.error, here.total, next_error, type(chosen).__name__, rate))


def _snapshot(variable: Any) -> Tensor:
    return ops.convert_to_tensor(ops.convert_to_numpy(variable))  # the variable itself would change with the step


class _Pass(NamedTuple):
    """A forward pass: x, z and a of each layer, the error, each layer's penalties, and E with them."""

    outputs: list[Output]
    error: BatchError
    penalties: list[dict[str, tuple[Tensor, Tensor]]]
    total: float


class _Batch:
    """A model's chain of layers, and a batch and a loss to go through it with."""

    def __init__(self, model: Any, x: Any, y: Any) -> None:
        examples, self.targets = checked_batch(model, x, y)
        self.model, self.links, self.loss = model, read(model), loss_of(model)
        self.trained = list(model.trainable_variables)
        flat = examples.reshape(len(examples), -1)  # as Flatten does; without it they are flat already
        self.inputs = ops.convert_to_tensor(flat, dtype=self.links[0].dtype)

    def go_forward(self, weights: list[Values]) -> _Pass:
        outputs = forward(self.links, weights, self.inputs)
        _, z, a = outputs[-1]
        last = self.links[-1].nonlinearity
        error = batch_error(self.loss, self._automatic, self.targets, z, a, last)
        added = [penalties(link, own, self.trained) for link, own in zip(self.links, weights, strict=True)]
        return _Pass(outputs, error, added, float(error.value) + sum(_sum(one) or 0.0 for one in added))

    def _automatic(self, outputs: Tensor) -> Tensor:
        return keras_loss(self.model, self.targets, outputs) - sum(self.model.losses)


def _sum(penalties: dict[str, tuple[Tensor, Tensor]]) -> float | None:
    return sum(float(value) for value, _ in penalties.values()) if penalties else None


def _with_penalties(gradients: list[Values], penalties: list[dict[str, tuple[Tensor, Tensor]]]) -> list[Values]:
    """Return dE/dW and dE/db with what regularizers add."""
    return [
        {letter: one + added[letter][1] if letter in added else one for letter, one in own.items()}
        for own, added in zip(gradients, penalties, strict=True)
    ]


def _updated(batch: _Batch, before: list[Values], received: list[Values], optimizer: Any, apply: bool) -> list[Values]:
    """Return all weights after the optimizer's step; those that are not trained stay."""
    places = {
        id(variable): (number, letter)
        for number, link in enumerate(batch.links)
        for letter, variable in link.variables.items()
    }
    order = [places[id(variable)] for variable in batch.trained]
    new = after_step(optimizer, [received[number][letter] for number, letter in order], batch.trained, apply)
    after = [dict(own) for own in before]
    for (number, letter), value in zip(order, new, strict=True):
        after[number][letter] = ops.convert_to_tensor(value)
    return after


def _weight_steps(
    batch: _Batch, before: list[Values], after: list[Values], received: list[Values], here: _Pass, plain: bool
) -> list[tuple[WeightStep, ...]]:
    trained = {id(variable) for variable in batch.trained}
    return [
        tuple(
            WeightStep(
                letter,
                ops.convert_to_numpy(before[number][letter]),
                ops.convert_to_numpy(after[number][letter]),
                ops.convert_to_numpy(received[number][letter]) if id(variable) in trained else None,
                ops.convert_to_numpy(here.penalties[number][letter][1]) if letter in here.penalties[number] else None,
                plain and variable.constraint is None,
            )
            for letter, variable in link.variables.items()
        )
        for number, link in enumerate(batch.links)
    ]
