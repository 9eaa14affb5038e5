import random
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import kerasteach as kt
from kerasteach.experiment.batch_order import batches

SMALL = {"data": "iris", "hidden": (5, 5), "seeds": 2, "epochs": 3, "verbose": 0}
# A step of float32 rounds by 1e-7. Networks that are trained in other company round otherwise, and in a dozen steps
# that stays a thousand times below this; another seed, batch or optimizer's memory differs by a hundred times as much.
ROUNDING = {"rtol": 1e-4, "atol": 1e-6}


@pytest.fixture(scope="module")
def unreached():
    """Return a comparison of one network that never comes below the error."""
    return kt.compare(("relu",), **SMALL, error_below=1e-9)


@pytest.fixture(scope="module")
def of_numpy(blobs):
    """Return a comparison on arrays, with NumPy's numbers, and a schedule as its learning rate."""
    numbers = {"hidden": np.array([4]), "seeds": np.arange(1), "epochs": np.int64(1), "error_below": np.float32(0.1)}
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    return kt.compare(("relu",), data=blobs, learning_rate=schedule, verbose=0, **numbers)


def identity_again(x):
    """Return x: the linear function under another name."""
    return x


def test_activations_start_alike_and_see_the_same_batches():
    """Two names of one function give the same losses and gradients with the same seed; another seed does not."""
    result = kt.compare(("linear", identity_again), **SMALL)
    for table in (result.history, result.gradients):
        one, other = (
            table[table["activation"] == name].drop(columns="activation").reset_index(drop=True)
            for name in ("linear", "identity_again")
        )
        pd.testing.assert_frame_equal(one, other, **ROUNDING)
    first = result.history.query("activation == 'linear' and epoch == 0 and metric == 'loss'")
    assert abs(np.diff(first["value"]).item()) > 1e-3


def test_batches_are_fixed_by_the_seed_and_cover_each_epoch():
    """The same seed gives the same order, each epoch every example once, and each epoch another order."""
    data = kt.datasets.load("iris")
    orders = [
        np.concatenate([x.numpy() for x, _ in batches(data, seed, batch_size=32, epochs=2)]) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    first, second = np.split(orders[0], 2)
    assert not np.array_equal(first, second)
    for epoch in (first, second):
        np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(data.x_train, axis=0))


def test_a_run_is_what_a_plain_fit_gives():
    """One seed of a comparison equals Keras's fit on the same weights and batches."""
    result = kt.compare(("tanh",), **{**SMALL, "seeds": [3]}, learning_rate=0.2)
    data = kt.datasets.load("iris")
    model = kt.models.mlp("tanh", (5, 5), inputs=4, outputs=3, seed=3)
    model.compile(keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    history = model.fit(
        batches(data, 3, 32, 3),
        steps_per_epoch=4,
        epochs=3,
        validation_data=(data.x_test, data.y_test),
        shuffle=False,
        verbose=0,
    )
    expected = kt.measure.history_table(history).sort_values(["metric", "epoch"])
    found = result.history.sort_values(["metric", "epoch"])
    np.testing.assert_allclose(found["value"], expected["value"], rtol=1e-5)


@pytest.mark.slow
def test_the_same_call_gives_the_same_tables_in_another_process(tmp_path):
    """On one machine, with the same settings, two processes agree to the last bit: networks together and one by one."""
    code = """
import sys, kerasteach as kt
arguments = {"data": "iris", "hidden": (5, 5), "seeds": 2, "epochs": 3, "verbose": 0}
for optimizer in ("adam", "adafactor"):
    result = kt.compare(("tanh", "relu"), optimizer=optimizer, learning_rate=0.01, **arguments)
    result.save(f"{sys.argv[1]}/{optimizer}")
"""
    for run in ("one", "other"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / run)], capture_output=True, check=True)
    for optimizer, how in (("adam", "together"), ("adafactor", "separately")):
        one, other = (kt.Comparison.load(tmp_path / run / optimizer) for run in ("one", "other"))
        assert {group["how"] for group in one.facts["groups"]} == {how}
        pd.testing.assert_frame_equal(one.history, other.history, check_exact=True)
        pd.testing.assert_frame_equal(one.gradients, other.gradients, check_exact=True)


