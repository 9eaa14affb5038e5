import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.lessons.inspection.learning_rate_test import _suggestion


def find_learning_rate(*args, **kwargs):
    """Test learning rates without a bar."""
    return kt.find_learning_rate(*args, verbose=0, **kwargs)


@pytest.fixture
def line():
    """Return a model z = w x without bias, from w = 0, with squared error, and data on z = 2 x in batches of 4."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(kt.optimizers.PlainSGD(0.25), "mse")
    model.set_weights([np.zeros((1, 1))])
    x = np.linspace(-1, 2, 10)
    return model, x, 2 * x


def in_batches(x, y, size=4):
    """Return a data set of batches in their order."""
    return tf.data.Dataset.from_tensor_slices((x[:, None], y)).batch(size)


def everything(model):
    """Return the bytes of every variable of a model, its optimizer and its metrics."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [one.numpy().tobytes() for one in variables]


def test_the_table_is_gradient_descent_with_a_growing_rate(line):
    """Rates grow geometrically, each loss is that of its batch before its step, the data start again: float64 NumPy."""
    model, x, y = line
    table = find_learning_rate(model, in_batches(x, y), lowest=1e-3, highest=0.3, steps=7).frame
    rates = 1e-3 * 300 ** (np.arange(7) / 6)
    w, expected = 0.0, []
    for step, rate in enumerate(rates):
        rows = slice(4 * (step % 3), 4 * (step % 3) + 4)
        error = w * x[rows] - y[rows]
        expected.append(np.mean(error**2))
        w -= rate * 2 * np.mean(error * x[rows])
    assert list(table) == ["step", "learning_rate", "loss", "smoothed"]
    assert table["step"].tolist() == list(range(7))
    np.testing.assert_allclose(table["learning_rate"], rates, rtol=1e-12)
    np.testing.assert_allclose(table["loss"], expected, rtol=1e-5)


def test_the_smoothed_loss_is_a_weighted_mean_of_the_past(line):
    """The weight of a loss falls by 0.8 with each step since, and the weights' sum is 1."""
    model, x, y = line
    table = find_learning_rate(model, x, y, batch_size=4, steps=12, highest=0.1).frame
    for step in range(12):
        weights = 0.8 ** np.arange(step, -1, -1)
        assert table["smoothed"][step] == pytest.approx(np.average(table["loss"][: step + 1], weights=weights))


OPTIMIZERS = {
    "PlainSGD": lambda: kt.optimizers.PlainSGD(0.1),
    "SGD with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "accumulating": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=3),
    "averaging": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2),
    "scaling the loss": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01), dynamic_growth_steps=3
    ),
    **{
        name: lambda name=name: getattr(keras.optimizers, name)(0.01)
        for name in (
            "Adam",
            "AdamW",
            "Nadam",
            "Adamax",
            "RMSprop",
            "Adagrad",
            "Adadelta",
            "Ftrl",
            "Lion",
            "Lamb",
            "Muon",
        )
    },
    "Adafactor": lambda: keras.optimizers.Adafactor(0.01),
}
if hasattr(keras.optimizers, "ScheduleFreeAdamW"):  # Keras 3.10 has none
    OPTIMIZERS["ScheduleFreeAdamW"] = lambda: keras.optimizers.ScheduleFreeAdamW(0.01)


@pytest.mark.sample(2)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_as_if_nothing_had_been(optimizer, blobs):
    """With each of Keras's optimizers, in the middle of a training: the next steps end where they do without."""
    x, y = blobs
    ends = []
    for tested in (False, True):
        model = kt.models.mlp("tanh", (5, 4), inputs=4, outputs=3, seed=0)
        model.compile(OPTIMIZERS[optimizer](), "sparse_categorical_crossentropy", run_eagerly=True)
        model.train_on_batch(x[:20], y[:20])
        if tested:
            before = everything(model)
            table = find_learning_rate(model, x, y, steps=5, lowest=1e-3, highest=0.1).frame
            assert np.ptp(table["loss"]) > 0
            assert everything(model) == before
        for _ in range(4):
            model.train_on_batch(x[20:40], y[20:40])
        ends.append(model.get_weights())
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.fixture
def network():
    """Return a network that has every kind of state: statistics, a random seed, metrics, an optimizer's moments."""
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


@pytest.mark.slow
def test_a_test_leaves_the_model_bit_for_bit(network, blobs):
    """BatchNormalization's statistics, dropout's seed, the optimizer's moments and the last fit's metrics come back."""
    network.fit(*blobs, verbose=0)
    before = everything(network)
    assert len(find_learning_rate(network, *blobs, steps=20, highest=0.1).frame) == 20
    assert everything(network) == before


