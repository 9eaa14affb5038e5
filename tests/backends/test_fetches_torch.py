"""Captures on PyTorch fetch nothing from the device between epochs: counted on a CPU, where it is the same code."""

import keras
import pytest
from fetches import FetchError, steps_without_fetches
from network import dense, fit

import kerasteach as kt


@pytest.mark.parametrize(
    "make",
    [
        lambda: kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"output": [4]}),
        lambda: kt.callbacks.GradientCapture(every=2, statistics="all"),
        lambda: kt.callbacks.ActivationCapture(histogram=True),
    ],
)
def test_no_step_waits_for_a_number(make):
    """No operation hands a number to the host."""
    model = dense(keras.optimizers.Adam(0.01))
    steps_without_fetches(lambda *callbacks: fit(model, *callbacks), make())


class Read(keras.callbacks.Callback):
    """Read one number at each step."""

    def on_train_batch_begin(self, batch, logs=None):
        float(keras.ops.ones(()))


def test_a_number_that_is_read_is_seen():
    """A callback that reads one fails the test above."""
    model = dense(keras.optimizers.Adam(0.01))
    with pytest.raises(FetchError):
        steps_without_fetches(lambda *callbacks: fit(model, *callbacks), Read())
