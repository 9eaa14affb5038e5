"""Capture of the layers' outputs in the forward passes of an ordinary `model.fit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
from kerasteach.callbacks.capture import Capture

from kerasteach.measure.hooks import buffers
from kerasteach.measure.hooks.output_source import OUTPUT_STATISTICS, Outputs
from kerasteach.measure.recording.recording import Every
from kerasteach.measure.selection import Selectors
from kerasteach.measure.statistics import Asked, chosen
from kerasteach.tables.captures import Output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ActivationCapture(Capture):
    """Record statistics of every layer's output in the forward pass of every training step.

    The numbers are computed inside the compiled training step, without a further pass over the data, from the very
    outputs that the training uses: with dropout, and with a batch's own normalization. They are kept on the device and
    fetched once an epoch. The training is not changed, but for the last bits, and hooks come and go, as
    `GradientCapture` has it.

    The table has a row a captured step, layer and call of the layer (a shared layer has several): `epoch, step, layer,
    depth, call, path, size`, then the statistics, over the examples of the batch and all units:

    - `mean`, `std`, `finite`, and `zero_fraction`, the share of outputs that are exactly 0;
    - `dead_fraction`: the share of units (of a convolution, of channels) that were 0 for every example of the window.
      The window is the steps since the last captured one: with `every=1` a batch, with `every="epoch"` the epoch;
    - `saturated_fraction`: the share of outputs within 0.01 of a limit of sigmoid and softmax (0, 1) or tanh (-1, 1);
      NaN for layers with another activation function.

    Args:
        layers: As for `GradientCapture`. Defaults to `None`: every layer but inputs and probes. What runs inside one
            of Keras's own layers (a recurrent layer's cell, a wrapped layer) is not looked into; of a layer with
            several outputs, such as a recurrent one that returns its state, the first is recorded.
        every: As for `GradientCapture`. Defaults to `1`.
        statistics: `"all"`, names of the above, or statistics of your own, as for `GradientCapture`: functions of the
            output tensor. `finite` is always recorded. Defaults to `None`, which is all.
        histogram: As for `GradientCapture`, of the outputs' magnitudes. Defaults to `None`.
        directory: As for `GradientCapture`. Defaults to `None`.
        tensorboard: As for `GradientCapture`. Defaults to `None`.
        optimizer: The optimizer whose calls of `apply` end the steps. Defaults to `None`: the model's.

    Raises:
        ValueError: If an argument will not do, or, in training, if `layers` means nothing in the model.
        TypeError: If an argument is of the wrong kind.
        ImportError: If `tensorboard` is given and TensorBoard is not installed.
        RuntimeError: In training, if Keras runs on JAX, where a layer can return nothing else from the compiled
            step, or on several devices.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="relu")])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> capture = kt.callbacks.ActivationCapture(statistics=["zero_fraction", "dead_fraction"])
        >>> _ = model.fit(np.zeros((4, 2)), np.zeros((4, 3)), verbose=0, callbacks=[capture])
        >>> capture.frame[["layer", "size", "zero_fraction", "dead_fraction"]].values.tolist()
        [['dense...', 3, 1.0, 1.0]]
    """

    _calls = (".plot()", *Capture._calls)

    def __init__(
        self,
        layers: Selectors = None,
        every: Every = 1,
        statistics: Asked = None,
        histogram: bool | int | Sequence[float] | None = None,
        directory: str | Path | None = None,
        tensorboard: str | Path | None = None,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        which = chosen(statistics, OUTPUT_STATISTICS, OUTPUT_STATISTICS)
        super().__init__("activations", Output, which, layers, every, histogram, directory, tensorboard, optimizer)
        self._outputs: Outputs | None = None

    def plot(self, **options: Any) -> Figure:
        """Draw how the outputs fare: see `kerasteach.plotting.activation_statistics_figure`.

        Args:
            **options: Those of `activation_statistics_figure`: `title`.

        Returns:
            The figure.
        """
        from kerasteach.plotting import activation_statistics_figure

        return activation_statistics_figure(self.frame, **options)

    def report(
        self,
        path: str | Path,
        history: Any = None,
        *,
        title: str | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> Path:
        """Write a page to hand out about the last training: `kerasteach.report.write_report` of this capture.

        Args:
            path: The file, which ends in `.html`. Missing folders are made.
            history: What `fit` returned. Defaults to `None`: what the model has of its last `fit`.
            title: The page's heading. Defaults to `None`: the model's name.
            overwrite: Whether an existing file may be replaced. Defaults to `False`.
            verbose: `1` for a progress bar on a terminal, `0` for none. Defaults to `1`.

        Returns:
            The path.

        Raises:
            ValueError: If nothing is recorded yet, or an argument will not do.
            TypeError: If an argument is of the wrong kind.
            FileExistsError: If the file exists and `overwrite` is false.
        """
        return self._report(path, None, self, history, title, overwrite, verbose)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch's number, and begin its window."""
        super().on_epoch_begin(epoch, logs)
        if self._every == "epoch" and self._outputs is not None:
            self._outputs.begin_window()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Make room, and record the outputs from now on."""
        super().on_train_batch_begin(batch, logs)
        if self._outputs is not None:
            self._outputs.set_training(True)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Record no further output: what follows may be an evaluation."""
        if self._outputs is not None:
            self._outputs.set_training(False)

    def _check(self, model: keras.Model, replicas: int) -> None:
        if buffers.backend() == "jax":
            raise RuntimeError(
                "ActivationCapture needs Keras on TensorFlow or PyTorch: on JAX a layer can return nothing else from "
                "the compiled step. Received: the backend 'jax'."
            )
        if replicas > 1:
            raise RuntimeError(
                "ActivationCapture records the training on one device. Received: a model under "
                f"{type(model.distribute_strategy).__name__}."
            )

    def _source(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> tuple[Outputs, None]:
        reset = self._every != "epoch"
        self._outputs = Outputs(model, self._chosen.names, self._layers, self._edges, reset, self._chosen.own)
        return self._outputs, None
