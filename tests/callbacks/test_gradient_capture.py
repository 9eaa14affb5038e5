import keras
import numpy as np
import pytest
import tensorflow as tf
from batches import batches
from keras import layers

import kerasteach as kt

random = np.random.default_rng(0)
# float64 all through, so that a difference of weights holds every digit of the gradient.
MODELS = {
    "dense": (lambda: [kt.layers.Dense(5, activation="tanh"), layers.Dense(3, activation="softmax")], (4,)),
    "convolutional": (
        lambda: [layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(3, activation="softmax")],
        (6, 6, 2),
    ),
    "recurrent": (lambda: [layers.LSTM(4), layers.Dense(3, activation="softmax")], (5, 2)),
}


class WeightsAfterEachStep(keras.callbacks.Callback):
    """Keep the trainable weights before the first and after each step."""

    def on_train_begin(self, logs=None):
        """Keep those at the start."""
        self.seen = [[variable.numpy() for variable in self.model.trainable_variables]]

    def on_train_batch_end(self, batch, logs=None):
        """Keep those after this step."""
        self.seen.append([variable.numpy() for variable in self.model.trainable_variables])


def fit(model, x, y, *callbacks, epochs=2, **options):
    """Train quietly on unequal batches: 20, 20 and 10 of 50 examples."""
    data = (batches(x, y, 20),) if isinstance(y, np.ndarray) else (x, y, 20)
    return model.fit(*data, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **options)


@pytest.fixture(scope="module")
def examples():
    """Return 50 examples with 4 features."""
    return random.normal(size=(50, 4)).astype("float32"), np.arange(50) % 3


