"""Whatever happens between the beginning and the end of a training, each step is recorded once, under its number."""

import gc
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kerasteach as kt

X, Y = np.random.default_rng(0).normal(size=(60, 4)).astype("float32"), np.arange(60) % 3


def fit(model, *callbacks, **options):
    """Train quietly on three batches of 20, always the same ones."""
    return model.fit(X, Y, **{"batch_size": 20, "verbose": 0, "shuffle": False, "callbacks": callbacks, **options})


class ManyTimesABatch(keras.Model):
    """A training step that calls the optimizer several times, as one that trains a critic does."""

    def __init__(self, *arguments, times, **options):
        super().__init__(*arguments, **options)
        self.times = times

    def train_step(self, data):
        """Take so many steps on the batch."""
        x, y = data
        for _ in range(self.times):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self(x, training=True)))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}


def many_times(times):
    """Return a compiled model that calls its optimizer so many times a batch."""
    inputs = keras.Input((4,))
    model = ManyTimesABatch(inputs, layers.Dense(3, activation="softmax")(inputs), times=times)
    model.compile(kt.optimizers.PlainSGD(0.1), jit_compile=False)
    return model


@pytest.mark.sample(1)
@pytest.mark.parametrize("room", [None, 40 * 2 * 4 * 8])
def test_twenty_steps_a_batch_are_all_recorded(room, monkeypatch):
    """However many calls of `apply` a batch makes, and however small the buffer, each is a row with its number."""
    if room is not None:
        monkeypatch.setattr("kerasteach.measure.hooks.recorder.BUFFER_BYTES", room)
    capture = kt.callbacks.GradientCapture()
    fit(many_times(20), capture, epochs=3)
    assert capture.frame["step"].unique().tolist() == list(range(180))
    assert capture.frame.groupby("epoch")["step"].min().tolist() == [0, 60, 120]


@pytest.mark.slow
def test_steps_without_room_are_a_warning_and_leave_the_numbers_right(monkeypatch):
    """Where one batch alone overflows the buffer, a warning says so, and later steps keep their numbers."""
    monkeypatch.setattr("kerasteach.measure.hooks.recorder.BUFFER_BYTES", 1)
    monkeypatch.setattr("kerasteach.measure.recording.fit_session.APPLIES_A_BATCH", 4)
    monkeypatch.setattr("kerasteach.callbacks.capture.APPLIES_A_BATCH", 4)
    capture = kt.callbacks.GradientCapture()
    with pytest.warns(UserWarning, match="Of 9 recorded steps only the last 4 found room"):
        fit(many_times(9), capture)
    assert capture.frame["step"].unique().tolist() == [*range(5, 9), *range(14, 18), *range(23, 27)]


def test_a_capture_goes_on_after_its_own_interruption(tmp_path, classifier, interrupt):
    """The next fit with it leaves nothing out of the interrupted one, whole gradients included."""
    capture = kt.callbacks.GradientCapture(directory=tmp_path, raw={"output": [0, 3]})
    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        fit(model, capture, interrupt(5), epochs=3)
    fit(model, capture)
    assert kt.measure.read(tmp_path, run=1)["step"].unique().tolist() == [0, 1, 2, 3, 4]
    assert list(kt.measure.read_raw(tmp_path, run=1)) == [0, 3]
    assert kt.measure.read(tmp_path, run=2)["step"].unique().tolist() == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("every", [1, 2])
def test_another_training_is_not_taken_for_its_own(every, classifier, interrupt):
    """Steps of a fit without the capture, which the left hook saw, are in no table; nor are their gradients."""
    capture, model = kt.callbacks.GradientCapture(every=every, raw={"output": [1, 4, 6]}), classifier()
    with pytest.raises(KeyboardInterrupt):
        fit(model, capture, interrupt(5), epochs=3)
    fit(model, epochs=4)
    assert capture.frame["step"].unique().tolist() == list(range(0, 5, every))
    assert list(capture.raw) == [1, 4]


def test_train_on_batch_after_a_fit_adds_nothing_to_its_table(classifier):
    """Inside a `with` block the hook stays, but the fit is over."""
    model = classifier()
    with kt.callbacks.GradientCapture() as capture:
        fit(model, capture)
        model.train_on_batch(X[:20], Y[:20])
        assert capture.frame["step"].unique().tolist() == [0, 1, 2]


@pytest.mark.slow
def test_an_epochs_mean_is_over_the_steps_that_had_a_gradient():
    """An optimizer that is handed two layers in turn has a mean for each."""

    class InTurn(keras.Model):
        def train_step(self, data):
            """Train one layer, then the other."""
            x, y = data
            for variables in (self.trainable_variables[:2], self.trainable_variables[2:]):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self(x, training=True)))
                self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    tables = []
    for every in (1, "epoch"):
        inputs = keras.Input((4,))
        kernels = [keras.initializers.GlorotUniform(seed) for seed in (0, 1)]
        x = layers.Dense(5, activation="tanh", name="one", kernel_initializer=kernels[0])(inputs)
        x = layers.Dense(3, activation="softmax", name="two", kernel_initializer=kernels[1])(x)
        model, capture = InTurn(inputs, x), kt.callbacks.GradientCapture(every=every)
        model.compile(kt.optimizers.PlainSGD(0.1))
        model.optimizer.build(model.trainable_variables)
        fit(model, capture)
        tables.append(capture.frame)
    means = tables[0].groupby("path", sort=False)["norm"].mean()
    assert len(tables[1]) == 4
    np.testing.assert_allclose(tables[1].set_index("path")["norm"][means.index], means, rtol=1e-6)


