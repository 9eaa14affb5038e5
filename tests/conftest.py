"""The test process: its backend, its warnings, and the fixtures that many tests share."""

import gc
import importlib.util
import os
import sys
import zlib
from collections import defaultdict

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import settings

# How long an example takes says nothing of whether it holds; and the same tests shall try the same examples.
settings.register_profile("kerasteach", deadline=None, derandomize=True)
settings.load_profile("kerasteach")

# What `--backend` takes, and the package that it needs. "mirrored" is TensorFlow with two devices.
PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch", "mirrored": "tensorflow"}


def pytest_addoption(parser):
    """Add the options of this suite."""
    parser.addoption("--backend", choices=PACKAGES, default="tensorflow", help="run tests/backends on another backend")
    parser.addoption(
        "--device", choices=("gpu", "cpu"), default="gpu", help="where tests/gpu train; cpu rehearses them"
    )
    parser.addoption("--share", metavar="K,.../N", help="of N slices of the tests, run those named, from 0")


def pytest_configure(config):
    """Choose the backend, which Keras asks for when it is first imported; nothing here may import it earlier."""
    backend = config.getoption("--backend")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if backend == "tensorflow" else "3")
    os.environ["KERAS_BACKEND"] = "tensorflow" if backend == "mirrored" else backend
    os.environ["MPLBACKEND"] = "Agg"
    if backend == "jax":
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"


def pytest_ignore_collect(collection_path, config):
    """Collect for TensorFlow all but tests/backends and tests/gpu, and for another backend what is written for it."""
    name = collection_path.stem.rpartition("_")[2]
    if collection_path.suffix != ".py":
        return None
    if collection_path.parent.name == "gpu":
        backends = {"jax", "torch"}
    elif collection_path.parent.name != "backends":
        backends = {"tensorflow"}
    elif name in PACKAGES:  # as in test_twin_jax.py
        backends = {name}
    else:
        backends = {"jax", "torch"}
    return None if config.getoption("--backend") in backends else True


class _WithoutPackage(pytest.Module):
    """Stand for a module whose backend is not installed."""

    def collect(self):
        """Skip the module."""
        package = PACKAGES[self.config.getoption("--backend")]
        pytest.skip(f"{package} is missing", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """Skip what cannot be imported without the backend."""
    package = PACKAGES[parent.config.getoption("--backend")]
    return None if importlib.util.find_spec(package) else _WithoutPackage.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage while all is imported, and in what was imported never again: both take seconds."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_collection_modifyitems(config, items):
    """Mark as slow what `sample` leaves out, and drop the slices that `--share` does not name."""
    tests = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sample") and not item.get_closest_marker("slow"):
            tests[item.nodeid.partition("[")[0]].append(item)
    for cases in tests.values():
        (count,) = cases[0].get_closest_marker("sample").args
        kept = {round(place) for place in np.linspace(0, len(cases) - 1, count)}
        for number, case in enumerate(sorted(cases, key=lambda case: list(case.callspec.indices.values()))):
            if number not in kept:
                case.add_marker("slow")
    if config.getoption("--share"):
        named, slices = config.getoption("--share").split("/")
        slice_of = {item: zlib.crc32(item.nodeid.encode()) % int(slices) for item in items}  # by the name alone
        chosen = set(map(int, named.split(",")))
        config.hook.pytest_deselected(items=[item for item in items if slice_of[item] not in chosen])
        items[:] = [item for item in items if slice_of[item] in chosen]


@pytest.fixture(autouse=True)
def _no_figure_left():
    """Close the figures that a test drew."""
    yield
    plt.close("all")


@pytest.fixture(autouse=True)
def _default_policy():
    """Give each test Keras's default dtype policy."""
    yield
    keras = sys.modules.get("keras")  # a test of figures needs none, and its import takes seconds
    if keras is not None:
        keras.config.set_dtype_policy("float32")


@pytest.fixture
def interrupt():
    """Return a function that makes a callback that raises KeyboardInterrupt after so many batches, or an epoch."""
    import keras

    class Interrupt(keras.callbacks.Callback):
        def __init__(self, batches):
            super().__init__()
            self.batches, self.seen = batches, 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            if self.seen == self.batches:
                raise KeyboardInterrupt

        def on_epoch_end(self, epoch, logs=None):
            if self.batches is None:
                raise KeyboardInterrupt

    return lambda batches=None: Interrupt(batches)


@pytest.fixture(scope="session")
def blobs():
    """Return 60 examples with 4 features around 3 class centers, which no test can change."""
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = random.normal(size=(60, 4)) + 2 * np.eye(3, 4)[y]
    x = x.astype("float32")
    for array in (x, y):
        array.setflags(write=False)
    return x, y


@pytest.fixture(scope="session")
def classifier():
    """Return a function that builds a small compiled network for `blobs`.

    Without metrics, for whose variables TensorFlow would trace the training step a second time.
    """
    import kerasteach as kt

    def build(optimizer=None, activation="tanh", seed=0, **compile_options):
        model = kt.models.mlp(activation, (5, 4), inputs=4, outputs=3, seed=seed)
        optimizer = optimizer or kt.optimizers.PlainSGD(0.5)
        model.compile(optimizer, loss="sparse_categorical_crossentropy", **compile_options)
        return model

    return build


@pytest.fixture(scope="session")
def comparison():
    """Return a small comparison, trained once."""
    import kerasteach as kt

    return kt.compare(
        ("sigmoid", "tanh", "relu"), data="iris", hidden=(6, 6, 6), seeds=3, epochs=4, learning_rate=0.5, verbose=0
    )
