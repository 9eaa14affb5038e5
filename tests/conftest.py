"""What every test needs: no screen, no TensorFlow chatter, and nothing left behind for the next test."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["MPLBACKEND"] = "Agg"

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import settings

import kerasteach as kt

# How long an example takes says nothing of whether it holds; and the same tests shall try the same examples.
settings.register_profile("kerasteach", deadline=None, derandomize=True)
settings.load_profile("kerasteach")


@pytest.fixture(autouse=True)
def _no_figure_left():
    """Close the figures that a test drew."""
    yield
    plt.close("all")


@pytest.fixture(autouse=True)
def _default_policy():
    """Give each test Keras's default dtype policy."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def blobs():
    """Return 60 examples with 4 features around 3 class centers."""
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = random.normal(size=(60, 4)) + 2 * np.eye(3, 4)[y]
    return x.astype("float32"), y


@pytest.fixture
def classifier():
    """Return a function that builds a small compiled network for `blobs`."""

    def build(optimizer=None, activation="tanh", seed=0, **compile_options):
        model = kt.models.mlp(activation, (5, 4), inputs=4, outputs=3, seed=seed)
        optimizer = optimizer or kt.optimizers.PlainSGD(0.5)
        model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"], **compile_options)
        return model

    return build


@pytest.fixture(scope="session")
def comparison():
    """Return a small comparison, trained once."""
    return kt.compare(
        ("sigmoid", "tanh", "relu"), data="iris", hidden=(6, 6, 6), seeds=3, epochs=4, learning_rate=0.5, verbose=0
    )
