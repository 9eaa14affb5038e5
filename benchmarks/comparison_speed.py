"""What training many copies of a network together costs, on this machine.

    python benchmarks/comparison_speed.py                  # 30 networks, against one plain fit and against 30 of them
    python benchmarks/comparison_speed.py --table profile  # or copies, depth, width, layers, convolutions, memory, jax

All times are of everything: building the networks, compiling, training, testing after each epoch, laying out tables.
What is compared takes turns in one process; the ratios are medians over the rounds, with quartiles. Where other work
shares the machine, a plain fit beside a plain fit shows how much of a ratio is noise, and the ratio of processor times
stays near: it counts a second core that works meanwhile as if it were waited for.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import baton
import keras
import pandas as pd

import kerasteach as kt
from kerasteach.experiment import groups, paired_experiment
from kerasteach.experiment.ensemble.gradients import GradientTable
from kerasteach.experiment.ensemble.model import Replicas
from kerasteach.experiment.ensemble.stack import Stack
from kerasteach.experiment.ensemble.training import train_together
from kerasteach.experiment.networks import Network, Plan
from kerasteach.experiment.training import train_separately

ACTIVATIONS = ("sigmoid", "tanh", "relu")
BATCH = 32
DATA = kt.datasets.load("digits")
STEPS = -(-len(DATA.x_train) // BATCH)
HIDDEN = (32,) * 6


def network(activation: str, seed: int, hidden: Sequence[int] = HIDDEN) -> keras.Model:
    """Build the network of the table in docs: 64-32x6-10."""
    return kt.models.mlp(activation, hidden, inputs=64, outputs=10, seed=seed, dtype="float32")


def plain(build: Callable[[], keras.Model], epochs: int, steps_per_execution: int = 1) -> None:
    """Train one network as anybody would, with a test after each epoch and without a capture."""
    model = build()
    model.compile(
        kt.optimizers.PlainSGD(0.1),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    test = (DATA.x_test, DATA.y_test)
    model.fit(DATA.x_train, DATA.y_train, batch_size=BATCH, epochs=epochs, validation_data=test, verbose=0)


def plan_of(epochs: int, every: str | None = "epoch") -> Plan:
    """Return what all networks share."""
    return Plan(DATA, keras.optimizers.serialize(kt.optimizers.PlainSGD(0.1)), epochs, BATCH, None, every)


def copies_of(build: Callable[..., keras.Model], copies: int) -> list[Network]:
    """Return so many networks, of three activations if there are three or more."""
    names = ACTIVATIONS[: min(copies, 3)]
    draw = None if build is convolutional else kt.models.draw_weights
    return [
        Network({"activation": name, "seed": seed}, seed, partial(build, name, seed), draw and partial(draw, seed=seed))
        for index, name in enumerate(names)
        for seed in range(copies // len(names) + (index < copies % len(names)))
    ]


def together(
    epochs: int, copies: int = 30, every: str | None = "epoch", build: Callable[..., keras.Model] = network
) -> None:
    """Train so many networks together."""
    train_together(plan_of(epochs, every), copies_of(build, copies), lambda copy, epoch: None)


def separately(epochs: int, copies: int = 30, build: Callable[..., keras.Model] = network) -> None:
    """Train them one after the other, with the capture, in one compiled model for each activation."""
    train_separately(plan_of(epochs), copies_of(build, copies), lambda copy, epoch: None)


def compare(epochs: int) -> None:
    """Train the 30 networks as users do."""
    kt.compare(ACTIVATIONS, data=DATA, hidden=HIDDEN, seeds=10, epochs=epochs, verbose=0)


def thirty(epochs: int) -> None:
    """Train 30 networks one after the other, with an epoch as one execution: the fairest rival."""
    for name in ACTIVATIONS:
        for seed in range(10):
            plain(partial(network, name, seed), epochs, STEPS)


def table(variants: dict[str, Callable[[], object]], rounds: int, warm_up: int = 1, digits: int = 2) -> str:
    """Return a table of the variants, which take turns: the median seconds, and the ratios to the first one.

    Rounds to warm up do not count.
    """
    wall, processor = [], []
    for _ in range(warm_up + rounds):
        for clock in (wall, processor):
            clock.append({})
        for name, run in variants.items():
            keras.utils.clear_session()
            start, worked = time.perf_counter(), time.process_time()
            run()
            wall[-1][name], processor[-1][name] = time.perf_counter() - start, time.process_time() - worked
    times = baton.Times(pd.DataFrame(wall[warm_up:]), pd.DataFrame(processor[warm_up:]))
    seconds = times.wall.median()
    found = baton.ratios(times)
    found.insert(0, "seconds", seconds[found.index])
    first = f"{next(iter(variants))}: {seconds.iloc[0]:.3g} seconds; the others, and their ratios to it"
    return f"{first}\n{found.round(digits).to_string()}"


def main_table(epochs: int, rounds: int) -> None:
    """Thirty networks against one plain fit, and against thirty one after the other."""
    one = partial(plain, partial(network, "relu", 0), epochs)
    variants = {
        "one plain fit": one,
        "one plain fit again": one,
        "kt.compare: 30 together, gradients captured": partial(compare, epochs),
        "30 together, no capture": partial(together, epochs, every=None),
    }
    print(f"\n3 activations x 10 seeds, 64-32x6-10, digits, batch {BATCH}, {epochs} epochs, a test after each")
    print(table(variants, rounds))
    variants = {
        "30 plain fits, an epoch an execution": partial(thirty, epochs),
        "kt.compare": partial(compare, epochs),
        "30 captured fits, one model an activation": partial(separately, epochs),
    }
    print(table(variants, max(1, rounds // 4), warm_up=0, digits=3))


PARTS = {
    "prototypes, to check the arguments": (paired_experiment, "grid"),
    "building networks, drawing their weights": (Stack, "__init__"),
    "optimizing the graph, and training": (Replicas, "fit"),
    "tracing the training step": (Replicas, "train_step"),
    "tests, with their tracing": (Replicas, "test_means"),
    "orders of the batches": (Replicas, "begin_epoch"),
    "gradients fetched": (GradientTable, "end_epoch"),
    "predictions of the trained networks": (groups, "predictions"),
}


def profile_table(epochs: int, rounds: int) -> None:
    """Where the processor's seconds of a comparison go; what a part calls is another part's alone."""
    spent: list[dict[str, float]] = []
    running: list[str] = []
    since = [0.0]

    def switch() -> None:
        now = time.process_time()
        name = running[-1] if running else "the rest"
        spent[-1][name] = spent[-1].get(name, 0) + now - since[0]
        since[0] = now

    def timed(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments, **options):
            switch()
            running.append(name)
            try:
                return function(*arguments, **options)
            finally:
                switch()
                running.pop()

        return call

    for name, (owner, attribute) in PARTS.items():
        setattr(owner, attribute, timed(name, getattr(owner, attribute)))
    for _ in range(rounds):
        keras.utils.clear_session()
        spent.append({})
        since[0] = time.process_time()
        compare(epochs)
        switch()
    found = pd.DataFrame(spent).median()
    found["all"] = found.sum()
    print(f"\nkt.compare of 30 networks, seconds of the processor\n{found.round(2).to_string()}")


def copies_table(epochs: int, rounds: int) -> None:
    """How the time grows with the number of copies."""
    variants = {"one plain fit": partial(plain, partial(network, "relu", 0), epochs)}
    variants |= {f"{copies} together": partial(together, epochs, copies) for copies in (1, 3, 10, 30, 100)}
    print("\ncopies\n" + table(variants, rounds))


def shapes_table(shapes: Sequence[tuple[int, ...]], epochs: int, rounds: int) -> None:
    """How the ratio of 30 networks to one changes with depth or width."""
    for hidden in shapes:
        build = partial(network, hidden=hidden)
        variants = {
            "one plain fit": partial(plain, partial(build, "relu", 0), epochs),
            "30 together": partial(together, epochs, build=build),
        }
        name = f"{len(hidden)} layers of {hidden[0]}"
        print(f"\n{name}\n" + table(variants, rounds))


def convolutional(activation: str, seed: int) -> keras.Model:
    """Build a small network with a convolution and dropout, which are not vectorized."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2D(8, 3, activation=activation),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3, seed=seed),
            keras.layers.Dense(10, "softmax"),
        ]
    )


