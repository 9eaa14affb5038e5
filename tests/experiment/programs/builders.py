"""Networks that other processes build: this module is on their path."""

import os
import signal
from pathlib import Path

import kerasteach as kt


def network(activation="tanh"):
    """Return a small network for the iris data."""
    return kt.models.mlp(activation, (3,), inputs=4, outputs=3)


def deadly(folder, caller, activation):
    """Return the network; the first ReLU one that is built in another process than the caller's kills that process."""
    mark = Path(folder) / "died"
    if activation == "relu" and os.getpid() != caller and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return network(activation)
