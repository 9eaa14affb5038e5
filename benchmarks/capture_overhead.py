"""What GradientCapture costs: the time of a fit with it over that of a plain fit.

All variants train in one process, in turn, round after round, each with its training step compiled beforehand; the
table gives medians over the rounds of the ratio to the plain fit of the same round.

    python benchmarks/capture_overhead.py --rounds 9
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import ExitStack

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

import kerasteach as kt

STEPS, BATCH = 400, 32
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(STEPS * BATCH, 784)).astype("float32")
Y = RANDOM.integers(0, 10, STEPS * BATCH)


class HandWritten(keras.callbacks.Callback):
    """What people write themselves: a second pass with a GradientTape after each batch."""

    def __init__(self, compiled: bool) -> None:
        super().__init__()
        self.norms: list[np.ndarray] = []
        self.measure = tf.function(self._measure) if compiled else self._measure

    def _measure(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self.model(x, training=True)))
        return tf.stack([tf.norm(gradient) for gradient in tape.gradient(loss, self.model.trainable_variables)])

    def on_train_batch_end(self, batch, logs=None):
        """Measure the batch again."""
        rows = slice(batch * BATCH, (batch + 1) * BATCH)
        self.norms.append(self.measure(tf.constant(X[rows]), tf.constant(Y[rows])).numpy())


def variants(steps_per_execution: int) -> dict[str, keras.callbacks.Callback | None]:
    """Return the callbacks to compare, by name."""
    captures = {
        "norm": kt.callbacks.GradientCapture(statistics="norm"),
        "default statistics": kt.callbacks.GradientCapture(),
        "all statistics": kt.callbacks.GradientCapture(statistics="all"),
    }
    by_hand = {"by hand, compiled": HandWritten(True), "by hand, eager": HandWritten(False)}
    return {"plain": None, **captures, **(by_hand if steps_per_execution == 1 else {})}


def measure(steps_per_execution: int, rounds: int) -> pd.DataFrame:
    """Return the seconds of each variant in each round."""
    seconds: list[dict[str, float]] = []
    with ExitStack() as stack:
        models = {}
        for name, callback in variants(steps_per_execution).items():
            model = kt.models.mlp("relu", (128,) * 8, inputs=784, outputs=10, seed=0)
            optimizer = kt.optimizers.PlainSGD(0.01)
            model.compile(optimizer, "sparse_categorical_crossentropy", steps_per_execution=steps_per_execution)
            if isinstance(callback, kt.callbacks.GradientCapture):
                stack.enter_context(callback)
            models[name] = (model, [callback] if callback else [])
        for _ in range(rounds + 1):
            seconds.append({})
            for name, (model, callbacks) in models.items():
                part = slice(0, 40 * BATCH if name == "by hand, eager" else None)
                start = time.perf_counter()
                model.fit(X[part], Y[part], batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)
                seconds[-1][name] = (time.perf_counter() - start) * (10 if name == "by hand, eager" else 1)
    return pd.DataFrame(seconds[1:])  # the first round compiles


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    table = {}
    for steps_per_execution in (1, 50):
        seconds = measure(steps_per_execution, rounds)
        table[f"steps_per_execution={steps_per_execution}"] = seconds.div(seconds["plain"], axis=0).median()
        print(f"plain fit, {STEPS} steps, {steps_per_execution} an execution: {seconds['plain'].median():.2f} s")
    print(pd.DataFrame(table).round(2).to_string(na_rep=""))


if __name__ == "__main__":
    main()
