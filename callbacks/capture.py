"""What the captures share: hooking an optimizer for the time of a `fit`, and fetching what was recorded."""

from __future__ import annotations

import atexit
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras

from kerasteach.measure import cells, histograms
from kerasteach.measure.attachment import Attachment
from kerasteach.measure.recording import Every, Recording, checked_every
from kerasteach.measure.records import Output, Parameter
from kerasteach.measure.selection import Selectors, checked
from kerasteach.measure.tensorboard import check_installed
from kerasteach.measure.views import Views

_APPLIES_A_BATCH = 4  # more calls of `apply` a batch than any usual training step makes


class Capture(Views, keras.callbacks.Callback):
    """A callback that records something of every training step of a `fit`.

    Args:
        name: What its table is called.
        kind: What its rows tell of.
        layers: Which layers.
        every: At which steps.
        histogram: The histograms' bins.
        directory: Where to write meanwhile.
        tensorboard: Where to write what TensorBoard shows.
        optimizer: Whose steps; `None` for the one that the model was compiled with.
    """

    def __init__(
        self,
        name: str,
        kind: type[Parameter] | type[Output],
        layers: Selectors,
        every: Every,
        histogram: bool | int | Sequence[float] | None,
        directory: str | Path | None,
        tensorboard: str | Path | None,
        optimizer: keras.optimizers.Optimizer | None,
    ) -> None:
        super().__init__()
        if optimizer is not None and not isinstance(optimizer, keras.optimizers.Optimizer):
            raise TypeError(f"`optimizer` must be a Keras optimizer. Received: optimizer={optimizer!r}.")
        if tensorboard is not None:
            check_installed(tensorboard)
        self._layers, self._every = checked(layers), checked_every(every)
        self._edges = histograms.checked_edges(histogram)
        self._interval = self._every if isinstance(self._every, int) else 1
        self._optimizer = optimizer
        self._recording = Recording(name, kind, self._every, directory, tensorboard)
        self._streams = directory is not None
        self._epoch = 0
        self._begun = self._fetched = 0  # batches of this epoch
        self._seen = False
        self._applies = _APPLIES_A_BATCH  # of the optimizer, a batch: at most, until it is known
        self._execution = 1
        self._history: keras.callbacks.History | None = None  # tells one fit from another
        self._keep_hook = False
        self._attachment: Attachment | None = None
        self._hooked: tuple[keras.Model, keras.optimizers.Optimizer, Any] | None = None

    def _attach(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, options: dict[str, Any]) -> Attachment:
        """Hook the optimizer, and set the recording's statistics."""
        raise NotImplementedError

    def detach(self) -> None:
        """Take the hook from the optimizer. Only needed where a `fit` ended in an exception and no other follows."""
        self._fetch()
        self._recording.close()
        if self._hooked is not None and self._attachment is not None:
            model, _, train_function = self._hooked
            self._attachment.release()
            if model.train_function is train_function:
                model.train_function = None  # it was compiled with the hook in it
        self._hooked = self._attachment = None

    def __enter__(self) -> Self:
        self._keep_hook = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._keep_hook = False
        self.detach()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a new table, and hook the optimizer before the training step is compiled."""
        self._fetch()  # what an interrupted fit left
        if not self._still_hooked():
            self.detach()
            self._hook()
        elif self._attachment is not None:
            self._attachment.begin()
        self._recording.begin(self._recording.statistics, self._edges)
        self._seen, self._history, self._execution = False, self.model.history, self.model.steps_per_execution
        if self._streams:
            atexit.register(_rescue, weakref.ref(self))

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number."""
        self._epoch, self._fetched, self._begun = epoch, 0, 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch early where the coming execution would not find room on the device."""
        capacity = self._attachment.recorder.capacity if self._attachment is not None else 0
        held = self._recording.pending * self._interval if self._streams else 0
        if batch + self._execution - self._fetched > max(0, capacity - held) // self._applies:
            self._fetch()
            if self._streams:
                self._recording.flush()
            self._fetched = batch
        self._begun = batch + self._execution

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch what the epoch recorded."""
        self._fetch()
        self._recording.end_epoch()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the model and the optimizer as they were found."""
        if self._begun and not self._seen:
            optimizer = self._optimizer or self.model.optimizer
            warnings.warn(
                f"{type(self).__name__} saw no gradient: this training never called `apply` of the optimizer "
                f"{type(optimizer).__name__}. A custom `train_step` may use another; name it with `optimizer=`.",
                stacklevel=2,
            )
        if not self._keep_hook:
            self.detach()
        self._recording.finish()
        atexit.unregister(_rescue)

    def _hook(self) -> None:
        model = self.model
        optimizer = self._optimizer or model.optimizer
        steps, execution = self.params.get("steps"), model.steps_per_execution
        replicas = model.distribute_strategy.num_replicas_in_sync if cells.backend() == "tensorflow" else 1
        options = {
            "every": self._interval,
            "steps": steps and _APPLIES_A_BATCH * (steps + execution),
            "at_least": _APPLIES_A_BATCH * execution,
            # On JAX, and for several devices, room must be made before the first step.
            "variables": model.trainable_variables if replicas > 1 or cells.backend() == "jax" else None,
        }
        self._check(model, replicas)
        self._attachment = self._attach(model, optimizer, options)
        # Keras has made the training function by now, perhaps in an earlier fit, but looks it up at each step.
        model.train_function = None
        model.make_train_function()
        self._hooked = (model, optimizer, model.train_function)

    def _check(self, model: keras.Model, replicas: int) -> None:
        """Raise RuntimeError where this training cannot be recorded."""

    def _still_hooked(self) -> bool:
        if self._hooked is None or not self._keep_hook:
            return False
        model, optimizer, train_function = self._hooked
        wanted = self._optimizer or self.model.optimizer
        return model is self.model and optimizer is wanted and train_function is model.train_function

    def _fetch(self) -> None:
        if self._attachment is None or self._hooked is None:
            return
        model = self._hooked[0]
        if cells.backend() == "jax":
            model.jax_state_sync()  # in an epoch, JAX keeps the state beside the model
        values, arrays = self._attachment.fetch()
        begun = self._begun - self._fetched
        if model.history is not self._history:
            # The fit ended in an exception, and another one without this capture came after it, whose steps the hook
            # has recorded too.
            values, arrays = values[:begun], {}
        if len(values):
            self._applies = max(1, -(-len(values) * self._interval // max(1, begun)))
            self._fetched, self._seen = self._begun, True
            self._recording.add(self._attachment.source.entries or (), self._epoch, values)
        self._recording.add_raw(arrays)


def _rescue(capture: weakref.ref[Capture]) -> None:
    """Write what an interrupted training left, when Python ends."""
    living = capture()
    if living is not None:
        living.detach()