@pytest.mark.slow
def test_ctrl_c_leaves_the_model_bit_for_bit(network, blobs):
    """Also where the third batch ends in an interruption."""
    x, y = blobs
    network.fit(x, y, verbose=0)
    before = everything(network)

    class Interrupted(keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            if index == 2:
                raise KeyboardInterrupt
            return x[:8], y[:8]

    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(network, Interrupted(), lowest=0.01)
    assert everything(network) == before


@pytest.mark.slow
def test_what_was_never_trained_is_as_new(network, blobs):
    """Before a first fit: the metrics made meanwhile are empty, no step is counted, the compiled rate is there."""
    before = network.get_weights()
    find_learning_rate(network, *blobs, steps=3)
    assert all(np.array_equal(*pair) for pair in zip(network.get_weights(), before, strict=True))
    assert not any(np.any(one.numpy()) for one in network.metrics_variables)
    assert int(network.optimizer.iterations) == 0
    assert float(network.optimizer.learning_rate) == pytest.approx(0.01)


def test_a_model_that_is_not_built_is_built(blobs):
    """A model without an input shape has its first weights afterwards, as it would have after one batch of fit."""
    model = keras.Sequential([keras.layers.Dense(3, "softmax", kernel_initializer=keras.initializers.HeNormal(seed=0))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    find_learning_rate(model, *blobs, steps=3, lowest=0.1)
    twin = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(seed=0))]
    )
    np.testing.assert_array_equal(model.get_weights()[0], twin.get_weights()[0])


@pytest.mark.slow
def test_no_global_random_state_is_touched(network, blobs):
    """Python's, NumPy's and TensorFlow's next numbers are the same as without; the seed alone fixes the order."""
    draws, tables = [], []
    for tested in (False, True, True):
        keras.utils.set_random_seed(3)
        if tested:
            tables.append(find_learning_rate(network, *blobs, steps=5, seed=1).frame)
        draws.append((random.random(), np.random.random(), float(tf.random.uniform(()))))
    assert draws[0] == draws[1] == draws[2]
    np.testing.assert_array_equal(*tables)


def test_it_stops_where_the_loss_explodes(line):
    """Beyond 2 / curvature, gradient descent on a parabola diverges, so the run ends early and suggests less."""
    model, x, y = line
    test = find_learning_rate(model, x, y, batch_size=10, highest=1e6, steps=200)
    steepest = 2 / (2 * np.mean(x**2))
    smoothed, usual = test.frame["smoothed"].to_numpy(), test.frame["loss"][:20].mean()
    assert len(smoothed) < 200
    assert smoothed[-2] <= smoothed.min() + 3 * usual < smoothed[-1]
    assert steepest / 100 < test.suggestion < steepest
    assert "the loss exploded at learning rate" in test.reason


def test_it_stops_where_the_loss_is_not_finite(line):
    """The row that tells of it is the last, and the weights are finite afterwards."""
    model, x, y = line
    test = find_learning_rate(model, x, y, batch_size=10, lowest=1.0, highest=1e38, steps=3)
    assert np.isfinite(test.frame["loss"]).tolist() == [True, True, False]
    assert test.suggestion is None
    assert "try a lower `lowest` or more `steps`; the loss was not finite at learning rate 1e+38" in test.reason
    assert model.get_weights()[0] == 0


def test_the_suggestion_is_a_tenth_of_where_the_smoothed_loss_is_lowest():
    """Whatever the batches' own losses say there."""
    rates = np.geomspace(1e-4, 1, 5)
    rate, reason = _suggestion(rates, [2.0, 2.0, 1.0, 0.1, 1.5], [2.0, 2.0, 1.2, 0.5, 0.9])
    assert rate == pytest.approx(0.01)
    assert (
        reason
        == "the smoothed loss is lowest, 0.5, at learning rate 0.1; a tenth of it is suggested; all 5 steps were taken"
    )


@pytest.mark.parametrize(
    "losses", [[1.0, 1.0, 1.0, 1.0], [1.0, 0.8, 0.75, 0.9], [1.0, 1.0, 0.96, 0.97], [1.0, 1.0, 2.0, 5.0]]
)
def test_without_a_clear_fall_nothing_is_suggested(losses):
    """Neither for a loss that is flat, scatters, falls by less than 5 %, nor for one that rises."""
    rate, reason = _suggestion(np.geomspace(0.1, 1, 4), losses, losses)
    assert rate is None
    assert "never clearly fell" in reason


def test_a_loss_that_still_falls_asks_for_more():
    """The lowest at the highest rate may not be the lowest there is."""
    rate, reason = _suggestion(np.geomspace(0.1, 1, 4), [2.0, 2.0, 1.5, 1.0], [2.0, 2.0, 1.7, 1.2])
    assert rate == pytest.approx(0.1)
    assert "the last (try a higher `highest`)" in reason


