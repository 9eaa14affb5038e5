"""GradientCapture with a batch shared by two devices, under TensorFlow's MirroredStrategy."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt

random = np.random.default_rng(0)
X = random.normal(size=(80, 4)).astype("float32")
Y = np.arange(80) % 3
WORDS = random.integers(0, 7, (80, 3))
[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
SHARED = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def dense(*after_hidden):
    """Return a network of two dense layers, and perhaps something between them."""
    hidden = keras.layers.Dense(6, activation="tanh", name="hidden")
    output = keras.layers.Dense(3, activation="softmax", name="output")
    return keras.Sequential([keras.Input((4,)), hidden, *after_hidden, output], name="network")


def embedding():
    """Return a network whose first gradient is a slice of rows."""
    words = keras.layers.Embedding(7, 4, name="words")
    layers = [words, keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax", name="output")]
    return keras.Sequential([keras.Input((3,), dtype="int32"), *layers], name="network")


def compiled(optimizer, make=dense, shared=True, **options):
    """Return a compiled network, always with the same first weights."""
    with SHARED.scope() if shared else contextlib.nullcontext():
        model = make()
        for number, weights in enumerate(model.trainable_variables):
            weights.assign(np.random.default_rng(number).normal(size=weights.shape))
        model.compile(optimizer(), "sparse_categorical_crossentropy", **{"jit_compile": False, **options})
    return model


def fit(model, *callbacks, x=X, y=Y, epochs=2):
    """Train on batches of 20, which two devices share evenly."""
    model.fit(x, y, batch_size=20, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))


def recorded(optimizer, make=dense, shared=True, x=X, capture=None, **compile_options):
    """Return the capture of a training."""
    capture = capture or kt.callbacks.GradientCapture(statistics="all")
    fit(compiled(optimizer, make, shared, **compile_options), capture, x=x)
    return capture


def sgd():
    """Make the plain optimizer."""
    return keras.optimizers.SGD(0.2)


def clipped_adam():
    """Make an optimizer that clips."""
    return keras.optimizers.Adam(0.01, clipnorm=0.01)


def hold(optimizer=sgd, make=dense, x=X, **options):
    """Compare what two devices record with what one does."""
    ours = recorded(optimizer, make, x=x, **options).frame
    theirs = recorded(optimizer, make, shared=False, x=x, **options).frame
    variables = len(make().trainable_variables)
    assert ours["step"].tolist() == [step for step in range(8) for _ in range(variables)]
    assert ours["epoch"].tolist() == theirs["epoch"].tolist()
    assert ours["layer"].tolist() == theirs["layer"].tolist()
    assert ours["finite"].all()
    for name in ("norm", "mean_abs", "max_abs", "weight_norm"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, err_msg=name)
    scale = theirs["norm"] / np.sqrt(theirs["size"])
    for name in ("mean", "std"):
        np.testing.assert_array_less(np.abs(ours[name] - theirs[name]), 1e-5 * scale)


def test_the_recorded_gradient_is_that_of_the_whole_batch():
    """Plain gradient descent."""
    hold()


@pytest.mark.slow
def test_so_it_is_with_the_compilation_that_keras_chooses():
    """The compilation that Keras chooses."""
    hold(jit_compile="auto")


@pytest.mark.slow
def test_so_it_is_with_three_steps_an_execution():
    """Three steps an execution, of which an epoch's last holds one; Keras itself manages it without a graph only."""
    hold(run_eagerly=True, steps_per_execution=3)


@pytest.mark.slow
def test_so_it_is_with_accumulated_gradients():
    """Gradients applied at every second step; Keras itself manages that without a graph only."""
    hold(lambda: keras.optimizers.SGD(0.2, gradient_accumulation_steps=2), run_eagerly=True)


@pytest.mark.slow
def test_it_is_recorded_before_clipping():
    """With Adam that clips on each device, the gradient of the whole batch, unclipped, at the weights of each step."""

    class Weights(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(self.model.get_weights())

    seen, capture, twin = [], kt.callbacks.GradientCapture(), dense()
    fit(compiled(clipped_adam), capture, Weights())
    for step, weights in enumerate(seen):
        twin.set_weights(weights)
        batch = slice(step % 4 * 20, step % 4 * 20 + 20)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(Y[batch], twin(X[batch])))
        norms = [tf.norm(gradient).numpy() for gradient in tape.gradient(loss, twin.trainable_variables)]
        assert min(norms) > 2 * clipped_adam().clipnorm
        np.testing.assert_allclose(capture.at(step)["norm"], norms, rtol=1e-5)
    assert len(seen) == capture.frame["step"].nunique() == 8


