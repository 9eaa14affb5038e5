"""What a training's tables say of its network and optimizer, for the titles of figures."""

import copy

import keras
import numpy as np
import pytest
from keras import layers

import kerasteach as kt
from kerasteach.plotting.setting import setting_in_words
from kerasteach.tables.fit_setting import fit_setting, rates_of

KNOWN = {"hidden": [5, 4], "learning_rates": {"PlainSGD": 0.5}}


def halved():
    """Return a callback that halves the learning rate before each epoch but the first."""
    return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, blobs, classifier):
    """Train twice with one capture, the second time with another rate in each epoch: return it, and where it wrote."""
    directory = tmp_path_factory.mktemp("runs")
    model, capture = classifier(), kt.callbacks.GradientCapture(directory=directory)
    history = model.fit(*blobs, epochs=2, verbose=0, callbacks=[capture])
    first = capture.frame, kt.measure.history_table(history)
    model.fit(*blobs, epochs=2, verbose=0, callbacks=[capture, halved()])
    return first, capture, directory, history


def test_a_captures_titles_name_network_and_learning_rate(trained):
    """The figure of its table says what the figure of a comparison says."""
    (frame, _), *_ = trained
    assert frame.attrs["setting"] == KNOWN
    title = kt.plotting.gradient_flow(frame).get_title().replace("\n", " ")
    assert "hidden layers [5, 4], learning rate 0.5 (PlainSGD)" in title


def test_a_saved_run_names_them(trained):
    """They are in run.json, also of a copy that `save` wrote."""
    _, capture, directory, _ = trained
    assert kt.measure.read(directory, run=1).attrs["setting"] == KNOWN
    capture.save(directory / "copy")
    assert kt.measure.read(directory / "copy").attrs["setting"] == capture.frame.attrs["setting"]


def test_a_changed_table_leaves_the_next_one_as_it_is(trained):
    """The setting in its `attrs` is the caller's own, as the table is."""
    _, capture, *_ = trained
    setting = copy.deepcopy(capture.frame.attrs["setting"])
    capture.frame.attrs["setting"]["hidden"].append(9)
    capture.frame.attrs["setting"]["learning_rates"]["PlainSGD"] = 7
    assert capture.frame.attrs["setting"] == setting


def test_a_rate_that_changed_is_not_named(trained):
    """A callback sets it before an epoch: neither the table nor the run on disk has a rate, both have the optimizer."""
    _, capture, directory, _ = trained
    for frame in (capture.frame, kt.measure.read(directory, run=2)):
        assert frame.attrs["setting"] == {"hidden": [5, 4], "learning_rates": {"PlainSGD": None}}
    assert capture._training()["optimizer"] == "PlainSGD"


def test_a_history_names_no_rate(trained):
    """It does not know whether the rate stayed the same; after a further training, the optimizer is not certain."""
    (_, table), _, _, history = trained
    assert table.attrs["setting"] == {"hidden": [5, 4], "learning_rates": {"PlainSGD": None}}
    assert kt.measure.history_table(history).attrs["setting"] == {"hidden": [5, 4], "learning_rates": {}}
    assert "hidden layers [5, 4], optimizer PlainSGD" in kt.plotting.learning_curves(table).get_title().replace(
        "\n", " "
    )


def test_a_run_of_an_earlier_release_has_no_setting(trained, monkeypatch):
    """It is read as before."""
    _, capture, directory, _ = trained
    monkeypatch.setattr(capture._recording, "setting", {})
    capture.save(directory / "earlier")
    assert kt.measure.read(directory / "earlier").attrs == {"finished": True}


def test_a_function_that_makes_the_rate_is_not_called():
    """It may count its calls; the rate is not named, and neither is that of a schedule."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    assert rates_of(keras.optimizers.Adam(lambda: 1 / 0)) == {"Adam": None}
    assert rates_of(keras.optimizers.SGD(schedule)) == {"SGD": None}
    assert setting_in_words({"learning_rates": {"SGD": None}}) == "optimizer SGD"


def test_the_optimizer_inside_is_named():
    """One that scales the loss has no rate of its own."""
    inner = keras.optimizers.SGD(0.05)
    assert rates_of(keras.optimizers.LossScaleOptimizer(inner)) == {"SGD": 0.05}


@pytest.mark.parametrize("kind", ["parallel", "convolutional", "unbuilt"])
def test_other_networks_have_no_hidden_layers_in_the_title(kind):
    """Units are named of one chain of dense layers alone."""
    inputs = keras.Input((4, 4, 1) if kind == "convolutional" else (4,))
    if kind == "parallel":
        dense = layers.Dense(3)(inputs)
        model = keras.Model(inputs, layers.Dense(1)(layers.add([dense, layers.Dense(3)(dense)])))
    elif kind == "convolutional":
        model = keras.Sequential([inputs, layers.Conv2D(2, 2), layers.Flatten(), layers.Dense(3), layers.Dense(1)])
    else:
        model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    assert fit_setting(model, keras.optimizers.SGD(0.1)) == {"learning_rates": {"SGD": 0.1}}


def test_layers_without_weights_and_normalizations_are_no_hidden_layers():
    """A functional chain counts as one, too."""
    inputs = keras.Input((4,))
    x = layers.Dropout(0.1)(layers.BatchNormalization()(layers.Dense(3)(inputs)))
    assert fit_setting(keras.Model(inputs, layers.Dense(1)(x)), keras.optimizers.SGD(0.1))["hidden"] == [3]


def test_the_clinic_tells_no_cause():
    """A learning rate in a title, or in a figure's description, would be one."""
    case = kt.lessons.fault_clinic(seed=1)
    assert "learning rate" not in kt.plotting.describe(case.plot())


