"""What a capture records is compared with what a twin computes: the same weights, trained by hand on the same batches.

The twin shares no code with the recording: an eager loop with a tape, an optimizer of its own, a loss written out, and
float64 NumPy for the statistics. Without `slow` a sample of the matrix runs.
"""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kerasteach as kt

SLOW = pytest.mark.slow
STATISTICS = {"norm": np.linalg.norm, "mean": np.mean, "max_abs": lambda gradient: np.abs(gradient).max()}
MODES = {"eager": {"run_eagerly": True}, "graph": {"jit_compile": False}, "xla": {"jit_compile": True}}


def dense(gradient):
    """Return a gradient in float64, and an embedding's summed over the rows that it repeats."""
    if not isinstance(gradient, tf.IndexedSlices):
        return np.asarray(gradient, "float64")
    whole = np.zeros(tuple(gradient.dense_shape), "float64")
    np.add.at(whole, np.asarray(gradient.indices), np.asarray(gradient.values, "float64"))
    return whole


def cross_entropy(model, x, y, weight=1.0):
    """Return the mean over the batch of each example's weighted loss: Keras divides by their number."""
    losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
    return tf.reduce_sum(losses * weight) / y.shape[0]


def two_losses(model, x, y):
    """Return what `loss_weights=[0.3, 2.0]` makes of a cross-entropy and a squared error."""
    probabilities, values = model(x, training=True)
    first = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y[0], probabilities))
    return 0.3 * first + 2.0 * tf.reduce_mean(keras.losses.mean_squared_error(y[1], values))


def batches(size, *data):
    """Cut examples into batches, the last of which may be smaller."""
    number = len(keras.tree.flatten(data)[0])
    for start in range(0, number, size):
        yield keras.tree.map_structure(lambda array, start=start: array[start : start + size], data)


def by_hand(model, apply, loss, all_batches, in_xla=False):
    """Train step by step, and return each step's gradients."""

    def differentiate(batch):
        with tf.GradientTape() as tape:
            total = loss(model, *batch) + sum(model.losses)
        return tape.gradient(total, model.trainable_variables)

    steps, differentiate = [], tf.function(differentiate, jit_compile=True) if in_xla else differentiate
    for batch in all_batches:
        gradients = differentiate(batch)
        apply(gradients, model.trainable_variables)
        steps.append([dense(gradient) for gradient in gradients])
    return steps


def pair(build):
    """Return two models of the same weights."""
    keras.utils.set_random_seed(0)
    model, twin = build(), build()
    twin.set_weights(model.get_weights())
    return model, twin


def like(optimizer):
    """Return another optimizer of the same configuration; the twin's loss is never scaled."""
    return type(optimizer).from_config(optimizer.get_config() | {"loss_scale_factor": None})


def recorder(**options):
    """Return a capture of the statistics that are compared."""
    return kt.callbacks.GradientCapture(statistics=list(STATISTICS), **options)


def assert_recorded(capture, model, steps, rtol=1e-5, rounding=2e-7):
    """The table is that of these gradients: a row each, in the model's order.

    Two programs that add in another order agree to 1e-5. A gradient that is zero but for rounding, as that of a bias
    before BatchNormalization, agrees in nothing; it is some 1e-7 of the largest, and twice that is let pass.
    """
    frame, gradients = capture.frame, [gradient for step in steps for gradient in step]
    variables = model.trainable_variables
    assert frame["path"].tolist() == [variable.path for variable in variables] * len(steps)
    assert frame["size"].tolist() == [gradient.size for gradient in gradients]
    assert frame["step"].tolist() == np.repeat(np.arange(len(steps)), len(variables)).tolist()
    rounding *= max(np.linalg.norm(gradient) for gradient in gradients)
    for name, statistic in STATISTICS.items():
        expected = np.array([statistic(gradient) for gradient in gradients])
        unit = np.sqrt(frame["size"]) if name == "mean" else 1.0  # of n entries' mean, the root of n times is a norm
        np.testing.assert_allclose(unit * frame[name], unit * expected, rtol, rounding, err_msg=name)


