"""Base class of the captures: hooks an optimizer for the time of a `fit`, and fetches what was recorded."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import pandas as pd

from kerasteach.measure import histograms
from kerasteach.measure.hooks import buffers, train_function
from kerasteach.measure.hooks.attachment import Attachment
from kerasteach.measure.hooks.full_gradients import Raw
from kerasteach.measure.hooks.gradient_source import Gradients
from kerasteach.measure.hooks.graphs import outside
from kerasteach.measure.hooks.output_source import Outputs
from kerasteach.measure.recording.fit_session import APPLIES_A_BATCH, Session
from kerasteach.measure.recording.recording import Every, Recording, checked_every
from kerasteach.measure.recording.tensorboard import check_installed
from kerasteach.measure.recording.views import Views
from kerasteach.measure.selection import Selectors, checked
from kerasteach.measure.statistics import Chosen
from kerasteach.storage.interruption import no_save_before_sigterm, save_before_sigterm
from kerasteach.tables.captures import Output, Parameter
from kerasteach.tables.fit_setting import fit_setting, rates_of, without_changed_rates
from kerasteach.tables.history import history_table
from kerasteach.validation import received

if TYPE_CHECKING:
    from typing_extensions import Self  # typing has it from Python 3.11 on


class Capture(Views, keras.callbacks.Callback):
    """A callback that records something of every training step of a `fit`.

    Args:
        name: What its table is called.
        kind: Which key columns it has.
        statistics: Which statistics.
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
        statistics: Chosen,
        layers: Selectors,
        every: Every,
        histogram: bool | int | Sequence[float] | None,
        directory: str | Path | None,
        tensorboard: str | Path | None,
        optimizer: keras.optimizers.Optimizer | None,
    ) -> None:
        super().__init__()
        if optimizer is not None and not isinstance(optimizer, keras.optimizers.Optimizer):
            raise TypeError(f"`optimizer` must be a Keras optimizer. {received('optimizer', optimizer)}")
        if tensorboard is not None:
            check_installed(tensorboard)
        self._layers, self._every = checked(layers), checked_every(every)
        self._edges = histograms.checked_edges(histogram)
        self._optimizer, self._chosen = optimizer, statistics
        self._recording = Recording(name, kind, statistics.names, self._every, self._edges, directory, tensorboard)
        self._writes = directory is not None
        self._execution = 1
        self._keep_hook = False
        self._session: Session | None = None
        self._trained: keras.Model | None = None  # asked for its model, a callback stops JAX to fetch all weights
        self._at_exit: weakref.finalize[..., Capture] | None = None
        self._ended = self._missed = False  # whether a warning said that no more is recorded, or that a batch is not
        self._built = True  # whether the model was built when its setting was noted

    def _source(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer
    ) -> tuple[Gradients | Outputs, Raw | None]:
        """Return what is recorded in this training, and what keeps whole gradients, if any."""
        raise NotImplementedError

    def _check(self, model: keras.Model, replicas: int) -> None:
        """Raise RuntimeError where this training cannot be recorded."""

    def detach(self) -> None:
        """Take the hook from the optimizer. Only needed where a `fit` ended in an exception and no other follows."""
        if self._session is None:
            return
        session, self._session = self._session, None
        try:
            session.close()
        finally:
            session.release()
            no_save_before_sigterm(self._save_rest)
        if self._at_exit is not None:
            self._at_exit.detach()
        model, self._trained, self._at_exit = self._trained, None, None
        if not session.over and model is not None:
            train_function.make(model)  # a `fit` that is still running goes on without the hook

    def _history(self, history: Any) -> pd.DataFrame | None:
        """Return the table of a history: what `fit` returned, or of the model's last `fit` where nothing is given.

        The metrics of a validation that was not in each epoch are left out.
        """
        found = getattr(self.model, "history", None) if history is None else history
        if found is None or isinstance(found, pd.DataFrame):
            return found
        try:
            return history_table(found)
        except ValueError:
            metrics = getattr(found, "history", found)
            shorter = {name: metric for name, metric in metrics.items() if not str(name).startswith("val_")}
            return history_table(shorter)

    def _report(
        self, path: Any, gradients: Any, activations: Any, history: Any, title: Any, overwrite: Any, verbose: Any
    ) -> Path:
        """Write a page about the last training."""
        from kerasteach.report import write_report

        heading = f"Training of {self.model.name}" if title is None and self.model is not None else title
        return write_report(
            path,
            gradients,
            activations,
            self._history(history),
            title=heading,
            settings=self._training(),
            overwrite=overwrite,
            verbose=verbose,
        )

    def _training(self) -> dict[str, Any]:
        """Return what was trained and how, in words."""
        model = self.model
        if model is None:
            return {}
        rates = self._recording.setting.get("learning_rates")  # none where the optimizer was replaced meanwhile
        if rates is None:
            rates = rates_of(self._optimizer_of(model))
        found = {
            "network": f"{model.name}, {model.count_params():,} parameters",
            "optimizer": ", ".join(
                name if rate is None else f"{name}, learning rate {rate:g}" for name, rate in rates.items()
            )
            or None,
            "loss": getattr(model.loss, "name", None) or getattr(model.loss, "__name__", model.loss),
            "epochs": self.params.get("epochs"),
            "batches an epoch": self.params.get("steps"),
        }
        return {name: value for name, value in found.items() if value is not None}

    def __enter__(self) -> Self:
        self._keep_hook = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._keep_hook = False
        self.detach()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a new table, and hook the optimizer before the training step is compiled."""
        self._recording.check_thread(type(self).__name__)
        model = self.model
        kept = self._session is not None and self._keep_hook and self._trained is model and self._is_attached()
        if not kept:
            self.detach()
        self._trained, self._ended, self._missed = model, False, False
        if self._session is None:
            self._session = self._begin()
        else:
            self._recording.begin(setting=self._setting(model))
        train_function.make(model)
        self._session.begin()
        self._execution = model.steps_per_execution
        if self._writes and not kept:
            # What an interrupted fit left is written when the capture is no longer referenced, or Python ends.
            self._at_exit = weakref.finalize(self, _close, self._session)
        if self._writes:
            save_before_sigterm(self._save_rest)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number."""
        if self._session is not None:
            self._session.begin_epoch(epoch)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch early where the coming execution would not find room on the device."""
        if self._session is None:
            return
        if not self._is_attached():
            self._reattach()
        # A callback may set the rate for each epoch, and a training be interrupted; or for each batch, in cycles of an
        # epoch, of which the second execution shows the first. It is on the device, and not asked for each time.
        if not batch or (batch == self._execution and not self._session.steps):
            self._note_setting()
        self._session.begin_batches(batch, self._execution)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Fetch what the epoch recorded."""
        if self._session is not None:
            self._note_setting()
            self._session.end_epoch()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the model and the optimizer as they were found."""
        if self._session is None or self._trained is None:
            return
        session, model = self._session, self._trained
        self._note_setting()
        session.end()
        no_save_before_sigterm(self._save_rest)
        if not self._keep_hook:
            self.detach()
        if session.begun and not session.seen and not self._ended:
            warnings.warn(self._nothing_seen(model), stacklevel=2)

    def _begin(self) -> Session:
        """Hook the optimizer, and open a new table."""
        attachment = self._attach()
        try:
            assert self._trained is not None
            self._recording.begin(setting=self._setting(self._trained))
        except BaseException:
            attachment.release()
            raise
        session = Session(self._recording)
        session.attach(attachment)
        return session

    def _optimizer_of(self, model: keras.Model) -> keras.optimizers.Optimizer:
        """Return the optimizer whose steps are recorded."""
        return self._optimizer or model.optimizer

    def _setting(self, model: keras.Model) -> dict[str, Any]:
        """Return what is trained, as values for the titles of figures."""
        self._built = model.built
        return fit_setting(model, self._optimizer_of(model))

    def _note_setting(self) -> None:
        """Leave out of the titles a learning rate that is another one than at the start, as callbacks make it.

        And name the layers of a model that was built in its first step.
        """
        session, model = self._session, self._trained
        if session is None or model is None:
            return
        if session.attachment is not None:
            session.attachment.sync()
        setting = self._recording.setting
        now = without_changed_rates(
            setting if self._built else {**self._setting(model), **setting},
            rates_of(self._optimizer_of(model)),
        )
        if now != setting:
            self._recording.note(now)

    def _attach(self) -> Attachment:
        """Hook the optimizer with which the model trains now."""
        model = self._trained
        assert model is not None
        optimizer = self._optimizer_of(model)
        if buffers.backend() == "jax":
            model.jax_state_sync()
            if not optimizer.built:  # one that a callback compiled the model with
                optimizer.build(model.trainable_variables)
        replicas = model.distribute_strategy.num_replicas_in_sync if buffers.backend() == "tensorflow" else 1
        self._check(model, replicas)
        source, raw = self._source(model, optimizer)
        steps, execution = self.params.get("steps"), model.steps_per_execution
        # On JAX, and for several devices, room must be made before the first step; and it is wherever the entries are
        # known, since TensorFlow traces a step twice that makes a variable, and keeps both graphs.
        early = replicas > 1 or buffers.backend() == "jax" or source.entries is not None
        try:
            return Attachment(
                optimizer,
                source,
                model,
                every=self._every if isinstance(self._every, int) else 1,
                steps=steps and APPLIES_A_BATCH * (steps + execution),
                at_least=APPLIES_A_BATCH * execution,
                raw=raw,
                variables=model.trainable_variables if early else None,
                only_in_step=True,
            )
        except BaseException:
            source.leave()
            raise

    def _is_attached(self) -> bool:
        """Say whether the model still trains with what was hooked; not so once it was compiled or trained meanwhile."""
        attachment, model = self._session.attachment if self._session is not None else None, self._trained
        if attachment is None or model is None:
            return False
        return attachment.optimizer is self._optimizer_of(model) and (
            self._session is not None and (self._session.over or model.train_function is not None)
        )

    def _reattach(self) -> None:
        """Hook the optimizer with which the model trains on, or say that the recording ends here."""
        session, model = self._session, self._trained
        if session is None or model is None or self._ended:
            return
        session.interrupt()
        try:
            attachment = self._attach()
        except (ValueError, RuntimeError) as error:
            train_function.make(model)
            self._ended = True
            name = type(self).__name__
            warnings.warn(f"{name} records no more: the model was compiled in mid-`fit`. {error}", stacklevel=3)
            return
        session.attach(attachment)
        train_function.make(model)
        self._execution = model.steps_per_execution
        if session.missed and not self._missed:
            self._missed = True
            warnings.warn(
                f"{type(self).__name__} missed a batch: a callback that stands behind it compiled or trained the model "
                "as the batch began. Put it in front.",
                stacklevel=3,
            )

    def _nothing_seen(self, model: keras.Model) -> str:
        if not model.trainable_variables:
            return (
                f"{type(self).__name__} saw no gradient: there is nothing to train, since no layer of the model has a "
                "weight that is trainable. Set `trainable = True` on a layer, and compile the model again."
            )
        optimizer = self._optimizer_of(model)
        return (
            f"{type(self).__name__} saw no gradient: this training never called `apply` of the optimizer "
            f"{type(optimizer).__name__}. A custom `train_step` may use another; name it with `optimizer=`."
        )

    def _fetch(self) -> None:
        if self._session is not None:
            self._session.fetch()


def _close(session: Session) -> None:
    with outside():
        session.close()
        session.release()
