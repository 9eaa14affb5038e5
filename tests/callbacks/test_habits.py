"""Models and trainings as people have them: what the captures record is what an independent loop computes."""

import copy
import gc
import pickle
import subprocess
import sys
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kerasteach as kt
from kerasteach.keras_internals import loss_metric

random = np.random.default_rng(0)
X, Y = random.normal(size=(22, 4)).astype("float32"), np.arange(22) % 3
BATCHES = [slice(0, 8), slice(8, 16), slice(16, 22)]  # the last one is smaller


def fit(model, *callbacks, x=X, y=Y, **options):
    """Train quietly on two batches of 8 and one of 6, always the same ones."""
    return model.fit(x, y, **{"batch_size": 8, "verbose": 0, "shuffle": False, "callbacks": callbacks, **options})


def network(*hidden, seed=0, optimizer=None, **options):
    """Return a compiled classifier with hidden layers, of tanh where none are given."""
    hidden = hidden or (layers.Dense(5, activation="tanh"),)
    model = keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(3, activation="softmax")])
    draw(model, seed)
    model.compile(optimizer or keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", **options)
    return model


def draw(model, seed=0):
    """Draw all weights anew, the same ones for the same seed."""
    numbers = np.random.default_rng(seed)
    for variable in model.weights:
        if not variable.path.endswith(("moving_mean", "moving_variance", "seed_generator_state")):
            variable.assign(numbers.normal(scale=0.7, size=variable.shape))


def by_hand(model, epochs=1, weights=None):
    """Train a model in a loop that differentiates by itself; return the gradients' norms, and each batch's loss."""
    norms, losses = [], []
    for batch in BATCHES * epochs:
        with tf.GradientTape() as tape:
            each = keras.losses.sparse_categorical_crossentropy(Y[batch], model(X[batch], training=True))
            loss = tf.reduce_mean(each if weights is None else each * weights[batch])
        gradients = tape.gradient(loss, model.trainable_variables)
        norms += [float(tf.norm(tf.convert_to_tensor(gradient))) for gradient in gradients]
        model.optimizer.apply(gradients, model.trainable_variables)
        losses.append(float(loss))
    return norms, losses


def assert_recorded(capture, twin, epochs=1, rtol=1e-4, **options):
    """Hold a capture's norms against those of the twin's own loop."""
    np.testing.assert_allclose(capture.frame["norm"], by_hand(twin, epochs, **options)[0], rtol=rtol, atol=1e-7)


class Gan(keras.Model):
    """A generator and a discriminator with an optimizer each; the discriminator takes two steps a batch."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([keras.Input((2,)), layers.Dense(4, name="made")], name="generator")
        self.discriminator = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="judged")], name="discriminator")
        self.seen = []

    def compile(self, generator, discriminator):
        """Take both optimizers."""
        super().compile(run_eagerly=True)
        self.generator_optimizer, self.discriminator_optimizer = generator, discriminator

    def train_step(self, data):
        """Train the discriminator twice, then the generator, and note the norms."""
        noise = tf.ones((len(data), 2))
        for optimizer, part, sign in (
            (self.discriminator_optimizer, self.discriminator, 1),
            (self.discriminator_optimizer, self.discriminator, 1),
            (self.generator_optimizer, self.generator, -1),
        ):
            with tf.GradientTape() as tape:
                real, made = self.discriminator(data), self.discriminator(self.generator(noise))
                loss = sign * tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(made))
            gradients = tape.gradient(loss, part.trainable_weights)
            self.seen.append((part.name, [float(tf.norm(gradient)) for gradient in gradients]))
            optimizer.apply_gradients(zip(gradients, part.trainable_weights, strict=True))
        return {"loss": loss}


@pytest.mark.slow
def test_each_optimizer_of_a_gan_has_a_table_of_its_own():
    """Six steps of the discriminator and three of the generator, each with its own layers and norms."""
    gan = Gan()
    gan.compile(keras.optimizers.Adam(0.1), keras.optimizers.SGD(0.1))
    makes = kt.callbacks.GradientCapture(optimizer=gan.generator_optimizer)
    judges = kt.callbacks.GradientCapture(optimizer=gan.discriminator_optimizer)
    gan.fit(X, batch_size=8, verbose=0, shuffle=False, callbacks=[makes, judges])
    for capture, part, steps in ((makes, "generator", 3), (judges, "discriminator", 6)):
        assert capture.frame["step"].nunique() == steps
        expected = [norm for name, norms in gan.seen if name == part for norm in norms]
        np.testing.assert_allclose(capture.frame["norm"], expected, rtol=1e-5)


@pytest.mark.slow
def test_transfer_learning_in_two_phases():
    """The same capture records the head alone, and after unfreezing the base as well; depths count what is trained."""
    phases = []
    for kind in ("captured", "by hand"):
        base = layers.Dense(5, activation="tanh", name="base", trainable=False)
        model, capture = network(base), kt.callbacks.GradientCapture()
        if kind == "captured":
            fit(model, capture)
            phases.append(capture.frame)
        else:
            first = by_hand(model)[0]
        base.trainable = True
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        if kind == "captured":
            fit(model, capture)
            phases.append(capture.frame)
        else:
            second = by_hand(model)[0]
    np.testing.assert_allclose(phases[0]["norm"], first, rtol=1e-4)
    np.testing.assert_allclose(phases[1]["norm"], second, rtol=1e-4)
    assert phases[0]["depth"].unique().tolist() == [1]
    assert phases[1][["layer", "depth"]].drop_duplicates()["depth"].tolist() == [1, 2]


class Compile(keras.callbacks.Callback):
    """Unfreeze the first layer and compile the model as an epoch begins."""

    def __init__(self, epoch, optimizer, made=True):
        super().__init__()
        self.epoch, self.optimizer, self.made = epoch, optimizer, made

    def on_epoch_begin(self, epoch, logs=None):
        """Compile."""
        if epoch == self.epoch:
            self.model.layers[0].trainable = True
            self.model.compile(self.optimizer, "sparse_categorical_crossentropy")
            if self.made:
                self.model.make_train_function()


@pytest.mark.slow
@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_unfreezing_in_the_middle_of_fit(made, first, tmp_path):
    """Recording goes on with the new optimizer, its variables, and the steps' numbers, in any order of callbacks."""

    def model():
        return network(layers.Dense(5, activation="tanh", name="base", trainable=False))

    trained, capture = model(), kt.callbacks.GradientCapture(statistics="all", raw={"*": [0, 4]})
    written = kt.callbacks.GradientCapture(directory=tmp_path, every=2)
    stop = kt.callbacks.StopOnError(0.0, per="batch")
    compiles = Compile(1, keras.optimizers.Adam(0.01), made)
    captures = [capture, written, stop]
    fit(trained, *([compiles, *captures] if first else [*captures, compiles]), epochs=2)
    twin = model()
    frozen = by_hand(twin)[0]
    twin.layers[0].trainable = True
    twin.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    frame, expected = capture.frame, [*frozen, *by_hand(twin)[0]]
    np.testing.assert_allclose(frame["norm"], expected, rtol=1e-4)
    assert frame["step"].tolist() == [0, 0, 1, 1, 2, 2, *np.repeat([3, 4, 5], 4)]
    assert frame.groupby("step")["epoch"].first().tolist() == [0, 0, 0, 1, 1, 1]
    assert (frame["update_ratio"] > 0).all()  # by the rule of the first optimizer, by the change of the second
    assert {step: len(arrays) for step, arrays in capture.raw.items()} == {0: 2, 4: 4}
    even = frame[frame["step"] % 2 == 0].reset_index(drop=True)
    np.testing.assert_array_equal(written.frame["norm"], even["norm"])
    np.testing.assert_array_equal(written.frame["step"], even["step"])


@pytest.mark.slow
def test_a_stop_per_batch_outlives_a_compilation():
    """The first batch after it is judged by its own loss, and the epoch's mean is as without a stop."""
    losses, histories = [], []
    for kind in ("judged", "plain"):
        stop = kt.callbacks.StopOnError(-1.0, per="batch")
        judge = stop._judge
        stop._judge = lambda metrics, step, judge=judge: losses.append(metrics["loss"]) or judge(metrics, step)
        callbacks = [stop] if kind == "judged" else []
        history = fit(network(), *callbacks, Compile(1, keras.optimizers.SGD(0.1)), epochs=2).history
        histories.append(history["loss"])
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-5)
    twin = network()
    first = by_hand(twin)[1]
    twin.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    np.testing.assert_allclose(losses, first + by_hand(twin)[1], rtol=1e-4)