def test_epochs_of_a_report_are_keras_own(blobs, classifier):
    """A fit that goes on has the epochs that the capture counts."""
    model, capture = classifier(), kt.callbacks.GradientCapture()
    model.fit(*blobs, initial_epoch=2, epochs=4, verbose=0, callbacks=[capture])
    assert capture._history(None)["epoch"].tolist() == np.unique(capture.frame["epoch"]).tolist() == [2, 3]


class Rates(keras.callbacks.Callback):
    """Sets the learning rate before an epoch, or after each batch, and stops a training after so many batches."""

    def __init__(self, before_epoch=None, after_batch=None, stop=None):
        super().__init__()
        self.before_epoch, self.after_batch, self.stop = before_epoch, after_batch, stop

    def on_epoch_begin(self, epoch, logs=None):
        """Set the epoch's rate."""
        if self.before_epoch is not None:
            self.model.optimizer.learning_rate = self.before_epoch

    def on_train_batch_end(self, batch, logs=None):
        """Set the next batch's rate."""
        if self.after_batch is not None:
            self.model.optimizer.learning_rate = self.after_batch(batch)
        if self.stop == batch:
            raise KeyboardInterrupt


def test_a_rate_of_an_interrupted_epoch_is_not_that_of_the_start(tmp_path, blobs, classifier):
    """A callback sets it before the epoch, which does not come to its end."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        classifier().fit(*blobs, batch_size=20, verbose=0, callbacks=[capture, Rates(before_epoch=0.25, stop=1)])
    capture.detach()
    for frame in (capture.frame, kt.measure.read(tmp_path)):
        assert frame.attrs["setting"] == {"hidden": [5, 4], "learning_rates": {"PlainSGD": None}}


def test_a_rate_in_cycles_of_an_epoch_is_not_named(blobs, classifier):
    """At the end of each epoch it is again what it was at the start."""
    capture, cycle = kt.callbacks.GradientCapture(), Rates(after_batch=lambda batch: 0.5 if batch == 2 else 0.1)
    classifier().fit(*blobs, batch_size=20, epochs=2, verbose=0, callbacks=[capture, cycle])
    assert capture.frame.attrs["setting"]["learning_rates"] == {"PlainSGD": None}


def test_an_optimizer_that_replaced_another_is_not_that_of_the_training(blobs, classifier):
    """Neither in a title nor on a page."""

    class Replace(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch:
                self.model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")

    model, capture = classifier(), kt.callbacks.GradientCapture()
    model.fit(*blobs, epochs=2, verbose=0, callbacks=[Replace(), capture])
    assert capture.frame.attrs["setting"] == {"hidden": [5, 4], "learning_rates": {}}
    assert "optimizer" not in capture._training()


def test_layers_of_a_model_that_its_first_step_builds_are_named(tmp_path, blobs):
    """A `Sequential` without an input, as most write it, is not built when its training begins."""
    model = keras.Sequential([layers.Dense(5, "relu"), layers.Dense(3)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    capture = kt.callbacks.GradientCapture(directory=tmp_path)
    model.fit(blobs[0], blobs[0][:, :3], verbose=0, callbacks=[capture])
    for frame in (capture.frame, kt.measure.read(tmp_path)):
        assert frame.attrs["setting"] == {"hidden": [5], "learning_rates": {"SGD": 0.1}}


def test_a_chain_with_a_call_of_its_own_has_no_hidden_layers_in_the_title():
    """Its layers may be called in any way."""

    class Twice(keras.Sequential):
        def call(self, inputs, **options):
            return super().call(inputs, **options) + super().call(2 * inputs, **options)

    model = Twice([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
    assert fit_setting(model, keras.optimizers.SGD(0.1)) == {"learning_rates": {"SGD": 0.1}}


def test_a_history_without_a_fit_is_a_table():
    """A training loop of one's own calls Keras's `History`, and the model may not even be compiled."""
    history = keras.callbacks.History()
    history.set_model(keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)]))
    history.on_train_begin()
    history.on_epoch_end(0, {"loss": 1.0})
    table = kt.measure.history_table(history)
    assert table["value"].tolist() == [1.0]
    assert setting_in_words(table.attrs["setting"]) == "1 hidden layer of 3"


def test_a_copied_history_is_a_table(trained):
    """Its model is a copy, which no longer knows its last training."""
    *_, history = trained
    (_, table), *_ = trained
    copied = kt.measure.history_table(copy.deepcopy(history))
    assert copied.attrs["setting"] == {"hidden": [5, 4], "learning_rates": {}}
    assert copied.equals(table)