def layers_table(epochs: int, rounds: int) -> None:
    """Whether it is worth while where a network runs copy by copy in the one graph."""
    for copies in (6, 15):
        variants = {
            "separate plain fits": lambda copies=copies: [
                plain(partial(convolutional, "relu", seed), epochs, STEPS) for seed in range(copies)
            ],
            "captured fits, one model an activation": partial(separately, epochs, copies, convolutional),
            "together": partial(together, epochs, copies, build=convolutional),
        }
        print(f"\n{copies} networks with convolution and dropout\n" + table(variants, rounds, warm_up=0))


def convolutions_table(epochs: int, rounds: int) -> None:
    """Ten copies of a convolution, forward and backward, one after the other and as one grouped convolution."""
    import tensorflow as tf

    def gradients(forward: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], x: tf.Tensor, kernels: tf.Tensor):
        def compute():
            with tf.GradientTape() as tape:
                tape.watch([x, kernels])
                total = tf.reduce_sum(forward(x, kernels) ** 2)
            return tape.gradient(total, [x, kernels])

        compiled = tf.function(compute)
        compiled()
        return lambda: [compiled() for _ in range(20)]

    def grouped(x: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
        together = tf.concat(tf.unstack(x), axis=-1)  # the copies' channels side by side
        return tf.nn.conv2d(together, tf.concat(tf.unstack(kernels), axis=-1), 1, "SAME")

    def by_copy(x: tf.Tensor, kernels: tf.Tensor) -> tf.Tensor:
        return tf.concat([tf.nn.conv2d(x[i], kernels[i], 1, "SAME") for i in range(len(x))], axis=-1)

    for filters, size, channels in ((8, 8, 1), (16, 12, 8), (32, 28, 16)):
        x = tf.random.normal((10, BATCH, size, size, channels))
        kernels = tf.random.normal((10, 3, 3, channels, filters))
        variants = {"copy by copy": gradients(by_copy, x, kernels), "grouped": gradients(grouped, x, kernels)}
        title = f"{filters} filters on {size} x {size} x {channels}, ten copies, twenty times"
        print(f"\n{title}\n{table(variants, rounds)}")


def memory_table(epochs: int, rounds: int) -> None:
    """The memory of a process at its height, with so many copies."""
    rows = {}
    for copies in (0, 1, 30, 100, 300):
        code = (
            f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import resource, comparison_speed as it\n"
            f"if {copies}: it.together(2, {copies})\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        rows[copies] = {"MiB at its height": float(done.stdout.split()[-1])}
    print("\ncopies (0: what Python, Keras and TensorFlow take)\n" + pd.DataFrame(rows).T.round(0).to_string())


def jax_table(epochs: int, rounds: int) -> None:
    """What a JAX program of vmap and scan takes for the same training, as a yardstick."""
    if find_spec("jax") is None:
        print("\nJAX is not installed: no yardstick.")
        return
    variants = {"together": partial(together, epochs, every=None), "JAX, vmap and scan": partial(with_jax, epochs)}
    print("\n" + table(variants, rounds))


def with_jax(epochs: int) -> None:
    """Train 30 networks in one compiled JAX program, without gradient statistics, with a test after each epoch."""
    import jax
    import jax.numpy as jnp

    functions = (jax.nn.sigmoid, jnp.tanh, jax.nn.relu)
    x, y = jnp.asarray(DATA.x_train), jnp.asarray(DATA.y_train)
    x_test, y_test = jnp.asarray(DATA.x_test), jnp.asarray(DATA.y_test)
    sizes = (64, *HIDDEN, 10)

    def forward(weights, x, function):
        for kernel, bias in weights[:-1]:
            x = function(x @ kernel + bias)
        return jax.nn.log_softmax(x @ weights[-1][0] + weights[-1][1])

    def loss(weights, x, y, function):
        return -jnp.take_along_axis(forward(weights, x, function), y[:, None], axis=1).mean()

    def train_one(key, function):
        keys = jax.random.split(key, len(sizes))
        weights = [
            (jax.nn.initializers.glorot_uniform()(one, (n_in, n_out)), jnp.zeros(n_out))
            for one, n_in, n_out in zip(keys, sizes[:-1], sizes[1:], strict=False)
        ]

        def step(weights, rows):
            value, gradient = jax.value_and_grad(loss)(weights, x[rows], y[rows], function)
            return jax.tree.map(lambda w, g: w - 0.1 * g, weights, gradient), value

        def epoch(weights, key):
            order = jax.random.permutation(key, len(x))
            full = len(x) // BATCH * BATCH
            weights, values = jax.lax.scan(step, weights, order[:full].reshape(-1, BATCH))
            weights, _ = step(weights, order[full:])
            return weights, (values.mean(), loss(weights, x_test, y_test, function))

        return jax.lax.scan(epoch, weights, jax.random.split(keys[-1], epochs))[1]

    keys = jax.random.split(jax.random.key(0), 10)
    program = jax.jit(lambda keys: [jax.vmap(partial(train_one, function=one))(keys) for one in functions])
    jax.block_until_ready(program(keys))
    jax.clear_caches()


TABLES = {
    "main": main_table,
    "profile": profile_table,
    "copies": copies_table,
    "depth": partial(shapes_table, [(32,) * depth for depth in (1, 3, 6, 12, 24)]),
    "width": partial(shapes_table, [(width,) * 3 for width in (8, 32, 128, 256)]),
    "layers": layers_table,
    "convolutions": convolutions_table,
    "memory": memory_table,
    "jax": jax_table,
}


def main() -> None:
    """Print the table that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=list(TABLES), default="main")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    TABLES[arguments.table](arguments.epochs, arguments.rounds)


if __name__ == "__main__":
    main()