@pytest.mark.slow
def test_outputs_are_recorded_after_a_compilation_in_mid_fit():
    """ActivationCapture goes on as well."""
    capture = kt.callbacks.ActivationCapture(statistics=["mean"])
    fit(network(), capture, Compile(1, keras.optimizers.SGD(0.1)), epochs=2)
    assert capture.frame.groupby("epoch")["step"].unique().map(list).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_selection_that_means_nothing_any_more_is_one_warning():
    """Where recording cannot go on, it says so at once, and the training goes on."""

    class Freeze(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.layers[0].trainable = False
                self.model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)

    model = network(layers.Dense(5, name="base"), run_eagerly=True)
    capture = kt.callbacks.GradientCapture(layers="base")
    with pytest.warns(UserWarning, match="records no more.*base") as warned:
        assert len(fit(model, capture, Freeze(), epochs=3).history["loss"]) == 3
    assert len(warned) == 1
    assert capture.frame["step"].unique().tolist() == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("scaled", [False, True])
def test_gradient_accumulation_records_each_batch(scaled):
    """A row a small batch, unscaled, although the optimizer moves the weights at every third only."""
    options = {"gradient_accumulation_steps": 3}
    optimizers = [keras.optimizers.SGD(0.5, **options) for _ in range(2)]
    if scaled:
        optimizers[0] = keras.optimizers.LossScaleOptimizer(optimizers[0], initial_scale=2.0**8)
    model, twin = (network(optimizer=optimizer) for optimizer in optimizers)
    capture = kt.callbacks.GradientCapture()
    fit(model, capture, epochs=2)
    assert_recorded(capture, twin, epochs=2)
    assert capture.frame["step"].nunique() == 6


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("used", [False, True])
def test_copied_callbacks_work(copied, used):
    """A deep copy or a pickle, of a fresh capture or of one that recorded, records by itself."""
    originals = [
        kt.callbacks.GradientCapture(layers="dense*"),
        kt.callbacks.ActivationCapture(),
        kt.callbacks.StopOnError(100.0, per="batch", min_epochs=1, verbose=0),
        kt.callbacks.WeightSnapshots(),
    ]
    if used:
        fit(network(), *originals, epochs=2)
    before = originals[0].frame
    copies = [copied(one) for one in originals]
    model, twin = network(seed=1), network(seed=1)
    fit(model, *copies, epochs=2)
    np.testing.assert_allclose(copies[0].frame["norm"], by_hand(twin, 2)[0][: len(copies[0].frame)], rtol=1e-4)
    assert copies[0].frame["step"].nunique() == 4  # stopped by the first batch of the second epoch
    assert copies[1].frame["step"].nunique() == 4
    assert (copies[2].epoch, copies[2].step) == (1, 0)
    assert originals[0].frame.equals(before)


