"""What GradientCapture costs: the time of a fit with it over that of a plain fit, and its memory.

All fits of a table take turns, epoch by epoch (see `baton.py`). The tables give the median over the rounds of the ratio
to the plain fit of the same round, the quartiles, and the ratio of the seconds of the processor. "plain again" shows
how far the ratios can be trusted on this machine: where it is not 0.98 to 1.02, the table says so.

    python benchmarks/capture_overhead.py                     # what is to be reached, and how far it is
    python benchmarks/capture_overhead.py --table variants    # or parameters, updates, layers, devices, memory
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import baton
import keras
import numpy as np
import pandas as pd
import tensorflow as tf

import kerasteach as kt
from kerasteach.experiment.batch_order import untuned
from kerasteach.measure import statistics
from kerasteach.measure.hooks import optimizer_hook

BATCH = 32
RANDOM = np.random.default_rng(0)
Variants = dict[str, Callable[[], keras.callbacks.Callback | None]]


class HookAlone(keras.callbacks.Callback):
    """The seam with a listener that does nothing: what the measurement itself is worth."""

    def listen(self, step):
        """Do nothing."""

    def on_train_begin(self, logs=None):
        """Hook the optimizer."""
        optimizer_hook.attach(self.model.optimizer, self.listen)
        self.model.train_function = None
        self.model.make_train_function()

    def on_train_end(self, logs=None):
        """Leave it."""
        optimizer_hook.detach(self.model.optimizer, self.listen)


class ReducedOnce(HookAlone):
    """The limit of these operations: a listener that makes each reduction of each gradient by itself, and no more."""

    def __init__(self, *reductions: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        self.reductions = reductions

    def on_train_begin(self, logs=None):
        """Make room for the numbers, and hook the optimizer."""
        self.numbers = tf.Variable(tf.zeros(len(self.model.trainable_variables) * len(self.reductions)))
        super().on_train_begin(logs)

    def listen(self, step):
        """Reduce each gradient."""
        self.numbers.assign(tf.stack([reduce(gradient) for gradient in step.gradients for reduce in self.reductions]))


def largest(gradient: tf.Tensor) -> tf.Tensor:
    """Return the largest magnitude."""
    return tf.reduce_max(tf.abs(gradient))


def magnitudes(gradient: tf.Tensor) -> tf.Tensor:
    """Return the sum of the magnitudes."""
    return tf.reduce_sum(tf.abs(gradient))


def not_zero(gradient: tf.Tensor) -> tf.Tensor:
    """Return how many entries are not 0."""
    return tf.reduce_sum(tf.sign(tf.abs(gradient)))  # of magnitudes that others need as well


class ByHand(keras.callbacks.Callback):
    """What people write themselves: a second pass with a GradientTape after each batch."""

    def __init__(self, x: np.ndarray, y: np.ndarray, compiled: bool) -> None:
        super().__init__()
        self.x, self.y = x, y
        self.norms: list[np.ndarray] = []
        self.measure = tf.function(self._measure) if compiled else self._measure

    def _measure(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self.model(x, training=True)))
        return tf.stack([tf.norm(gradient) for gradient in tape.gradient(loss, self.model.trainable_variables)])

    def on_train_batch_end(self, batch, logs=None):
        """Measure the batch again."""
        rows = slice(batch * BATCH, (batch + 1) * BATCH)
        self.norms.append(self.measure(tf.constant(self.x[rows]), tf.constant(self.y[rows])).numpy())


def examples(steps: int, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return so many batches of noise, in ten classes."""
    x = RANDOM.normal(size=(steps * BATCH, inputs)).astype("float32")
    return x, RANDOM.integers(0, 10, steps * BATCH)


def batches(x: np.ndarray, y: np.ndarray) -> tf.data.Dataset:
    """Return the batches as `fit` makes them of arrays, but without the thread that tunes a pipeline.

    An epoch's end waits for that thread, on a single core for up to a minute.
    """
    return untuned(tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH))


def mlp(hidden: tuple[int, ...], inputs: int, steps_per_execution: int = 1, adam: bool = False) -> keras.Sequential:
    """Return a compiled ReLU network."""
    model = kt.models.mlp("relu", hidden, inputs=inputs, outputs=10, initializer="he_normal", seed=0)
    optimizer = keras.optimizers.Adam(1e-4) if adam else kt.optimizers.PlainSGD(0.001)
    model.compile(optimizer, "sparse_categorical_crossentropy", steps_per_execution=steps_per_execution)
    return model


