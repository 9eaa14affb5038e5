"""Recorder for training loops without `fit`: the same optimizer hook, as a context manager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from kerasteach.keras_internals import updated_variables
from kerasteach.measure import histograms
from kerasteach.measure.hooks import buffers, optimizer_hook, train_function
from kerasteach.measure.hooks.attachment import Attachment
from kerasteach.measure.hooks.full_gradients import Raw, checked_raw
from kerasteach.measure.hooks.gradient_source import Gradients
from kerasteach.measure.recording.recording import Every, Recording, checked_every
from kerasteach.measure.recording.views import GradientViews
from kerasteach.measure.selection import Selector, Selectors, checked
from kerasteach.measure.statistics import Asked, chosen
from kerasteach.storage.interruption import no_save_before_sigterm, save_before_sigterm
from kerasteach.tables.captures import Parameter
from kerasteach.validation import received, whole

if TYPE_CHECKING:
    from typing_extensions import Self  # typing has it from Python 3.11 on


class record(GradientViews):  # noqa: N801  used as a context manager, `with record(...)`, like a function
    """Record the gradients that an optimizer is handed, in a training loop of one's own or with `train_on_batch`.

    It records what `GradientCapture` does, in the same table: one step is one call of the optimizer's `apply`. Inside
    the block the optimizer is hooked; after it everything is as it was.

    A function that TensorFlow or JAX compiles must be traced inside the block: make it anew there. On JAX, build the
    optimizer before the block, take `optimizer.variables` inside it, and before it ends assign the state that your
    loop carried back to them.

    Args:
        optimizer: The optimizer whose steps are recorded.
        model: The model, whose layers name the rows; `None` for a loop without a Keras model. Defaults to `None`.
        layers: Which layers: names, wildcards such as `"conv*"`, layer objects, classes of layers, or functions of a
            layer that say whether it is meant. Defaults to `None`, all.
        every: Record every n-th step, or `"epoch"` for the means over each epoch's steps. Defaults to `1`.
        statistics: As for `GradientCapture`. Defaults to `None`: norm, mean, std, finite.
        histogram: As for `GradientCapture`. Defaults to `None`.
        raw: As for `GradientCapture`. Defaults to `None`.
        directory: As for `GradientCapture`. Defaults to `None`.

    Attributes:
        epoch: The number in the column `epoch`, 0 at first; set it as your loop goes on. Each time you do, what was
            recorded is fetched from the device. It has room for 16 MiB, which a long epoch of a network of many layers
            may fill: what comes then is not kept, and a warning says so. Look at `frame` now and then to make room.

    Raises:
        ValueError, TypeError: If an argument will not do.
        RuntimeError: At the end of the block, if no gradient was seen.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with kt.measure.record(model.optimizer, model) as tape:
        ...     for _ in range(3):
        ...         _ = model.train_on_batch(np.ones((4, 2)), np.zeros((4, 1)))
        >>> tape.frame["step"].tolist()
        [0, 0, 1, 1, 2, 2]
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        model: keras.Model | None = None,
        *,
        layers: Selectors = None,
        every: Every = 1,
        statistics: Asked = None,
        histogram: bool | int | Sequence[float] | None = None,
        raw: Mapping[Selector, int | Iterable[int]] | None = None,
        directory: str | Path | None = None,
    ) -> None:
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise TypeError(f"`optimizer` must be a Keras optimizer. {received('optimizer', optimizer)}")
        if model is not None and not isinstance(model, keras.layers.Layer):  # every model is a layer
            raise TypeError(f"`model` must be a Keras model, or None. {received('model', model)}")
        self._optimizer, self._model = optimizer, model
        self._layers, self._every = checked(layers), checked_every(every)
        self._chosen = chosen(statistics)
        self._edges, self._raw = histograms.checked_edges(histogram), checked_raw(raw)
        self._recording = Recording("gradients", Parameter, self._chosen.names, self._every, self._edges, directory)
        self._writes = directory is not None
        self._attachment: Attachment | None = None
        self._epoch = 0
        self._seen = False

    def __enter__(self) -> Self:
        self._recording.check_thread(type(self).__name__)
        strategy = getattr(self._model, "distribute_strategy", None)
        replicas = strategy.num_replicas_in_sync if strategy is not None else optimizer_hook.replicas()
        built_first = buffers.backend() == "jax" or replicas > 1
        if built_first and not self._optimizer.built:
            raise ValueError("Build the optimizer first: optimizer.build(model.trainable_variables).")
        self._recording.begin()
        self._attachment = Attachment(
            self._optimizer,
            Gradients(self._model, self._recording.statistics, self._layers, self._edges, self._chosen.own),
            self._model,
            every=1 if self._every == "epoch" else self._every,
            steps=2**62,
            raw=Raw(self._model, self._optimizer, self._raw) if self._raw else None,
            variables=updated_variables(self._optimizer) if built_first else None,
        )
        if getattr(self._model, "compiled", False) and self._optimizer is getattr(self._model, "optimizer", None):
            train_function.make(self._model)  # for `train_on_batch`
        if self._writes:
            save_before_sigterm(self._save_rest)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._fetch()
            self._recording.end_epoch()
            self._recording.finish()
        finally:
            no_save_before_sigterm(self._save_rest)
            if self._attachment is not None:
                self._attachment.release()
                self._attachment = None
        if kind is None and not self._seen:
            raise RuntimeError(
                "No gradient was seen: the optimizer's `apply` was not called in this block, or a function that was "
                "compiled before it called it. Make such a function, tf.function or jax.jit, anew inside the block; on "
                "JAX, assign the state that your loop carried to `optimizer.variables` before it ends. "
                f"Received: the optimizer {self._optimizer.name!r}."
            )

    @property
    def epoch(self) -> int:
        """The number in the column `epoch`."""
        return self._epoch

    @epoch.setter
    def epoch(self, number: int) -> None:
        number = whole("epoch", number, least=0)
        self._fetch()
        self._recording.end_epoch()
        self._epoch = number

    def _fetch(self) -> None:
        if self._attachment is None:
            return
        with self._recording.undivided:
            steps, measured, arrays = self._attachment.fetch()
            self._seen = self._seen or len(steps) > 0
            self._recording.add(self._attachment.source.entries or (), self._epoch, steps, measured)
            self._recording.add_raw(arrays)