RESCUE = """
import gc, sys
import keras, numpy as np, kerasteach as kt

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            raise KeyboardInterrupt

def network():
    model = kt.models.mlp("tanh", (5,), inputs=4, outputs=3, seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model

def train(directory, *more):
    try:
        capture = kt.callbacks.GradientCapture(directory=directory)
        network().fit(np.ones((60, 4)), np.zeros(60), batch_size=20, verbose=0, callbacks=[capture, *more])
    except KeyboardInterrupt:
        pass

train(sys.argv[1], Stop())
gc.collect()
train(sys.argv[2])
"""


@pytest.mark.slow
def test_python_writes_what_was_interrupted_when_it_ends(tmp_path):
    """Though the capture was a local variable, and another capture trained to its end meanwhile."""
    one, other = tmp_path / "one", tmp_path / "other"
    done = subprocess.run([sys.executable, "-c", RESCUE, one, other], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert kt.measure.read(one)["step"].unique().tolist() == [0, 1]
    assert kt.measure.read(other)["step"].unique().tolist() == [0, 1, 2]


def test_gradients_from_a_generator_still_train(classifier):
    """What may be gone through once reaches the optimizer whole."""
    model = classifier()
    before = model.get_weights()
    with kt.measure.record(model.optimizer, model) as tape:
        ones = (tf.ones(variable.shape) for variable in model.trainable_variables)
        model.optimizer.apply(ones, model.trainable_variables)
    assert len(tape.frame) == 6
    assert all((one != other).any() for one, other in zip(before, model.get_weights(), strict=True))


class Inside(layers.Layer):
    """A layer that calls another in a compiled function of its own."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner
        self.function = tf.function(self.inner)

    def call(self, x):
        """Call it."""
        return self.function(x)


@pytest.mark.sample(1)
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_probe_inside_a_function_of_its_own_is_left_out(run_eagerly):
    """It does not disturb the training; a warning says that it is left out, and all else is recorded."""
    model = keras.Sequential([layers.Dense(5), Inside(kt.layers.GradientProbe()), layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=run_eagerly, jit_compile=False)
    capture = kt.callbacks.GradientCapture()
    with pytest.warns(UserWarning, match="gradient at .* inside a loop or a function is left out"):
        fit(model, capture)
    assert set(capture.frame["parameter"]) == {"kernel", "bias"}
    assert capture.frame["step"].nunique() == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture])
def test_an_eager_training_keeps_no_step_in_memory(kind, classifier):
    """Between steps, and through an evaluation, no output and no gradient is held."""
    model, held = classifier(run_eagerly=True), []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            """Count the batches of outputs and gradients that are alive."""
            gc.collect()
            shapes = [one.shape for one in gc.get_objects() if isinstance(one, tf.Tensor) and hasattr(one, "numpy")]
            held.append(sum(shape in ((20, 5), (20, 4), (4, 5)) for shape in shapes))

    with kind() as capture:
        fit(model, capture, Look(), validation_data=(X, Y), validation_batch_size=20, epochs=2)
    plain = list(held)
    held.clear()
    fit(model, Look(), validation_data=(X, Y), validation_batch_size=20, epochs=2)
    assert plain == held


@pytest.mark.slow
def test_two_captures_in_blocks_compile_the_step_once(classifier):
    """A second fit with both finds the training function that the first one made."""
    model = classifier()
    with kt.callbacks.GradientCapture() as one, kt.callbacks.ActivationCapture() as other:
        fit(model, one, other)
        function = model.train_function
        fit(model, one, other)
        assert model.train_function is function
        assert len(one.frame) == 18
        assert len(other.frame) == 9


@pytest.mark.slow
def test_no_ghost_of_a_capture_that_left_trains_on(classifier):
    """When one of two captures leaves, the step is compiled anew without it."""
    model = classifier()
    one = kt.callbacks.GradientCapture()
    with kt.callbacks.GradientCapture() as other:
        fit(model, one, other)
        with_both = model.train_function
        fit(model, other)
        assert model.train_function is not with_both
        assert other.frame["step"].unique().tolist() == [0, 1, 2]


def test_a_directory_that_cannot_be_written_hooks_nothing(tmp_path, classifier):
    """The error comes before the optimizer is touched."""
    (tmp_path / "file").write_text("mine")
    model = classifier()
    with pytest.raises(FileExistsError), kt.measure.record(model.optimizer, model, directory=tmp_path / "file"):
        pass
    with pytest.raises(FileExistsError):
        fit(model, kt.callbacks.GradientCapture(directory=tmp_path / "file"))
    assert "apply" not in vars(model.optimizer)


def test_a_fit_without_an_epoch_says_nothing(classifier):
    """An instance that is used again in a fit that has no epoch left has an empty table, and no complaint."""
    model, capture = classifier(), kt.callbacks.GradientCapture()
    fit(model, capture)
    fit(model, capture, epochs=1, initial_epoch=1)
    assert capture.frame.empty


@pytest.mark.sample(1)
@pytest.mark.parametrize("every", [1, 1000])
def test_the_device_is_asked_once_an_epoch(every, monkeypatch, classifier):
    """Six short epochs are fetched in six pieces, whatever `every` is."""
    fetches = []
    fetch = kt.measure.hooks.recorder.Recorder.fetch
    monkeypatch.setattr(kt.measure.hooks.recorder.Recorder, "fetch", lambda self: fetches.append(1) or fetch(self))
    fit(classifier(), kt.callbacks.GradientCapture(every=every), epochs=6)
    assert len(fetches) <= 6 + 2  # and once more as it ends, and as it leaves
