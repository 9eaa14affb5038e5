"""Variables have their values back after the block."""

import keras
import numpy as np
import pytest

from kerasteach.variables import restored


def test_each_variable_has_its_value_back_after_an_exception():
    """Bit for bit, in its own dtype; one that is listed twice too."""
    weights = keras.Variable(np.array([0.1, np.pi], "float32"))
    count = keras.Variable(3, dtype="int32", trainable=False)
    before = weights.numpy().tobytes()

    def interrupted():
        with restored([weights, count, weights]):
            weights.assign([1.0, 2.0])
            count.assign(7)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert weights.numpy().tobytes() == before
    assert int(count) == 3
