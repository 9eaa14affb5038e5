"""Facts of the learning-rate range test that hold with Keras on any backend, and of what only TensorFlow can do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt

x = np.linspace(-1, 2, 12).astype("float32")[:, None]
y = 2 * x


def network():
    """Return a compiled network with statistics, a random seed, metrics and moments."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(3, "tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Nadam(0.01), "mse", metrics=["mae"])
    return model


def everything(model):
    """Return the bytes of every variable of a model, its optimizer and its metrics."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [keras.ops.convert_to_numpy(one.value).tobytes() for one in variables]


def test_a_learning_rate_test_leaves_the_model_as_it_was():
    """A test leaves the model bit for bit, and training goes on as if nothing had been."""
    ends = []
    for tested in (False, True):
        model = network()
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        before = everything(model)
        if tested:
            table = kt.find_learning_rate(model, x, y, batch_size=4, steps=6, lowest=1e-3, verbose=0).frame
            assert np.ptp(table["loss"]) > 0
            assert everything(model) == before
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        ends.append(model.get_weights())
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_data_set_of_tensorflow_will_do():
    """TensorFlow's data sets will do, and each loss is its batch's own."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(kt.optimizers.PlainSGD(0.1), "mse")
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
    table = kt.find_learning_rate(model, batches, lowest=1e-9, highest=1e-8, steps=3, verbose=0).frame
    expected = [np.mean(np.float64(y[start : start + 5]) ** 2) for start in (0, 5, 10)]
    np.testing.assert_allclose(table["loss"], expected, rtol=1e-5)


def test_a_loss_surface_is_refused():
    """The error says which backend is needed."""
    with pytest.raises(RuntimeError, match="needs Keras on TensorFlow"):
        kt.loss_surface(network(), x, y, verbose=0)