LOAD = """
import sys, keras
assert "kerasteach" not in sys.modules
sys.modules["kerasteach"] = None
model = keras.saving.load_model(sys.argv[1])
print(int(model.optimizer.iterations), len(model.optimizer.variables), [one.name for one in model.weights])
"""


@pytest.mark.slow
def test_a_model_saved_in_mid_fit_loads_without_this_package(tmp_path):
    """The file of a checkpoint has the weights and the optimizer's whole state, and no trace of a capture."""
    path, model = tmp_path / "model.keras", network(optimizer=keras.optimizers.Adam(0.01))
    callbacks = [
        kt.callbacks.GradientCapture(),
        kt.callbacks.ActivationCapture(),
        kt.callbacks.StopOnError(-1.0, per="batch"),
    ]
    fit(model, *callbacks, keras.callbacks.ModelCheckpoint(path, save_freq=2))
    done = subprocess.run([sys.executable, "-c", LOAD, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = [one.name for one in model.weights]
    assert done.stdout.strip() == f"2 {len(model.optimizer.variables)} {names}"


@pytest.mark.slow
def test_a_model_copied_in_mid_fit_trains_alone():
    """A deep copy that a callback makes has no hook, and training it records nothing."""
    copies = []

    class Copy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                copies.append(copy.deepcopy(self.model))
                fit(copies[-1])

    model, capture = network(), kt.callbacks.GradientCapture()
    fit(model, capture, kt.callbacks.StopOnError(-1.0, per="batch"), Copy())
    assert capture.frame["step"].unique().tolist() == [0, 1, 2]
    assert copies
    for one in copies:
        assert not {"make_train_function", "train_step", "test_step"} & set(vars(one))
        assert type(loss_metric(one)) is keras.metrics.Mean
        assert int(one.optimizer.iterations) > 3  # those that were copied with it, and three of its own


class Tied(layers.Layer):
    """Multiply by the transposed kernel of another layer."""

    def __init__(self, other, **kwargs):
        super().__init__(**kwargs)
        self.other = other

    def build(self, shape):
        """Have a bias only, and hold the other layer's kernel."""
        self.kernel = self.other.kernel
        self.bias = self.add_weight(shape=(self.other.kernel.shape[0],), initializer="zeros", name="bias")

    def call(self, x):
        """Return what has the other layer's inputs' shape."""
        return keras.ops.matmul(x, keras.ops.transpose(self.kernel)) + self.bias


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", ["tied", "shared", "lora", "named alike"])
def test_weights_that_layers_share_or_name_alike(kind):
    """Norms are those of a loop of one's own, each weight has one row, and each layer one depth."""

    def model():
        dense = kt.layers.Dense(5, activation="tanh", name="dense")
        hidden = {
            "tied": [dense, Tied(dense, name="tied")],
            "shared": [layers.Dense(4, name="shared", activation="tanh")] * 2,
            "lora": [dense],
            "named alike": [Twice(name="twice"), dense],
        }[kind]
        inputs = x = keras.Input((4,))
        for layer in hidden:
            x = layer(x)
        model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="output")(x))
        if kind == "lora":
            dense.enable_lora(2)
        draw(model)
        model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
        return model

    trained, capture = model(), kt.callbacks.GradientCapture(raw={"*": 0})
    fit(trained, capture)
    frame = capture.frame[capture.frame["step"] == 0]
    assert_recorded(capture, model())
    assert len(capture.raw[0]) == len(frame) == len(trained.trainable_variables)
    rows = frame[["layer", "depth", "parameter"]].values.tolist()
    expected = {
        "tied": [["dense", 1, "kernel"], ["dense", 1, "bias"], ["tied", 2, "bias"]],
        "shared": [["shared", 1, "kernel"], ["shared", 1, "bias"]],
        "lora": [["dense", 1, "bias"], ["dense", 1, "lora_kernel_a"], ["dense", 1, "lora_kernel_b"]],
        "named alike": [["twice", 1, "w"], ["twice", 1, "w #2"], ["dense", 2, "kernel"], ["dense", 2, "bias"]],
    }[kind]
    last = expected[-1][1] + 1
    assert rows == [*expected, ["output", last, "kernel"], ["output", last, "bias"]]


