"""Every way to train is recorded like a twin's loop by hand, and none is changed by being recorded."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kerasteach as kt

SLOW = pytest.mark.slow
X = np.random.default_rng(0).normal(size=(22, 4)).astype("float32")
Y = np.arange(22) % 3  # in batches of 8, the last has 6
NOISE = np.random.default_rng(1).normal(size=(22, 2)).astype("float32")
BATCHES = [(X[start : start + 8], Y[start : start + 8]) for start in (0, 8, 16)]
COMPILED = [pytest.param(False, id="graph"), pytest.param(True, id="xla", marks=SLOW)]


def momentum():
    """Return the optimizer that most of these trainings use: it has a state, and is traced in half of Adam's time."""
    return keras.optimizers.SGD(0.1, momentum=0.9)


def network(jit_compile=False):
    """Return a compiled network, the same at each call."""
    model = kt.models.mlp("tanh", (5, 4), inputs=4, outputs=3, seed=0)
    model.compile(momentum(), "sparse_categorical_crossentropy", jit_compile=jit_compile)
    return model


def by_hand(model, optimizer, batches):
    """Train step by step with a tape, and return the norms of each step's gradients, in float64."""
    norms = []
    for x, y in batches:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        norms.append([np.linalg.norm(np.asarray(gradient, "float64")) for gradient in gradients])
    return np.array(norms)


def recorded(capture):
    """Return the norms that were recorded, a row a step."""
    frame = capture.frame
    steps = np.arange(frame["step"].nunique())
    np.testing.assert_array_equal(frame["step"].unique(), steps)
    return frame["norm"].to_numpy().reshape(len(steps), -1)


def assert_close(ours, theirs):
    """Two programs that add in another order agree to 1e-5; what is zero but for rounding, to 1e-7 of the largest."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7 * np.max(theirs))


def fit(model, *callbacks, **options):
    """Train quietly on X and Y in their order."""
    return model.fit(X, Y, **{"batch_size": 8, "verbose": 0, "shuffle": False, "callbacks": callbacks, **options})


class Batches(keras.utils.PyDataset):
    """The batches, one by one."""

    def __len__(self):
        return len(BATCHES)

    def __getitem__(self, index):
        """Return one batch."""
        return BATCHES[index]


def endless():
    """Generate the batches again and again."""
    while True:
        yield from BATCHES


SOURCES = {
    "tf.data": (lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(8), {}),
    "tf.data of a given length": (
        lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).repeat(),
        {"steps_per_epoch": 3},
    ),
    "a generator": (endless, {"steps_per_epoch": 3}),
    "a PyDataset": (Batches, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_execution", [1, 2])
@pytest.mark.parametrize("kind", SOURCES)
def test_batches_may_come_from_anywhere(kind, steps_per_execution):
    """A data set, a generator and a PyDataset give the table that arrays give."""
    model, twin, capture = network(), network(), kt.callbacks.GradientCapture()
    model.steps_per_execution = steps_per_execution
    source, options = SOURCES[kind]
    model.fit(source(), epochs=2, verbose=0, shuffle=False, callbacks=[capture], **options)
    # An endless source gives every execution its fill: with two steps in each, Keras takes four batches for three.
    steps = 4 if options and steps_per_execution == 2 else 3
    assert_close(recorded(capture), by_hand(twin, momentum(), (BATCHES * 3)[: 2 * steps]))
    assert capture.frame.groupby("epoch")["step"].nunique().tolist() == [steps, steps]


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", COMPILED)
def test_a_second_fit_goes_on_where_the_first_ended(jit_compile):
    """Each table begins at step 0 with the weights and the optimizer's state that the fit before left."""
    model, twin, capture, rule = network(jit_compile), network(), kt.callbacks.GradientCapture(), momentum()
    for epochs in (2, 1):
        fit(model, capture, epochs=epochs)
        assert_close(recorded(capture), by_hand(twin, rule, BATCHES * epochs))


@pytest.mark.slow
def test_a_resumed_fit_has_kerass_numbers_of_epochs():
    """With `initial_epoch` the epochs go on, the steps begin at 0, and the gradients are the later epochs'."""
    model, twin, capture, rule = network(), network(), kt.callbacks.GradientCapture(), momentum()
    fit(model, epochs=2)
    fit(model, capture, epochs=4, initial_epoch=2)
    assert_close(recorded(capture), by_hand(twin, rule, BATCHES * 4)[6:])
    assert capture.frame.groupby("epoch")["step"].nunique().to_dict() == {2: 3, 3: 3}


