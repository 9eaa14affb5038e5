"""Axis of a learning-rate test whose loss explodes."""

import numpy as np
import pandas as pd

import kerasteach as kt


def test_an_explosion_does_not_flatten_the_fall():
    """The axis ends where the loss is some times as far above its beginning as it fell, and the line leaves it."""
    loss = np.r_[np.linspace(2.3, 0.6, 30), np.geomspace(1.0, 1e9, 10)]
    table = pd.DataFrame({"learning_rate": np.geomspace(1e-5, 1, 40), "loss": loss, "smoothed": loss})
    low, high = kt.plotting.learning_rate_test(table).get_ylim()
    assert 0 < low < 0.6
    assert 2.3 < high < 10