class Twice(layers.Layer):
    """A layer with two weights of one name."""

    def build(self, shape):
        """Make them."""
        self.one = self.add_weight(shape=(shape[-1], 4), name="w")
        self.two = self.add_weight(shape=(4,), name="w")

    def call(self, x):
        """Use both."""
        return keras.ops.matmul(x, self.one) + self.two


def test_weighted_and_uneven_batches():
    """With sample weights and a smaller last batch, gradients and batch losses are those of the loop."""
    weights = np.linspace(0.1, 2.0, len(X)).astype("float32")
    norms, losses = by_hand(network(), 2, weights)
    seen = []
    stop, capture = kt.callbacks.StopOnError(-1.0, per="batch"), kt.callbacks.GradientCapture()
    judge = stop._judge
    stop._judge = lambda metrics, step: seen.append(metrics["loss"]) or judge(metrics, step)
    fit(network(), capture, stop, sample_weight=weights, epochs=2)
    np.testing.assert_allclose(capture.frame["norm"], norms, rtol=1e-4)
    np.testing.assert_allclose(seen, losses, rtol=1e-4)


class Interrupt(keras.callbacks.Callback):
    """Interrupt at a batch, as Ctrl-C does."""

    def __init__(self, batch=1):
        super().__init__()
        self.batch = batch

    def on_train_batch_end(self, batch, logs=None):
        """Interrupt."""
        if batch == self.batch:
            raise KeyboardInterrupt