def test_the_same_call_gives_the_same_tables_and_leaves_the_callers_state(unreached):
    """On the CPU to the last digit, whatever the caller set; random states and dtype policy are those of before."""
    keras.utils.set_random_seed(7)
    keras.config.set_dtype_policy("mixed_float16")
    states = random.getstate(), np.random.get_state()[1].tolist()
    result = kt.compare(("relu",), **SMALL, error_below=1e-9)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    assert keras.config.dtype_policy().name == "mixed_float16"
    after = float(tf.random.uniform(()))
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(7)
    assert float(tf.random.uniform(())) == after
    pd.testing.assert_frame_equal(result.history, unreached.history, check_exact=True)
    pd.testing.assert_frame_equal(result.gradients, unreached.gradients, check_exact=True)


def test_tables_have_the_columns_of_their_definition(comparison):
    """What varies and the seed come first."""
    assert list(comparison.history) == ["activation", "seed", "epoch", "metric", "value"]
    assert list(comparison.gradients)[:9] == [
        *("activation", "seed", "epoch", "step", "layer", "depth", "parameter", "path", "size")
    ]
    assert len(comparison.gradients) == 3 * 3 * 4 * 8
    assert set(comparison.history["metric"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "adafactor"])
def test_every_third_step_can_be_kept(optimizer):
    """`every=3` has the rows of steps 0, 3, 6, ... of `every=1`, also where networks train one after the other."""
    each, third = (kt.compare(("tanh",), **SMALL, optimizer=optimizer, every=every).gradients for every in (1, 3))
    expected = each[each["step"] % 3 == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(third, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.slow
def test_every_step_can_be_kept():
    """`every=1` has a row a step, whose epoch means are those of `every="epoch"`."""
    steps = kt.compare(("tanh",), **SMALL, every=1).gradients
    epochs = kt.compare(("tanh",), **SMALL).gradients
    assert steps["step"].nunique() == 3 * 4
    means = steps.groupby(["seed", "epoch", "path"])["norm"].mean().sort_index()
    expected = epochs.set_index(["seed", "epoch", "path"])["norm"].sort_index()
    pd.testing.assert_series_equal(means, expected, **ROUNDING)


def test_without_capture_there_are_no_gradients():
    """`every=None` leaves the table empty, and the summary without a ratio."""
    result = kt.compare(("tanh",), **{**SMALL, "hidden": (3,), "seeds": 1, "epochs": 1}, every=None)
    assert result.gradients.empty
    assert "gradient_ratio" not in result.summary()


def test_networks_stop_below_the_error():
    """Each run ends at its first epoch below `error_below`, and the summary counts epochs from 1."""
    result = kt.compare(("tanh",), data="iris", hidden=(8,), seeds=2, epochs=40, error_below=0.4, verbose=0)
    losses = result.history[result.history["metric"] == "loss"]
    for _, run in losses.groupby("seed"):
        assert run["value"].iloc[-1] < 0.4 <= run["value"].iloc[:-1].min()
    summary = result.summary().loc["tanh"]
    assert summary["epochs_to_error"] == summary["epochs"] == losses.groupby("seed").size().median()
    assert summary["seeds_below_error"] == 2


def test_the_summary_is_recomputed_by_hand(comparison):
    """Median, lowest and highest over the seeds of each quantity."""
    summary = comparison.summary()
    assert summary.index.tolist() == ["sigmoid", "tanh", "relu"]
    history, gradients = comparison.history, comparison.gradients
    final = history.query("activation == 'relu' and metric == 'loss' and epoch == 3")["value"]
    assert summary.loc["relu", ["final_loss", "final_loss_min", "final_loss_max"]].tolist() == [
        *(final.median(), final.min(), final.max())
    ]
    ratios = []
    for seed in range(3):
        first = gradients.query(f"activation == 'sigmoid' and seed == {seed} and epoch == 0 and parameter == 'bias'")
        norms = first.set_index("layer")["norm"]
        ratios.append(norms["hidden_1"] / norms["hidden_3"])
    assert summary.loc["sigmoid", "gradient_ratio"] == pytest.approx(np.median(ratios))
    assert summary.loc["sigmoid", "gradient_ratio"] < summary.loc["relu", "gradient_ratio"]


def test_an_error_that_is_never_reached_is_counted_as_such(unreached):
    """No seed came there: no number, and a count of 0."""
    summary = unreached.summary().loc["relu"]
    assert np.isnan(summary["epochs_to_error"])
    assert summary["seeds_below_error"] == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # in pandas, of norms beyond float32
def test_a_network_that_diverged_has_an_infinite_loss():
    """A learning rate that is far too large shows in the summary instead of dropping out."""
    result = kt.compare(("linear",), **{**SMALL, "data": "line", "epochs": 6}, learning_rate=1e6)
    assert result.summary().loc["linear", "final_loss_max"] == np.inf
    assert not result.gradients["finite"].all()


def test_a_regression_is_compared_by_its_error():
    """A regression has no accuracy; its summary gives the test loss."""
    summary = kt.compare(("tanh",), **{**SMALL, "data": "line", "epochs": 5}).summary()
    assert summary.loc["tanh", "test_loss"] < 0.2
    assert "test_accuracy" not in summary


def test_arrays_of_ones_own_are_data(of_numpy):
    """`(x, y)` will do."""
    assert of_numpy.facts["data"]["train"] == 48


@pytest.mark.slow
def test_optimizers_by_name_and_by_instance_are_the_same():
    """A name takes the learning rate, an instance keeps its own."""
    by_name = kt.compare(("tanh",), **SMALL, optimizer="adam", learning_rate=0.01)
    instance = kt.compare(("tanh",), **SMALL, optimizer=keras.optimizers.Adam(0.01))
    pd.testing.assert_frame_equal(by_name.history, instance.history, **ROUNDING)


@pytest.mark.slow
def test_each_seed_starts_with_a_fresh_optimizer():
    """But for rounding, a seed's result does not depend on the others, also with an optimizer that has a memory."""
    options = {**SMALL, "every": None, "optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}
    after_another, alone = (kt.compare(("tanh",), **{**options, "seeds": seeds}).history for seeds in ([0, 5], [5]))
    found = after_another[after_another["seed"] == 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, alone, **ROUNDING)


def test_a_saved_comparison_comes_back(tmp_path, comparison):
    """Tables, facts and summary survive the disk."""
    comparison.save(tmp_path / "run")
    loaded = kt.Comparison.load(tmp_path / "run")
    pd.testing.assert_frame_equal(loaded.history, comparison.history)
    pd.testing.assert_frame_equal(loaded.gradients, comparison.gradients)
    pd.testing.assert_frame_equal(loaded.summary(), comparison.summary())
    assert loaded.facts == comparison.facts


@pytest.mark.slow
def test_the_work_runs_where_it_was_asked_to():
    """On the second of two logical CPUs, every weight lies there while the network trains, and the run says so."""
    code = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, kerasteach as kt
from kerasteach.experiment.ensemble import training as replicas
from kerasteach.experiment import training
seen = set()
class Together(replicas._Progress):
    def on_epoch_end(self, epoch, logs=None):
        seen.add(self.model.table.value.device)
        super().on_epoch_end(epoch, logs)
class Separately(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        seen.update(variable.value.device for variable in self.model.trainable_variables)
replicas._Progress = Together
chosen = training._callbacks
training._callbacks = lambda *arguments: [*chosen(*arguments), Separately()]
for optimizer in ("sgd", "adafactor"):
    arguments = {"data": "iris", "hidden": (4,), "seeds": 1, "epochs": 1, "device": "cpu:1", "verbose": 0}
    result = kt.compare(("relu",), optimizer=optimizer, **arguments)
    print(result.facts["device"], {name[-5:] for name in seen})
    seen.clear()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["cpu:1 {'CPU:1'}"] * 2, done.stderr


@pytest.mark.slow
def test_many_variants_are_compiled_without_a_warning(caplog):
    """To TensorFlow they look like one training step that is traced again and again, of which it warns."""
    kt.compare(kt.activations.names()[:6], **{**SMALL, "seeds": 1, "epochs": 1}, optimizer="adafactor")
    assert "retracing" not in caplog.text


def test_numpys_numbers_are_numbers(tmp_path, of_numpy):
    """Seeds, epochs and units out of arrays will do, and the result can be saved."""
    of_numpy.save(tmp_path / "run")
    assert kt.Comparison.load(tmp_path / "run").facts["arguments"]["hidden"] == [4]


def test_a_learning_rate_schedule_is_saved_with_the_run(tmp_path, of_numpy):
    """Each network has an optimizer of its own, and the arguments stay what they were."""
    of_numpy.save(tmp_path / "run")
    optimizer = kt.Comparison.load(tmp_path / "run").facts["arguments"]["optimizer"]
    assert optimizer["config"]["learning_rate"]["class_name"] == "CosineDecay"


@pytest.mark.slow
def test_functions_go_by_names_that_tell_them_apart():
    """Keras's leaky_relu is not ours; a dictionary names what has no name."""
    both = kt.compare(("leaky_relu", keras.activations.leaky_relu), **SMALL)
    assert both.history["activation"].unique().tolist() == ["leaky_relu", "keras.leaky_relu"]
    steep = kt.compare({"steep": lambda x: kt.activations.leaky_relu(x, 0.5)}, **SMALL)
    assert steep.summary().index.tolist() == ["steep"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activations": ("relu", "relo")}, r"`activation` must be one of .*Did you mean 'relu'"),
        ({"activations": ()}, "`activations` must be one or more"),
        ({"activations": {}}, "`activations` must be one or more"),
        ({"activations": ("relu", "relu")}, "each of another name"),
        ({"data": "digit"}, "`data` must be one of digits"),
        ({"data": ([[1.0], [np.nan]], [0, 1])}, "`x` must be finite"),
        ({"hidden": (8, -1)}, "`hidden` must be a whole number from 1"),
        ({"seeds": 0}, "`seeds` must be a whole number from 1"),
        ({"hidden": 8}, "`hidden` must list the units of each hidden layer"),
        ({"seeds": 2.5}, r"`seeds` must be a whole number from 1 .*Received: seeds=2\.5"),
        ({"data": None}, "`data` must be a name out of .*Received: NoneType"),
        ({"optimizer": keras.optimizers.Adam}, "`optimizer` must be a name that Keras knows"),
        ({"learning_rate": identity_again}, "`learning_rate` must be a number, a schedule"),
        ({"initializer": None}, "`initializer` must be a name that Keras knows"),
        ({"activations": (lambda x: x, lambda x: 2 * x)}, "a dictionary gives names to functions"),
        ({"seeds": [1, 1]}, "`seeds` must be a number of seeds, or different whole numbers"),
        ({"epochs": 0}, "`epochs` must be a whole number from 1"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number from 1"),
        ({"learning_rate": -1.0}, "`learning_rate` must be finite and not negative"),
        ({"optimizer": "adamant"}, "`optimizer` must be a name that Keras knows"),
        ({"initializer": "glorott"}, "`initializer` must be a name that Keras knows"),
        ({"error_below": float("nan")}, "`error_below` must be finite"),
        ({"every": "batch"}, '`every` must be a number of steps from 1, or "epoch"'),
        ({"device": "tpu"}, '`device` must be "auto"'),
        ({"batch_size": 2**40}, "`batch_size` must be a whole number from 1 to 2147483647"),
        ({"seeds": 10**9}, "`seeds` must be a whole number from 1 to 100000"),
        ({"seeds": [2**64]}, "`seeds` must be a whole number from 0"),
        ({"directory": "a\0b"}, "`directory` must be a path"),
        ({"directory": "x" * 300}, "`directory` must be a path"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    """Each error names the argument, what was received and what would work."""
    with pytest.raises(ValueError, match=message):
        kt.compare(**{"activations": ("relu",), **SMALL, **wrong})


NEVER = [pd.NA, np.nan, 2.5, 10**400, -(2**70), b"x", {}, object()]
NEVER += [np.zeros((2, 2)), tf.constant([1.0, 2.0]), keras.Input((2,))]
ARGUMENTS = ["seeds", "epochs", "batch_size", "directory", "executor", "keep_weights", "initializer", "optimizer"]


@pytest.mark.parametrize("argument", [*ARGUMENTS, "every", "device", "overwrite", "verbose"])
def test_values_of_foreign_types_are_refused_by_name(argument):
    """Missing values, arrays, tensors and numbers beyond any bound: before anything is trained or written."""
    for value in NEVER:
        with pytest.raises((ValueError, TypeError), match=f"`{argument}`"):
            kt.compare("relu", **{**SMALL, argument: value})


@pytest.mark.slow
def test_a_batch_larger_than_the_data_is_all_of_them():
    """Its size, however large, takes no memory, and changes no number."""
    small = {**SMALL, "hidden": (), "seeds": 1, "every": None}
    large, whole = (kt.compare("relu", **small, batch_size=size) for size in (2**31 - 1, 120))
    pd.testing.assert_frame_equal(large.history, whole.history, **ROUNDING)


def test_orders_are_drawn_epoch_by_epoch():
    """The batches of a thousand million epochs are there at once, because none is drawn before its time."""
    data = kt.datasets.load("iris")
    x, _ = next(iter(batches(data, 0, batch_size=32, epochs=10**9)))
    assert x.shape == (32, 4)


@pytest.mark.slow
def test_an_optimizer_that_keras_does_not_find_by_its_name_trains():
    """Keras 3.15 makes of Lamb's configuration nothing but a name."""
    result = kt.compare("relu", **SMALL, optimizer=keras.optimizers.Lamb(0.01))
    assert np.isfinite(result.history["value"]).all()
