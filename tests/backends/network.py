"""What the programs here train: one small network, on the same 50 examples, in batches of 20, 20 and 10."""

import keras
import numpy as np

import kerasteach as kt

random = np.random.default_rng(0)
X = random.normal(size=(50, 4)).astype("float32")
Y = np.arange(50) % 3
IMAGES = random.normal(size=(50, 6, 6, 2)).astype("float32")
BATCHES = [slice(0, 20), slice(20, 40), slice(40, 50)]
STATISTICS = ["norm", "mean", "std"]


def dense(optimizer, **compile_options):
    """Return a compiled network of three dense layers, always with the same first weights."""
    model = kt.models.mlp("tanh", (5, 4), inputs=4, outputs=3, seed=0)
    model.compile(optimizer, "sparse_categorical_crossentropy", **compile_options)
    return model


def convolutional(optimizer):
    """Return a compiled network with a convolution and a batch normalization, always with the same first weights."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((6, 6, 2)),
        keras.layers.Conv2D(3, 3, activation="tanh"),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def fit(model, *callbacks, x=X, epochs=2):
    """Train quietly and in the order of the examples."""
    return model.fit(x, Y, batch_size=20, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))


def numbers(gradient):
    """Return norm, mean and standard deviation of an array, computed in float64."""
    gradient = np.asarray(gradient, "float64")
    return [np.linalg.norm(gradient), gradient.mean(), gradient.std()]


def check(frame, gradients):
    """Hold a table against the gradients of each step; the mean is compared on the scale of the entries."""
    count = len(gradients[0])
    assert frame["step"].tolist() == [step for step in range(len(gradients)) for _ in range(count)]
    expected = np.array([numbers(one) for step in gradients for one in step])
    scale = expected[:, 0] / np.sqrt(frame["size"])  # the root mean square
    np.testing.assert_allclose(frame["norm"], expected[:, 0], rtol=1e-5)
    np.testing.assert_array_less(np.abs(frame["mean"] - expected[:, 1]), 1e-5 * scale)
    np.testing.assert_array_less(np.abs(frame["std"] - expected[:, 2]), 1e-3 * scale)  # as `std` says of float32


def arrays(values):
    """Return tensors or variables as arrays."""
    return [keras.ops.convert_to_numpy(value) for value in values]


def assert_close(ones, others):
    """Raise unless two lists of tensors or variables are equal but for what two programs round differently."""
    for one, other in zip(arrays(ones), arrays(others), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def assert_same(ones, others):
    """Raise unless two lists of tensors or variables are equal to the last bit."""
    for one, other in zip(arrays(ones), arrays(others), strict=True):
        np.testing.assert_array_equal(one, other)
