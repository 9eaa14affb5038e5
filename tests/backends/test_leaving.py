"""What a capture leaves behind, on any backend: nothing but its table."""

import keras
import pytest
from network import arrays, assert_close, assert_same, dense, fit

import kerasteach as kt
from kerasteach.keras_internals import loss_metric


def test_training_is_not_changed():
    """The same weights, but for rounding, with the capture and without it."""
    for make in (lambda: keras.optimizers.SGD(0.5), lambda: keras.optimizers.Adam(0.01, clipnorm=0.01)):
        plain, watched = dense(make()), dense(make())
        fit(plain)
        fit(watched, kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"output": [0, 4]}))
        assert_close(plain.variables, watched.variables)
        assert_close(plain.optimizer.variables, watched.optimizer.variables)


def test_a_checkpoint_written_meanwhile_loads_whole(tmp_path):
    """A model saved meanwhile loads with its optimizer's whole state."""
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), initial_scale=2.0**10)
    for optimizer in (keras.optimizers.Adam(0.01), scaled):
        model = dense(optimizer)
        optimizer.build(model.trainable_variables)
        attributes, count = set(vars(optimizer)), len(optimizer.variables)
        path = tmp_path / f"{optimizer.name}.keras"
        fit(model, keras.callbacks.ModelCheckpoint(path), kt.callbacks.GradientCapture())
        loaded = keras.saving.load_model(path)
        assert int(loaded.optimizer.iterations) == 6
        assert_same(model.variables, loaded.variables)
        assert_same(optimizer.variables, loaded.optimizer.variables)
        assert len(optimizer.variables) == count
        assert set(vars(optimizer)) == attributes
        fit(model)


