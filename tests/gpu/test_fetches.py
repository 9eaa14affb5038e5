"""Between two epochs nothing leaves the device."""

import keras
import numpy as np
import pytest
from fetches import FetchError, steps_without_fetches
from network import X, fit
from places import NOT_ON_JAX, network, on

import kerasteach as kt

pytestmark = pytest.mark.gpu
CALLBACKS = {
    "plain fit": list,
    "GradientCapture": lambda: [kt.callbacks.GradientCapture()],
    "all statistics": lambda: [kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"output": [4]})],
    "every second step": lambda: [kt.callbacks.GradientCapture(every=2, statistics="all")],
    "an epoch's means": lambda: [kt.callbacks.GradientCapture(every="epoch"), kt.callbacks.WeightSnapshots()],
    "StopOnError": lambda: [kt.callbacks.StopOnError(1e-9, verbose=0)],
}


class Read(keras.callbacks.Callback):
    """Read one number from the device at each step."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def on_train_batch_begin(self, batch, logs=None):
        float(self.number)


@pytest.mark.parametrize("make", CALLBACKS.values(), ids=CALLBACKS)
def test_nothing_is_fetched_between_epochs(device, make):
    """By what is recorded of small networks."""
    with on(device):
        model = network(keras.optimizers.Adam(0.01))
        steps_without_fetches(lambda *callbacks: fit(model, *callbacks), *make())


@NOT_ON_JAX
@pytest.mark.parametrize("every", [1, "epoch"])
def test_nothing_is_fetched_of_outputs(device, every):
    """By what is recorded of the layers' outputs."""
    with on(device):
        model = network(keras.optimizers.Adam(0.01))
        capture = kt.callbacks.ActivationCapture(every=every, histogram=True)
        steps_without_fetches(lambda *callbacks: fit(model, *callbacks), capture)


def test_a_large_gradient_costs_pytorch_a_decision(device):
    """Of a gradient with more than 4,096 entries, PyTorch asks at each step whether float32 holds its squares."""
    x = 0.01 * np.tile(X, (1, 400))
    with on(device):
        model = kt.models.mlp("tanh", (3,), inputs=1600, outputs=3, seed=0)
        model.compile("adam", "sparse_categorical_crossentropy")  # Keras fetches the learning rate of its SGD
        capture = kt.callbacks.GradientCapture()
        steps_without_fetches(lambda *callbacks: fit(model, *callbacks, x=x), capture, allowed=2)
    assert capture.frame["size"].max() > 4096


def test_a_fetch_is_seen(device):
    """These tests can fail: a callback that reads a number is found."""
    if device == "cpu" and keras.backend.backend() == "jax":
        pytest.skip("JAX's guard does not see what a CPU hands over")
    with on(device):
        model, number = network(keras.optimizers.SGD(0.1)), keras.ops.ones(())
        with pytest.raises(FetchError):
            steps_without_fetches(lambda *callbacks: fit(model, *callbacks), Read(number))