def assert_same_weights(model, twin):
    """Both were trained alike."""
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def compare(build, x, y, optimizer=None, compiled=MODES["graph"], size=8, weight=None, **fit_options):
    """Train a model by two epochs of `fit` and its twin by hand; compare each gradient, and the weights at the end."""
    (model, twin), capture = pair(build), recorder()
    optimizer = optimizer or keras.optimizers.SGD(0.1, momentum=0.9)
    hands, several = like(optimizer), isinstance(y, list)
    loss = ["sparse_categorical_crossentropy", "mse"] if several else "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, loss_weights=[0.3, 2.0] if several else None, **compiled)
    model.fit(x, y, size, epochs=2, verbose=0, callbacks=[capture], shuffle=False, **fit_options)
    data = (x, y) if weight is None else (x, y, weight)
    loss = two_losses if several else cross_entropy
    in_xla = compiled.get("jit_compile", False) and build in (noisy, subclassed)  # where it draws masks of its own
    steps = by_hand(twin, hands.apply, loss, [*batches(size, *data)] * 2, in_xla)
    hands.finalize_variable_values(twin.trainable_variables)
    # Two XLA programs fuse differently; of a bias before BatchNormalization over two examples they leave up to 2.1e-7.
    assert_recorded(capture, model, steps, rounding=4e-7 if in_xla else 2e-7)
    assert_same_weights(model, twin)
    return capture.frame


def numbers(*shape):
    """Return random inputs, the same at each call."""
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def words(*shape):
    """Return word numbers out of 6, with many repeated."""
    return np.random.default_rng(0).integers(6, size=shape)


def plain():
    """Return a network of two layers for 4 features and 3 classes."""
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, "tanh", name="hidden"), layers.Dense(3, "softmax", name="output")]
    )


def noisy():
    """Return one with Dropout, which draws the same masks in each copy, and BatchNormalization."""
    parts = [layers.Dense(6), layers.BatchNormalization(), layers.Activation("tanh"), layers.Dropout(0.4, seed=7)]
    return keras.Sequential([keras.Input((4,)), *parts, layers.Dense(3, "softmax")])


def sequential(shape, *middle, dtype="float32"):
    """Return a function that builds a classifier of 3 classes around the layers that the functions make."""
    return lambda: keras.Sequential(
        [keras.Input(shape, dtype=dtype), *(make() for make in middle), layers.Dense(3, "softmax")]
    )


def shared():
    """Return a network that calls one layer three times, on two branches and on their sum."""
    inputs, layer = keras.Input((4,)), layers.Dense(4, "tanh", name="shared")
    left, right = layer(inputs), layer(layers.Dense(4, name="first")(inputs))
    return keras.Model(inputs, layers.Dense(3, "softmax", name="output")(layer(left + right)))


def two_by_two():
    """Return a network of two inputs and two outputs."""
    one, other = keras.Input((4,)), keras.Input((2,))
    trunk = layers.Dense(5, "tanh")(layers.Concatenate()([one, layers.Dense(3, "tanh")(other)]))
    return keras.Model([one, other], [layers.Dense(3, "softmax")(trunk), layers.Dense(2)(trunk)])


def nested():
    """Return a network with a Sequential in a functional model in it."""
    block = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh", name="inmost"), layers.Dense(4)], name="block")
    inside = keras.Input((4,))
    branch = keras.Model(inside, layers.Add()([inside, block(inside)]), name="branch")
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(3, "softmax")(branch(layers.Dense(4, "tanh")(inputs))))


class Subclassed(keras.Model):
    """A network whose order of calls is not that of its attributes."""

    def __init__(self):
        super().__init__()
        self.head = layers.Dense(3, "softmax")
        self.body = [layers.Dense(5, "tanh"), layers.Dense(4, "tanh")]
        self.dropout = layers.Dropout(0.3, seed=3)

    def call(self, x, training=False):
        """Return the probabilities."""
        for layer in self.body:
            x = self.dropout(layer(x), training=training)
        return self.head(x)


def subclassed():
    """Return it built."""
    model = Subclassed()
    model(np.zeros((1, 4)))
    return model


def attention():
    """Return a network that attends to its own sequence."""
    inputs = keras.Input((5, 4))
    attended = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(inputs + attended))
    return keras.Model(inputs, layers.Dense(3, "softmax")(pooled))