@pytest.mark.sample(2)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("argument", ["x", "y"])
def test_nan_in_the_data_is_refused(activation, argument):
    """ReLU hides a NaN among the inputs from the loss, not from the weights: what such a run suggests means nothing."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, activation), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = {"x": np.random.default_rng(0).normal(size=(200, 3)), "y": np.ones((200, 1))}
    data[argument][150, 0] = np.nan
    with pytest.raises(ValueError, match=f"`{argument}` must hold finite numbers.*Received: 1 NaN or infinite of"):
        find_learning_rate(model, **data, steps=2, batch_size=4)
    with pytest.raises(ValueError, match=f"`{argument}` must hold finite numbers"):
        find_learning_rate(model, tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).batch(4), steps=100)


def test_a_weight_that_is_no_number_ends_the_run():
    """Behind ReLU the loss stays finite; the rates from there on are not looked at."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "relu", name="hidden"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.get_layer("hidden").kernel.assign([[np.nan]])
    test = find_learning_rate(model, np.ones((8, 1)), np.ones((8, 1)), steps=20)
    assert len(test.frame) == 1
    assert test.suggestion is None
    assert "not finite at learning rate 1e-06" in test.reason


def test_targets_that_were_forgotten_are_asked_for(line):
    """A model with a compiled loss needs them."""
    model, x, _ = line
    with pytest.raises(ValueError, match="`y` must be the targets"):
        find_learning_rate(model, x)


def test_sample_weights_count(line):
    """An example of weight 0 might as well not be there."""
    model, x, y = line
    weights = np.where(x < 0, 0.0, 2.0)
    table = find_learning_rate(model, x, y, sample_weight=weights, batch_size=10, steps=2).frame
    assert table["loss"][0] == pytest.approx(np.mean(weights * y**2), rel=1e-6)


def with_optimizer(optimizer):
    """Return a model compiled with it."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": keras.Sequential()}, ValueError, "`model` must be compiled"),
        ({"model": None}, TypeError, "`model` must be a Keras model"),
        (
            {"model": with_optimizer(keras.optimizers.SGD(SCHEDULE))},
            ValueError,
            "compile it with a number.*SGD, .*schedule",
        ),
        ({"model": with_optimizer(keras.optimizers.SGD(lambda: 0.1))}, ValueError, "a learning rate that can be set"),
        ({"lowest": 0}, ValueError, "0 < lowest < highest. Received: lowest=0, highest=10.0"),
        ({"lowest": 1, "highest": 0.1}, ValueError, "0 < lowest < highest"),
        ({"highest": float("inf")}, ValueError, "must be finite"),
        ({"lowest": float("nan")}, ValueError, "must be finite"),
        ({"highest": "1"}, TypeError, "`highest` must be a number. Received: highest='1'"),
        ({"steps": 1}, ValueError, "`steps` must be a whole number from 2"),
        ({"steps": 2**31}, ValueError, "`steps` must ask for a table of at most"),
        ({"x": np.full((10, 1), "a")}, ValueError, "`x` and `y` must fit the model"),
        ({"x": [None]}, TypeError, "`x` must be an array"),
        ({"batch_size": 2.0}, ValueError, "`batch_size` must be a whole number from 1"),
        ({"seed": None}, ValueError, "`seed` must be a whole number from 0"),
        ({"y": [1.0, 2.0]}, ValueError, "equally many examples"),
        ({"x": in_batches(np.zeros(0), np.zeros(0)), "y": None}, ValueError, "at least one batch"),
    ],
)
def test_invalid_arguments_are_refused(change, error, message, line):
    """The error names the argument, what was received and what would work."""
    model, x, y = line
    with pytest.raises(error, match=message):
        find_learning_rate(**{"model": model, "x": x, "y": y, **change})


def test_a_bar_shows_how_far_it_is(line, capsys):
    """It goes to standard error."""
    kt.find_learning_rate(*line, steps=2)
    assert "learning rates" in capsys.readouterr().err


def test_several_steps_an_execution_change_nothing(line):
    """A model compiled with `steps_per_execution` gives a row a step, and the same losses."""
    model, x, y = line
    tables = []
    for steps in (1, 4):
        model.compile(kt.optimizers.PlainSGD(0.25), "mse", steps_per_execution=steps)
        tables.append(find_learning_rate(model, x, y, batch_size=4, steps=6, highest=0.1).frame)
    np.testing.assert_allclose(*tables)


def test_a_test_draws_and_shows_itself(line):
    """The figure marks the suggestion; a shell shows it with the reason."""
    model, x, y = line
    test = find_learning_rate(model, x, y, batch_size=4, steps=12, highest=0.1)
    ax = test.plot()
    assert test.plot(ax) is ax
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), test.frame["loss"])
    assert repr(test).startswith(f"LearningRateTest: {'no ' * (test.suggestion is None)}suggestion")
    assert test.reason in repr(test)