def test_two_devices_train_our_pieces_as_one_does():
    """Our layers, loss, optimizer and callbacks: losses, weights, gradients and the stop are those of one device."""

    def make():
        hidden = kt.layers.Dense(6, activation="relu", name="hidden")
        output = kt.layers.Dense(3, name="output")
        return keras.Sequential(
            [keras.Input((4,)), hidden, kt.layers.Tanh(), output, kt.layers.Softmax()], name="network"
        )

    def train(shared):
        model = compiled(lambda: kt.optimizers.PlainSGD(0.5), make, shared, metrics=["accuracy"])
        capture, stop = kt.callbacks.GradientCapture(), kt.callbacks.StopOnError(1.05, verbose=0)
        history = model.fit(X, Y, batch_size=20, epochs=40, shuffle=False, verbose=0, callbacks=[capture, stop])
        return model.get_weights(), capture.frame, stop, history.history

    (weights, frame, stop, history), (their_weights, their_frame, their_stop, their_history) = train(True), train(False)
    assert 0 < stop.epoch == their_stop.epoch < 39
    assert stop.reason == their_stop.reason
    for name, values in their_history.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4, err_msg=name)
    for one, other in zip(weights, their_weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(frame["norm"], their_frame["norm"], rtol=1e-3)


@pytest.mark.slow
def test_the_gradient_of_an_embedding_is_summed_over_devices():
    """An embedding's gradient."""
    hold(make=embedding, x=WORDS)


@pytest.mark.slow
def test_training_is_not_changed():
    """The same weights, but for rounding, with the capture and without it."""
    for optimizer in (sgd, clipped_adam):
        plain, watched = compiled(optimizer), compiled(optimizer)
        fit(plain)
        fit(watched, kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"output": [0, 4]}))
        for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
        for one, other in zip(plain.optimizer.variables, watched.optimizer.variables, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)
        assert "apply" not in vars(watched.optimizer)


@pytest.mark.slow
def test_rows_can_be_spared():
    """Each third step, and whole epochs."""
    all_steps = recorded(sgd).frame
    third = recorded(sgd, capture=kt.callbacks.GradientCapture(every=3)).frame
    assert third["step"].unique().tolist() == [0, 3, 6]
    np.testing.assert_allclose(third["norm"], all_steps[all_steps["step"] % 3 == 0]["norm"], rtol=1e-4)
    epochs = recorded(sgd, capture=kt.callbacks.GradientCapture(every="epoch")).frame
    means = all_steps.groupby(["epoch", "path"], sort=False)["norm"].mean()
    assert epochs["step"].unique().tolist() == [3, 7]
    np.testing.assert_allclose(epochs["norm"], means, rtol=1e-4)


@pytest.mark.slow
def test_whole_gradients_and_histograms_are_those_of_the_whole_batch():
    """Whole gradients and histograms of them."""
    edges = [1e-3, 1e-2, 1e-1]
    captures = [
        recorded(sgd, shared=shared, capture=kt.callbacks.GradientCapture(histogram=edges, raw={"output": [0, 5]}))
        for shared in (True, False)
    ]
    ours, theirs = (capture.raw for capture in captures)
    assert list(ours) == list(theirs) == [0, 5]
    for step in theirs:
        assert set(ours[step]) == set(theirs[step])
        for path, gradient in theirs[step].items():
            np.testing.assert_allclose(ours[step][path], gradient, rtol=1e-4, atol=1e-7)
    rows = captures[0].histograms
    for step, arrays in ours.items():
        for path, gradient in arrays.items():
            counts, _ = np.histogram(np.abs(gradient), [*edges, np.inf])
            found = rows[(rows["step"] == step) & (rows["path"] == path)]["count"].tolist()
            assert found[2:-1] == counts.tolist()
            assert sum(found) == gradient.size


@pytest.mark.slow
def test_a_recording_streams_to_disk(tmp_path):
    """A run on disk, and another one of the next training."""
    model, capture = compiled(sgd), kt.callbacks.GradientCapture(directory=tmp_path)
    fit(model, capture)
    fit(model, capture, epochs=1)
    assert kt.measure.read(tmp_path, 1)["step"].nunique() == 8
    assert kt.measure.read(tmp_path)["step"].nunique() == 4


@pytest.mark.slow
def test_an_unevenly_shared_batch_is_one_row():
    """A last batch that the devices do not share evenly still has one row a step and variable."""
    capture = kt.callbacks.GradientCapture()
    fit(compiled(sgd), capture, x=X[:53], y=Y[:53])
    assert capture.frame["step"].tolist() == [step for step in range(6) for _ in range(4)]
    assert capture.frame["finite"].all()


@pytest.mark.slow
def test_what_one_device_alone_finds_not_finite_shows():
    """NaN on the second device alone shows."""
    x = X.copy()
    x[35] = np.nan  # of the second batch, in the half that the second device takes
    capture = recorded(sgd, x=x)
    assert capture.frame.groupby("step")["finite"].all().tolist() == [True] + [False] * 7