def compared(
    build: Callable[[], keras.Model], x: np.ndarray, y: np.ndarray, variants: Variants, rounds: int
) -> tuple[pd.DataFrame, float]:
    """Return the ratios of the variants to a plain fit, a second plain one first; and the seconds of a plain step."""

    def fit(make: Callable[[], keras.callbacks.Callback | None]) -> baton.Fit:
        model, callback = build(), make()
        others = [] if callback is None else [callback]
        return lambda around, epochs: model.fit(data, epochs=epochs, shuffle=False, callbacks=around(others), verbose=0)

    data = batches(x, y)
    plain: Variants = {"plain": lambda: None, baton.AGAIN: lambda: None}
    times = baton.times({name: fit(make) for name, make in {**plain, **variants}.items()}, rounds)
    keras.backend.clear_session()
    return baton.ratios(times), times.wall["plain"].median() / (len(x) // BATCH)


def printed(title: str, table: pd.DataFrame, plain: float, digits: int = 2) -> None:
    """Print a table, and whether the machine was quiet enough for it."""
    print(f"\n{title}; a plain step takes {plain * 1e3:.3g} ms\n{table.round(digits).to_string()}")
    if not baton.is_quiet(table["ratio"][baton.AGAIN]):
        print(f"The machine was too noisy to decide: {baton.AGAIN!r} is not 0.98 to 1.02.")


def capture(**options) -> Callable[[], keras.callbacks.Callback]:
    """Return what makes a GradientCapture."""
    return lambda: kt.callbacks.GradientCapture(**options)


LIMITS: Variants = {
    "one reduction of each gradient": lambda: ReducedOnce(tf.reduce_sum),
    "two reductions, as default has": lambda: ReducedOnce(tf.nn.l2_loss, tf.reduce_sum),
    "five reductions, as all have": lambda: ReducedOnce(tf.nn.l2_loss, tf.reduce_sum, magnitudes, largest, not_zero),
}


def rows(hidden: tuple[int, ...], inputs: int, execution: int, steps: int, goals: dict[str, float], rounds: int):
    """Print the ratios of one network with their goals."""
    made: Variants = {
        "default statistics": capture(),
        "all statistics": capture(statistics="all"),
        "histograms, every 10th step": capture(histogram=True, every=10),
    }
    variants = {**LIMITS, **{name: make for name, make in made.items() if name in goals}}
    build = partial(mlp, hidden, inputs, execution)
    table, plain = compared(build, *examples(steps, inputs), variants, rounds)
    size = f"{len(hidden)} x {hidden[0]} units, {inputs} inputs, {mlp(hidden, inputs).count_params():,} parameters"
    table["goal"] = [format(goals[name], ".2f") if name in goals else "" for name in table.index]
    printed(f"{size}; steps an execution: {execution}; cores: {len(os.sched_getaffinity(0))}", table, plain)


def epochs_table(rounds: int) -> None:
    """What is to be reached, and how far it is: networks of a lecture, many layers, large weights, one core."""
    print(f"{processor()}, Python {platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}")
    lecture = {"default statistics": 1.05, "all statistics": 1.25, "histograms, every 10th step": 1.15}
    rows((128,) * 8, 784, 1, 150, lecture, rounds)
    rows((128,) * 8, 784, 50, 150, {**lecture, "default statistics": 1.10}, rounds)
    rows((32,) * 200, 32, 1, 20, {"default statistics": 1.15, "all statistics": 1.25}, rounds)
    rows((10000,), 10000, 1, 2, {"default statistics": 1.25, "all statistics": 1.25}, max(5, rounds // 4))
    if shutil.which("taskset"):
        sys.stdout.flush()
        one = ["taskset", "-c", str(max(os.sched_getaffinity(0))), sys.executable, __file__, "--table", "one-core"]
        subprocess.run([*one, "--rounds", str(rounds)], check=True)


def one_core_table(rounds: int) -> None:
    """The network of a lecture on the cores that this process may use: run it by `taskset -c 1`."""
    rows((128,) * 8, 784, 1, 150, {"default statistics": 1.10, "all statistics": 1.25}, rounds)


def processor() -> str:
    """Return the name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def variants_table(rounds: int) -> None:
    """A 784-128x8-10 network at batch size 32: every variant, with 1 and 50 steps an execution."""
    for execution in (1, 50):
        x, y = examples(50, 784)
        variants: Variants = {
            "a hook that does nothing": HookAlone,
            "norm": capture(statistics="norm"),
            "default statistics": capture(),
            "all statistics": capture(statistics="all"),
            "histograms, every 10th step": capture(histogram=True, every=10),
            "default, every 10th step": capture(every=10),
            "default, one layer": capture(layers="output"),
            "activations": kt.callbacks.ActivationCapture,
        }
        if execution == 1:
            variants["by hand, compiled"] = lambda x=x, y=y: ByHand(x, y, True)
        printed(
            f"steps an execution: {execution}",
            *compared(partial(mlp, (128,) * 8, 784, execution), x, y, variants, rounds),
        )
    x, y = examples(20, 784)
    by_hand: Variants = {"by hand, eager": lambda: ByHand(x, y, False)}
    printed("20 steps", *compared(partial(mlp, (128,) * 8, 784), x, y, by_hand, 5), digits=1)


def parameters_table(rounds: int) -> None:
    """How the cost grows with the number of parameters, in three layers."""
    found = {}
    for width, steps in ((64, 200), (256, 100), (1000, 20), (3000, 4), (10000, 2)):
        build = partial(mlp, (width,), width)
        found[f"{build().count_params():.0e}"] = growth(build, *examples(steps, width), rounds if width < 3000 else 7)
    print("\nparameters\n" + pd.DataFrame(found).T.round(2).to_string())


def growth(build: Callable[[], keras.Model], x: np.ndarray, y: np.ndarray, rounds: int) -> dict[str, float]:
    """Return a row of a table that shows how the ratios grow with something."""
    table, plain = compared(build, x, y, {"default": capture(), "all": capture(statistics="all")}, rounds)
    return {"plain step, ms": plain * 1e3, **table["ratio"]}


def updates_table(rounds: int) -> None:
    """What `update_ratio` costs where the weights are copied: with Adam, in a deep network and in a wide one."""
    norms, ratio = ["norm", "mean", "std", "weight_norm"], ["norm", "mean", "std", "update_ratio"]
    for hidden, inputs, steps in (((128,) * 8, 784, 50), ((2000,) * 2, 1000, 5)):
        variants: Variants = {
            "with weight_norm": capture(statistics=norms),
            "with update_ratio": capture(statistics=ratio),
            "with update_ratio, every 10th step": capture(statistics=ratio, every=10),
        }
        build = partial(mlp, hidden, inputs, adam=True)
        printed(
            f"{build().count_params():,} parameters, Adam", *compared(build, *examples(steps, inputs), variants, rounds)
        )


def layers_table(rounds: int) -> None:
    """How the cost grows with the number of layers, of 32 units each; and how much of the device's memory it takes."""
    found = {}
    for depth in (4, 16, 64, 200):
        numbers = 2 * (depth + 1) * len(statistics.columns(statistics.DEFAULT))
        row = growth(partial(mlp, (32,) * depth, 32), *examples(max(10, 200 // depth), 32), rounds)
        found[depth] = {**row, "bytes a step": 8 * numbers}
    print("\nlayers\n" + pd.DataFrame(found).T.round(2).to_string())
    print("The device keeps the steps of one epoch, at most 16 MiB of them.")


def devices_table(rounds: int) -> None:
    """What a capture costs under MirroredStrategy on two logical CPUs."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

    def build() -> keras.Model:
        with strategy.scope():
            return mlp((128,) * 3, 64)

    printed("MirroredStrategy, two logical CPUs", *compared(build, *examples(50, 64), {"default": capture()}, rounds))


def memory_table(rounds: int) -> None:
    """Whether the memory of a capture that streams to disk stays flat, over 100,000 steps."""
    model, resident = mlp((16,) * 4, 16, 100), []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            """Note the resident memory every 10,000 steps."""
            if (epoch + 1) % 10 == 0:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                resident.append(
                    {"steps": 1000 * (epoch + 1), "resident, MiB": pages * os.sysconf("SC_PAGE_SIZE") / 2**20}
                )

    with tempfile.TemporaryDirectory() as directory:
        callbacks = [kt.callbacks.GradientCapture(directory=directory), Watch()]
        model.fit(*examples(1000, 16), batch_size=BATCH, epochs=100, shuffle=False, verbose=0, callbacks=callbacks)
        disk = sum(part.stat().st_size for part in Path(directory).rglob("*.parquet")) / 2**20
        rows = len(kt.measure.read(directory))
    print("\n" + pd.DataFrame(resident).round(0).to_string(index=False))
    print(f"{rows} rows on disk, {disk:.0f} MiB")


TABLES = {
    "epochs": epochs_table,
    "one-core": one_core_table,
    "variants": variants_table,
    "parameters": parameters_table,
    "updates": updates_table,
    "layers": layers_table,
    "devices": devices_table,
    "memory": memory_table,
}


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=list(TABLES), default="epochs")
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    TABLES[arguments.table](arguments.rounds)


if __name__ == "__main__":
    main()