def test_weights_can_be_loaded_meanwhile(tmp_path):
    """A model's weights can be loaded while the capture is there, and it goes on recording."""

    class Restore(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.load_weights(path)

    path = tmp_path / "model.weights.h5"
    model, capture = dense(keras.optimizers.Adam(0.01)), kt.callbacks.GradientCapture()
    fit(model, epochs=1)
    model.save_weights(path)
    before = arrays(model.optimizer.variables)
    fit(model, capture, Restore())
    assert_same(model.optimizer.variables, before)
    assert capture.frame["step"].nunique() == 6
    for name in ("norm", "mean"):
        assert capture.frame[name][:18].tolist() == capture.frame[name][18:].tolist()


def test_each_fit_starts_a_new_table():
    """Two trainings with one capture have a table each, and another capture has its own statistics."""
    model, capture = dense(keras.optimizers.SGD(0.0)), kt.callbacks.GradientCapture(["output"], statistics=["norm"])
    fit(model, capture)
    first = capture.frame
    fit(model, capture, epochs=3)
    assert (len(first), len(capture.frame)) == (12, 18)
    assert first["norm"].tolist() == capture.frame["norm"][:12].tolist()
    other = kt.callbacks.GradientCapture(["output"], statistics=["max_abs"])
    fit(model, other)
    assert (other.frame["max_abs"] < first["norm"]).all()


def test_a_block_compiles_the_step_once():
    """Inside a block the training step is made once for several trainings."""
    model = dense(keras.optimizers.SGD(0.5))
    with kt.callbacks.GradientCapture(raw={"output": 0}) as capture:
        fit(model, capture)
        first, function = capture.frame, model.train_function
        fit(model, capture, epochs=1)
        assert model.train_function is function
        assert (len(first), len(capture.frame), list(capture.raw)) == (36, 18, [0])
    assert "apply" not in vars(model.optimizer)


def test_what_was_recorded_survives_an_interruption(interrupt):
    """After an exception what was recorded is there, `detach` takes the hook, and the model trains on."""
    model, capture = dense(keras.optimizers.Adam(0.01)), kt.callbacks.GradientCapture()
    model.optimizer.build(model.trainable_variables)
    attributes, count = set(vars(model.optimizer)), len(model.optimizer.variables)
    with pytest.raises(KeyboardInterrupt):
        fit(model, interrupt(5), capture)
    assert capture.frame["step"].unique().tolist() == [0, 1, 2, 3, 4]
    capture.detach()
    assert set(vars(model.optimizer)) == attributes
    assert len(model.optimizer.variables) == count
    assert int(model.optimizer.iterations) == 5
    fit(model)
    assert int(model.optimizer.iterations) == 11
    fit(model, capture)
    assert len(capture.frame) == 36


def test_a_hook_left_by_an_exception_is_harmless(interrupt):
    """A hook that an exception left is harmless to a training without the capture, and goes at the next with it."""
    model, plain = (dense(keras.optimizers.Adam(0.01)) for _ in range(2))
    capture = kt.callbacks.GradientCapture()
    with pytest.raises(KeyboardInterrupt):
        fit(model, capture, interrupt())
    fit(model)
    fit(plain, epochs=1)
    fit(plain)
    assert_close(model.variables, plain.variables)
    assert len(capture.frame) == 18
    fit(model, capture)
    assert len(capture.frame) == 36
    assert "apply" not in vars(model.optimizer)
    assert len(model.optimizer.variables) == len(plain.optimizer.variables)


def test_after_an_exception_no_other_training_counts(interrupt):
    """After an exception neither `train_on_batch` nor another fit counts as the fit's, and the model is as it was."""
    for train in (lambda model: model.train_on_batch(*batch(model)), fit):
        model, capture = dense(keras.optimizers.Adam(0.01)), kt.callbacks.GradientCapture()
        tracker, stop = loss_metric(model), kt.callbacks.StopOnError(-1.0, per="batch")
        with pytest.raises(KeyboardInterrupt):
            fit(model, capture, stop, interrupt(2))
        train(model)
        assert capture.frame["step"].unique().tolist() == [0, 1]
        assert "apply" not in vars(model.optimizer)
        assert not {"make_train_function", "train_step"} & set(vars(model))
        assert loss_metric(model) is tracker
        fit(model, capture)
        assert len(capture.frame) == 36


def batch(model):
    """Return inputs and targets that fit the model."""
    return keras.ops.ones((2, *model.input_shape[1:])), keras.ops.zeros((2,), "int32")


def test_a_training_step_that_is_still_held_is_not_used_again():
    """What was compiled for one capture, and is still held somewhere, is not used for another."""

    class Hold(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            functions.append(self.model.train_function)

    functions = []
    model = dense(keras.optimizers.SGD(0.0))
    expected, capture = (kt.callbacks.GradientCapture(statistics=["max_abs"]) for _ in range(2))
    fit(dense(keras.optimizers.SGD(0.0)), expected)
    fit(model, kt.callbacks.GradientCapture(statistics=["norm"]), Hold())
    fit(model, capture)
    assert capture.frame["max_abs"].tolist() == expected.frame["max_abs"].tolist()


def test_two_captures_work_together(tmp_path):
    """Two captures on one model, one of them with whole gradients, leave nothing behind either."""
    model = dense(keras.optimizers.Adam(0.01))
    model.optimizer.build(model.trainable_variables)
    attributes, count = set(vars(model.optimizer)), len(model.optimizer.variables)
    one, other = kt.callbacks.GradientCapture(), kt.callbacks.GradientCapture(every=2, raw={"output": 3})
    path = tmp_path / "model.keras"
    fit(model, one, keras.callbacks.ModelCheckpoint(path), other)
    assert_same(model.optimizer.variables, keras.saving.load_model(path).optimizer.variables)
    assert one.frame[one.frame["step"] % 2 == 0]["norm"].tolist() == other.frame["norm"].tolist()
    assert list(other.raw) == [3]
    assert set(vars(model.optimizer)) == attributes
    assert len(model.optimizer.variables) == count