def regularized():
    """Return a network with losses of its own, one of the weights and one of the activations."""
    hidden = layers.Dense(5, "tanh", kernel_regularizer=keras.regularizers.L2(0.1), activity_regularizer="l1")
    return keras.Sequential([keras.Input((4,)), hidden, layers.Dense(3, "softmax", kernel_regularizer="l1")])


Y = np.arange(22) % 3  # in batches of 8, the last has 6
ARCHITECTURES = {
    "Sequential": (plain, numbers(22, 4), Y),
    "a shared layer": (shared, numbers(22, 4), Y),
    "two inputs, two outputs": (two_by_two, [numbers(22, 4), numbers(22, 2)], [Y, numbers(22, 2)]),
    "subclassed": (subclassed, numbers(22, 4), Y),
    "nested": (nested, numbers(22, 4), Y),
    "regularized": (regularized, numbers(22, 4), Y),
    "Dropout and BatchNormalization": (noisy, numbers(22, 4), Y),
    "Conv2D": (
        sequential(
            (6, 6, 2),
            lambda: layers.Conv2D(3, 3, activation="tanh"),
            layers.BatchNormalization,
            lambda: layers.MaxPooling2D(2),
            layers.Flatten,
        ),
        numbers(22, 6, 6, 2),
        Y,
    ),
    "LSTM": (sequential((5, 2), lambda: layers.LSTM(4)), numbers(22, 5, 2), Y),
    "GRU": (
        sequential((5, 2), lambda: layers.GRU(3, return_sequences=True), lambda: layers.GRU(4)),
        numbers(22, 5, 2),
        Y,
    ),
    "Embedding": (
        sequential((7,), lambda: layers.Embedding(6, 3), layers.Flatten, dtype="int32"),
        words(22, 7),
        Y,
    ),
    "a masked Embedding before LSTM": (
        sequential((7,), lambda: layers.Embedding(6, 3, mask_zero=True), lambda: layers.LSTM(4), dtype="int32"),
        words(22, 7),
        Y,
    ),
    "MultiHeadAttention": (attention, numbers(22, 5, 4), Y),
    "large layers among small": (
        sequential((64,), lambda: layers.Dense(70, "tanh"), lambda: layers.Dense(75, "tanh")),
        numbers(22, 64),
        Y,
    ),
    "a large Embedding": (
        sequential((7,), lambda: layers.Embedding(2000, 3), layers.Flatten, dtype="int32"),
        words(22, 7) * 300,
        Y,
    ),
}
QUICK = {("Sequential", "xla"), ("Embedding", "graph"), ("large layers among small", "graph")}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        pytest.param(kind, mode, marks=[] if (kind, mode) in QUICK else SLOW, id=f"{kind}-{mode}")
        for kind in ARCHITECTURES
        for mode in MODES
    ],
)
def test_every_architecture_is_recorded_as_its_twin_computes_it(kind, mode):
    """Whatever the layers and however they are connected, each variable's gradient is the twin's."""
    compare(*ARCHITECTURES[kind], compiled=MODES[mode])


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_large_gradient_that_all_but_vanished_is_the_twins(mode):
    """A norm of 1e-20, whose square float32 has no number for, is recorded with all its digits."""
    build = sequential((64,), lambda: layers.Dense(70, "tanh"), lambda: layers.Rescaling(1e-20))
    (model, twin), capture, x = pair(build), recorder(), numbers(22, 64)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **MODES[mode])
    model.fit(x, Y, 8, verbose=0, callbacks=[capture], shuffle=False)
    steps = by_hand(twin, keras.optimizers.SGD(0.1).apply, cross_entropy, batches(8, x, Y))
    assert_recorded(capture, model, steps)
    large = capture.frame[capture.frame["size"] == 64 * 70]
    assert large["norm"].max() < 1e-18
    for name in ("norm", "max_abs"):
        np.testing.assert_allclose(large[name], [STATISTICS[name](step[0]) for step in steps], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "steps_per_execution"),
    [
        pytest.param("eager", 1, marks=SLOW),
        pytest.param("eager", 7, marks=SLOW),
        pytest.param("graph", 1, marks=SLOW),
        pytest.param("graph", 7),
        pytest.param("xla", 1, marks=SLOW),
        pytest.param("xla", 7, marks=SLOW),
    ],
)
def test_every_mode_records_13_unequal_batches(mode, steps_per_execution):
    """Neither the mode nor an execution that the epoch's end cuts short changes what is recorded."""
    options = {**MODES[mode], "steps_per_execution": steps_per_execution}
    optimizer = keras.optimizers.SGD(0.1)
    frame = compare(noisy, numbers(50, 4), np.arange(50) % 3, optimizer, options, size=4)
    assert frame.groupby("epoch")["step"].nunique().tolist() == [13, 13]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_validation_leaves_no_row(mode):
    """Evaluating between the epochs neither shows in the table nor moves what follows."""
    validation = (numbers(30, 4), np.arange(30) % 3)
    compare(noisy, numbers(22, 4), Y, compiled=MODES[mode], validation_data=validation)


