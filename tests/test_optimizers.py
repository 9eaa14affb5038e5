import keras
import numpy as np
import pytest
import tensorflow as tf
from batches import batches

import kerasteach as kt

SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.2, decay_steps=10, decay_rate=0.8)


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("learning_rate", [0.1, SCHEDULE, lambda: 0.05], ids=["float", "schedule", "callable"])
def test_a_hundred_steps_are_kerass_sgd(learning_rate, jit_compile, blobs, classifier):
    """100 steps of training end in the weights that keras.optimizers.SGD reaches, but for rounding."""
    x, y = blobs
    ends = []
    for optimizer in (kt.optimizers.PlainSGD(learning_rate), keras.optimizers.SGD(learning_rate)):
        model = classifier(optimizer, jit_compile=jit_compile)
        model.fit(batches(x, y, 12).repeat(20), shuffle=False, verbose=0)
        assert int(optimizer.iterations) == 100
        ends.append(model.get_weights())
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_rule_is_the_formula():
    """W <- w - learning_rate * g, in float64 NumPy."""
    w, g = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    variable = keras.Variable(w, dtype="float64")
    kt.optimizers.PlainSGD(0.25).apply([tf.constant(g)], [variable])
    np.testing.assert_array_equal(variable, w - 0.25 * g)


def test_sparse_gradients_move_only_their_rows():
    """An embedding's gradient, with an index twice, moves as its dense form does."""
    table = keras.Variable(np.ones((4, 2)))
    gradient = tf.IndexedSlices(tf.constant([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]), tf.constant([1, 3, 1]), (4, 2))
    kt.optimizers.PlainSGD(0.1).apply([gradient], [table])
    np.testing.assert_allclose(table, [[1, 1], [0.5, 0.5], [1, 1], [0.8, 0.8]], rtol=1e-6)


def test_mixed_precision_trains(blobs):
    """Under mixed_float16 Keras scales the loss around it, and the float32 weights move."""
    x, y = blobs
    keras.config.set_dtype_policy("mixed_float16")
    model = kt.models.mlp("relu", (8,), inputs=4, outputs=3, seed=0)
    model.compile(kt.optimizers.PlainSGD(0.5), "sparse_categorical_crossentropy", jit_compile=False)
    losses = model.fit(x, y, epochs=12, verbose=0).history["loss"]
    assert model.optimizer.inner_optimizer.name == "plain_sgd"
    assert losses[-1] < losses[0] / 2


def test_a_saved_optimizer_goes_on_where_it_was(tmp_path, blobs, classifier):
    """Saving keeps the learning rate schedule and the number of steps taken."""
    x, y = blobs
    model = classifier(kt.optimizers.PlainSGD(SCHEDULE))
    model.fit(x, y, batch_size=20, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert int(loaded.iterations) == 3
    assert float(loaded.learning_rate) == float(model.optimizer.learning_rate)


@pytest.mark.parametrize("asked", [{"momentum": 0.9}, {"clipnorm": 1.0}, {"weight_decay": 0.1}, {"use_ema": True}])
def test_more_than_the_plain_rule_is_refused(asked):
    """The error says what was asked for and names keras.optimizers.SGD."""
    with pytest.raises(TypeError, match=rf"Received: {next(iter(asked))}=.*keras\.optimizers\.SGD"):
        kt.optimizers.PlainSGD(0.1, **asked)


@pytest.mark.parametrize("learning_rate", [-0.1, float("nan"), float("inf")])
def test_a_learning_rate_that_is_no_step_is_refused(learning_rate):
    """Negative, NaN and infinite learning rates are errors."""
    with pytest.raises(ValueError, match="`learning_rate` must be finite"):
        kt.optimizers.PlainSGD(learning_rate)


@pytest.mark.parametrize("learning_rate", ["0.1", None, True])
def test_a_learning_rate_that_is_no_number_is_refused(learning_rate):
    """Text, None and truth values are errors."""
    with pytest.raises(TypeError, match="`learning_rate` must be a number, a learning rate schedule or a function"):
        kt.optimizers.PlainSGD(learning_rate)


def test_a_whole_number_will_do():
    """An integer is a learning rate."""
    assert float(kt.optimizers.PlainSGD(1).learning_rate) == 1.0


@pytest.mark.parametrize(
    ("name", "kind"), [(None, "PlainSGD"), ("plain_sgd", "PlainSGD"), ("Adam", "Adam"), ("sgd", "SGD")]
)
def test_get_makes_an_optimizer_of_its_name(name, kind):
    """With the learning rate that is asked for, or its own; plain gradient descent has 0.1."""
    assert type(kt.optimizers.get(name)).__name__ == kind
    assert float(kt.optimizers.get(name, 0.25).learning_rate) == 0.25
    own = {"PlainSGD": 0.1, "Adam": 0.001, "SGD": 0.01}[kind]
    assert float(kt.optimizers.get(name).learning_rate) == pytest.approx(own)
    assert kt.optimizers.get(name, SCHEDULE).get_config()["learning_rate"]["class_name"] == "ExponentialDecay"


def test_get_returns_an_optimizer_as_it_is():
    """It has its own learning rate."""
    optimizer = keras.optimizers.Adam(0.3)
    assert kt.optimizers.get(optimizer) is optimizer
    with pytest.raises(ValueError, match=r"`learning_rate` belongs to a named optimizer.*Received: learning_rate=0\.1"):
        kt.optimizers.get(optimizer, 0.1)


@pytest.mark.parametrize("optimizer", ["adamm", keras.optimizers.Adam, 3, "lossscaleoptimizer"])
def test_get_refuses_what_is_no_optimizer(optimizer):
    """The error names the argument and what was received."""
    with pytest.raises(ValueError, match=r"`optimizer` must be a name that Keras knows.*Received: optimizer="):
        kt.optimizers.get(optimizer)
    with pytest.raises(TypeError, match="`learning_rate` must be a number"):
        kt.optimizers.get("adam", "fast")
