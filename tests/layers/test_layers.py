import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from keras.src.testing import TestCase

import kerasteach as kt

ACTIVATION_LAYERS = [
    (kt.layers.BinaryStep, {}),
    (kt.layers.Linear, {}),
    (kt.layers.Sigmoid, {}),
    (kt.layers.Tanh, {}),
    (kt.layers.ReLU, {}),
    (kt.layers.LeakyReLU, {"negative_slope": 0.3}),
    (kt.layers.Softmax, {"axis": 1}),
]
contract = TestCase()
# Keras's layer contract trains on a generator without saying shuffle=False, and is warned of it by Keras.
keras_warns_itself = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")


def twins(units=3, features=4, **options):
    """Return our Dense and Keras's, built with the same weights."""
    ours = kt.layers.Dense(units, **options)
    theirs = keras.layers.Dense(units, **options)
    for layer in (ours, theirs):
        layer.build((None, features))
    theirs.set_weights(ours.get_weights())
    return ours, theirs


@pytest.mark.sample(1)
@keras_warns_itself
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights:UserWarning")  # it has none
@pytest.mark.parametrize(("layer", "arguments"), ACTIVATION_LAYERS)
def test_activation_layers_keep_kerass_layer_contract(layer, arguments):
    """Each passes Keras's own contract: shapes, dtypes, symbolic call, masks, saving, mixed precision."""
    contract.run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=(2, 3, 4),
        expected_output_shape=(2, 3, 4),
        supports_masking=True,
    )


@pytest.mark.sample(2)
@keras_warns_itself
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 4), (2, 3, 2, 4)])
def test_dense_keeps_kerass_layer_contract(shape, use_bias):
    """Dense passes Keras's own contract at any rank from 2."""
    contract.run_layer_test(
        kt.layers.Dense,
        init_kwargs={
            "units": 5,
            "activation": "tanh",
            "use_bias": use_bias,
            "kernel_initializer": "he_normal",
            "kernel_regularizer": "l2",
            "kernel_constraint": "max_norm",
        },
        input_shape=shape,
        expected_output_shape=(*shape[:-1], 5),
        expected_num_trainable_weights=2 if use_bias else 1,
        expected_num_losses=1,
        supports_masking=True,
    )


@pytest.mark.sample(3)
@pytest.mark.parametrize("activation", kt.activations.names())
def test_dense_is_kerass_dense_forward_and_backward(activation):
    """From the same weights, outputs and every gradient are those of Keras's Dense."""
    function = kt.activations.get(activation)
    ours, theirs = twins(activation=function, kernel_regularizer="l2")
    x = tf.constant(np.random.default_rng(0).normal(size=(8, 4)).astype("float32"))
    results = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = ops.sum(ops.square(y - 0.3)) + sum(layer.losses)
        results.append([y, *tape.gradient(loss, [x, *layer.trainable_variables])])
    for mine, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-5, atol=1e-5)


def test_dense_feeds_cross_entropy_as_keras_does():
    """A saturated softmax output gives Keras's stable cross-entropy gradient, in a function and eagerly."""
    x = tf.constant([[1.0, -1.0, 2.0, 0.5]])

    def gradient(layer):
        with tf.GradientTape() as tape:
            loss = keras.losses.sparse_categorical_crossentropy(tf.constant([2]), layer(x))
        return tape.gradient(loss, layer.kernel)

    ours, theirs = twins(activation="softmax")
    for layer in (ours, theirs):
        layer.kernel.assign(200 * ops.ones((4, 3)) * ops.convert_to_tensor([1.0, -1.0, 0.0]))
    for run in (gradient, tf.function(gradient)):
        mine, keras_own = run(ours), run(theirs)
        assert float(ops.max(ops.abs(mine))) > 1
        np.testing.assert_allclose(mine, keras_own, rtol=1e-5, atol=1e-5)


def test_pre_activation_is_the_weighted_sum():
    """`pre_activation(x)` is x W + b, and the output is its activation."""
    layer = kt.layers.Dense(3, activation="tanh", bias_initializer="ones")
    x = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    z = layer.pre_activation(x)
    np.testing.assert_allclose(z, x @ layer.kernel.numpy() + layer.bias.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer(x), np.tanh(z), rtol=1e-6)


def test_pre_activation_computes_in_the_layers_precision():
    """Under mixed precision z has the compute dtype, called inside the layer or from outside."""
    layer = kt.layers.Dense(3, dtype="mixed_float16")
    assert layer(np.ones((2, 4), "float32")).dtype == tf.float16
    assert layer.pre_activation(np.ones((2, 4), "float32")).dtype == tf.float16
    assert layer.kernel.dtype == "float32"


def test_dense_takes_symbolic_inputs_of_unknown_length():
    """A functional model may leave dimensions open."""
    inputs = keras.Input((None, 4))
    assert kt.layers.Dense(5, activation="relu")(inputs).shape == (None, None, 5)


def test_dense_passes_a_mask_on():
    """The mask of an embedding reaches what follows our layers."""
    x = keras.Input((3,), dtype="int32")
    masked = keras.layers.Embedding(5, 4, mask_zero=True)(x)
    hidden = kt.layers.ReLU()(kt.layers.Dense(4, activation="tanh")(masked))
    pooled = keras.layers.GlobalAveragePooling1D()(hidden)
    model = keras.Model(x, [hidden, pooled])
    each, mean = model(np.array([[1, 2, 0]]))
    np.testing.assert_allclose(mean, ops.mean(each[:, :2], axis=1), rtol=1e-6)