@pytest.mark.slow
def test_a_loaded_model_is_recorded(tmp_path):
    """A model from a `.keras` file goes on with its optimizer's state, and every step of it is seen."""
    model, twin, capture, rule = network(), network(), kt.callbacks.GradientCapture(), momentum()
    fit(model, capture, epochs=2)
    model.save(tmp_path / "model.keras")
    fit(keras.saving.load_model(tmp_path / "model.keras"), capture)
    assert_close(recorded(capture), by_hand(twin, rule, BATCHES * 3)[6:])


class Adversaries(keras.Model):
    """A generator and a discriminator that train against each other, each with its own optimizer."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([keras.Input((2,)), layers.Dense(6, "tanh"), layers.Dense(4)], name="g")
        self.discriminator = keras.Sequential([keras.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(1)], name="d")
        self.built = True

    def compile(self, d_optimizer, g_optimizer, **options):
        """Take two optimizers."""
        super().compile(**options)
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def train_step(self, data):
        """Train the discriminator on real and invented examples, then the generator on its judgement."""
        x, noise = data
        with tf.GradientTape() as tape:
            judged = self.discriminator(keras.ops.concatenate([x, self.generator(noise)]))
            truth = keras.ops.concatenate([keras.ops.ones_like(x[:, :1]), keras.ops.zeros_like(noise[:, :1])])
            loss = keras.ops.mean(keras.losses.binary_crossentropy(truth, judged, from_logits=True))
        variables = self.discriminator.trainable_variables
        self.d_optimizer.apply(tape.gradient(loss, variables), variables)
        with tf.GradientTape() as tape:
            judged = self.discriminator(self.generator(noise))
            loss = keras.ops.mean(
                keras.losses.binary_crossentropy(keras.ops.ones_like(judged), judged, from_logits=True)
            )
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(loss, variables), variables)
        return {"g_loss": loss}


def adversaries_by_hand(model, d_rule, g_rule, epochs):
    """Train the two by hand; the logistic loss is written out."""
    norms = {"d": [], "g": []}
    for x, noise in [(X[start : start + 8], NOISE[start : start + 8]) for start in (0, 8, 16)] * epochs:
        for name, part, rule in (("d", model.discriminator, d_rule), ("g", model.generator, g_rule)):
            with tf.GradientTape() as tape:
                invented = model.discriminator(model.generator(noise))
                if name == "d":
                    real = model.discriminator(x)
                    loss = tf.reduce_mean(tf.nn.softplus(-real)) / 2 + tf.reduce_mean(tf.nn.softplus(invented)) / 2
                else:
                    loss = tf.reduce_mean(tf.nn.softplus(-invented))
            gradients = tape.gradient(loss, part.trainable_variables)
            rule.apply(gradients, part.trainable_variables)
            norms[name].append([np.linalg.norm(np.asarray(gradient, "float64")) for gradient in gradients])
    return {name: np.array(rows) for name, rows in norms.items()}


def adversaries():
    """Return two models of the same weights, and optimizers for the first."""
    keras.utils.set_random_seed(0)
    model, twin = Adversaries(), Adversaries()
    twin.set_weights(model.get_weights())
    return model, twin, momentum(), keras.optimizers.SGD(0.1, momentum=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["d", "g"])
def test_either_optimizer_of_two_is_recorded(which):
    """With `optimizer=` the table is that optimizer's: its variables only, and the depth counts from them."""
    model, twin, d_rule, g_rule = adversaries()
    model.compile(d_rule, g_rule, jit_compile=False)
    capture = kt.callbacks.GradientCapture(optimizer={"d": d_rule, "g": g_rule}[which])
    model.fit(X, NOISE, batch_size=8, epochs=2, verbose=0, shuffle=False, callbacks=[capture])
    expected = adversaries_by_hand(twin, momentum(), keras.optimizers.SGD(0.1, momentum=0.5), 2)
    assert_close(recorded(capture), expected[which])
    part = {"d": model.discriminator, "g": model.generator}[which]
    first = capture.at(0)
    assert first["path"].tolist() == [variable.path for variable in part.trainable_variables]
    assert first["depth"].tolist() == [1, 1, 2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", COMPILED)
def test_two_captures_take_two_optimizers_at_once(jit_compile):
    """Each of two captures in one fit has the steps of its own optimizer; both leave without a trace."""
    model, twin, d_rule, g_rule = adversaries()
    model.compile(d_rule, g_rule, jit_compile=jit_compile)
    captures = {name: kt.callbacks.GradientCapture(optimizer=rule) for name, rule in (("d", d_rule), ("g", g_rule))}
    model.fit(X, NOISE, batch_size=8, epochs=2, verbose=0, shuffle=False, callbacks=list(captures.values()))
    expected = adversaries_by_hand(twin, momentum(), keras.optimizers.SGD(0.1, momentum=0.5), 2)
    for name, capture in captures.items():
        assert_close(recorded(capture), expected[name])
    assert "apply" not in {**vars(d_rule), **vars(g_rule)}


@pytest.mark.slow
def test_the_default_optimizer_of_two_is_told_to_be_unused():
    """Without `optimizer=` a model that trains with others than its own warns, and names the argument."""
    model, _, d_rule, g_rule = adversaries()
    model.compile(d_rule, g_rule, jit_compile=False)
    with pytest.warns(UserWarning, match=r"saw no gradient: .*RMSprop.*`optimizer=`"):
        model.fit(X, NOISE, batch_size=8, verbose=0, callbacks=[kt.callbacks.GradientCapture()])


@pytest.mark.parametrize("jit_compile", COMPILED)
def test_train_on_batch_is_recorded_by_the_tape(jit_compile):
    """Inside the block each `train_on_batch` is a step, also where one was compiled before it."""
    model, twin, rule = network(jit_compile), network(), momentum()
    model.train_on_batch(*BATCHES[0])
    with kt.measure.record(model.optimizer, model) as tape:
        for epoch in range(2):
            tape.epoch = epoch
            for batch in BATCHES:
                model.train_on_batch(*batch)
    model.train_on_batch(*BATCHES[0])
    expected = by_hand(twin, rule, [BATCHES[0], *BATCHES * 2])[1:]
    assert_close(recorded(tape), expected)
    assert tape.frame.groupby("epoch")["step"].nunique().to_dict() == {0: 3, 1: 3}


def step_of(model, optimizer, jit_compile):
    """Return a compiled training step that does without Keras's trainer."""

    @tf.function(jit_compile=jit_compile)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("named", [True, False])
def test_a_loop_of_ones_own_is_recorded_by_the_tape(named, jit_compile):
    """A tf.function that is traced in the block has every call recorded, with or without the model to name the rows."""
    model, twin, rule = network(), network(), momentum()
    rule.build(model.trainable_variables)  # a tf.function may not make an optimizer's variables at a later trace
    with kt.measure.record(rule, model if named else None) as tape:
        step = step_of(model, rule, jit_compile)
        for x, y in BATCHES * 2:
            step(tf.constant(x), tf.constant(y))
    assert_close(recorded(tape), by_hand(twin, momentum(), BATCHES * 2))
    assert tape.at(0)["path"].tolist() == [variable.path for variable in model.trainable_variables]


def test_tensorflow_does_not_rewrite_the_recording_in_a_loop_of_ones_own():
    """A statistic runs from the file that it was written in, as in `fit`: rewriting the source takes seconds."""
    files = []

    def statistic(gradient):
        files.append(inspect.currentframe().f_code.co_filename)
        return keras.ops.max(gradient)

    model, rule = network(), momentum()
    with kt.measure.record(rule, model, statistics={"largest": statistic}):
        step_of(model, rule, False)(*map(tf.constant, BATCHES[0]))
    assert set(files) == {__file__}


@pytest.mark.slow
def test_a_block_without_a_gradient_is_an_error():
    """Where nothing was recorded, the end of the block says so; but never in the place of another error."""
    model = network()
    with pytest.raises(RuntimeError, match="No gradient was seen"), kt.measure.record(model.optimizer, model):
        model.predict(X, verbose=0)
    with pytest.raises(ZeroDivisionError), kt.measure.record(model.optimizer, model):
        raise ZeroDivisionError
    assert "apply" not in vars(model.optimizer)


@pytest.mark.slow
def test_a_function_traced_before_the_block_is_that_error():
    """A compiled step that does not know of the block trains unseen, and the message says to make it anew."""
    model, rule = network(), momentum()
    rule.build(model.trainable_variables)
    step = step_of(model, rule, False)
    step(*map(tf.constant, BATCHES[0]))
    with pytest.raises(RuntimeError, match="anew inside the block"), kt.measure.record(rule, model):
        step(*map(tf.constant, BATCHES[0]))
    assert "apply" not in vars(rule)


def noisy(jit_compile):
    """Return a compiled network with Dropout and BatchNormalization, from one random seed."""
    keras.utils.set_random_seed(3)
    hidden = [layers.Dense(16), layers.BatchNormalization(), layers.Activation("relu"), layers.Dropout(0.3)]
    model = keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(3, "softmax")])
    model.compile(momentum(), "sparse_categorical_crossentropy", jit_compile=jit_compile)
    return model


