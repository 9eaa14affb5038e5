import keras
import numpy as np
import pandas as pd
import pytest
from batches import batches
from keras import layers

import kerasteach as kt

random = np.random.default_rng(0)
X, Y = random.normal(size=(50, 4)).astype("float32"), np.arange(50) % 3


def fit(model, *callbacks, epochs=1, x=X, y=Y, **options):
    """Train quietly on batches of 20, 20 and 10, always the same ones."""
    data = batches(x, y, 20) if isinstance(x, np.ndarray) else batches(tuple(x), y, 20)
    return model.fit(data, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **options)


def network(activation="relu", **compile_options):
    """Return a small network with weights that do not change."""
    model = kt.models.mlp(activation, (6, 5), inputs=4, outputs=3, seed=0)
    model.compile(kt.optimizers.PlainSGD(0.0), "sparse_categorical_crossentropy", **compile_options)
    return model


def outputs(model, x):
    """Return what each layer puts out, in float64."""
    seen = []
    for layer in model.layers:
        x = layer(x)
        seen.append(np.asarray(x, "float64"))
    return seen


@pytest.mark.sample(1)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize(
    "options",
    [
        {"jit_compile": False},
        pytest.param({"run_eagerly": True}, marks=pytest.mark.slow),
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
        pytest.param({"steps_per_execution": 2}, marks=pytest.mark.slow),
    ],
)
def test_the_numbers_are_those_of_the_layers_outputs(activation, options):
    """Every statistic of every layer and step, against NumPy on the outputs of the same batches."""
    model, capture = network(activation, **options), kt.callbacks.ActivationCapture()
    fit(model, capture, validation_data=(X, Y))
    frame = capture.frame
    assert frame["layer"].unique().tolist() == ["hidden_1", "hidden_2", "output"]
    low, high = {"sigmoid": (0, 1), "tanh": (-1, 1), "relu": (np.nan, np.nan)}[activation]
    for step, start in enumerate((0, 20, 40)):
        for a, (_, row) in zip(outputs(model, X[start : start + 20]), capture.at(step).iterrows(), strict=True):
            assert row["mean"] == pytest.approx(a.mean(), rel=1e-5, abs=1e-7)
            assert row["std"] == pytest.approx(a.std(), rel=1e-5)
            assert row["zero_fraction"] == pytest.approx((a == 0).mean())
            assert row["dead_fraction"] == pytest.approx((a == 0).all(axis=0).mean())
            assert row["size"] == a.shape[1]
            if row["layer"] == "output":
                assert row["saturated_fraction"] == pytest.approx(((a < 0.01) | (a > 0.99)).mean())
            elif activation == "relu":
                assert np.isnan(row["saturated_fraction"])
            else:
                assert row["saturated_fraction"] == pytest.approx(((a < low + 0.01) | (a > high - 0.01)).mean())


def dead_units():
    """Return a network whose ReLU units are alive for none, some, or all of the batches."""
    model = keras.Sequential([keras.Input((2,)), kt.layers.Dense(3, activation="relu", name="d", use_bias=False)])
    model.set_weights([np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]], "float32")])
    model.compile(kt.optimizers.PlainSGD(0.0), "mse")
    return model, np.array([[1, 0], [1, 0], [0, 1], [0, 1]], "float32"), np.zeros((4, 3), "float32")


@pytest.mark.slow
def test_a_unit_is_dead_in_a_window_if_no_example_wakes_it():
    """A batch is one window with every=1, two with every=2, and the epoch is one with "epoch"."""
    model, x, y = dead_units()
    for every, expected in ((1, [2 / 3, 2 / 3] * 2), (2, [2 / 3, 1 / 3]), ("epoch", [1 / 3] * 2)):
        capture = kt.callbacks.ActivationCapture(every=every)
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, shuffle=False, callbacks=[capture])
        assert capture.frame["dead_fraction"].tolist() == pytest.approx(expected), every


def test_a_convolutions_units_are_its_channels():
    """A channel that is 0 everywhere is dead; one that is not, somewhere, is alive."""
    model = keras.Sequential([keras.Input((5, 5, 1)), layers.Conv2D(2, 3, activation="relu", use_bias=False)])
    kernel = np.zeros((3, 3, 1, 2), "float32")
    kernel[0, 0, 0] = [1, -1]
    model.set_weights([kernel])
    model.compile(kt.optimizers.PlainSGD(0.0), "mse")
    capture = kt.callbacks.ActivationCapture()
    x = np.zeros((4, 5, 5, 1), "float32")
    x[0, 1, 1] = 1
    model.fit(x, np.zeros((4, 3, 3, 2)), verbose=0, callbacks=[capture])
    assert capture.frame["dead_fraction"].tolist() == [0.5]
    assert capture.frame["size"].tolist() == [18]