@pytest.mark.slow
def test_a_probe_is_refused():
    """A probe is refused, and the model trains on without a capture."""
    model = compiled(sgd, lambda: dense(kt.layers.GradientProbe()))
    with pytest.raises(RuntimeError, match=r"A GradientProbe records on one device.*MirroredStrategy"):
        fit(model, kt.callbacks.GradientCapture())
    assert "apply" not in vars(model.optimizer)
    fit(model)


@pytest.mark.slow
def test_outputs_are_refused():
    """Outputs are refused, and the model trains on without a capture."""
    model = compiled(sgd)
    with pytest.raises(RuntimeError, match=r"ActivationCapture records .* on one device.*MirroredStrategy"):
        fit(model, kt.callbacks.ActivationCapture())
    assert not any("call" in vars(layer) for layer in model.layers)
    fit(model)


@pytest.mark.slow
def test_loss_scaled_gradients_are_unscaled():
    """Under mixed_float16 norms are those of the true gradient."""
    keras.config.set_dtype_policy("mixed_float16")

    def optimizer():
        return keras.optimizers.LossScaleOptimizer(sgd(), initial_scale=2.0**8)

    fit(compiled(optimizer))
    ours = recorded(optimizer).frame
    keras.config.set_dtype_policy("float32")
    theirs = recorded(sgd, shared=False).frame
    assert ours["step"].tolist() == theirs["step"].tolist()
    np.testing.assert_allclose(ours["norm"], theirs["norm"], rtol=0.05)


@pytest.mark.slow
def test_a_training_started_inside_the_scope_is_recorded():
    """A training that is started inside the strategy's scope."""
    capture, model = kt.callbacks.GradientCapture(raw={"output": 1}), compiled(sgd)
    with SHARED.scope():
        fit(model, capture)
    expected = recorded(sgd, shared=False).frame
    assert capture.frame["step"].tolist() == expected["step"].tolist()
    np.testing.assert_allclose(capture.frame["norm"], expected["norm"], rtol=1e-5)
    assert set(capture.raw[1]) == {"network/output/kernel", "network/output/bias"}


@pytest.mark.slow
def test_a_loop_of_ones_own_is_recorded():
    """A training loop of one's own."""
    model = compiled(sgd)
    with SHARED.scope():
        model.optimizer.build(model.trainable_variables)

    def step(x, y):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
            loss = tf.nn.compute_average_loss(losses, global_batch_size=20)
        model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    batches = SHARED.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((X, Y)).batch(20))
    with SHARED.scope(), kt.measure.record(model.optimizer, model) as tape:
        compiled_step = tf.function(lambda x, y: SHARED.run(step, (x, y)))
        for x, y in batches:
            compiled_step(x, y)
    expected = recorded(sgd, shared=False).frame
    expected = expected[expected["epoch"] == 0]
    assert tape.frame["step"].tolist() == expected["step"].tolist()
    np.testing.assert_allclose(tape.frame["norm"], expected["norm"], rtol=1e-5)


def test_a_stop_is_at_the_first_batch_whose_own_loss_is_below():
    """A stop per batch, with a smaller last batch, is where the whole batch's own loss on one device says."""
    x, y = X[:70], Y[:70]
    twin, losses = compiled(sgd, shared=False), []
    for _ in range(4):
        for start in range(0, 70, 20):
            rows = slice(start, start + 20)
            loss = -np.log(np.asarray(twin(x[rows]))[np.arange(len(y[rows])), y[rows]]).mean()
            losses.append(float(loss))
            twin.train_on_batch(x[rows], y[rows])
    threshold = sorted(losses)[2] * 1.0001
    first = next(number for number, loss in enumerate(losses) if loss < threshold)
    stop = kt.callbacks.StopOnError(threshold, per="batch", verbose=0)
    fit(compiled(sgd), stop, x=x, y=y, epochs=4)
    assert (stop.epoch, stop.step) == divmod(first, 4), (stop.reason, losses)
    np.testing.assert_allclose(stop.value, losses[first], rtol=1e-5)


class Apart(keras.Model):
    """A network whose layers lie on two devices."""

    def __init__(self):
        super().__init__()
        self.chain = []
        for device, units, inputs in (("CPU:0", 6, 4), ("CPU:1", 3, 6)):
            with tf.device(device):
                layer = keras.layers.Dense(units)
                layer.build((None, inputs))
                self.chain.append(layer)

    def call(self, inputs):
        """Call one layer after the other."""
        return self.chain[1](self.chain[0](inputs))


@pytest.mark.parametrize("every", [1, 2])
def test_a_model_on_two_devices_is_recorded(every):
    """Whose weights are copied on each of them, in the steps that are captured."""
    model = Apart()
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)
    capture = kt.callbacks.GradientCapture(statistics="all", every=every)
    fit(model, capture, y=np.eye(3)[Y], epochs=1)
    assert capture.frame["step"].unique().tolist() == [*range(0, 4, every)]
    kernels = capture.frame.query("parameter == 'kernel'")
    assert (kernels["update_ratio"] > 0).all()