def everything():
    """Return a capture of all there is to record."""
    return kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"*": [0, 4]})


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", COMPILED)
def test_training_is_not_changed_by_recording_everything(jit_compile):
    """But for rounding, losses, weights and the optimizer's state end as those of a plain fit."""
    plain = noisy(jit_compile)
    losses = fit(plain, epochs=5, shuffle=True).history
    watched = noisy(jit_compile)
    watched_losses = fit(watched, everything(), epochs=5, shuffle=True).history
    state = [variable.numpy() for variable in plain.variables + plain.optimizer.variables]
    watched_state = [variable.numpy() for variable in watched.variables + watched.optimizer.variables]
    for name, values in losses.items():
        np.testing.assert_allclose(watched_losses[name], values, rtol=1e-3, err_msg=name)
    for one, other in zip(state, watched_state, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_a_checkpoint_written_beside_everything_loads_whole(tmp_path):
    """However much is recorded, a file written meanwhile has the optimizer's state, and training goes on from it."""
    model, twin, rule = network(), network(), momentum()
    files = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"))
    fit(model, files, everything(), epochs=2)
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    by_hand(twin, rule, BATCHES)
    assert len(loaded.optimizer.variables) == len(rule.variables)
    for ours, theirs in zip(loaded.optimizer.variables, rule.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)
    fit(loaded)
    for ours, theirs in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


class FailAtEpochEnd(keras.callbacks.Callback):
    """Raise when the second epoch ends."""

    def on_epoch_end(self, epoch, logs=None):
        """Raise."""
        if epoch == 1:
            raise ZeroDivisionError


@pytest.mark.slow
@pytest.mark.parametrize("first", [pytest.param(True, marks=SLOW), False])
def test_another_callbacks_error_loses_no_step(first):
    """Whether the callback that fails is called before the capture or after it, both epochs are in the table."""
    model, twin, capture = network(), network(), kt.callbacks.GradientCapture(histogram=True, raw={"*": [5]})
    callbacks = [FailAtEpochEnd(), capture] if first else [capture, FailAtEpochEnd()]
    with pytest.raises(ZeroDivisionError):
        fit(model, *callbacks, epochs=3)
    assert_close(recorded(capture), by_hand(twin, momentum(), BATCHES * 2))
    assert capture.frame.groupby("epoch")["step"].nunique().to_dict() == {0: 3, 1: 3}
    assert list(capture.raw) == [5]
    capture.detach()
    norms = {path: np.linalg.norm(gradient) for path, gradient in capture.raw[5].items()}
    assert_close(recorded(capture)[-1], [norms[path] for path in capture.at(5)["path"]])


@pytest.mark.parametrize("error", [ZeroDivisionError, pytest.param(KeyboardInterrupt, marks=SLOW)])
def test_a_block_leaves_no_trace_of_an_error(error):
    """After an exception in `with capture:` the optimizer is as it was, and the next fit is not recorded."""
    model, twin = network(), network()
    model.run_eagerly = True
    model.optimizer.build(model.trainable_variables)
    before, number = set(vars(model.optimizer)), len(model.optimizer.variables)

    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise error

    with pytest.raises(error), kt.callbacks.GradientCapture() as capture:
        fit(model, capture, Fail())
    assert set(vars(model.optimizer)) == before
    assert len(model.optimizer.variables) == number
    assert not {"train_step", "make_train_function"} & set(vars(model))
    assert_close(recorded(capture), by_hand(twin, momentum(), BATCHES[:2]))
    frame = capture.frame
    fit(model)
    assert capture.frame.equals(frame)
