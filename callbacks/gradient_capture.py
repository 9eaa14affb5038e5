"""Capture of the gradients of an ordinary `model.fit`, layer by layer, as the optimizer receives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from kerasteach.callbacks.capture import Capture

from kerasteach.diagnosis import Findings, diagnose
from kerasteach.layers import GradientProbe
from kerasteach.measure.hooks import buffers
from kerasteach.measure.hooks.full_gradients import Raw, checked_raw
from kerasteach.measure.hooks.gradient_source import Gradients
from kerasteach.measure.recording.recording import Every
from kerasteach.measure.recording.views import GradientViews
from kerasteach.measure.selection import Selector, Selectors, frozen_layers, layers_of
from kerasteach.measure.statistics import Asked, chosen
from kerasteach.tables.captures import Parameter


class GradientCapture(GradientViews, Capture):
    """Record statistics of every trainable variable's gradient at every training step.

    What is recorded is the gradient of the batch's loss as the optimizer receives it, before any clipping; where
    several devices share the batch, it is that of the whole batch. The numbers are computed inside the compiled
    training step, without a second pass, kept on the device and fetched once an epoch. The training stays the
    same algorithm with the same batches and random numbers, and the model and its optimizer are left as they were; the
    last bits of a weight may differ from those of a plain `fit`, since TensorFlow rewrites a graph by who reads its
    operations (in models with normalization or dropout), and such rounding grows as in any training. It works with
    Keras on TensorFlow, JAX and PyTorch.

    Each `fit` starts a new table, and only the steps of that `fit` are in it: not those of a `train_on_batch` or of
    another `fit` that a callback runs meanwhile. Where a callback compiles the model in mid-fit, the recording goes on
    with the new optimizer; where it cannot, a warning says so. After an exception in `fit` what was recorded is there;
    the hook goes at the next training of the model, whatever it is, by `detach()`, or at the end of a `with capture:`
    block. Inside such a block it stays from one `fit` to the next, which then need not compile the training step again.
    (As Keras compiles the step anew for the capture, a layer's `trainable` that was changed since `compile` takes
    effect then; Keras wants you to call `compile` after such a change in any case.)

    Args:
        layers: Which layers: names (`"block_1"` means those inside it too), wildcards such as `"conv*"`, layer objects,
            classes such as `keras.layers.Dense`, or functions of a layer that say whether it is meant; one or several.
            Defaults to `None`, all.
        every: Record every n-th step, from step 0, or `"epoch"` for one row an epoch: the means over the steps in
            which the variable received a gradient (`finite` where all were; histograms summed), with the epoch's last
            step in `step`. Defaults to `1`.
        statistics: `"all"`, or names out of `norm, mean, std, finite, mean_abs, max_abs, zero_fraction, weight_norm,
            update_ratio`. `finite` is always recorded. `update_ratio` is the norm of the change that the step makes to
            the weights over their norm before, whatever the optimizer: with momentum, clipping, decay and constraints,
            and 0 where the step changes nothing, as between the updates of accumulated gradients. But for plain
            gradient descent it takes, in each captured step, two further copies of the weights on the device and a
            pass over them; `every=` spares that. Or statistics of your own, as in
            `{"l1": lambda gradient: keras.ops.sum(keras.ops.abs(gradient))}`: functions of a gradient tensor that
            return one number, computed in each captured step; alone they come after the default, in a list after the
            names there: `["norm", {"l1": l1}]`. Defaults to `None`: norm, mean, std, finite.
        histogram: Count the entries by magnitude, in the step: `True` for two bins a decade from 1e-12 to 100, a
            number of bins to lay there, or increasing positive edges. See `histograms`. (On JAX, counts beyond 16
            million may be off by one part in that.) Defaults to `None`.
        raw: Keep whole gradients: a mapping from layers (as for `layers`) to numbers of steps, such as
            `{"dense_1": [0, 100]}`. At most 1 GiB in all, on the device and again in memory. Defaults to `None`.
        directory: Write Parquet parts there while training, and keep no table in memory. Each `fit` becomes a
            numbered run; `kerasteach.measure.read` gives the table back, however the process ended: an exception,
            Ctrl-C and SIGTERM lose no step that was done (SIGTERM, unless the program handles it itself, or trains in
            another thread than the main one); SIGKILL loses at most what was not written yet, 16 MiB or the last
            second's epochs (after 100 seconds of training, the last hundredth's). A part that cannot be written is a
            warning; its rows stay in memory and are tried again. Defaults to `None`.
        tensorboard: Write scalars, and with `histogram=` histograms, for TensorBoard there. Each captured step costs
            the host a while; combine it with `every=`. Defaults to `None`.
        optimizer: The optimizer whose steps to record, for a model whose `train_step` uses several. Defaults to
            `None`: the one that the model was compiled with.

    Attributes:
        frozen: The names of the layers with weights that are frozen in this training, and so have no row.

    Raises:
        ValueError: If an argument will not do, or, in training, if `layers` or `raw` mean nothing in the model, or a
            statistic of your own fails or returns anything but one number.
        TypeError: If an argument is of the wrong kind.
        ImportError: If `tensorboard` is given and TensorBoard is not installed.
        RuntimeError: In training, if the model holds a `GradientProbe` and runs on JAX or on several devices.

    Example:
        >>> import keras, numpy as np, kerasteach as kt
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="sgd", loss="mse")
        >>> capture = kt.callbacks.GradientCapture()
        >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), batch_size=2, verbose=0, callbacks=[capture])
        >>> capture.frame[["step", "parameter", "size"]].values.tolist()
        [[0, 'kernel', 2], [0, 'bias', 1], [1, 'kernel', 2], [1, 'bias', 1]]
    """

    def __init__(
        self,
        layers: Selectors = None,
        every: Every = 1,
        statistics: Asked = None,
        histogram: bool | int | Sequence[float] | None = None,
        raw: Mapping[Selector, int | Iterable[int]] | None = None,
        directory: str | Path | None = None,
        tensorboard: str | Path | None = None,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        super().__init__(
            "gradients", Parameter, chosen(statistics), layers, every, histogram, directory, tensorboard, optimizer
        )
        self._raw = checked_raw(raw)
        self.frozen: tuple[str, ...] = ()

    @property
    def disconnected(self) -> tuple[str, ...]:
        """The names of the layers with weights to train that got no gradient at all: the loss does not depend on them.

        They have no row either. None before the first step.

        Example:
            >>> import keras, numpy as np, kerasteach as kt
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.compile(optimizer="sgd", loss="mse")
            >>> capture = kt.callbacks.GradientCapture()
            >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), verbose=0, callbacks=[capture])
            >>> capture.disconnected
            ()
        """
        seen = set(self.frame["layer"])
        return tuple(dict.fromkeys(one.layer for one in self._recording.entries if seen and one.layer not in seen))

    def diagnose(self, activations: Any = None, history: Any = None, *, mute: Iterable[str] = ()) -> Findings:
        """Say what is wrong with the last training: `kerasteach.diagnose` of this capture.

        Args:
            activations: An `ActivationCapture` of the same training, or its table. Defaults to `None`.
            history: What `fit` returned. Defaults to `None`: what the model has of its last `fit`.
            mute: Rules that are left out. Defaults to none.

        Returns:
            The findings.

        Example:
            >>> import keras, numpy as np, kerasteach as kt
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.compile(optimizer="sgd", loss="mse")
            >>> capture = kt.callbacks.GradientCapture()
            >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), epochs=3, verbose=0, callbacks=[capture])
            >>> capture.diagnose()
            No finding. ...
        """
        return diagnose(self, activations, self._history(history), mute=mute)

    def report(
        self,
        path: str | Path,
        activations: Any = None,
        history: Any = None,
        *,
        title: str | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> Path:
        """Write a page to hand out about the last training: `kerasteach.report.write_report` of this capture.

        Args:
            path: The file, which ends in `.html`. Missing folders are made.
            activations: An `ActivationCapture` of the same training, or its table. Defaults to `None`.
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

        Example:
            >>> import tempfile, keras, numpy as np, kerasteach as kt
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.compile(optimizer="sgd", loss="mse")
            >>> capture = kt.callbacks.GradientCapture()
            >>> _ = model.fit(np.ones((4, 2)), np.zeros(4), epochs=3, verbose=0, callbacks=[capture])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     capture.report(f"{folder}/line.html").name
            'line.html'
        """
        return self._report(path, self, activations, history, title, overwrite, verbose)

    def _check(self, model: keras.Model, replicas: int) -> None:
        if not _has_probe(model):
            return
        if replicas > 1:
            raise RuntimeError(
                "A GradientProbe records on one device. Received: a model under "
                f"{type(model.distribute_strategy).__name__}; take the probe out of it."
            )
        if buffers.backend() == "jax":
            raise RuntimeError(
                "A GradientProbe records with Keras on TensorFlow or PyTorch: on JAX a layer can return nothing from "
                "the backward pass. Received: the backend 'jax'; take the probe out of the model."
            )

    def _source(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> tuple[Gradients, Raw | None]:
        self.frozen = tuple(frozen_layers(model))
        source = Gradients(model, self._chosen.names, self._layers, self._edges, self._chosen.own)
        raw = Raw(model, optimizer, self._raw) if self._raw else None
        if optimizer is model.optimizer and all(layer.built for layer in layers_of(model)):
            # An error is raised now; in the first step it would spoil the compiled training.
            try:
                source.prepare(optimizer, model.trainable_variables)
                if raw is not None:
                    raw.check(model.trainable_variables)
            except ValueError:
                source.leave()
                raise
            if _has_probe(model):  # whose units are known only in the step
                source.entries = None
        return source, raw


def _has_probe(model: keras.Model) -> bool:
    return any(isinstance(layer, GradientProbe) for layer in layers_of(model))
