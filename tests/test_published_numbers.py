import keras
import numpy as np
import pytest
from keras import ops

import kerasteach as kt


def summed_cross_entropy(y_true, y_pred):
    """Return the cross-entropy summed over the ten outputs (Keras takes the mean)."""
    return 10 * keras.losses.binary_crossentropy(y_true, y_pred)


@pytest.fixture(scope="module")
def first_hidden_layers():
    """Return the bias-gradient norms of Nielsen's network at initialization: `(20 seeds, 2 hidden layers)`.

    Sigmoid in every layer, weights N(0, 1/n_in), biases N(0, 1), 1000 MNIST images with pixels from 0 to 1.
    """
    data = kt.datasets.load("mnist5k", standardize=False)
    x, y = data.x_train[:1000], np.eye(10, dtype="float32")[data.y_train[:1000]]

    def build(seed):
        return kt.models.mlp(
            "sigmoid",
            (30, 30),
            inputs=784,
            outputs=10,
            output_activation="sigmoid",
            initializer=keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal"),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
            seed=seed,
        )

    model = build(0)
    model.compile(kt.optimizers.PlainSGD(0.0), summed_cross_entropy, jit_compile=False)
    norms = []
    with kt.callbacks.GradientCapture() as capture:
        for seed in range(20):
            model.set_weights(build(seed).get_weights())
            model.fit(x, y, batch_size=1000, verbose=0, callbacks=[capture])
            bias = capture.frame.query("parameter == 'bias'").set_index("layer")["norm"]
            norms.append([bias["hidden_1"], bias["hidden_2"]])
    return np.array(norms)


@pytest.mark.slow
def test_nielsens_norms_come_out(first_hidden_layers):
    """The median norms lie inside the percentiles found over 200 seeds (5th to 95th); Nielsen prints 0.07 and 0.31.

    Source: Nielsen, Neural Networks and Deep Learning, chapter 5.
    """
    first, second = np.median(first_hidden_layers, axis=0)
    assert 0.035 < first < 0.084
    assert 0.183 < second < 0.384


@pytest.mark.slow
def test_the_earlier_layer_learns_slower_from_every_seed(first_hidden_layers):
    """Layer 2's norm is above layer 1's in each of the 20 seeds."""
    assert (first_hidden_layers[:, 1] > first_hidden_layers[:, 0]).all()


def test_the_slide_of_gradient_descent_comes_out():
    """W after 0 to 4 steps on z = 2 x is 0, 1.105, 1.600, 1.821, 1.920 (IBM's course prints these).

    They come out with x = linspace(-1, 1, 20) and learning rate 1.5 for J = 1/(2m) sum (z - w x)^2, not with the 0.4
    that the slide names.
    """
    x = np.linspace(-1, 1, 20).reshape(-1, 1)
    found = {}
    for learning_rate in (1.5, 0.4):
        w, path = keras.Variable(np.zeros((1, 1)), dtype="float64"), [0.0]
        optimizer = kt.optimizers.PlainSGD(learning_rate)
        for _ in range(4):
            gradient = ops.mean((x @ w - 2 * x) * x, axis=0, keepdims=True)
            optimizer.apply([gradient], [w])
            path.append(float(w[0, 0]))
        found[learning_rate] = path
    assert found[1.5] == pytest.approx([0, 1.105263, 1.599723, 1.820929, 1.919889], abs=1e-6)
    assert found[0.4] == pytest.approx([0, 0.294737, 0.546039, 0.760307, 0.942998], abs=1e-6)
