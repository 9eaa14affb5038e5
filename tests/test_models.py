import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt


def weights(**options):
    """Return the weights of a small network."""
    return kt.models.mlp(**{"hidden": (8, 8, 8), "inputs": 8, "outputs": 3, "seed": 1, **options}).get_weights()


def test_the_activation_does_not_touch_the_initial_weights():
    """With one seed, networks of any activation start from identical weights."""
    for one, other in zip(weights(activation="sigmoid"), weights(activation="relu"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_of_one_shape_start_apart():
    """Equal-shaped kernels are drawn from streams of their own."""
    kernels = weights()[0:6:2]
    assert len({kernel.tobytes() for kernel in kernels}) == 3


def test_seeds_start_apart():
    """Another seed draws other weights."""
    assert not np.array_equal(weights(seed=1)[0], weights(seed=2)[0])


def test_initializers_shape_the_same_draws():
    """Glorot and He scale the same uniform draws of a seed."""
    glorot, he = weights(initializer="glorot_uniform")[0], weights(initializer="he_uniform")[0]
    np.testing.assert_allclose(he / glorot, np.sqrt(6 / 8) / np.sqrt(6 / 16), rtol=1e-5)


def test_glorot_uniform_has_its_published_bounds():
    """Weights fill U(-r, r) with r = sqrt(6 / (n_in + n_out))."""
    kernel = weights(inputs=400, hidden=(100,))[0]
    bound = np.sqrt(6 / 500)
    assert np.abs(kernel).max() <= bound
    assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)


def test_a_seeded_network_leaves_the_random_state_alone():
    """Neither Python's, NumPy's nor TensorFlow's global random state moves."""

    def draws(between):
        keras.utils.set_random_seed(5)
        between()
        return random.random(), np.random.random(), float(tf.random.uniform(()))

    initializer = keras.initializers.HeNormal()
    still = draws(lambda: None)
    assert draws(weights) == still
    assert draws(lambda: weights(initializer=initializer)) == still


def test_layers_have_readable_names():
    """Hidden layers are numbered from the input, and the last one is the output."""
    model = kt.models.mlp("relu", (4, 4), inputs=2, outputs=1, output_activation=None)
    assert [layer.name for layer in model.layers] == ["hidden_1", "hidden_2", "output"]
    assert model.layers[-1].activation is kt.activations.linear


@pytest.mark.parametrize("wrong", [{"hidden": (8, 0)}, {"inputs": 0}, {"outputs": 2.5}, {"hidden": (True,)}])
def test_units_are_positive_whole_numbers(wrong):
    """Anything else is an error that names the argument."""
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be a whole number from 1. Received"):
        weights(**wrong)


@pytest.mark.parametrize("wrong", [5, "8", None])
def test_hidden_is_a_list(wrong):
    """A number alone is no list of layers."""
    with pytest.raises(TypeError, match=r"`hidden` must be a list of values\. Received: hidden="):
        weights(hidden=wrong)


def test_a_layer_with_weights_is_no_activation_of_several_layers():
    """All hidden layers would share the one object; a layer without weights they may."""
    with pytest.raises(ValueError, match=r"must be without weights. A PReLU .*`models=`.*Received: activation=<PReLU"):
        weights(activation=keras.layers.PReLU())
    assert len(weights(activation=keras.layers.LeakyReLU(0.3))) == 8


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"initializer": "a"}, ValueError, "`initializer` must be .*matched.*Received: initializer='a'"),
        ({"bias_initializer": np.ones(2), "seed": 0}, ValueError, r"`bias_initializer` must be .*shape \(2,\)"),
        ({"dtype": "floaty"}, ValueError, "`dtype` must be .*Received: dtype='floaty'"),
        ({"seed": -1}, ValueError, "`seed` must be a whole number from 0"),
        ({"output_activation": keras.layers.Softmax}, TypeError, "not a class"),
        ({"activation": {}}, ValueError, "`activation` must be a name, a function, or the dictionary"),
        ({"hidden": (2**16, 2**15)}, ValueError, r"`hidden` must ask .* 2,147,483,648. Received: hidden=65536\."),
    ],
)
def test_what_no_layer_can_have_is_refused(wrong, error, message):
    """The error names the argument and what was received, with a seed and without."""
    with pytest.raises(error, match=message):
        kt.models.mlp(**{"hidden": (4,), "inputs": 2, "outputs": 1, **wrong})


def test_weights_are_drawn_for_networks_of_mlp():
    """Anything else has no kernel and bias in each layer, or no whole number for a seed."""
    with pytest.raises(TypeError, match="`network` must be a network that `mlp` returned"):
        kt.models.draw_weights(None, 0)
    with pytest.raises(ValueError, match="`seed` must be a whole number from 0"):
        kt.models.draw_weights(kt.models.mlp(inputs=2, outputs=1), "a")


def test_an_unknown_initializer_is_an_error():
    """The error names the argument and what would work."""
    with pytest.raises(ValueError, match=r"`initializer` must be .*glorot_uniform.*Received: initializer='glorott'"):
        weights(initializer="glorott")