def interrupted(model, *callbacks):
    """Train until the second batch."""
    with pytest.raises(KeyboardInterrupt):
        fit(model, *callbacks, Interrupt())


def other_trainings():
    """Return trainings of a model that are no `fit` with a capture, by name."""

    def loop(model):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(X))
        model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    def record(model, of=True):
        with kt.measure.record(model.optimizer, model if of else None):
            loop(model)

    def record_batches(model):
        with kt.measure.record(model.optimizer, model) as tape:
            model.train_on_batch(X[:8], Y[:8])
        assert tape.frame["step"].unique().tolist() == [0]

    return {
        "fit": lambda model: fit(model, epochs=2),
        "train_on_batch": lambda model: [model.train_on_batch(X[:8], Y[:8]) for _ in range(3)],
        "a loop": loop,
        "record": record,
        "record without a model": lambda model: record(model, of=False),
        "record of train_on_batch": record_batches,
        "find_learning_rate": lambda model: kt.find_learning_rate(model, X, Y, steps=4, batch_size=8, verbose=0),
    }


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("other", other_trainings())
def test_after_an_interruption_no_other_training_counts(other, tmp_path):
    """Only the two steps that the fit took are in its tables; then the same capture records a fit as ever."""
    model, twin = network(), network()
    capture = kt.callbacks.GradientCapture(raw={"*": [1, 2]}, directory=tmp_path)
    activations, stop = kt.callbacks.ActivationCapture(), kt.callbacks.StopOnError(-1.0, per="batch")
    interrupted(model, capture, activations, stop)
    train = other_trainings()[other]
    train(model)
    assert capture.frame["step"].unique().tolist() == [0, 1]
    assert activations.frame["step"].unique().tolist() == [0, 1]
    assert [*capture.raw] == [1]
    np.testing.assert_allclose(capture.frame["norm"], by_hand(twin)[0][:8], rtol=1e-4)
    fit(model, capture, activations)
    assert capture.frame["step"].unique().tolist() == activations.frame["step"].unique().tolist() == [0, 1, 2]
    assert "apply" not in vars(model.optimizer)
    assert not {"make_train_function", "train_step", "test_step"} & set(vars(model))


@pytest.mark.slow
def test_after_an_interruption_the_next_training_finds_the_model_as_it_was():
    """Whatever begins next, no hook is left on the optimizer, the layers, or the metric of the loss."""
    model = network()
    tracker = loss_metric(model)
    for _ in range(3):  # each with captures of its own, as when a cell is run again
        captures = [kt.callbacks.GradientCapture(), kt.callbacks.ActivationCapture()]
        interrupted(model, *captures, kt.callbacks.StopOnError(-1.0, per="batch"))
    hooked = vars(model.optimizer)["apply"]
    assert len(hooked.listeners) == 2
    fit(model)
    assert "apply" not in vars(model.optimizer)
    assert loss_metric(model) is tracker
    assert all("call" not in vars(layer) for layer in model.layers)
    assert [one.frame["step"].nunique() for one in captures] == [2, 2]


