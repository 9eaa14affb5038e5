"""`update_ratio` on the other backends, held against the weights before and after each step."""

import keras
import numpy as np
import pytest
from keras import optimizers
from network import arrays, dense, fit

import kerasteach as kt


class Weights(keras.callbacks.Callback):
    """Keep the weights before the first step, and after each."""

    def on_train_begin(self, logs=None):
        """Begin."""
        self.seen = [arrays(self.model.trainable_variables)]

    def on_train_batch_end(self, batch, logs=None):
        """Keep."""
        self.seen.append(arrays(self.model.trainable_variables))


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(0.01, clipnorm=0.01, gradient_accumulation_steps=2),
        lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1, momentum=0.9), initial_scale=2.0**10),
    ],
    ids=["accumulation", "loss scale"],
)
def test_it_is_the_change_of_the_weights(make, every):
    """Of each captured step; between the updates of accumulated gradients it is 0."""
    capture, weights = kt.callbacks.GradientCapture(statistics=["update_ratio"], every=every), Weights()
    model = dense(make())
    fit(model, capture, weights)
    frame, paths = capture.frame, [one.path for one in model.trainable_variables]
    expected = []
    for step, path in zip(frame["step"], frame["path"], strict=True):
        before, after = (weights.seen[number][paths.index(path)].astype("float64") for number in (step, step + 1))
        change, size = np.linalg.norm(after - before), np.linalg.norm(before)
        expected.append(change / size if size else np.inf if change else 0.0)
    np.testing.assert_allclose(frame["update_ratio"], expected, rtol=5e-6)
