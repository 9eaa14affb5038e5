"""The paired experiment: networks that differ in their activation alone."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import keras
import pandas as pd

from kerasteach import devices
from kerasteach.activations import Activation
from kerasteach.experiment.arguments import Data, checked_hidden, checked_seeds, dataset_of, named, serialised, whole
from kerasteach.experiment.copies import Plan
from kerasteach.experiment.progress import progress_bar
from kerasteach.experiment.summary import summarise
from kerasteach.experiment.training import train
from kerasteach.measure.records import with_keys
from kerasteach.measure.runs import load_run, save_run
from kerasteach.models import mlp
from kerasteach.numbers import finite


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a comparison found.

    Attributes:
        history: A row a variant, seed, epoch and metric: `activation, seed, epoch, metric, value`.
        gradients: A row a variant, seed, captured step and trainable variable: `activation, seed`, then the columns of
            `GradientCapture.frame`. Empty if nothing was captured.
        facts: What was asked for and on what it ran: arguments, data, device, versions.
    """

    history: pd.DataFrame
    gradients: pd.DataFrame
    facts: dict[str, Any]

    def summary(self) -> pd.DataFrame:
        """Return a row a variant: see `kerasteach.experiment.summarise`."""
        return summarise(self.history, self.gradients, self.facts["arguments"]["error_below"])

    def save(self, directory: str | Path, *, overwrite: bool = False) -> None:
        """Write the tables as Parquet files, and `run.json`.

        Args:
            directory: Made if it is not there.
            overwrite: Whether a run that is there may be replaced. Defaults to `False`.

        Raises:
            FileExistsError: If the directory holds a run already and `overwrite` is false.
        """
        save_run(directory, self.facts, {"history": self.history, "gradients": self.gradients}, overwrite)

    @classmethod
    def load(cls, directory: str | Path) -> Comparison:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: If the directory holds no run.
        """
        facts, tables = load_run(directory)
        return cls(tables["history"], tables["gradients"], facts)


def compare(
    activations: Sequence[str | Activation] | Mapping[str, str | Activation] = ("sigmoid", "tanh", "relu"),
    *,
    data: Data = "digits",
    hidden: Sequence[int] = (32,) * 6,
    seeds: int | Sequence[int] = 5,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 0.1,
    optimizer: str | keras.optimizers.Optimizer | None = None,
    initializer: str | keras.initializers.Initializer = "glorot_uniform",
    error_below: float | None = None,
    capture: Literal["epoch", "step"] | None = "epoch",
    device: str = "auto",
    split_seed: int = 0,
    progress: bool = True,
) -> Comparison:
    """Train networks that differ in their hidden activation alone, over several seeds, and record how they learn.

    With the same seed, every activation starts from the same weights and sees the same batches in the same order. The
    global random state, the dtype policy and TensorFlow's settings stay as they are.

    Args:
        activations: Names out of `kerasteach.activations.names()`, or functions, which go by their `__name__`; a
            dictionary gives names of your own.
        data: A name out of `kerasteach.datasets.names()`, a CSV file, a `Dataset`, or arrays `(x, y)`.
        hidden: The units of each hidden layer. Defaults to six layers of 32.
        seeds: How many seeds, counted from 0, or the seeds themselves. A seed fixes initial weights and batch order.
            Defaults to `5`.
        epochs: How often to go through the training data. Defaults to `20`.
        batch_size: Examples a step. Defaults to `32`.
        learning_rate: Defaults to `0.1`.
        optimizer: A name that Keras knows, used with `learning_rate`, or an optimizer, which keeps its own; a copy is
            made for each network. Defaults to `None`: `PlainSGD`.
        initializer: Draws the kernels of every network; biases start at 0. Defaults to `"glorot_uniform"`.
        error_below: Stop a network after the first epoch with a mean training loss below this. Defaults to `None`:
            train all epochs.
        capture: Which gradients to keep: `"epoch"` for means over the steps of each epoch, `"step"` for every step,
            `None` for none. Defaults to `"epoch"`.
        device: `"auto"`, `"cpu"`, `"gpu"` or, say, `"gpu:1"`. Defaults to `"auto"`.
        split_seed: Fixes which examples are for testing. Defaults to `0`.
        progress: Whether to show a progress bar on standard error. Defaults to `True`.

    Returns:
        The tables: `history`, `gradients` and `summary()`.

    Raises:
        ValueError: If an argument will not do; the message names it, what was received and what would work.
        TypeError: Likewise, for a value of the wrong kind.
        RuntimeError: If Keras runs on another backend than TensorFlow.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare(("tanh", "relu"), data="iris", hidden=(8,), seeds=2, epochs=3, progress=False)
        >>> result.history[["activation", "seed"]].drop_duplicates().values.tolist()
        [['tanh', 0], ['tanh', 1], ['relu', 0], ['relu', 1]]
    """
    variants = named(activations)
    seeds, hidden = checked_seeds(seeds), checked_hidden(hidden)
    epochs, batch_size = whole("epochs", epochs), whole("batch_size", batch_size)
    if capture not in ("epoch", "step", None):
        raise ValueError(f'`capture` must be "epoch", "step" or None. Received: capture={capture!r}.')
    if error_below is not None:
        error_below = finite("error_below", error_below)
    place = devices.resolve(device)
    dataset = dataset_of(data, split_seed)
    plan = Plan(dataset, serialised(optimizer, learning_rate), epochs, batch_size, error_below, capture)

    def build(activation: str | Activation, seed: int) -> keras.Sequential:
        return mlp(
            activation,
            hidden,
            inputs=dataset.inputs[0],
            outputs=dataset.outputs,
            output_activation="softmax" if dataset.classes else None,
            initializer=initializer,
            seed=seed,
            dtype="float32",
        )

    build(next(iter(variants.values())), seeds[0])  # what it refuses, it refuses before anything is shown
    histories, gradients = [], []
    with progress_bar(progress, len(variants) * len(seeds), epochs) as on_epoch, devices.scope(place):
        for name, activation in variants.items():
            one_history, one_gradients = train(plan, partial(build, activation), seeds, partial(on_epoch, name))
            histories.append(with_keys(one_history, {"activation": name}))
            gradients.append(with_keys(one_gradients, {"activation": name}))
    facts = {
        "arguments": {
            "activations": list(variants),
            "data": dataset.name,
            "hidden": hidden,
            "seeds": seeds,
            "epochs": epochs,
            "batch_size": batch_size,
            "optimizer": plan.optimizer,
            "initializer": initializer if isinstance(initializer, str) else keras.initializers.serialize(initializer),
            "error_below": error_below,
            "capture": capture,
            "split_seed": split_seed,
        },
        "data": dataset.facts(),
        "device": place,
        "versions": {name: version(name) for name in ("kerasteach", "keras", "tensorflow", "numpy", "pandas")}
        | {"python": platform.python_version()},
    }
    return Comparison(pd.concat(histories, ignore_index=True), pd.concat(gradients, ignore_index=True), facts)
