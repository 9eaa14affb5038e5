import logging
from contextlib import contextmanager

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.experiment.initial_weights import fair_network

SMALL = {"data": "iris", "hidden": (5, 5), "seeds": 2, "epochs": 2, "verbose": 0}
# Networks that are trained in other company, or by another program, round otherwise: by 1e-7 a step. What is another
# training differs by far more than this.
ROUNDING = {"rtol": 1e-4, "atol": 1e-6}


def small():
    """Return the network of `mlp` as anyone would write it, without names or seeds."""
    return keras.Sequential(
        [
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.Dense(5, activation="tanh"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def deeper(activation, depth=1):
    """Return a network of so many layers of an activation."""
    hidden = [keras.layers.Dense(4, activation=kt.activations.get(activation)) for _ in range(depth)]
    return keras.Sequential([*hidden, keras.layers.Dense(3, activation="softmax")])


def forgetful():
    """Return a network with a dropout, a batch normalization and an LSTM."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Embedding(9, 4),
            layers.LSTM(3),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )


@pytest.fixture(scope="module")
def rates():
    """Return a comparison of two learning rates and two depths."""
    return kt.compare(vary={"learning_rate": [0.1, 0.5], "depth": [1, 2]}, **{**SMALL, "hidden": (4,)})


@pytest.mark.slow
def test_a_grid_has_a_column_for_each_thing_that_varies(rates):
    """Every combination from every seed, the first thing varying slowest; what does not vary has no column."""
    for table in (rates.history, rates.gradients):
        assert list(table)[:3] == ["learning_rate", "hidden_layers", "seed"]
        networks = table[["learning_rate", "hidden_layers", "seed"]].drop_duplicates().values.tolist()
        assert networks == [[rate, depth, seed] for rate in (0.1, 0.5) for depth in (1, 2) for seed in (0, 1)]
    layers = rates.gradients.groupby("hidden_layers")["depth"].max()
    assert layers.to_dict() == {1: 2, 2: 3}


@pytest.mark.slow
def test_a_variant_is_what_it_is_alone(rates):
    """But for rounding, each combination gives the numbers of a comparison that has nothing else in it."""
    alone = kt.compare("relu", **{**SMALL, "hidden": (4, 4)}, learning_rate=0.5)
    found = rates.history.query("learning_rate == 0.5 and hidden_layers == 2").reset_index(drop=True)
    expected = alone.history.drop(columns="activation")
    pd.testing.assert_frame_equal(found.drop(columns=["learning_rate", "hidden_layers"]), expected, **ROUNDING)


@pytest.mark.slow
def test_batch_size_optimizer_and_width_can_vary():
    """What is varied is what is trained: steps an epoch, the optimizer's rule, the units of a layer."""
    sizes = kt.compare(vary={"batch_size": [40, 120]}, **SMALL, every=1).gradients
    assert sizes.groupby("batch_size")["step"].nunique().to_dict() == {40: 6, 120: 2}
    widths = kt.compare(vary={"width": np.array([2, 3])}, **SMALL).gradients
    assert widths[widths["layer"] == "hidden_2"].groupby("width")["size"].max().to_dict() == {2: 4, 3: 9}
    named = {"sgd": "sgd", "slow": keras.optimizers.SGD(0.01)}
    rules = kt.compare(vary={"optimizer": {**named, "fast": keras.optimizers.SGD(0.1)}}, **SMALL).history
    pivot = rules.pivot(index=["seed", "epoch", "metric"], columns="optimizer", values="value")
    np.testing.assert_allclose(pivot["sgd"], pivot["slow"], rtol=1e-4, atol=1e-6)  # Keras's default
    assert np.abs(pivot["sgd"] - pivot["fast"]).max() > 1e-2


@pytest.mark.slow
def test_a_varied_learning_rate_takes_the_place_of_an_optimizers_own():
    """Adam(0.5) at a learning rate of 0.01 is Adam(0.01)."""
    varied = kt.compare(vary={"learning_rate": [0.01]}, optimizer=keras.optimizers.Adam(0.5), **SMALL).history
    plain = kt.compare("relu", optimizer=keras.optimizers.Adam(0.01), **SMALL).history
    np.testing.assert_allclose(varied["value"], plain["value"], **ROUNDING)


def test_models_of_ones_own_have_a_column():
    """A builder's network is named in `model`, and starts and learns like the same network of ours."""
    result = kt.compare(models={"mine": small, "deep": small}, **{**SMALL, "hidden": (32,) * 6})
    assert list(result.history)[:2] == ["model", "seed"]
    ours = kt.compare("tanh", **SMALL).history
    for _, theirs in result.history.groupby("model"):
        np.testing.assert_allclose(theirs["value"], ours["value"], **ROUNDING)
    assert set(result.gradients["path"].str.split("/").str[0]) == {"sequential"}  # the same in any process


@pytest.mark.slow
def test_a_builder_is_handed_what_varies():
    """`build(activation, depth)` gets both by name."""
    arguments = {"data": "iris", "seeds": 1, "epochs": 1, "verbose": 0}
    result = kt.compare(("tanh", "relu"), models={"mine": deeper}, vary={"depth": [1, 3]}, **arguments)
    layers = result.gradients.groupby(["activation", "hidden_layers"])["depth"].max()
    assert layers.to_dict() == {(a, d): d + 1 for a in ("tanh", "relu") for d in (1, 3)}


def test_a_builders_weights_are_fixed_by_the_seed():
    """Built again they are the same, dropout's stream included; another seed draws others, where anything is drawn."""
    words = np.ones((2, 6), "int32")
    one, again, other = (fair_network(forgetful, words, seed) for seed in (3, 3, 4))
    random = ("embeddings", "kernel", "recurrent_kernel", "seed_generator_state")
    for first, second, third in zip(one.variables, again.variables, other.variables, strict=True):
        assert first.path == second.path
        np.testing.assert_array_equal(first.numpy(), second.numpy())
        assert np.array_equal(first.numpy(), third.numpy()) == (first.name not in random)


def test_weights_that_a_builder_puts_in_place_stay():
    """Loaded weights are kept; those beside them are drawn."""
    loaded = np.arange(20, dtype="float32").reshape(4, 5)

    def build():
        model = small()
        model.build((None, 4))
        model.layers[0].set_weights([loaded, np.ones(5)])
        return model

    ones, others = (fair_network(build, np.ones((1, 4), "float32"), seed).get_weights() for seed in (0, 1))
    np.testing.assert_array_equal(ones[0], loaded)
    np.testing.assert_array_equal(others[0], loaded)
    assert not np.array_equal(ones[2], others[2])


def test_a_builder_with_a_seed_of_its_own_is_drawn_for_each_seed():
    """Initializers with a number as their seed would start every seed, and both layers, alike."""

    def build():
        keras.utils.set_random_seed(1)
        draw = keras.initializers.GlorotUniform(seed=7)
        return keras.Sequential([keras.layers.Dense(4, kernel_initializer=draw, name=name) for name in "ab"])

    ones, others = (fair_network(build, np.ones((1, 4), "float32"), seed).get_weights() for seed in (0, 1))
    assert not np.array_equal(ones[0], others[0])
    assert not np.array_equal(ones[0], ones[2])


def test_building_leaves_the_callers_state():
    """Random states, dtype policy and Keras's count of layers go on as if nothing had been built."""
    names = [keras.layers.Dense(1).name]
    keras.config.set_dtype_policy("mixed_float16")
    before = np.random.get_state()[1].tolist()
    network = fair_network(small, np.ones((1, 4), "float32"), 0)
    assert network.dtype_policy.name == "float32"
    assert keras.config.dtype_policy().name == "mixed_float16"
    assert np.random.get_state()[1].tolist() == before
    names.append(keras.layers.Dense(1).name)
    first, second = (int([*name.split("_"), 0][1]) for name in names)
    assert second == first + 1


def test_matched_weights_are_the_same_draws_up_to_a_factor():
    """Sigmoid and tanh share Glorot's weights; ReLU's are He's, sqrt((n_in + n_out) / n_in) times as large."""
    sigmoid, tanh, relu, leaky = (
        kt.models.mlp(name, (8, 6), inputs=4, outputs=3, seed=5, initializer="matched").get_weights()
        for name in ("sigmoid", "tanh", "relu", "leaky_relu")
    )
    for position, (n_in, n_out) in {0: (4, 8), 2: (8, 6)}.items():
        np.testing.assert_array_equal(sigmoid[position], tanh[position])
        factor = np.sqrt((n_in + n_out) / n_in)
        np.testing.assert_allclose(relu[position], factor * sigmoid[position], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(leaky[position], relu[position] / np.sqrt(1 + 0.01**2), rtol=1e-5, atol=1e-7)
        assert np.abs(relu[position]).max() <= np.sqrt(6 / n_in)
    np.testing.assert_array_equal(sigmoid[4], relu[4])  # the output is softmax in all of them


@pytest.mark.slow
def test_matched_weights_are_what_compare_trains():
    """`initializer="matched"` is a choice like any other, and ReLU's is He's uniform one."""
    small = {**SMALL, "hidden": (5,), "seeds": 1, "every": None}
    result = kt.compare("relu", vary={"initializer": ["matched", "glorot_uniform"]}, **small)
    alone = kt.compare("relu", initializer="matched", **small)
    found = result.history.query("initializer == 'matched'")["value"]
    np.testing.assert_allclose(found, alone.history["value"], **ROUNDING)
    with pytest.raises(ValueError, match=r'`initializer="matched"` knows what suits .*Received: activation='):
        kt.compare([keras.activations.softplus], initializer="matched", **SMALL)


def test_matched_knows_the_smooth_rectifiers():
    """SELU's kernels are LeCun's, GELU's 1 / E[gelu(z)^2] as wide; by name or by function."""
    selu, gelu = (kt.initializers.for_activation(one).get_config() for one in (keras.activations.selu, "gelu"))
    assert (selu["scale"], selu["mode"]) == (1.0, "fan_in")
    assert gelu["scale"] == pytest.approx(2.3517)


@pytest.mark.slow
def test_every_name_that_keras_knows_can_be_compared():
    """Names that are not the course's train, and are the names of the rows."""
    result = kt.compare(("gelu", "swish", "sparsemax"), **{**SMALL, "epochs": 1, "seeds": 1})
    assert result.summary().index.tolist() == ["gelu", "swish", "sparsemax"]
    alone = kt.compare({"swish": keras.activations.silu}, **{**SMALL, "epochs": 1, "seeds": 1}).history
    swish = result.history.query("activation == 'swish'")["value"]
    np.testing.assert_allclose(swish, alone["value"], rtol=1e-5)


def _if(x):
    return x if keras.ops.max(x) > 0 else 0 * x


def _numpy(x):
    return np.tanh(x)


def _first(x):
    return x[..., :1]


@pytest.mark.parametrize(
    ("activations", "error", "message"),
    [
        ({"prelu": keras.layers.PReLU()}, ValueError, "`activations` must be without.*`models=`.*prelu=<PReLU"),
        (
            {"class": keras.layers.PReLU},
            TypeError,
            r"not a class, which makes one: PReLU\(\).*activation 'class'.*models=",
        ),
        ([np.tanh], TypeError, r"as NumPy's functions do not: use keras.ops.tanh.*activation 'numpy.tanh'"),
        ([_numpy], ValueError, "`activations` must be functions of tensors.*keras.ops.*_numpy=.*NumPy"),
        ([_if], ValueError, "`activations` must be functions of tensors.*_if="),
        ([_first], ValueError, "must return a value for each value.*_first="),
        (["glu"], ValueError, "cannot be glu"),
        (["relu", "swosh"], ValueError, "Received: activation='swosh'. Did you mean 'swish'"),
        ([3], TypeError, "Received: activation=3"),
    ],
)
def test_activations_that_cannot_be_are_refused_by_name(activations, error, message):
    """Before anything is trained, with the way out."""
    with pytest.raises(error, match=message):
        kt.compare(activations, **SMALL)


@pytest.mark.slow
def test_a_builder_may_be_handed_a_class():
    """`build(activation)` makes a layer of its own of it, with weights or without."""

    def build(activation):
        layers = [keras.layers.Dense(4), activation(), keras.layers.Dense(3, activation="softmax")]
        return keras.Sequential(layers)

    classes = {"prelu": keras.layers.PReLU, "relu": keras.layers.ReLU}
    result = kt.compare(classes, models={"mine": build}, data="iris", seeds=1, epochs=1, verbose=0)
    assert result.summary().index.tolist() == ["prelu", "relu"]
    with pytest.raises(ValueError, match="must be without weights"):
        kt.compare({"prelu": keras.layers.PReLU()}, models={"mine": build}, data="iris", verbose=0)


@pytest.mark.slow
def test_trained_weights_are_kept_when_asked_for():
    """They are those of the network after its last epoch, by the paths of its variables."""
    result = kt.compare(("tanh", "relu"), **SMALL, keep_weights=True)
    assert list(result.weights) == [(name, seed) for name in ("tanh", "relu") for seed in (0, 1)]
    model = kt.models.mlp("relu", (5, 5), inputs=4, outputs=3)
    for variable in model.weights:
        variable.assign(result.weights["relu", 1][variable.path])
    data = kt.datasets.load("iris")
    model.compile(loss="sparse_categorical_crossentropy")
    loss = model.evaluate(data.x_test, data.y_test, verbose=0)
    last = result.history.query("activation == 'relu' and seed == 1 and epoch == 1 and metric == 'val_loss'")["value"]
    assert loss == pytest.approx(last.item(), rel=1e-5)
    assert kt.compare("tanh", **SMALL).weights == {}


def test_predictions_are_those_of_the_trained_networks():
    """On a grid over the data, each class's probability, equal to a matrix product by hand."""
    arguments = {**SMALL, "data": "moons", "hidden": (), "epochs": 1}
    result = kt.compare("tanh", **arguments, keep_weights=True)
    table = result.predictions
    assert list(table) == ["activation", "seed", "x_1", "x_2", "output", "value"]
    assert len(table) == 2 * 60 * 60 * 2
    wide = table[table["seed"] == 1].pivot(index=["x_1", "x_2"], columns="output", values="value")
    kernel, bias = result.weights["tanh", 1].values()
    scores = np.exp(np.array(wide.index.tolist()) @ kernel + bias)
    expected = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(wide[["upper moon", "lower moon"]], expected, atol=1e-5)
    x = kt.datasets.load("moons").x_train
    assert table["x_1"].min() < x[:, 0].min() < x[:, 0].max() < table["x_1"].max()


@pytest.mark.parametrize(
    ("optimizer", "how"),
    [
        ("sgd", "together"),
        pytest.param(keras.optimizers.SGD(0.1, clipnorm=1.0), "separately", marks=pytest.mark.slow),
    ],
)
def test_the_confusion_of_the_test_part_is_stored(optimizer, how):
    """For networks in one graph and for others: the counts that right ones are of are the recorded accuracy."""
    result = kt.compare("tanh", **{**SMALL, "hidden": (), "epochs": 1, "every": None}, optimizer=optimizer)
    assert list(result.confusion) == ["activation", "seed", "true", "predicted", "count"]
    assert result.confusion.attrs["classes"] == ["setosa", "versicolor", "virginica"]
    for seed, counts in result.confusion.groupby("seed"):
        accuracy = result.history.query(f"seed == {seed} and metric == 'val_accuracy'")["value"].iloc[-1]
        right = counts[counts["true"] == counts["predicted"]]["count"].sum()
        assert right / counts["count"].sum() == pytest.approx(accuracy)
    assert [group["how"] for group in result.facts["groups"]] == [how]


@pytest.mark.slow
def test_a_regression_on_one_feature_has_its_curve():
    """A row a point of a line over the data, and no confusion."""
    result = kt.compare("tanh", **{**SMALL, "data": "line", "seeds": 1, "epochs": 1})
    assert list(result.predictions) == ["activation", "seed", "x_1", "output", "value"]
    assert len(result.predictions) == 200
    assert result.confusion.empty
    assert kt.plotting.fitted_curve(result).get_ylabel() == "value"


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"vary": {"color": [1]}}, ValueError, "`vary` must give choices for activation, depth"),
        ({"vary": [1]}, ValueError, "`vary` must give choices for"),
        ({"vary": {"activation": None}}, ValueError, "`activations` must be one or more"),
        ({"vary": {"depth": keras.Input((3,))}}, TypeError, r"`vary\['depth'\]` must be a list"),
        ({"vary": {"learning_rate": keras.layers.Dense}}, TypeError, "`learning_rate` must be an object of this class"),
        ({"vary": {"depth": []}}, ValueError, r"`vary\['depth'\]` must be one or more"),
        ({"vary": {"depth": [0]}}, ValueError, "`depth` must be a whole number from 1"),
        ({"vary": {"learning_rate": [0.1, -1.0]}}, ValueError, "`learning_rate` must be finite"),
        ({"vary": {"learning_rate": [0.1, 0.1]}}, ValueError, "each of another name"),
        ({"vary": {"activation": ["relu"]}, "activations": ["tanh"]}, ValueError, "Name the activations once"),
        ({"vary": {"depth": [1]}, "hidden": (4, 5)}, ValueError, "Where `depth` varies, `hidden` must have one width"),
        ({"models": {}}, ValueError, "`models` must name functions"),
        ({"models": small}, ValueError, "`models` must name functions"),
        ({"models": {"mine": 3}}, TypeError, "`models` must hold functions.*Received: int for 'mine'"),
        ({"models": {"mine": lambda: None}}, ValueError, "must return a Keras model.*returns NoneType"),
        ({"models": {"mine": small}, "activations": ["tanh"]}, ValueError, "must take what varies.*activation"),
        ({"models": {"mine": deeper}}, ValueError, "must take what varies.*missing a required argument"),
        ({"models": {"mine": small}, "hidden": (3,)}, ValueError, "a builder lays its own layers"),
        ({"models": {"mine": lambda: keras.Sequential([keras.layers.Dense(2)])}}, ValueError, "3 classes: the last"),
        ({"models": {"mine": lambda: keras.Sequential([keras.layers.Dense(3)])}}, ValueError, "end in probabilities"),
    ],
)
def test_bad_arguments_are_refused(wrong, error, message):
    """Each error names the argument, what was received and what would work."""
    with pytest.raises(error, match=message):
        kt.compare(**{"data": "iris", "verbose": 0, **wrong})