@pytest.mark.slow
def test_what_trains_in_a_callback_is_not_part_of_the_fit():
    """Neither `train_on_batch` nor a nested fit is recorded or judged, and the fit's own steps all are."""

    class Also(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.model.train_on_batch(X[:8], Y[:8])

        def on_epoch_end(self, epoch, logs=None):
            self.model.fit(X, Y, batch_size=8, shuffle=False, verbose=0)

    twin = network()
    expected, losses = [], []
    for _ in range(2):
        norms, _ = [], None
        for number, batch in enumerate(BATCHES):
            for again in range(2 if number == 0 else 1):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(Y[batch], twin(X[batch])))
                gradients = tape.gradient(loss, twin.trainable_variables)
                twin.optimizer.apply(gradients, twin.trainable_variables)
                if not again:
                    norms += [float(tf.norm(gradient)) for gradient in gradients]
                    losses.append(float(loss))
        expected += norms
        by_hand(twin)
    for first in (True, False):
        seen = []
        stop, capture = kt.callbacks.StopOnError(-1.0, per="batch"), kt.callbacks.GradientCapture()
        judge = stop._judge
        stop._judge = lambda metrics, step, judge=judge, seen=seen: seen.append(metrics["loss"]) or judge(metrics, step)
        fit(network(), *([Also(), capture, stop] if first else [capture, stop, Also()]), epochs=2)
        assert capture.frame["step"].unique().tolist() == list(range(6))
        np.testing.assert_allclose(capture.frame["norm"], expected, rtol=1e-3)
        np.testing.assert_allclose(seen, losses, rtol=1e-3)


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", [kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture])
def test_detaching_in_a_callback_ends_the_recording_and_not_the_training(kind):
    """The fit goes on without the hook, and the table has what there was."""

    class Detach(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                capture.detach()

    model, capture = network(), kind()
    fit(model, capture, Detach(), epochs=2)
    assert capture.frame["step"].unique().tolist() == [0, 1]
    assert int(model.optimizer.iterations) == 6
    assert "apply" not in vars(model.optimizer)


def test_a_batch_that_a_callback_makes_it_miss_is_one_warning():
    """A callback behind the capture that compiles as a batch begins takes that batch from it."""

    class Late(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                self.model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
                self.model.make_train_function()

    capture = kt.callbacks.GradientCapture()
    with pytest.warns(UserWarning, match="missed a batch.*Put it in front") as warned:
        fit(network(run_eagerly=True), capture, Late(), epochs=2)
    assert len(warned) == 1
    assert capture.frame.groupby("epoch")["step"].nunique().tolist() == [2, 2]


@pytest.mark.slow
def test_what_an_interrupted_fit_left_is_written_when_nobody_holds_the_capture(tmp_path):
    """With the capture, its model and all that it hooked go; the rows are on disk."""

    def train():
        model, capture = network(), kt.callbacks.GradientCapture(directory=tmp_path)
        interrupted(model, capture)
        return weakref.ref(model), weakref.ref(capture)

    model, capture = train()
    gc.collect()
    assert kt.measure.read(tmp_path)["step"].unique().tolist() == [0, 1]
    assert capture() is None
    assert model() is None


@pytest.mark.slow
def test_captures_and_models_go_when_nobody_holds_them():
    """After any number of fits no model, capture, optimizer or recorder is alive."""

    def train(ends):
        model, callbacks = network(), [kt.callbacks.GradientCapture(), kt.callbacks.ActivationCapture()]
        callbacks.append(kt.callbacks.StopOnError(-1.0, per="batch"))
        if ends:
            fit(model, *callbacks)
        else:
            interrupted(model, *callbacks)
        return [weakref.ref(one) for one in (model, model.optimizer, *callbacks)]

    left = [one for ends in (True, False, True) for one in train(ends)]
    gc.collect()
    assert [one() for one in left] == [None] * len(left)


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights:UserWarning")  # Keras's own
def test_a_frozen_model_is_told_that_there_is_nothing_to_train():
    """And not that its `train_step` may use another optimizer."""
    model = network()
    model.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="there is nothing to train") as warned:
        fit(model, kt.callbacks.GradientCapture())
    assert sum("GradientCapture" in str(one.message) for one in warned) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kt.callbacks.GradientCapture, kt.callbacks.ActivationCapture])
def test_the_training_is_the_same_algorithm(kind):
    """With dropout and normalization, weights differ from those of a plain fit by no more than rounding."""
    weights = []
    for callbacks in ([], [kind(statistics="all")]):
        hidden = [layers.Dense(6), layers.BatchNormalization(), layers.Activation("gelu"), layers.Dropout(0.3, seed=1)]
        model = network(*hidden)
        fit(model, *callbacks, epochs=3)
        weights.append(model.get_weights())
    for plain, watched in zip(*weights, strict=True):
        np.testing.assert_allclose(watched, plain, rtol=1e-4, atol=1e-5)
