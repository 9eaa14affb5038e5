"""How often each rule of the diagnosis is right: trainings with known faults, and their healthy twins.

A healthy network is drawn by a seed: its data, depth, width, activation, optimizer and batch size. Each fault operator
(named after those of DeepCrime, Humbatova et al. 2021, where it has one) changes one thing of it. What counts as the
truth is the outcome: an operator made a network faulty where its test accuracy, in its share of what there is above
chance, is less than half of its twin's. Networks that learn all the same count as healthy ones of their own, and the
operators of other faults as networks without this one.

Rules and thresholds may be changed after a look at the even seeds; the odd ones are the measurement.

    python benchmarks/diagnosis_quality.py train --seeds 0 120 --out runs   (hours; may run in several processes)
    python benchmarks/diagnosis_quality.py report --out runs
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import kerasteach as kt

EXAMPLES = 640  # of the larger data sets
UPDATES = 320  # steps of a training, about


@dataclass(frozen=True)
class Setting:
    """A network and its training."""

    data: str
    hidden: tuple[int, ...]
    activation: Any
    optimizer: str
    rate: float
    batch: int
    epochs: int
    seed: int
    initializer: Any = "matched"
    bias: Any = "zeros"
    output: str | None = "softmax"
    penalty: float = 0.0
    labels: str = "right"
    inputs: str = "standardized"
    clip: float | None = None


def healthy(seed: int) -> Setting:
    """Draw a setting that is to learn."""
    draw = np.random.default_rng([7, seed])
    data = str(draw.choice(["digits", "breast_cancer", "wine", "iris", "moons"]))
    activation = str(draw.choice(["relu", "relu", "tanh", "elu", "leaky_relu", "sigmoid"]))
    depth = int(draw.integers(1, 3)) if activation == "sigmoid" else int(draw.integers(1, 9))
    width = int(draw.choice([16, 32, 64]))
    optimizer, rate = [("SGD", 0.1), ("SGD", 0.05), ("momentum", 0.02), ("Adam", 0.003), ("RMSprop", 0.002)][
        int(draw.integers(5))
    ]
    if activation == "sigmoid":
        optimizer, rate = "Adam", 0.01
    batch = int(draw.choice([8, 16, 32]))
    rows = min(EXAMPLES, len(kt.datasets.load(data).x_train))
    epochs = int(np.clip(UPDATES * batch // rows, 6, 12))
    return Setting(data, (width,) * depth, activation, optimizer, rate, batch, epochs, seed)


def _deep(one: Setting) -> Setting:
    return replace(
        one, hidden=(one.hidden[0],) * (8 + one.seed % 5), activation="sigmoid", initializer="glorot_uniform"
    )


def _at_least(one: Setting, layers: int) -> Setting:
    return replace(one, hidden=(one.hidden[0],) * max(layers, len(one.hidden)))


def _small(one: Setting) -> Setting:
    one = _at_least(one, 5)
    return replace(one, initializer=("normal", 0.01 if one.seed % 4 < 2 else 0.03))


def _large(one: Setting) -> Setting:
    return replace(_at_least(one, 5), activation="relu", initializer=("normal", (0.8, 1.5, 3.0)[one.seed % 3]))


def _flat(x: Any) -> Any:
    from keras import ops

    return ops.sign(x)


OPERATORS: dict[str, Callable[[Setting], Setting]] = {
    "none": lambda one: one,
    "ACH: sigmoid in 8 to 12 layers": _deep,
    "WCI: weights too small": _small,
    "WCI: weights too large, ReLU": _large,
    "UIN: inputs times 1000": lambda one: replace(_at_least(one, 3), inputs="large", optimizer="SGD", rate=0.05),
    "HLR times 100": lambda one: replace(one, rate=one.rate * 100),
    "HLR by 1000": lambda one: replace(one, rate=one.rate / 1000),
    "TAN: a NaN in the data": lambda one: replace(one, inputs="nan"),
    "BCI: biases far below 0, ReLU": lambda one: replace(one, activation="relu", bias=("constant", -8.0)),
    "WCI: weights 0": lambda one: replace(one, initializer="zeros"),
    "ACH: a function without slope": lambda one: replace(one, activation=_flat, initializer="glorot_uniform"),
    "TCL: labels shuffled": lambda one: replace(one, labels="shuffled"),
    "RAW: penalty too strong": lambda one: replace(one, penalty=1.0),
    "WCI: weights too large, tanh": lambda one: replace(
        _at_least(one, 4), activation="tanh", initializer=("normal", 3.0)
    ),
}
# Which operators cause which finding. Those named beside may cause it too, and are left out of its count.
CAUSES = {
    "KT101": (("TAN: a NaN in the data",), ("HLR times 100", "WCI: weights too large, ReLU", "UIN: inputs times 1000")),
    "KT102": (
        ("WCI: weights 0", "ACH: a function without slope"),
        (
            *("BCI: biases far below 0, ReLU", "HLR times 100", "WCI: weights too small"),
            *("TAN: a NaN in the data", "WCI: weights too large, ReLU", "UIN: inputs times 1000"),
            "RAW: penalty too strong",  # which drives the weights to 0
        ),
    ),
    "KT201": (("ACH: sigmoid in 8 to 12 layers", "WCI: weights too small"), ("RAW: penalty too strong",)),
    "KT202": (
        ("WCI: weights too large, ReLU", "UIN: inputs times 1000"),
        ("HLR times 100", "TAN: a NaN in the data", "WCI: weights too large, tanh"),
    ),
    "KT203": (
        ("ACH: sigmoid in 8 to 12 layers",),
        ("WCI: weights too small", "RAW: penalty too strong", "WCI: weights 0"),
    ),
    "KT401": (
        ("HLR times 100",),
        (
            *("WCI: weights too large, ReLU", "UIN: inputs times 1000", "TAN: a NaN in the data"),
            *("WCI: weights 0", "WCI: weights too small", "RAW: penalty too strong"),
        ),
    ),
    "KT402": (("HLR by 1000",), ("ACH: sigmoid in 8 to 12 layers",)),
    "KT301": (
        ("BCI: biases far below 0, ReLU",),
        (
            *("HLR times 100", "WCI: weights too large, ReLU", "UIN: inputs times 1000", "WCI: weights 0"),
            *("RAW: penalty too strong", "TAN: a NaN in the data", "WCI: weights too small"),
        ),
    ),
}


def has_no_gradient(operator: str, setting: Setting) -> bool:
    """Say whether the hidden layers get no gradient by how the network is made, whatever the outcome.

    The outcome is no measure of it: hidden layers with weights as drawn may do. With weights of 0 each hidden layer's
    output is f(0), and where that is 0 no kernel ever gets a gradient; sigmoid has f(0) = 0.5, so that the last layer
    learns, and the others after it.
    """
    return operator == "ACH: a function without slope" or (
        operator == "WCI: weights 0" and setting.activation != "sigmoid"
    )


def train(setting: Setting) -> dict[str, Any]:
    """Train a network, and return its tables and its test accuracy."""
    import keras

    x, y, x_test, y_test, classes = _data(setting)
    network = kt.models.mlp(
        setting.activation,
        setting.hidden,
        inputs=x.shape[1],
        outputs=classes,
        initializer=_initializer(setting.initializer, setting.seed),
        bias_initializer=_initializer(setting.bias, setting.seed),
        seed=setting.seed,
    )
    if setting.penalty:
        for layer in network.layers:
            layer.kernel_regularizer = keras.regularizers.L2(setting.penalty)
            layer.kernel.regularizer = layer.kernel_regularizer
    rate = setting.rate
    optimizer = {
        "SGD": lambda: keras.optimizers.SGD(rate),
        "momentum": lambda: keras.optimizers.SGD(rate, momentum=0.9),
        "Adam": lambda: keras.optimizers.Adam(rate),
        "RMSprop": lambda: keras.optimizers.RMSprop(rate),
    }[setting.optimizer]()
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    gradients = kt.callbacks.GradientCapture(statistics=["norm", "update_ratio"])
    outputs = kt.callbacks.ActivationCapture(every="epoch")
    keras.utils.set_random_seed(setting.seed)
    history = network.fit(x, y, setting.batch, setting.epochs, verbose=0, callbacks=[gradients, outputs])
    score = float(np.mean(network.predict_on_batch(x_test).argmax(axis=-1) == y_test))
    chance = float(np.bincount(y_test).max() / len(y_test))
    return {
        "gradients": gradients.frame.drop(columns="path"),
        "activations": outputs.frame.drop(columns="path"),
        "history": kt.measure.history_table(history),
        "skill": max(0.0, (score - chance) / (1 - chance)) if np.isfinite(history.history["loss"][-1]) else 0.0,
    }


def _data(setting: Setting) -> tuple[Any, ...]:
    data = kt.datasets.load(setting.data)
    draw = np.random.default_rng([11, setting.seed])
    chosen = draw.permutation(len(data.x_train))[:EXAMPLES]
    x, y, x_test = data.x_train[chosen].copy(), data.y_train[chosen], data.x_test.copy()
    if not data.standardized:
        x, x_test = (2 * (part - 0.5) if setting.data == "digits" else part for part in (x, x_test))
    if setting.labels == "shuffled":
        y = draw.permutation(y)
    if setting.inputs == "large":
        x, x_test = 1000 * x, 1000 * x_test
    if setting.inputs == "nan":
        x[draw.integers(len(x)), 0] = np.nan
    return x, y, x_test, data.y_test, len(data.classes)


def _initializer(value: Any, seed: int) -> Any:
    import keras

    if isinstance(value, tuple):
        kind, number = value
        return keras.initializers.Constant(number) if kind == "constant" else keras.initializers.RandomNormal(0, number)
    return value


def share(part: int, of: int) -> str:
    """Return a share with its 95 % interval (Wilson's)."""
    if not of:
        return "-"
    z, p = 1.96, part / of
    middle, half = p + z**2 / (2 * of), z * np.sqrt(p * (1 - p) / of + z**2 / (4 * of**2))
    low, high = ((middle - half) / (1 + z**2 / of), (middle + half) / (1 + z**2 / of))
    return f"{p:.2f} ({max(0.0, low):.2f} to {min(1.0, high):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "report"])
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 120), metavar=("FIRST", "END"))
    parser.add_argument("--operators", type=int, nargs=2, default=(0, len(OPERATORS)), metavar=("FIRST", "END"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.what == "train":
        _train_all(options.out, range(*options.seeds), list(OPERATORS)[slice(*options.operators)])
    else:
        report(options.out)


def _train_all(out: Path, seeds: range, operators: list[str]) -> None:
    import keras

    out.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for name in operators:
            path = out / f"{seed}-{list(OPERATORS).index(name)}.pickle"
            if path.exists():
                continue
            keras.utils.clear_session()
            found = {"seed": seed, "operator": name, **train(OPERATORS[name](healthy(seed)))}
            path.write_bytes(pickle.dumps(found))
            print(seed, name, f"{found['skill']:.2f}", flush=True)


def report(out: Path) -> None:
    """Print the table of precision and recall."""
    runs = [pickle.loads(path.read_bytes()) for path in sorted(out.glob("*.pickle"))]
    twins = {run["seed"]: run["skill"] for run in runs if run["operator"] == "none"}
    rows = []
    for run in runs:
        twin = twins.get(run["seed"], 0.0)
        if twin < 0.6:  # the twin itself does not learn
            continue
        found = kt.diagnosis.diagnose(run["gradients"], run["activations"], run["history"])
        faulty = run["operator"] != "none" and run["skill"] < 0.5 * twin
        silent = has_no_gradient(run["operator"], OPERATORS[run["operator"]](healthy(run["seed"])))
        rows.append((run["seed"], run["operator"], faulty, silent, set(found.frame["rule"])))
    frame = pd.DataFrame(rows, columns=["seed", "operator", "faulty", "silent", "found"])
    for half, part in (("even seeds", 0), ("odd seeds", 1)):
        print(
            f"\n{half}\n\n| rule | with it | found | without it | flagged | precision | recall |\n" + "| --- " * 7 + "|"
        )
        of_half = frame[frame["seed"] % 2 == part]
        for rule, (causes, beside) in CAUSES.items():
            caused = of_half["operator"].isin(causes)
            has = of_half["silent"] if rule == "KT102" else caused & of_half["faulty"]
            without = ~of_half["operator"].isin(beside) & ~(has if rule == "KT102" else caused)
            flagged = of_half["found"].map(lambda found, rule=rule: rule in found)
            right, wrong = int((has & flagged).sum()), int((without & flagged).sum())
            name = f"{rule} {kt.diagnosis.rules.RULES[rule].name}"
            precision, recall = share(right, right + wrong), share(right, int(has.sum()))
            print(f"| {name} | {has.sum()} | {right} | {without.sum()} | {wrong} | {precision} | {recall} |")
        sound = of_half[of_half["operator"] == "none"]
        print(f"\nHealthy twins flagged at all: {int(sound['found'].map(bool).sum())} of {len(sound)}")
    print("\nfaulty and found, by operator:")
    print(frame.groupby("operator").agg(runs=("faulty", "size"), faulty=("faulty", "sum")).to_string())


if __name__ == "__main__":
    main()