def test_softmax_gives_no_probability_where_it_is_masked():
    """Masked entries get 0, and the others sum to 1."""
    output = kt.layers.Softmax()(np.ones((1, 3), "float32"), mask=np.array([[True, True, False]]))
    np.testing.assert_allclose(output, [[0.5, 0.5, 0.0]])


def test_a_saved_model_loads_without_custom_objects(tmp_path):
    """A `.keras` file with all our layers, the loss and the optimizer gives the same model back."""
    layers = [kt.layers.Dense(4, activation="leaky_relu"), *(layer(**more) for layer, more in ACTIVATION_LAYERS[:-1])]
    model = keras.Sequential([keras.Input((2,)), *layers, kt.layers.Softmax()])
    model.compile(kt.optimizers.PlainSGD(0.25), kt.losses.HalfSquaredError())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
    assert type(loaded.optimizer) is kt.optimizers.PlainSGD
    assert type(loaded.loss) is kt.losses.HalfSquaredError
    assert loaded.layers[0].activation is kt.activations.leaky_relu


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", ["leaky_relu", "gelu", "relu"])
def test_an_activation_of_kerass_own_stays_what_it_is(name, tmp_path):
    """Saved, loaded and cloned, Keras's leaky_relu keeps its slope of 0.2, and gelu is found."""
    function = getattr(keras.activations, name)
    model = keras.Sequential([keras.Input((2,)), kt.layers.Dense(2, activation=function)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].activation is function
    assert keras.models.clone_model(model).layers[0].activation is function


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((4, 3)), ValueError, r"`x` must be \(batch, \.\.\., 2\)\. Received: x of shape \(4, 3\)"),
        (0.5, ValueError, r"`x` must be \(batch, \.\.\., 2\)\. Received: x of shape \(\)"),
        ("text", TypeError, "`x` must hold numbers. Received: x='text'"),
        (np.ones((4, 2), "complex64"), TypeError, "`x` must hold real numbers"),
    ],
)
def test_pre_activation_names_what_it_cannot_weigh(x, error, message):
    """The error is this layer's, with the shape that its kernel needs."""
    layer = kt.layers.Dense(1)
    layer.build((None, 2))
    with pytest.raises(error, match=message):
        layer.pre_activation(x)


def test_pre_activation_refuses_a_symbolic_input():
    """A model of z would have no weights; the error says what to build instead."""
    with pytest.raises(ValueError, match=r"`x` must hold numbers.*Dense\(units\)"):
        kt.layers.Dense(2).pre_activation(keras.Input((3,)))


def test_dense_refuses_an_unknown_activation():
    """The error lists the names."""
    with pytest.raises(ValueError, match="`activation` must be one of binary_step"):
        kt.layers.Dense(3, activation="relux")


@pytest.mark.parametrize(
    ("slope", "error"),
    [
        (float("inf"), ValueError),
        (float("nan"), ValueError),
        (10**400, ValueError),
        ("steep", TypeError),
        (None, TypeError),
    ],
)
def test_leaky_relu_refuses_a_slope_that_is_no_number(slope, error):
    """The slope is a finite number."""
    with pytest.raises(error, match="`negative_slope` must be"):
        kt.layers.LeakyReLU(negative_slope=slope)


def test_the_activation_can_be_taken_off_a_dense_layer():
    """`layer.activation = None` gives the pre-activation, in a model that is saved and loaded as well."""
    layer = kt.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((2,)), layer])
    x = np.array([[1.0, -2.0]], "float32")
    layer.activation = None
    np.testing.assert_allclose(model(x), layer.pre_activation(x), rtol=1e-6)
    again = keras.Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)


KINDS = [
    getattr(kt.layers, name) for name in ("BinaryStep", "Linear", "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "Softmax")
]


@pytest.mark.sample(2)
@pytest.mark.parametrize("kind", KINDS)
def test_a_subclass_with_a_build_of_its_own_is_built(kind):
    """Weights that its `build` makes are there after the first call, and count as the model's."""

    class Scaled(kind):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

        def call(self, inputs):
            return super().call(inputs) * self.scale

    layer = Scaled()
    assert not layer.built
    assert layer(np.ones((2, 3))).shape == (2, 3)
    assert [one.shape for one in layer.trainable_weights] == [(3,)]


@pytest.mark.sample(1)
@pytest.mark.filterwarnings("ignore:.*shuffle=True:UserWarning", "ignore:.*any trainable weights:UserWarning")
@pytest.mark.parametrize("kind", [kt.layers.Dense, *KINDS, kt.layers.GradientProbe])
def test_a_layer_passes_the_test_of_every_layer_of_keras(kind):
    """Construction, shapes, dtypes, symbolic and eager calls, training, saving: as Keras tests its own."""
    from keras.src.testing import TestCase

    dense = kind is kt.layers.Dense
    TestCase().run_layer_test(
        kind,
        init_kwargs={"units": 4, "activation": "relu", "kernel_regularizer": "l2"} if dense else {},
        input_shape=(2, 3),
        expected_output_shape=(2, 4 if dense else 3),
        expected_num_trainable_weights=2 if dense else 0,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=0,
        expected_num_losses=1 if dense else 0,
        supports_masking=None,
        run_mixed_precision_check=kind is not kt.layers.GradientProbe,
        assert_built_after_instantiation=not dense,
    )