@pytest.fixture(scope="module")
def trained(examples, classifier):
    """Train once, and return the model, its two captures, and what the optimizer had before."""
    model = classifier(keras.optimizers.SGD(0.1, momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    before = set(vars(model.optimizer)), len(model.optimizer.variables)
    captures = kt.callbacks.GradientCapture(), kt.callbacks.GradientCapture(statistics=["norm"])
    fit(model, *examples, *captures)
    return model, captures, before


@pytest.mark.sample(1)
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("kind", MODELS)
def test_the_recorded_gradient_is_the_one_applied(kind, jit_compile):
    """(w_before - w_after) / learning_rate reproduces every statistic of every step."""
    make, shape = MODELS[kind]
    keras.config.set_dtype_policy("float64")
    model = keras.Sequential([keras.Input(shape), *make()])
    model.compile(kt.optimizers.PlainSGD(0.5), "sparse_categorical_crossentropy", jit_compile=jit_compile)
    capture, weights = kt.callbacks.GradientCapture(statistics="all"), WeightsAfterEachStep()
    fit(model, random.normal(size=(50, *shape)), np.arange(50) % 3, capture, weights)
    for step, (before, after) in enumerate(zip(weights.seen, weights.seen[1:], strict=False)):
        rows = capture.frame[capture.frame["step"] == step]
        assert len(rows) == len(before)
        for (_, row), w, new_w in zip(rows.iterrows(), before, after, strict=True):
            g = (w - new_w) / 0.5
            expected = {
                "norm": np.linalg.norm(g),
                "mean": g.mean(),
                "std": g.std(),
                "mean_abs": np.abs(g).mean(),
                "max_abs": np.abs(g).max(),
                "weight_norm": np.linalg.norm(w),
                "update_ratio": np.linalg.norm(w - new_w) / np.linalg.norm(w) if w.any() else np.inf,
            }
            for name, value in expected.items():
                assert row[name] == pytest.approx(value, rel=1e-8, abs=1e-12), (step, row["path"], name)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "options",
    [{"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}, {"steps_per_execution": 2}],
    ids=["eager", "graph", "xla", "two steps an execution"],
)
def test_norms_are_those_of_an_independent_tape(options, examples, classifier):
    """In every mode the norms agree with a loop that differentiates by itself."""
    x, y = examples
    model, twin = (classifier(keras.optimizers.SGD(0.5, clipnorm=0.1), **given) for given in (options, {}))
    capture = kt.callbacks.GradientCapture()
    fit(model, x, y, capture, epochs=1)
    expected = []
    for start in (0, 20, 40):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(y[start : start + 20], twin(x[start : start + 20]))
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, twin.trainable_variables)
        expected += [float(tf.norm(gradient)) for gradient in gradients]
        twin.optimizer.apply(gradients, twin.trainable_variables)
    np.testing.assert_allclose(capture.frame["norm"], expected, rtol=1e-4)


def test_the_table_has_a_row_a_step_and_variable(trained):
    """Keys, order and types of the table are those of its definition."""
    _, (capture, _), _ = trained
    frame = capture.frame
    keys = ["epoch", "step", "layer", "depth", "parameter", "path", "size"]
    assert list(frame) == [*keys, "norm", "mean", "std", "finite"]
    assert frame["finite"].dtype == bool
    assert len(frame) == 2 * 3 * 6
    assert frame.groupby("step")["epoch"].first().tolist() == [0, 0, 0, 1, 1, 1]
    first = frame[frame["step"] == 0]
    assert first["layer"].tolist() == ["hidden_1", "hidden_1", "hidden_2", "hidden_2", "output", "output"]
    assert first["depth"].tolist() == [1, 1, 2, 2, 3, 3]
    assert first["parameter"].tolist() == ["kernel", "bias"] * 3
    assert first["size"].tolist() == [20, 5, 20, 4, 12, 3]


def test_an_empty_capture_has_the_tables_columns():
    """Before any training the frame has its columns, and no row."""
    frame = kt.callbacks.GradientCapture().frame
    assert list(frame)[-4:] == ["norm", "mean", "std", "finite"]
    assert frame.empty


def test_each_fit_starts_a_new_table(examples, classifier):
    """Steps count from 0 again, and the epoch is Keras's number."""
    model, capture = classifier(run_eagerly=True), kt.callbacks.GradientCapture()
    fit(model, *examples, capture, epochs=1)
    fit(model, *examples, capture, epochs=5, initial_epoch=3)
    assert capture.frame["step"].max() == 5
    assert sorted(capture.frame["epoch"].unique()) == [3, 4]


def test_training_is_not_changed(examples, classifier):
    """Weights end equal, but for rounding, with and without the capture."""
    plain, watched = classifier(jit_compile=False), classifier(jit_compile=False)
    fit(plain, *examples)
    fit(watched, *examples, kt.callbacks.GradientCapture(statistics="all"))
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_model_and_optimizer_are_left_as_they_were(trained):
    """After fit no hook, no compiled step with one in it, and no further variable is left."""
    model, _, (attributes, variables) = trained
    assert set(vars(model.optimizer)) == attributes
    assert len(model.optimizer.variables) == variables
    assert model.train_function is None


@pytest.mark.slow
def test_a_checkpoint_written_meanwhile_loads_whole(tmp_path, examples, classifier):
    """A model that is saved during the capture loads with its optimizer's state, and nothing else."""
    model = classifier(keras.optimizers.SGD(0.1, momentum=0.9))
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras")
    fit(model, *examples, checkpoint, kt.callbacks.GradientCapture(), epochs=1)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_two_captures_on_one_model_record_the_same(trained):
    """The hook has many listeners, and the last to leave puts the optimizer right."""
    model, (one, other), _ = trained
    np.testing.assert_allclose(one.frame["norm"], other.frame["norm"], rtol=1e-6)
    assert "apply" not in vars(model.optimizer)


def test_what_was_recorded_survives_an_interruption(examples, classifier, interrupt):
    """After an exception in fit the steps taken are in the table, and `detach` leaves no trace."""
    model, capture = classifier(run_eagerly=True), kt.callbacks.GradientCapture()
    with pytest.raises(KeyboardInterrupt):
        fit(model, *examples, interrupt(5), capture)
    assert capture.frame["step"].max() == 4
    assert capture.frame["epoch"].max() == 1
    capture.detach()
    assert "apply" not in vars(model.optimizer)
    assert capture.frame["step"].max() == 4


def test_a_left_hook_is_harmless_and_goes_at_the_next_fit(examples, classifier, interrupt):
    """After an exception another fit with the capture records its own steps only, and unhooks."""
    model, capture = classifier(), kt.callbacks.GradientCapture()
    with pytest.raises(KeyboardInterrupt):
        fit(model, *examples, interrupt(5), capture)
    fit(model, *examples, epochs=3)
    assert capture.frame["step"].max() == 4
    fit(model, *examples, capture, epochs=1)
    assert len(capture.frame) == 3 * 6
    assert "apply" not in vars(model.optimizer)


def test_inside_a_with_block_the_training_step_is_compiled_once(examples, classifier):
    """Two fits in one block share the compiled step and have tables of their own; then the hook is gone."""
    model = classifier()
    with kt.callbacks.GradientCapture() as capture:
        fit(model, *examples, capture)
        first, function = capture.frame, model.train_function
        fit(model, *examples, capture, epochs=1)
        assert model.train_function is function
        assert (len(first), len(capture.frame)) == (36, 18)
    assert "apply" not in vars(model.optimizer)
    assert model.train_function is None


def test_long_epochs_are_fetched_in_pieces(monkeypatch, examples, classifier):
    """With room for two executions of steps, nothing is lost, whatever the epoch's length."""
    monkeypatch.setattr("kerasteach.measure.hooks.recorder.BUFFER_BYTES", 2 * 6 * 4 * 4)
    capture = kt.callbacks.GradientCapture()
    fit(classifier(steps_per_execution=1), *examples, capture)
    assert capture.frame["step"].unique().tolist() == list(range(6))
    assert capture.frame.groupby("epoch")["step"].nunique().tolist() == [3, 3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # Keras's word at its first end
def test_data_of_unknown_length_are_recorded_whole(examples, classifier):
    """A data set of unknown length gives every step."""
    data = tf.data.Dataset.from_tensor_slices(examples).batch(10).filter(lambda x, y: True)
    assert data.cardinality() == tf.data.UNKNOWN_CARDINALITY
    capture = kt.callbacks.GradientCapture()
    classifier().fit(data, epochs=2, verbose=0, shuffle=False, callbacks=[capture])
    assert capture.frame.groupby("epoch")["step"].nunique().tolist() == [5, 5]


def test_a_variable_without_a_gradient_has_no_row(examples):
    """A layer that the loss does not reach is not there; the others are."""
    inputs = keras.Input((4,))
    used = layers.Dense(3, activation="softmax", name="used")(inputs)
    unused = layers.Dense(2, name="unused")(inputs)
    model = keras.Model(inputs, [used, unused])
    model.compile("sgd", loss=["sparse_categorical_crossentropy", None])
    x, y = examples
    capture = kt.callbacks.GradientCapture(statistics=["norm"])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        fit(model, x, [y, y], capture)
    assert capture.frame["layer"].unique().tolist() == ["used"]


def test_a_step_that_diverges_is_not_finite(examples, classifier):
    """NaN in a batch shows in `finite`, from that step on."""
    x, y = examples
    x = x.copy()
    x[25] = np.nan
    capture = kt.callbacks.GradientCapture()
    fit(classifier(run_eagerly=True), x, y, capture, epochs=1)
    assert capture.frame.groupby("step")["finite"].all().tolist() == [True, False, False]


def test_embedding_gradients_are_summed_over_repeated_rows():
    """A sparse gradient's norm is that of its dense form."""
    model = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(5, 2), layers.Flatten()])
    model.compile(kt.optimizers.PlainSGD(1.0), kt.losses.HalfSquaredError(), jit_compile=False)
    before = model.get_weights()[0]
    capture = kt.callbacks.GradientCapture()
    model.fit(np.array([[1, 1, 2]]), np.ones((1, 6)), verbose=0, callbacks=[capture])
    assert capture.frame["norm"][0] == pytest.approx(np.linalg.norm(before - model.get_weights()[0]), rel=1e-5)


def test_mixed_precision_gradients_are_unscaled(examples):
    """Under mixed_float16 norms are those of the true gradient, and a skipped step is not finite."""
    keras.config.set_dtype_policy("mixed_float16")
    model = kt.models.mlp("tanh", (5, 4), inputs=4, outputs=3, seed=0)
    model.compile(kt.optimizers.PlainSGD(0.5), "sparse_categorical_crossentropy", jit_compile=False)
    twin = kt.models.mlp("tanh", (5, 4), inputs=4, outputs=3, seed=0, dtype="float32")
    x, y = examples
    capture = kt.callbacks.GradientCapture()
    model.optimizer.initial_scale = 2.0**10  # of Keras's own 2 ** 15 the first steps would overflow
    model.fit(x, y, batch_size=50, epochs=1, verbose=0, callbacks=[capture])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, twin(x)))
    expected = [float(tf.norm(gradient)) for gradient in tape.gradient(loss, twin.trainable_variables)]
    assert capture.frame["finite"].all()
    np.testing.assert_allclose(capture.frame["norm"], expected, rtol=0.02)  # half precision has 3 digits


