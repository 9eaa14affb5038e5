"""How far a seed's numbers depend on the networks that are trained with it in one graph.

Trains one seed alone and among others, and prints the largest differences of its curves after 1, 10 and 30 epochs.
A step differs by the rounding of float32; what the training makes of that depends on optimizer and learning rate.

    python benchmarks/company_drift.py [--epochs 30]
"""

from __future__ import annotations

import argparse

import keras
import pandas as pd

import kerasteach as kt

SEED, COMPANY = 5, [0, 5, 2]
OPTIMIZERS = {
    "plain SGD, 0.1": lambda: kt.optimizers.PlainSGD(0.1),
    "plain SGD, 1.0": lambda: kt.optimizers.PlainSGD(1.0),
    "Adam, 0.01": lambda: keras.optimizers.Adam(0.01),
    "RMSprop, 0.01": lambda: keras.optimizers.RMSprop(0.01),
}


def curves(make: object, activation: str, seeds: list[int], epochs: int) -> pd.DataFrame:
    """Return the seed's curves, a column a metric and a row an epoch."""
    result = kt.compare(
        activation, data="digits", hidden=(32,) * 4, seeds=seeds, epochs=epochs, optimizer=make(), verbose=0
    )
    own = result.history[result.history["seed"] == SEED]
    return own.pivot(index="epoch", columns="metric", values="value")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    epochs = parser.parse_args().epochs
    print("| optimizer | activation | loss, epoch 1 | loss, epochs 1 to 10 | loss, all epochs | test accuracy, all |")
    print("|---|---|---|---|---|---|")
    for name, make in OPTIMIZERS.items():
        for activation in ("tanh", "relu"):
            alone, among = (curves(make, activation, seeds, epochs) for seeds in ([SEED], COMPANY))
            apart = (alone - among).abs()
            loss, accuracy = apart["loss"], apart["val_accuracy"]
            found = (loss.iloc[0], loss.iloc[:10].max(), loss.max(), accuracy.max())
            print(f"| {name} | {activation} | " + " | ".join(f"{number:.1g}" for number in found) + " |", flush=True)


if __name__ == "__main__":
    main()
