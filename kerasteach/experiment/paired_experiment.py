"""The paired experiment: networks that differ in what is varied, and in nothing else."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras

from kerasteach import devices
from kerasteach.activations import Activation
from kerasteach.datasets import Dataset
from kerasteach.datasets.splitting import checked_seed
from kerasteach.experiment.arguments import (
    HIDDEN,
    INITIALIZER,
    checked_error,
    checked_hidden,
    checked_initializer,
    checked_parts,
    checked_seeds,
    checked_statistics,
)
from kerasteach.experiment.builders import checked_builders
from kerasteach.experiment.comparison import Comparison, assembled, resumed
from kerasteach.experiment.data import Data, announce, dataset_of
from kerasteach.experiment.executor import check_can_be_sent, run
from kerasteach.experiment.fingerprint.identity import unknown
from kerasteach.experiment.fingerprint.own_parts import probes
from kerasteach.experiment.groups import grouped
from kerasteach.experiment.networks import Plan
from kerasteach.experiment.serialization import choices_to_json, learning_rate_of, serialized, to_json
from kerasteach.experiment.settings import settings
from kerasteach.experiment.variants import Choices, Variant, choices_of, grid
from kerasteach.experiment.workers import checked_executor
from kerasteach.measure.recording.recording import Every, checked_every
from kerasteach.measure.statistics import DEFAULT
from kerasteach.storage.manifest import versions
from kerasteach.validation import LONGEST, flag, path, text, whole


def compare(
    activations: Sequence[str | Activation] | Mapping[str, str | Activation] | str | None = None,
    *,
    models: Mapping[str, Callable[..., keras.Model]] | None = None,
    vary: Mapping[str, Any] | None = None,
    data: Data = "digits",
    target: str | None = None,
    features: Sequence[str] | None = None,
    task: Literal["classification", "regression", "auto"] | None = None,
    missing: Literal["error", "drop"] = "error",
    hidden: Sequence[int] = HIDDEN,
    seeds: int | Sequence[int] = 5,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float | None = None,
    optimizer: str | keras.optimizers.Optimizer | None = None,
    initializer: str | keras.initializers.Initializer = INITIALIZER,
    error_below: float | None = None,
    every: Every | None = "epoch",
    statistics: str | Sequence[str] | None = None,
    keep_weights: bool = False,
    device: str = "auto",
    directory: str | Path | None = None,
    overwrite: bool = False,
    executor: Executor | None = None,
    parts: int | Literal["workers"] = 1,
    split_seed: int = 0,
    verbose: int = 1,
) -> Comparison:
    """Train networks that differ in what you vary and in nothing else, over several seeds, and record how they learn.

    With the same seed, every network starts from the same weights, as far as it has the same layers, and sees the same
    batches in the same order. The global random state, the dtype policy and TensorFlow's settings stay as they are. The
    same call on the same machine gives the same tables, bit for bit.

    Args:
        activations: The hidden layers' functions: names that `kerasteach.activations.get` knows, or functions of
            tensors, which go by their `__name__`; a dictionary gives names of your own. Defaults to `None`: sigmoid,
            tanh and ReLU, or ReLU alone if something else varies.
        models: Networks of your own: functions that return a Keras model, not compiled, by the names that they have in
            the column `model`. What varies of the network is handed to them by name: `build(activation)` with
            `activations=`, `build(depth)` with `vary={"depth": ...}`. A classifier ends in softmax. Each seed draws the
            weights anew, with the layers' own initializers; weights that a builder loads stay. Defaults to `None`:
            networks of dense layers, `kerasteach.models.mlp`.
        vary: What else to vary, a column each; every combination is trained. Choices for `"activation"`, `"depth"`
            (column `hidden_layers`), `"width"`, `"learning_rate"`, `"initializer"`, `"optimizer"` or `"batch_size"`;
            a dictionary gives names of your own: `{"learning_rate": [0.01, 0.1]}`,
            `{"optimizer": {"slow Adam": keras.optimizers.Adam(1e-4)}}`. Defaults to `None`.
        data: A name out of `kerasteach.datasets.names()`, a CSV file, a table with named columns, arrays `(x, y)` or
            `((x, y), (x_test, y_test))`, or a `Dataset`. Arrays and tables are split, unless they have a test part, and
            standardized; for numbers of words, use `kerasteach.datasets.from_arrays(x, y, standardize=False)`.
            Images are flattened where the networks are dense layers.
        target: The column of the CSV file or table to predict. Defaults to `None`: `"target"`.
        features: The columns to learn from. Defaults to `None`: all but the target and a saved index.
        task: `"classification"` or `"regression"`. Defaults to `None`, as the targets look, which the line at the start
            says: see `kerasteach.datasets.load`.
        missing: `"drop"` leaves out rows with a missing value. Defaults to `"error"`.
        hidden: The units of each hidden layer. Defaults to six layers of 32.
        seeds: How many seeds, counted from 0, or the seeds themselves. A seed fixes initial weights and batch order.
            Defaults to `5`.
        epochs: How often to go through the training data. Defaults to `20`.
        batch_size: Examples a step. Defaults to `32`.
        learning_rate: Defaults to `None`: 0.1 for `PlainSGD`, and for each other optimizer Keras's own default, since a
            rate that suits one is far too large or too small for another. `summary()` and `facts["learning_rates"]` say
            which was used.
        optimizer: A name that Keras knows, used with `learning_rate`, or an optimizer, which keeps its own unless that
            varies; a copy is made for each network. Defaults to `None`: `PlainSGD`.
        initializer: Draws the kernels of every network; biases start at 0. `"matched"` gives each activation the
            initialization made for it, from the same random draws: see `kerasteach.initializers.for_activation`.
            Defaults to `"glorot_uniform"`.
        error_below: Stop a network after the first epoch with a mean training loss below this. Defaults to `None`:
            train all epochs.
        every: Which gradients to keep: `"epoch"` for means over the steps of each epoch, a number n for every n-th
            step, `None` for none. Defaults to `"epoch"`.
        statistics: What to record of the gradients besides `norm, mean, std, finite`: `"all"`, or names as for
            `GradientCapture`, such as `"update_ratio"`. Defaults to `None`: nothing else.
        keep_weights: Whether to keep each network's last weights, in `Comparison.weights`. Defaults to `False`.
        device: `"auto"`, `"cpu"`, `"gpu"` or, say, `"gpu:1"`. Defaults to `"auto"`.
        directory: Write every group of networks there as soon as it is trained. The same call again, after an
            interruption or a crash, trains what is missing, and of a finished comparison nothing. Parts of your own are
            tried on a few examples, so that edited ones are refused. Defaults to `None`.
        overwrite: Whether a run that is in `directory` goes first. Defaults to `False`.
        executor: Trains groups of networks at the same time; the tables are the same, but for rounding elsewhere:
            `ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))` on this machine, Dask's
            `client.get_executor()` on many. Defaults to `None`: one group after the other, in this process.
        parts: In how many groups to train networks that could all train together, so that as many workers of the
            executor share them; a group has five networks or more. `"workers"` is the executor's own number, where it
            says it. The numbers depend on it, by rounding: `facts["arguments"]["parts"]` is what to ask for again, and
            with `directory`, `"workers"` goes on with the number that the comparison was begun with. Defaults to `1`:
            as many networks together as the memory allows, whatever trains them.
        split_seed: Fixes which examples are kept for testing (and made data themselves). Defaults to `0`.
        verbose: `1` to show, on standard error, a line that says what is learned from what, and a progress bar; `0` for
            silence, where what is left out of the data or is a doubtful guess is a warning. Defaults to `1`.

    Returns:
        A `Comparison` with `history`, `gradients`, `predictions`, `confusion`, `weights` and `summary()`.

    Raises:
        ValueError: If an argument will not do; the message names it, what was received and what would work. Also if
            `directory` holds a comparison with other arguments or networks, or one whose networks cannot be compared.
        TypeError: Likewise, for a value of the wrong kind.
        RuntimeError: If Keras runs on another backend than TensorFlow, or another process writes into `directory`.

    Example:
        >>> import kerasteach as kt
        >>> result = kt.compare(("tanh", "relu"), data="iris", hidden=(8,), seeds=2, epochs=3, verbose=0)
        >>> result.history[["activation", "seed"]].drop_duplicates().values.tolist()
        [['tanh', 0], ['tanh', 1], ['relu', 0], ['relu', 1]]
        >>> result = kt.compare(vary={"learning_rate": [0.1, 0.5]}, data="iris", hidden=(8,), seeds=1, epochs=3,
        ...                     verbose=0)
        >>> result.summary().index.tolist()
        [0.1, 0.5]
    """
    place = devices.resolve(text("device", device))
    executor = checked_executor(executor)
    keep_weights, overwrite, verbose = (
        flag(name, value)
        for name, value in (("keep_weights", keep_weights), ("overwrite", overwrite), ("verbose", verbose))
    )
    folder = None if directory is None else path("directory", directory)
    begun = folder if folder is not None and not overwrite and (folder / "run.json").is_file() else None
    parts = checked_parts(parts, executor, begun)
    reading = {"target": target, "features": features, "task": task, "missing": missing}
    dataset = dataset_of(data, checked_seed(split_seed), vectors=models is None, **reading)
    shared: dict[str, Any] = {
        "hidden": checked_hidden(hidden),
        "initializer": checked_initializer(initializer),
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "batch_size": whole("batch_size", batch_size, most=LONGEST),
    }
    plan = Plan(
        dataset=dataset,
        optimizer=serialized(optimizer, learning_rate),
        epochs=whole("epochs", epochs, most=LONGEST),
        batch_size=shared["batch_size"],
        error_below=checked_error(error_below),
        every=None if every is None else checked_every(every),
        statistics=checked_statistics(statistics),
    )
    seeds = checked_seeds(seeds)
    builders = checked_builders(models, shared["hidden"], initializer)
    choices = choices_of(activations, builders, vary)
    variants = grid(choices, shared, plan, builders, seeds[0])
    arguments = {
        # No folders, which are private.
        "data": Path(data).name if isinstance(data, str | os.PathLike) else dataset.name,
        **{name: list(value) if name == "features" and value else value for name, value in reading.items()},
        **_arguments(choices, shared, plan, seeds),
        "keep_weights": keep_weights,
        "split_seed": int(split_seed),
        "parts": parts,
    }
    facts = {"arguments": arguments, **_facts(variants, dataset, seeds[0], place)}
    groups = grouped(variants, seeds, parts)
    del variants  # their prototypes are not held while the networks train
    check_can_be_sent(executor, groups)
    announce(dataset, facts["data"]["loss"], verbose)
    if folder is not None and (reason := unknown(facts)) is not None:
        warnings.warn(f"If this comparison is interrupted, it cannot be gone on with: {reason}.", stacklevel=2)
    train = partial(run, groups, executor=executor, device=place, keep_weights=keep_weights, verbose=verbose)
    return assembled(facts, train().values()) if folder is None else resumed(folder, facts, train, overwrite)


def _arguments(choices: Choices, shared: Mapping[str, Any], plan: Plan, seeds: Sequence[int]) -> dict[str, Any]:
    """Return the arguments that fix the networks and their training, as `run.json` has them."""
    dense = "model" not in choices
    vary = {name: values for name, values in choices.items() if name not in ("activation", "model")}
    return {
        "activations": list(choices["activation"]) if "activation" in choices else None,
        "models": None if dense else list(choices["model"]),
        "vary": {name: choices_to_json(values) for name, values in vary.items()},
        "hidden": shared["hidden"] if dense else None,
        "seeds": seeds,
        "epochs": plan.epochs,
        "batch_size": shared["batch_size"],
        "learning_rate": to_json(shared["learning_rate"]),
        "optimizer": plan.optimizer,
        "initializer": to_json(shared["initializer"]) if dense else None,
        "error_below": plan.error_below,
        "every": plan.every,
        "statistics": None if plan.statistics == DEFAULT else list(plan.statistics),
    }


def _facts(variants: Sequence[Variant], dataset: Dataset, seed: int, device: str) -> dict[str, Any]:
    """Return what `run.json` says of a comparison besides its arguments, before anything is trained."""
    loss = "cross-entropy" if dataset.classes else "half the squared error"
    return {
        "variants": [dict(variant.keys) for variant in variants],
        "learning_rates": [learning_rate_of(variant.plan.optimizer) for variant in variants],
        "data": {**dataset.facts(), "loss": loss, "fingerprint": dataset.fingerprint()},
        "probes": probes(variants, seed),
        "device": device,
        "versions": versions(),
        "settings": settings(),
        "finished": False,
    }