class Subclassed(keras.Model):
    """A model that is built when it is first called."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(5, activation="tanh")
        self.output_layer = layers.Dense(3, activation="softmax")

    def call(self, x):
        """Return the probabilities."""
        return self.output_layer(self.hidden(x))


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize(
    "build", [Subclassed, lambda: keras.Sequential([layers.Dense(5), layers.Dense(3, activation="softmax")])]
)
def test_a_model_that_fit_builds_is_recorded(build, run_eagerly, examples):
    """Without an Input the variables come into being in the first step; the model trains on afterwards."""
    model, capture = build(), kt.callbacks.GradientCapture()
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)  # with variables of its own
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=run_eagerly)
    fit(model, *examples, capture)
    assert len(capture.frame) == 2 * 3 * 4
    assert capture.frame["depth"].unique().tolist() == [1, 2]
    fit(model, *examples, epochs=1)


def test_two_layers_of_one_name_stay_two(examples):
    """Sub-models may name their layers alike; names and depths distinguish them."""
    inputs = keras.Input((4,))
    parts = [keras.Sequential([keras.Input((4,)), layers.Dense(4, name="d")], name=name) for name in ("one", "two")]
    outputs = layers.Dense(3, activation="softmax", name="o")(parts[1](parts[0](inputs)))
    model, capture = keras.Model(inputs, outputs), kt.callbacks.GradientCapture()
    model.compile("sgd", "sparse_categorical_crossentropy")
    fit(model, *examples, capture, epochs=1)
    first = capture.frame[capture.frame["step"] == 0]
    assert first["depth"].tolist() == [1, 1, 2, 2, 3, 3]
    assert first["layer"].nunique() == 3


class TwiceABatch(keras.Model):
    """A training step that calls the optimizer twice."""

    def train_step(self, data):
        """Take two steps on the same batch."""
        x, y = data
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, self(x, training=True)))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}


@pytest.mark.sample(1)
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_every_call_of_apply_is_a_step(run_eagerly, examples):
    """A custom training step may apply gradients more than once a batch."""
    inputs = keras.Input((4,))
    model = TwiceABatch(inputs, layers.Dense(3, activation="softmax")(inputs))
    model.compile(kt.optimizers.PlainSGD(0.1), run_eagerly=run_eagerly)
    capture = kt.callbacks.GradientCapture()
    fit(model, *examples, capture)
    assert capture.frame["step"].nunique() == 2 * 3 * 2 == int(model.optimizer.iterations)


def test_an_optimizer_that_is_never_used_is_told(examples):
    """A training step with an optimizer of its own leaves nothing to record, and says so."""

    class Own(keras.Model):
        def train_step(self, data):
            return {"loss": tf.constant(0.0)}

    inputs = keras.Input((4,))
    model = Own(inputs, layers.Dense(3)(inputs))
    model.compile("sgd")
    with pytest.warns(UserWarning, match="GradientCapture saw no gradient"):
        fit(model, *examples, kt.callbacks.GradientCapture(), epochs=1)


def test_a_learning_rate_function_is_not_called_more_often(examples, classifier):
    """A function that counts its calls sees as many with the capture as without."""
    calls = []
    for callbacks in ([], [kt.callbacks.GradientCapture()]):
        count = iter(range(1000))

        def rate(count=count):
            return 0.1 + 0 * next(count)

        fit(classifier(kt.optimizers.PlainSGD(rate), run_eagerly=True), *examples, *callbacks, epochs=1)
        calls.append(next(count))
    assert calls[0] == calls[1]


@pytest.mark.slow
def test_a_gradient_that_vanished_is_not_zero(examples, classifier):
    """Behind a loss as small as 30 sigmoid layers make it, the norm is far below what float32 can square."""
    model = kt.models.mlp("sigmoid", (80, 80), inputs=4, outputs=3, seed=0)
    loss = "sparse_categorical_crossentropy"
    model.compile(kt.optimizers.PlainSGD(0.1), loss, loss_weights=1e-20, jit_compile=False)
    capture = kt.callbacks.GradientCapture(statistics="all")
    fit(model, *examples, capture, epochs=1)
    row = capture.frame.iloc[2]  # the second layer's kernel: 6400 entries
    assert 0 < row["max_abs"] < 1e-18
    assert row["max_abs"] <= row["norm"] <= row["max_abs"] * np.sqrt(row["size"])


def test_evaluating_with_the_capture_changes_nothing(examples, classifier):
    """Only training hooks the optimizer."""
    model = classifier()
    model.evaluate(*examples, verbose=0, callbacks=[kt.callbacks.GradientCapture()])
    assert "apply" not in vars(model.optimizer)
