"""Copies of dense networks, whose layers are each one product of matrices."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.experiment.ensemble.dense import DenseCopies, is_chain
from kerasteach.experiment.ensemble.vectorized import ManyCopies

LOSS = keras.losses.SparseCategoricalCrossentropy(dtype="float32")


def mlp(activation, output="softmax"):
    """Build a small network."""
    return kt.models.mlp(activation, (5, 5), inputs=4, outputs=3, output_activation=output, seed=0, dtype="float32")


def chain(*layers):
    """Build a model of these layers."""
    return keras.Sequential([keras.Input((4,)), *layers])


def share(y, outputs):
    """Return the mean probability of the right class."""
    return tf.reduce_mean(tf.gather(outputs, tf.cast(y, "int32"), batch_dims=1))


@pytest.fixture(scope="module")
def stacks():
    """Return weights of five copies, a batch of each, and one for all."""
    random = np.random.default_rng(0)
    weights = [tf.constant(random.normal(size=(5, *one.shape)), "float32") for one in mlp("tanh").trainable_variables]
    x = tf.constant(random.normal(size=(5, 7, 4)), "float32")
    return weights, x, tf.constant(random.integers(0, 3, (5, 7)), "int32")


def numbers(copies, weights, x, y, training):
    """Return the measures of copies, and the gradients of the sum of their losses."""

    @tf.function(autograph=False)  # as in a training step
    def compiled(weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            found, state = copies(weights, [], x, y, [LOSS, share], training)
            total = tf.reduce_sum(found[0])
        assert not state
        return [found, *map(tf.convert_to_tensor, tape.gradient(total, weights))]

    return compiled(list(weights))


@pytest.mark.sample(1)
@pytest.mark.parametrize("training", [True, False])
def test_all_copies_at_once_are_those_of_each_variant(stacks, training):
    """Three activations, one of them of two variants: measures and gradients are those of each variant's own graph."""
    weights, x, y = stacks
    x, y = (x, y) if training else (x[0], y[0])
    networks = [mlp(name) for name in ("sigmoid", "tanh", "tanh", "relu")]
    found = numbers(DenseCopies(networks, [1, 1, 1, 2]), weights, x, y, training)
    first, expected = 0, []
    for network, count in zip(networks, [1, 1, 1, 2], strict=True):
        own = [one[first : first + count] for one in weights]
        batch = (x[first : first + count], y[first : first + count]) if training else (x, y)
        expected.append(numbers(ManyCopies(network, count), own, *batch, training))
        first += count
    measures, *gradients = ([np.asarray(part) for part in parts] for parts in zip(*expected, strict=True))
    for one, other in zip(found, [np.concatenate(measures, axis=1), *map(np.concatenate, gradients)], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_variants_may_differ_in_their_last_activation(stacks):
    """The probabilities of each copy are those of its own network."""
    weights, x, y = stacks
    networks = [mlp("tanh"), mlp("tanh", "sigmoid")]
    found, _ = DenseCopies(networks, [2, 3])(weights, [], x, y, [LOSS, share], True)
    for copy, network in enumerate([networks[0]] * 2 + [networks[1]] * 3):
        outputs, _ = network.stateless_call([one[copy] for one in weights], [], x[copy])
        np.testing.assert_allclose(found[1, copy], share(y[copy], outputs), rtol=1e-5)


@pytest.mark.parametrize("name", sorted({*kt.activations.names(), "glu", "log_softmax", "sparsemax", "squareplus"}))
def test_known_functions_do_not_mix_copies(name):
    """A function of Keras's or this package's gives a stack of batches what it gives each batch."""
    function = kt.activations.get(name) if name in kt.activations.names() else getattr(keras.activations, name)
    x = tf.constant(np.random.default_rng(0).normal(size=(3, 5, 6)), "float32")
    np.testing.assert_allclose(function(x), tf.stack([function(one) for one in x]), rtol=1e-5, atol=1e-6)


NO_CHAINS = {
    "a function of one's own": lambda: chain(keras.layers.Dense(3, lambda z: z - keras.ops.mean(z, axis=0))),
    "a layer as the activation": lambda: chain(keras.layers.Dense(3, keras.layers.LeakyReLU())),
    "a penalty": lambda: chain(keras.layers.Dense(3, kernel_regularizer="l2")),
    "a penalty on outputs": lambda: chain(keras.layers.Dense(3, activity_regularizer="l2")),
    "a layer that is not trained": lambda: chain(keras.layers.Dense(3, trainable=False), keras.layers.Dense(3)),
    "another layer": lambda: chain(keras.layers.Dense(3), keras.layers.BatchNormalization()),
    "examples of two axes": lambda: keras.Sequential([keras.Input((2, 4)), keras.layers.Dense(3)]),
}


@pytest.mark.parametrize("kind", NO_CHAINS)
def test_other_networks_are_no_chains(kind):
    """What does more than a product, a sum and a known function is vectorized operation by operation."""
    assert not is_chain(NO_CHAINS[kind]())


@pytest.mark.parametrize("bias", [True, False])
def test_dense_networks_are_chains(bias):
    """Keras's layers and this package's, with a bias and without."""
    assert is_chain(mlp("relu"))
    assert is_chain(chain(keras.layers.Dense(3, "tanh", use_bias=bias), kt.layers.Dense(2)))