def test_a_compiled_model_is_refused():
    """Its loss would be another than that of the networks beside it."""

    def build():
        model = small()
        model.compile(loss="mse")
        return model

    with pytest.raises(ValueError, match=r"must return a model that is not compiled.*models\['mine'\] calls compile"):
        kt.compare(models={"mine": build}, data="iris", verbose=0)


@pytest.mark.slow
def test_images_and_sequences_are_data_for_models_of_ones_own():
    """A convolutional network takes images, a recurrent one numbers of words."""
    random = np.random.default_rng(0)
    images = kt.datasets.from_arrays(random.normal(size=(30, 6, 6, 1)), np.arange(30) % 2)
    words = kt.datasets.from_arrays(random.integers(0, 9, (30, 6)), np.arange(30) % 2, standardize=False)

    def convolutional():
        layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
        return keras.Sequential(layers)

    for build, data in ((convolutional, images), (forgetful, words)):
        result = kt.compare(models={"mine": build}, data=data, seeds=[1], epochs=1, verbose=0)
        assert np.isfinite(result.history["value"]).all()


@contextmanager
def logged():
    """Yield the list of what TensorFlow logs."""
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    tf.get_logger().addHandler(handler)
    try:
        yield records
    finally:
        tf.get_logger().removeHandler(handler)


@pytest.mark.slow
def test_a_convolution_trains_without_a_message():
    """What TensorFlow logs of operations without a vectorized form is not for the user; other messages are."""

    class Loud(keras.layers.Reshape):
        def call(self, inputs):
            tf.get_logger().warning("from the user's own layer")
            return super().call(inputs)

    Loud.__module__ = "keras.layers"  # a layer of Keras's trains together with others

    def build():
        layers = [Loud((2, 2, 1)), keras.layers.Conv2D(2, 2), keras.layers.Dropout(0.1), keras.layers.Flatten()]
        return keras.Sequential([*layers, keras.layers.Dense(3, activation="softmax")])

    with logged() as messages:
        result = kt.compare(models={"mine": build}, data="iris", seeds=2, epochs=1, verbose=0)
    assert result.facts["groups"][0]["how"] == "together"
    assert set(messages) == {"from the user's own layer"}