@pytest.mark.slow
def test_class_weights_are_in_the_gradient():
    """Each example counts with its class's weight, and the sum is divided by the number of examples."""
    weight = np.array([1.0, 3.0, 0.2], "float32")
    compare(plain, numbers(22, 4), Y, weight=weight[Y], class_weight=dict(enumerate(weight)))


@pytest.mark.slow
def test_sample_weights_are_in_the_gradient():
    """Each example counts with its own weight, some with none."""
    weight = np.abs(numbers(22)).round(1)
    weight[[3, 17]] = 0
    compare(plain, numbers(22, 4), Y, weight=weight, sample_weight=weight)


@pytest.mark.slow
def test_a_frozen_layer_is_absent():
    """A layer that is not trained has no row, and the depth counts those that are."""

    def build():
        model = nested()
        model.get_layer("branch").get_layer("block").get_layer("inmost").trainable = False
        return model

    frame = compare(build, numbers(22, 4), Y)
    assert frame.loc[frame["step"] == 0, "depth"].tolist() == [1, 1, 2, 2, 3, 3]
    assert not frame["path"].str.contains("inmost").any()


@pytest.mark.slow
@pytest.mark.parametrize("in_block", [False, True])
def test_layers_may_be_frozen_between_two_fits(in_block):
    """After another `compile` the second table has the variables that are trained then; the twin is frozen too."""
    (model, twin), capture, x = pair(plain), recorder(), numbers(22, 4)

    def both():
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", jit_compile=False)
        model.fit(x, Y, 8, verbose=0, callbacks=[capture], shuffle=False)
        steps = by_hand(twin, keras.optimizers.SGD(0.1).apply, cross_entropy, batches(8, x, Y))
        assert_recorded(capture, model, steps)
        return capture.frame["layer"].unique().tolist()

    with capture if in_block else nullcontext():
        assert both() == ["hidden", "output"]
        model.layers[0].trainable = twin.layers[0].trainable = False
        assert both() == ["output"]
        model.layers[0].trainable = twin.layers[0].trainable = True
        assert both() == ["hidden", "output"]


OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "clipnorm": lambda: keras.optimizers.SGD(0.5, clipnorm=0.01),
    "clipvalue": lambda: keras.optimizers.SGD(0.5, clipvalue=0.01),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.01),
    "gradient_accumulation_steps": lambda: keras.optimizers.Adam(0.05, gradient_accumulation_steps=2),
    "use_ema": lambda: keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
    "loss_scale_factor": lambda: keras.optimizers.SGD(0.5, loss_scale_factor=128.0),
    "PlainSGD": lambda: kt.optimizers.PlainSGD(0.5),
}


@pytest.mark.parametrize("mode", [pytest.param("graph"), pytest.param("xla", marks=SLOW)])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind == "global_clipnorm" else SLOW) for kind in OPTIMIZERS]
)
def test_the_optimizers_options_do_not_show(kind, mode):
    """Recorded is the gradient before clipping, accumulation and decay, unscaled; trained is with them."""
    frame = compare(plain, numbers(22, 4), Y, OPTIMIZERS[kind](), MODES[mode])
    assert frame["norm"].min() > 0.01  # each one is clipped, where the optimizer clips


