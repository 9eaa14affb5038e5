"""What the captures share: hooking an optimizer for the time of a `fit`, and fetching what was recorded."""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras

from kerasteach.measure import cells, histograms, training_function
from kerasteach.measure.attachment import Attachment
from kerasteach.measure.interruption import no_save_before_sigterm, save_before_sigterm
from kerasteach.measure.outputs import Outputs
from kerasteach.measure.raw import Raw
from kerasteach.measure.recording import Every, Recording, checked_every
from kerasteach.measure.records import Output, Parameter
from kerasteach.measure.selection import Selectors, checked
from kerasteach.measure.session import APPLIES_A_BATCH, Session
from kerasteach.measure.sources import Gradients
from kerasteach.measure.tensorboard import check_installed
from kerasteach.measure.views import Views


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
        self._optimizer = optimizer
        self._recording = Recording(name, kind, self._every, directory, tensorboard)
        self._writes = directory is not None
        self._execution = 1
        self._keep_hook = False
        self._session: Session | None = None

    def _source(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer
    ) -> tuple[Gradients | Outputs, tuple[str, ...], Raw | None]:
        """Return what is recorded in this training, its statistics, and what keeps whole gradients, if any."""
        raise NotImplementedError

    def _check(self, model: keras.Model, replicas: int) -> None:
        """Raise RuntimeError where this training cannot be recorded."""

    def detach(self) -> None:
        """Take the hook from the optimizer. Only needed where a `fit` ended in an exception and no other follows."""
        if self._session is not None:
            self._session.close()
            self._session.attachment.release()
            atexit.unregister(self._session.close)
            self._session = None

    def __enter__(self) -> Self:
        self._keep_hook = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._keep_hook = False
        self.detach()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a new table, and hook the optimizer before the training step is compiled."""
        self._recording.check_thread(type(self).__name__)
        model, optimizer = self.model, self._optimizer or self.model.optimizer
        if self._session is not None:
            self._session.close()  # what an interrupted fit left
            attachment = self._session.attachment
            if not self._keep_hook or attachment.model is not model or attachment.optimizer is not optimizer:
                self.detach()
        if self._session is None:
            self._session = self._begin(model, optimizer)
        else:
            self._recording.begin(self._recording.statistics, self._edges)
        training_function.make(model)
        self._session.begin(model.history)
        self._execution = model.steps_per_execution
        if self._writes:
            atexit.register(self._session.close)  # what an interrupted fit left, when Python ends
            save_before_sigterm(self._save_rest)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number."""
        if self._session is not None:
            self._session.begin_epoch(epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch early where the coming execution would not find room on the device."""
        if self._session is not None:
            self._session.begin_batches(batch, self._execution)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch what the epoch recorded."""
        if self._session is not None:
            self._session.end_epoch()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the model and the optimizer as they were found."""
        if self._session is None:
            return
        session = self._session
        session.end()
        no_save_before_sigterm(self._save_rest)
        atexit.unregister(session.close)
        if not self._keep_hook:
            self.detach()
        if session.begun and not session.seen:
            warnings.warn(
                f"{type(self).__name__} saw no gradient: this training never called `apply` of the optimizer "
                f"{type(session.attachment.optimizer).__name__}. A custom `train_step` may use another; name it with "
                "`optimizer=`.",
                stacklevel=2,
            )

    def _begin(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Session:
        replicas = model.distribute_strategy.num_replicas_in_sync if cells.backend() == "tensorflow" else 1
        self._check(model, replicas)
        source, statistics, raw = self._source(model, optimizer)
        try:
            self._recording.begin(statistics, self._edges)
            steps, execution = self.params.get("steps"), model.steps_per_execution
            attachment = Attachment(
                optimizer,
                source,
                model,
                every=self._every if isinstance(self._every, int) else 1,
                steps=steps and APPLIES_A_BATCH * (steps + execution),
                at_least=APPLIES_A_BATCH * execution,
                raw=raw,
                # On JAX, and for several devices, room must be made before the first step.
                variables=model.trainable_variables if replicas > 1 or cells.backend() == "jax" else None,
            )
        except BaseException:
            source.leave()
            raise
        return Session(attachment, self._recording)

    def _fetch(self) -> None:
        if self._session is not None:
            self._session.fetch()
