"""What GradientCapture costs on a GPU, with Keras on JAX or PyTorch: a table for each number of weights.

Plain fits, and fits with captures, take turns in one process, each compiled beforehand. The table has the median over
the rounds of the ratio to the plain fit of the same round, and the quartiles; the row "plain again" is a second plain
fit, which shows how far the ratios can be trusted.

    KERAS_BACKEND=jax python benchmarks/gpu.py                  # or torch
    KERAS_BACKEND=jax python benchmarks/gpu.py --device cpu --weights 1e4 1e5 --seconds 10
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import AbstractContextManager, ExitStack

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

import kerasteach as kt

BATCH, STEPS = 32, 20
BACKEND = keras.backend.backend()
CAPTURES = {
    "plain": None,
    "plain again": None,
    "GradientCapture": {},
    "all statistics": {"statistics": "all"},
    "all, every 10th step": {"statistics": "all", "every": 10},
}


def on(device: str) -> AbstractContextManager[object]:
    """Return a context in which Keras computes on the first device of a kind."""
    if BACKEND == "jax":
        import jax

        return jax.default_device(jax.devices(device)[0])
    return keras.device(device)


def card(device: str) -> str:
    """Return the name of the device, and that of its driver's version where the backend knows it."""
    if BACKEND == "jax":
        import jax

        return f"{jax.devices(device)[0].device_kind}, JAX {jax.__version__}"
    import torch

    name = torch.cuda.get_device_name(0) if device == "gpu" else "cpu"
    return f"{name}, PyTorch {torch.__version__}"


def network(weights: float) -> keras.Model:
    """Return a compiled network whose one hidden layer has so many weights."""
    width = round(weights**0.5)
    model = kt.models.mlp("relu", (width,), inputs=width, outputs=10, initializer="he_normal", seed=0)
    model.compile(kt.optimizers.PlainSGD(1e-3), "sparse_categorical_crossentropy")
    return model


def rounds_of(weights: float, seconds: float, least: int) -> pd.DataFrame:
    """Return the seconds of an epoch of each variant, for as many rounds as fit into a time, and `least` in any case.

    Reading the epoch's loss, which Keras does at its end, waits for the device.
    """
    random = np.random.default_rng(0)
    x = random.normal(size=(STEPS * BATCH, round(weights**0.5))).astype("float32")
    y = random.integers(0, 10, len(x))
    table: list[dict[str, float]] = []
    with ExitStack() as stack:
        fits = {}
        for name, options in CAPTURES.items():
            capture = None if options is None else kt.callbacks.GradientCapture(**options)
            fits[name] = (network(weights), [stack.enter_context(capture)] if capture else [])
        end = None
        while len(table) <= least or time.perf_counter() < end:
            table.append({})
            for name in random.permutation(list(fits)):
                model, callbacks = fits[name]
                start = time.perf_counter()
                model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)
                table[-1][name] = time.perf_counter() - start
            end = end or time.perf_counter() + seconds  # the first round compiles
    return pd.DataFrame(table[1:])[list(CAPTURES)]


def main() -> None:
    """Print a table for each number of weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--weights", type=float, nargs="+", default=[1e5, 1e7, 1e8])
    parser.add_argument("--seconds", type=float, default=15, help="for each number of weights")
    parser.add_argument("--rounds", type=int, default=5, help="at least")
    arguments = parser.parse_args()
    print(f"{card(arguments.device)}, Keras {keras.__version__}; {STEPS} steps of {BATCH} examples\n")
    print("| weights | variant | a step, ms | ratio to plain | quartiles |\n|---|---|---|---|---|")
    with on(arguments.device):
        for weights in arguments.weights:
            table = rounds_of(weights, arguments.seconds, arguments.rounds)
            ratios = table.div(table["plain"], axis=0)
            for name in table:
                low, middle, high = ratios[name].quantile([0.25, 0.5, 0.75])
                step = table[name].median() / STEPS * 1e3
                print(f"| {weights:.0e} | {name} | {step:.2f} | {middle:.2f} | {low:.2f} to {high:.2f} |", flush=True)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
