"""The gradients of an ordinary `model.fit`, layer by layer, as the optimizer received them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Self

import keras
import numpy as np
import pandas as pd

from kerasteach.devices import require_tensorflow
from kerasteach.measure import gradients
from kerasteach.measure import statistics as _statistics
from kerasteach.measure.records import Parameter, gradient_table

_APPLIES_A_BATCH = 4  # more calls of `apply` a batch than any usual training step makes


class GradientCapture(keras.callbacks.Callback):
    """Record statistics of every trainable variable's gradient at every training step.

    What is recorded is the gradient of the batch's loss as the optimizer receives it, before any clipping. The numbers
    are computed inside the compiled training step, without a second pass, kept on the device and fetched once an
    epoch. The training itself is not changed, and the model and its optimizer are left as they were.

    Each `fit` starts a new table. After an exception in `fit` what was recorded is there; the hook goes at the next
    `fit`, by `detach()`, or at the end of a `with capture:` block, and is harmless until then. Inside such a block the
    hook stays from one `fit` to the next, which then need not compile the training step again.

    Args:
        statistics: `"all"`, or names out of `norm, mean, std, finite, mean_abs, max_abs, zero_fraction, weight_norm,
            update_ratio`. `finite` is always recorded. `update_ratio`, the norm of the step's change over the
            weight's norm, is there for plain gradient descent only. Defaults to `None`: norm, mean, std, finite.

    Raises:
        ValueError: If a statistic is unknown, or is `update_ratio` by name for an optimizer with another rule.
        RuntimeError: In training, if Keras runs on another backend than TensorFlow, or on several devices at once.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> capture = kt.callbacks.GradientCapture()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), batch_size=2, verbose=0, callbacks=[capture])
        >>> capture.frame[["step", "parameter", "size"]].values.tolist()
        [[0, 'kernel', 2], [0, 'bias', 1], [1, 'kernel', 2], [1, 'bias', 1]]
    """

    def __init__(self, *, statistics: str | Iterable[str] | None = None) -> None:
        super().__init__()
        self._asked = statistics
        self._names = _statistics.chosen(statistics)
        self._parameters: list[Parameter] = []
        self._values: list[np.ndarray] = []
        self._epochs: list[int] = []
        self._epoch = 0
        self._begun = self._fetched = 0  # batches of this epoch
        self._applies = _APPLIES_A_BATCH  # of the optimizer, a batch: at most, until it is known
        self._history: keras.callbacks.History | None = None  # tells one fit from another
        self._keep_hook = False
        self._recorder: gradients.Recorder | None = None
        self._hooked: tuple[keras.Model, keras.optimizers.Optimizer, Any] | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """The table of this fit, or of the last one: a row a step and trainable variable.

        Its columns are `epoch, step, layer, depth, parameter, path, size` and the statistics. `step` counts from 0,
        `epoch` is Keras's number, `depth` counts the layers from 1 at the input, `norm` is the Euclidean norm.
        """
        self._fetch()
        values = np.concatenate(self._values) if self._values else ()
        return gradient_table(self._parameters, self._names, self._epochs, range(len(self._epochs)), values)

    def detach(self) -> None:
        """Take the hook from the optimizer. Only needed where a `fit` ended in an exception and no other follows."""
        self._fetch()
        if self._hooked is not None and self._recorder is not None:
            model, optimizer, train_function = self._hooked
            gradients.detach(optimizer, self._recorder)
            if model.train_function is train_function:
                model.train_function = None  # it was compiled with the hook in it
        self._hooked = self._recorder = None

    def __enter__(self) -> Self:
        self._keep_hook = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._keep_hook = False
        self.detach()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a new table, and hook the optimizer before the training step is compiled."""
        if self._recorder is not None:
            self._recorder.fetch()  # what an interrupted fit left
        self._values, self._epochs, self._history = [], [], self.model.history
        if not self._still_hooked():
            self.detach()
            self._attach()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number."""
        self._epoch, self._fetched, self._begun = epoch, 0, 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch early where the coming execution would not find room on the device."""
        execution = self.model.steps_per_execution
        room_for = (self._recorder.capacity if self._recorder else 0) // self._applies
        if batch + execution - self._fetched > room_for:
            self._fetch()
            self._fetched = batch
        self._begun = batch + execution

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch what the epoch recorded."""
        self._fetch()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the model and the optimizer as they were found."""
        if self._begun and not self._epochs:
            warnings.warn(
                "GradientCapture saw no gradient: this training never called `apply` of the optimizer that was "
                f"compiled, {type(self.model.optimizer).__name__}.",
                stacklevel=2,
            )
        if not self._keep_hook:
            self.detach()

    def _attach(self) -> None:
        require_tensorflow()
        model, optimizer = self.model, self.model.optimizer
        if model.distribute_strategy.num_replicas_in_sync > 1:
            raise RuntimeError(
                "GradientCapture records the training on one device. Received: a model under "
                f"{type(model.distribute_strategy).__name__}."
            )
        asked = _statistics.chosen(self._asked)
        names = gradients.recordable(asked, optimizer)
        if self._asked != "all" and names != asked:
            raise ValueError(
                "`update_ratio` is known for PlainSGD and for keras.optimizers.SGD without momentum, decay or "
                "clipping; leave it out of `statistics`. "
                f"Received: the optimizer {type(optimizer).__name__}."
            )
        self._names, self._parameters = names, []
        steps, execution = self.params.get("steps"), model.steps_per_execution
        room = steps and _APPLIES_A_BATCH * (steps + execution)
        self._recorder = gradients.Recorder(
            lambda: model.trainable_variables, names, room, _APPLIES_A_BATCH * execution
        )
        gradients.attach(optimizer, self._recorder)
        # Keras has made the training function by now, perhaps in an earlier fit, but looks it up at each step.
        model.train_function = None
        model.make_train_function()
        self._hooked = (model, optimizer, model.train_function)

    def _still_hooked(self) -> bool:
        if self._hooked is None or not self._keep_hook:
            return False
        model, optimizer, train_function = self._hooked
        return model is self.model and optimizer is model.optimizer and train_function is model.train_function

    def _fetch(self) -> None:
        if self._recorder is None:
            return
        values = self._recorder.fetch()
        begun = self._begun - self._fetched
        if self.model.history is not self._history:
            # The fit ended in an exception, and another one without this capture came after it, whose steps the hook
            # has recorded too.
            values = values[:begun]
        if len(values):
            self._parameters = gradients.describe(self._recorder.variables, self.model)
            self._applies = max(1, -(-len(values) // max(1, begun)))
            self._values.append(values)
            self._epochs += [self._epoch] * len(values)
            self._fetched = self._begun
