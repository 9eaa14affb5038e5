"""What GradientCapture costs: the time of a fit with it over that of a plain fit, and its memory.

All variants train in one process, in turn and in a random order each round, each with its training step compiled
beforehand. The tables give the median over the rounds of the ratio to the plain fit of the same round, and the
quartiles: "a hook that does nothing" shows how far the ratios can be trusted on this machine.

    python benchmarks/capture_overhead.py                     # the main table
    python benchmarks/capture_overhead.py --table parameters  # or updates, layers, devices, memory
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

import kerasteach as kt
from kerasteach.measure import statistics
from kerasteach.measure.hooks import optimizer_hook

BATCH = 32
RANDOM = np.random.default_rng(0)
Variants = dict[str, Callable[[], keras.callbacks.Callback | None]]


class HookAlone(keras.callbacks.Callback):
    """The seam with a listener that does nothing: what the measurement itself is worth."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        optimizer_hook.detach(self.model.optimizer, self.listen)

    def listen(self, step):
        """Do nothing."""

    def on_train_begin(self, logs=None):
        """Hook the optimizer, once."""
        if "apply" not in vars(self.model.optimizer):
            optimizer_hook.attach(self.model.optimizer, self.listen)
            self.model.train_function = None
            self.model.make_train_function()


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


def mlp(hidden: tuple[int, ...], inputs: int, steps_per_execution: int = 1, adam: bool = False) -> keras.Sequential:
    """Return a compiled ReLU network."""
    model = kt.models.mlp("relu", hidden, inputs=inputs, outputs=10, initializer="he_normal", seed=0)
    optimizer = keras.optimizers.Adam(1e-4) if adam else kt.optimizers.PlainSGD(0.001)
    model.compile(optimizer, "sparse_categorical_crossentropy", steps_per_execution=steps_per_execution)
    return model


def seconds(
    build: Callable[[], keras.Model], x: np.ndarray, y: np.ndarray, variants: Variants, rounds: int
) -> pd.DataFrame:
    """Return the seconds of a fit of each variant in each round."""
    table: list[dict[str, float]] = []
    with ExitStack() as stack:
        fits = {}
        for name, make in variants.items():
            callback = make()
            if isinstance(callback, (kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture, HookAlone)):
                stack.enter_context(callback)
            fits[name] = (build(), [callback] if callback else [])
        for _ in range(rounds + 1):
            table.append({})
            for name in random.sample(list(fits), len(fits)):
                model, callbacks = fits[name]
                start = time.perf_counter()
                model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)
                table[-1][name] = time.perf_counter() - start
    return pd.DataFrame(table[1:])[list(variants)]  # the first round compiles


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return the median ratio to the first variant, and the quartiles."""
    relative = table.div(table.iloc[:, 0], axis=0)
    return pd.DataFrame({"ratio": relative.median(), "from": relative.quantile(0.25), "to": relative.quantile(0.75)})


def capture(**options) -> Callable[[], keras.callbacks.Callback]:
    """Return what makes a GradientCapture."""
    return lambda: kt.callbacks.GradientCapture(**options)


def main_table(rounds: int) -> None:
    """A 784-128x8-10 network at batch size 32: every variant, with 1 and 50 steps an execution."""
    for execution in (1, 50):
        x, y = examples(200, 784)
        variants: Variants = {
            "plain": lambda: None,
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
        table = seconds(lambda execution=execution: mlp((128,) * 8, 784, execution), x, y, variants, rounds)
        print(f"\n{execution} steps an execution; a plain step takes {table['plain'].median() / 200 * 1e6:.0f} us")
        print(ratios(table).round(2).to_string())
    x, y = examples(20, 784)
    table = seconds(
        lambda: mlp((128,) * 8, 784), x, y, {"plain": lambda: None, "by hand, eager": lambda: ByHand(x, y, False)}, 5
    )
    print("\n20 steps\n" + ratios(table).round(1).to_string())


def parameters_table(rounds: int) -> None:
    """How the cost grows with the number of parameters, in three layers."""
    rows = {}
    for width, steps in ((64, 200), (256, 200), (1000, 60), (3000, 12), (10000, 4)):
        x, y = examples(steps, width)
        variants: Variants = {"plain": lambda: None, "default": capture(), "all": capture(statistics="all")}
        table = seconds(lambda width=width: mlp((width,), width), x, y, variants, rounds if width < 3000 else 5)
        plain = table["plain"].median() / steps * 1e3
        rows[f"{mlp((width,), width).count_params():.0e}"] = {"plain step, ms": plain, **ratios(table)["ratio"][1:]}
        keras.backend.clear_session()
    print("\nparameters\n" + pd.DataFrame(rows).T.round(2).to_string())


def updates_table(rounds: int) -> None:
    """What `update_ratio` costs where the weights are copied: with Adam, in a deep network and in a wide one."""
    norms, ratio = ["norm", "mean", "std", "weight_norm"], ["norm", "mean", "std", "update_ratio"]
    for hidden, inputs, steps in (((128,) * 8, 784, 100), ((2000,) * 2, 1000, 20)):
        x, y = examples(steps, inputs)
        variants: Variants = {
            "plain": lambda: None,
            "with weight_norm": capture(statistics=norms),
            "with update_ratio": capture(statistics=ratio),
            "with update_ratio, every 10th step": capture(statistics=ratio, every=10),
        }
        table = seconds(lambda hidden=hidden, inputs=inputs: mlp(hidden, inputs, adam=True), x, y, variants, rounds)
        plain = table["plain"].median() / steps * 1e3
        parameters = mlp(hidden, inputs).count_params()
        print(f"\n{parameters:,} parameters, Adam; a plain step takes {plain:.1f} ms")
        print(ratios(table).round(2).to_string())
        keras.backend.clear_session()


def layers_table(rounds: int) -> None:
    """How the cost grows with the number of layers, of 32 units each; and how much of the device's memory it takes."""
    rows = {}
    for depth in (4, 16, 64, 200):
        steps = max(20, 800 // depth)
        x, y = examples(steps, 32)
        variants: Variants = {"plain": lambda: None, "default": capture(), "all": capture(statistics="all")}
        table = seconds(lambda depth=depth: mlp((32,) * depth, 32), x, y, variants, rounds)
        plain = table["plain"].median() / steps * 1e3
        numbers = 2 * (depth + 1) * len(statistics.columns(statistics.DEFAULT))
        rows[depth] = {"plain step, ms": plain, **ratios(table)["ratio"][1:], "bytes a step": 8 * numbers}
        keras.backend.clear_session()
    print("\nlayers\n" + pd.DataFrame(rows).T.round(2).to_string())
    print("The device keeps the steps of one epoch, at most 16 MiB of them.")


def devices_table(rounds: int) -> None:
    """What a capture costs under MirroredStrategy on two logical CPUs."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

    def build() -> keras.Model:
        with strategy.scope():
            return mlp((128,) * 3, 64)

    table = seconds(build, *examples(200, 64), {"plain": lambda: None, "default": capture()}, rounds)
    print("\nMirroredStrategy, two logical CPUs\n" + ratios(table).round(2).to_string())


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
    "main": main_table,
    "parameters": parameters_table,
    "updates": updates_table,
    "layers": layers_table,
    "devices": devices_table,
    "memory": memory_table,
}


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=list(TABLES), default="main")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    TABLES[arguments.table](arguments.rounds)


if __name__ == "__main__":
    main()