@pytest.mark.slow
@pytest.mark.parametrize("scale", [None, 64.0])
@pytest.mark.parametrize("mode", MODES)
def test_an_optimizer_of_several_is_recorded_whole(mode, scale):
    """A MultiOptimizer's table has the variables of all its optimizers; by hand each is applied to its own."""
    (model, twin), capture, x = pair(plain), recorder(), numbers(22, 4)
    rules = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.2))
    rules[".*hidden.*"] = keras.optimizers.Adam(0.05)
    optimizer = keras.optimizers.MultiOptimizer(rules, loss_scale_factor=scale)
    model.compile(optimizer, "sparse_categorical_crossentropy", **MODES[mode])
    model.fit(x, Y, 8, epochs=2, verbose=0, callbacks=[capture], shuffle=False)
    adam, sgd = keras.optimizers.Adam(0.05), keras.optimizers.SGD(0.2)

    def apply(gradients, variables):
        adam.apply(gradients[:2], variables[:2])
        sgd.apply(gradients[2:], variables[2:])

    assert_recorded(capture, model, by_hand(twin, apply, cross_entropy, [*batches(8, x, Y)] * 2))
    assert_same_weights(model, twin)


class WeightsAfterEachStep(keras.callbacks.Callback):
    """Keep the weights after each step."""

    def on_train_begin(self, logs=None):
        """Forget the last fit's."""
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        """Keep those after this step."""
        self.seen.append(self.model.get_weights())


@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=SLOW), pytest.param("eager", marks=SLOW)])
def test_a_skipped_step_of_half_precision_is_a_row(mode):
    """Under mixed_float16 a step that overflows is recorded as not finite and counted; the weights stay as they are."""
    keras.config.set_dtype_policy("mixed_float16")
    model, twin = pair(sequential((4,), lambda: layers.Dense(5, "tanh")))
    capture, weights, x = recorder(), WeightsAfterEachStep(), numbers(40, 4)
    y = numbers(40, 3)
    y[8:16] = 30000.0  # 2 ** 10 times this error is beyond float16 in the second batch
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=2.0**10)
    model.compile(optimizer, "mse", **MODES[mode])
    model.fit(x, y, 8, verbose=0, callbacks=[capture, weights], shuffle=False)
    scale, hands, steps = 2.0**10, keras.optimizers.SGD(0.1), []
    for x_batch, y_batch in batches(8, x, y):
        with tf.GradientTape() as tape:
            error = tf.cast(twin(x_batch, training=True), "float32") - y_batch
            loss = scale * tf.reduce_mean(tf.square(error))
        gradients = [gradient / scale for gradient in tape.gradient(loss, twin.trainable_variables)]
        steps.append([dense(gradient) for gradient in gradients])
        if np.isfinite(steps[-1][0]).all():
            hands.apply(gradients, twin.trainable_variables)
        else:
            scale /= 2
    frame = capture.frame
    assert frame.groupby("step")["finite"].all().tolist() == [True, False, True, True, True]
    assert not frame.loc[frame["step"] == 1, "finite"].any()
    finite = [gradient for number, step in enumerate(steps) if number != 1 for gradient in step]
    recorded = frame.loc[frame["step"] != 1, "norm"]
    # float16 has 11 bits, 0.05 %; a bias's gradient is a sum that cancels, and XLA adds it up in more bits.
    np.testing.assert_allclose(recorded, [np.linalg.norm(gradient) for gradient in finite], rtol=0.01)
    for before, after in zip(weights.seen[0], weights.seen[1], strict=True):
        np.testing.assert_array_equal(before, after)
    assert int(optimizer.iterations) == 4


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_bfloat16_gradients_are_the_twins(mode):
    """Under mixed_bfloat16 the norms are those of a twin under the same policy."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    (model, twin), capture, x = pair(plain), recorder(), numbers(22, 4)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **MODES[mode])
    model.fit(x, Y, 8, epochs=2, verbose=0, callbacks=[capture], shuffle=False)

    def loss(model, x, y):
        probabilities = tf.cast(model(x, training=True), "float32")
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, probabilities))

    steps = by_hand(twin, keras.optimizers.SGD(0.1).apply, loss, [*batches(8, x, Y)] * 2)
    # bfloat16 has 8 bits, 0.4 %, and a graph and XLA round elsewhere than the eager twin, at every one of some steps.
    expected = [np.linalg.norm(gradient) for step in steps for gradient in step]
    np.testing.assert_allclose(capture.frame["norm"], expected, rtol=0.05)
