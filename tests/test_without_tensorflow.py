"""Captures with Keras on JAX where TensorFlow is not installed."""

import importlib.util
import os
import subprocess
import sys

import pytest

BLOCKED = "import sys; sys.modules['tensorflow'] = None\n"  # for which Python finds no module
TRAINING = """
import keras
import numpy as np
import kerasteach as kt

data = kt.datasets.load("iris")
model = kt.models.mlp("tanh", (5,), inputs=4, outputs=3, seed=0)
model.compile(kt.optimizers.PlainSGD(0.1), "sparse_categorical_crossentropy")
capture = kt.callbacks.GradientCapture(directory="run", statistics="all", histogram=True)
watch, snapshots, stop = kt.callbacks.Diagnosis(), kt.callbacks.WeightSnapshots(), kt.callbacks.StopOnError(1e-9)
model.fit(data.x_train, data.y_train, batch_size=40, epochs=2, verbose=0, callbacks=[capture, watch, snapshots, stop])
assert kt.measure.read("run").equals(capture.frame)
capture.plot()
assert "No finding" in str(capture.diagnose())
print(len(capture.frame))
assert sys.modules["tensorflow"] is None
"""


def run(code, folder, **environment):
    """Run Python without TensorFlow in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is missing")
def test_captures_need_no_tensorflow(tmp_path):
    """On JAX a model is trained, captured, written, read, judged and drawn: 3 steps, 2 epochs, 4 variables."""
    done = run(TRAINING, tmp_path, KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "24"


@pytest.mark.parametrize("name", ["devices", pytest.param("compare", marks=pytest.mark.slow)])
def test_a_command_says_that_tensorflow_is_missing(name, tmp_path):
    """One line, with what to install."""
    options = {"compare": ["--data", "iris"], "devices": []}[name]
    code = f"from kerasteach.cli import main; sys.argv = {['kerasteach', name, *options]!r}; main()"
    done = run(code, tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "kerasteach: error: This command needs TensorFlow: `pip install tensorflow`, or another build of it."
    )


def test_comparing_says_that_tensorflow_is_missing(tmp_path):
    """And a saved comparison can be read all the same."""
    code = (
        "import kerasteach as kt; kt.Comparison\ntry:\n    kt.compare\nexcept ImportError as error:\n    print(error)"
    )
    done = run(code, tmp_path)
    assert done.stdout.strip() == "`compare` needs TensorFlow: `pip install tensorflow`, or another build of it.", done
