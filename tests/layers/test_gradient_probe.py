import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kerasteach as kt

random = np.random.default_rng(0)
X, Y = random.normal(size=(50, 4)).astype("float32"), np.arange(50) % 3


def build(probes=True, optimizer=None, **options):
    """Return a functional network with a probe before its first layer, and after its first and second."""
    x = inputs = keras.Input((4,))
    for number, units in enumerate((6, 5)):
        x = kt.layers.GradientProbe(name=f"probe_{number}")(x) if probes else x
        x = layers.Dense(units, activation="tanh", name=f"hidden_{number}", kernel_initializer=seeded(number))(x)
    x = kt.layers.GradientProbe(name="probe_2")(x) if probes else x
    x = layers.Dense(3, activation="softmax", name="output", kernel_initializer=seeded(2))(x)
    model = keras.Model(inputs, x)
    model.compile(optimizer or kt.optimizers.PlainSGD(0.5), "sparse_categorical_crossentropy", **options)
    return model


def seeded(number):
    """Return an initializer that draws the same kernel each time."""
    return keras.initializers.GlorotUniform(seed=number)


def fit(model, *callbacks, epochs=2):
    """Train quietly on batches of 20, 20 and 10, always the same ones."""
    return model.fit(X, Y, batch_size=20, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks))


@pytest.mark.sample(2)
@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"jit_compile": True}, {"jit_compile": False}])
def test_a_probe_records_the_back_propagated_signal(options):
    """dL/d(input of each layer) of every step, against a tape that watches the layers' inputs."""
    capture, twin = kt.callbacks.GradientCapture(statistics="all"), build(probes=False)
    fit(build(**options), capture)
    signals = capture.frame[capture.frame["parameter"] == "signal"]
    assert signals["depth"].tolist() == [0, 1, 2] * 6
    assert signals["size"].tolist() == [4, 6, 5] * 6
    expected = []
    for start in (0, 20, 40) * 2:
        x, y = tf.constant(X[start : start + 20]), Y[start : start + 20]
        with tf.GradientTape(persistent=True) as tape:
            inputs = []
            for layer in twin.layers[1:]:
                tape.watch(x)
                inputs.append(x)
                x = layer(x)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, x))
        expected += [np.asarray(one, "float64") for one in tape.gradient(loss, inputs)]
        twin.optimizer.apply(tape.gradient(loss, twin.trainable_variables), twin.trainable_variables)
    np.testing.assert_allclose(signals["norm"], [np.linalg.norm(one) for one in expected], rtol=1e-5)
    np.testing.assert_allclose(signals["max_abs"], [np.abs(one).max() for one in expected], rtol=1e-5)
    np.testing.assert_allclose(signals["mean"], [one.mean() for one in expected], rtol=1e-4, atol=1e-8)


@pytest.mark.slow
def test_a_probe_changes_no_number_of_the_training():
    """Weights end equal, but for rounding, with probes that a capture records and without any."""
    plain, probed = build(probes=False, jit_compile=False), build(jit_compile=False)
    fit(plain)
    fit(probed, kt.callbacks.GradientCapture())
    for one, other in zip(plain.get_weights(), probed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_probe_has_nothing_to_save(tmp_path):
    """It owns no weight, and a saved model with probes loads and computes the same."""
    model = build()
    fit(model, kt.callbacks.GradientCapture())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model.predict(X, verbose=0), loaded.predict(X, verbose=0), rtol=1e-5)
    assert not model.get_layer("probe_0").weights
    assert not model.get_layer("probe_0").listeners


@pytest.mark.slow
def test_the_scale_of_the_loss_does_not_show():
    """Under loss scaling the signal is that of the true loss."""
    plain, scaled = kt.callbacks.GradientCapture(), kt.callbacks.GradientCapture()
    fit(build(optimizer=keras.optimizers.SGD(0.5)), plain, epochs=1)
    fit(build(optimizer=keras.optimizers.SGD(0.5, loss_scale_factor=256.0)), scaled, epochs=1)
    np.testing.assert_allclose(plain.frame["norm"], scaled.frame["norm"], rtol=1e-4)


def test_probes_are_chosen_like_layers():
    """By name or by object."""
    model = build()
    for chosen in ("probe_1", model.get_layer("probe_1")):
        capture = kt.callbacks.GradientCapture(layers=chosen)
        fit(model, capture, epochs=1)
        assert capture.frame["layer"].unique().tolist() == ["probe_1"]


def test_a_probe_passes_shapes_masks_and_configuration_on():
    """It is an identity layer for Keras."""
    probe = kt.layers.GradientProbe(name="p")
    again = kt.layers.GradientProbe.from_config(probe.get_config())
    assert again.name == "p"
    assert again.compute_output_shape((None, 3, 4)) == (None, 3, 4)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(again(x), x)


@pytest.mark.slow
def test_a_recorded_loop_has_probes_too():
    """In a loop of one's own `record` gives the same rows."""
    capture = kt.callbacks.GradientCapture()
    fit(build(), capture, epochs=1)
    model = build()
    with kt.measure.record(model.optimizer, model) as tape:
        for start in (0, 20, 40):
            model.train_on_batch(X[start : start + 20], Y[start : start + 20])
    assert tape.frame["layer"].tolist() == capture.frame["layer"].tolist()
    np.testing.assert_allclose(tape.frame["norm"], capture.frame["norm"], rtol=1e-5)


@pytest.mark.slow
def test_the_size_of_a_signal_is_that_of_the_training_at_hand():
    """A probe behind inputs of any length counts the units of the fit, not those of an earlier one."""
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Dense(3), kt.layers.GradientProbe()])
    model.compile("sgd", "mse")
    capture, sizes = kt.callbacks.GradientCapture(), []
    for length in (5, 7):
        x = np.ones((4, length, 2), "float32")
        model.fit(x, np.zeros((4, length, 3), "float32"), verbose=0, callbacks=[capture])
        frame = capture.frame
        sizes.append(frame.loc[frame["parameter"] == "signal", "size"].tolist())
    assert sizes == [[15], [21]]