def test_a_shared_layer_has_a_row_a_call():
    """Called on two inputs, a layer has calls 1 and 2."""
    inputs = [keras.Input((4,)) for _ in range(2)]
    shared = layers.Dense(3, activation="softmax", name="shared")
    model = keras.Model(inputs, layers.Average(name="mean")([shared(one) for one in inputs]))
    model.compile(kt.optimizers.PlainSGD(0.0), "sparse_categorical_crossentropy")
    capture = kt.callbacks.ActivationCapture(layers="shared")
    fit(model, capture, x=[X, 2 * X])
    first = capture.at(0)
    assert first["call"].tolist() == [1, 2]
    expected = [np.asarray(shared(factor * X[:20])).std() for factor in (1, 2)]
    np.testing.assert_allclose(first["std"], expected, rtol=1e-5)


def test_dropout_is_seen_as_training_sees_it():
    """The outputs are those of the training's own forward pass, where dropout drops."""
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5, seed=1, name="drop"), layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    capture = kt.callbacks.ActivationCapture(layers="drop")
    fit(model, capture)
    assert (capture.frame["zero_fraction"] > 0.2).all()


@pytest.mark.slow
def test_recurrent_and_nested_models_are_recorded():
    """A recurrent layer is one row a step, and a nested model's layers are its own."""
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="tanh", name="a")], name="inner")
    model = keras.Sequential([keras.Input((5, 2)), layers.LSTM(6, name="lstm"), inner, layers.Dense(3, name="b")])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    capture = kt.callbacks.ActivationCapture()
    fit(model, capture, x=random.normal(size=(50, 5, 2)))
    assert capture.at(0)["layer"].tolist() == ["lstm", "inner/a", "b"]
    assert capture.at(0)["depth"].tolist() == [1, 2, 3]


@pytest.mark.slow
def test_two_captures_and_the_gradients_go_together():
    """Two activation captures and a gradient capture on one model see the same steps, and all leave."""
    model = network()
    one, other = kt.callbacks.ActivationCapture(), kt.callbacks.ActivationCapture(statistics="mean", histogram=True)
    gradients = kt.callbacks.GradientCapture()
    fit(model, one, gradients, other)
    np.testing.assert_allclose(one.frame["mean"], other.frame["mean"], rtol=1e-5, atol=1e-7)
    assert gradients.frame["step"].nunique() == 3
    assert not any("call" in vars(layer) for layer in model.layers)
    assert "apply" not in vars(model.optimizer)
    assert other.histograms.groupby("step")["count"].sum().tolist() == [20 * 14, 20 * 14, 10 * 14]


@pytest.mark.slow
def test_training_is_not_changed():
    """Weights end equal, but for rounding, with and without the capture."""
    ends = []
    for callbacks in ([], [kt.callbacks.ActivationCapture(histogram=True)]):
        model = kt.models.mlp("tanh", (6, 5), inputs=4, outputs=3, seed=0)
        model.compile(kt.optimizers.PlainSGD(0.5), "sparse_categorical_crossentropy", jit_compile=False)
        fit(model, *callbacks, epochs=2)
        ends.append(model.get_weights())
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_training_step_is_traced_once():
    """As without a capture: a variable that is made inside the step would have TensorFlow trace it again."""
    traced = []

    class Traced(keras.Sequential):
        def train_step(self, data):
            traced.append(data)
            return super().train_step(data)

    model = Traced([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(kt.optimizers.PlainSGD(0.1), "sparse_categorical_crossentropy")
    fit(model, kt.callbacks.ActivationCapture())
    assert len(traced) == 1


@pytest.mark.slow
def test_it_streams_and_reads_back(tmp_path):
    """On disk the table is called activations."""
    capture = kt.callbacks.ActivationCapture(directory=tmp_path)
    fit(network(), capture)
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path), capture.frame)
    assert len(kt.measure.read(tmp_path, table="activations")) == 9


def test_statistics_are_chosen_by_name():
    """`finite` is always there, and unknown names list the known ones."""
    capture = kt.callbacks.ActivationCapture(statistics=["zero_fraction"])
    assert list(capture.frame)[-2:] == ["finite", "zero_fraction"]
    with pytest.raises(ValueError, match="names out of mean, std, finite, zero_fraction, dead_fraction"):
        kt.callbacks.ActivationCapture(statistics="norm")
