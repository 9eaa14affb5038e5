"""A model restored after a training: weights, random seeds, optimizer and metrics, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module

import keras

from kerasteach.variables import restored


@contextmanager
def left_as_found(model: keras.Model, *, optimizer: bool = True) -> Iterator[None]:
    """Give every variable of a model the value that it had before the block, also after an exception or Ctrl-C.

    The variables are those of the model (its weights, statistics such as those of `BatchNormalization`, and its layers'
    random seeds), of its metrics and of its optimizer (its state, the count of its steps, the learning rate). A metric
    that is made in the block is reset.

    Args:
        model: The model.
        optimizer: Whether the optimizer may change in the block, too. Defaults to `True`.
    """
    variables = [*model.variables, *model.metrics_variables, *(model.optimizer.variables if optimizer else [])]
    known = {id(variable) for variable in variables}
    with restored(variables), _random_state_kept():
        try:
            yield
        finally:
            for metric in model.metrics:
                if any(id(variable) not in known for variable in metric.variables):
                    metric.reset_state()


def _random_state_kept() -> AbstractContextManager[None]:
    """Put PyTorch's random state back, from which Keras's dropout draws there; elsewhere the layers' seeds are all."""
    return import_module("torch").random.fork_rng() if keras.backend.backend() == "torch" else nullcontext()
