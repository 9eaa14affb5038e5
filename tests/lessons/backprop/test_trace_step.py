from contextlib import nullcontext

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

import kerasteach as kt

EXACT = {  # two sigmoid neurons in series, computed with more digits than the course prints
    ("z", 1): 0.415,
    ("a", 1): 0.6022861769,
    ("z", 2): 0.9210287796,
    ("a", 2): 0.7152516803,
    ("dE/dW", 2): 0.0570703982,
    ("dE/db", 2): 0.0947562810,
    ("dE/dW", 1): 0.0010213959,
    ("dE/db", 1): 0.0102139588,
    ("new W", 2): 0.4271718407,
    ("new b", 2): 0.6120974876,
    ("new W", 1): 0.1495914416,
    ("new b", 1): 0.3959144165,
}
# Each function and loss once more, in TensorFlow's own words and float64.
FUNCTIONS = {
    "binary_step": lambda z: tf.cast(z >= 0, z.dtype),
    "linear": tf.identity,
    "sigmoid": tf.nn.sigmoid,
    "tanh": tf.nn.tanh,
    "relu": tf.nn.relu,
    "leaky_relu": lambda z: tf.nn.leaky_relu(z, 0.01),
    "softmax": tf.nn.softmax,
    "gelu": lambda z: tf.nn.gelu(z),
}
OURS = {name: kt.activations.get(name) for name in kt.activations.names()}
SPARSE = "sparse_categorical_crossentropy"
LOSSES = {  # our or Keras's loss, the output's function, and the formula
    "half": (kt.losses.HalfSquaredError(), "tanh", lambda t, a: tf.reduce_mean(tf.reduce_sum((t - a) ** 2, 1) / 2)),
    "mse": ("mse", "linear", lambda t, a: tf.reduce_mean((t - a) ** 2)),
    "mse of softmax": ("mse", "softmax", lambda t, a: tf.reduce_mean((t - a) ** 2)),
    "mae": ("mae", "sigmoid", lambda t, a: tf.reduce_mean(abs(t - a))),
    "sparse": (SPARSE, "softmax", lambda t, a: -tf.reduce_mean(tf.reduce_sum(t * tf.math.log(a), 1))),
    "categorical": (
        "categorical_crossentropy",
        "softmax",
        lambda t, a: -tf.reduce_mean(tf.reduce_sum(t * tf.math.log(a), 1)),
    ),
    "smoothed": (
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        "softmax",
        lambda t, a: -tf.reduce_mean(tf.reduce_sum((0.9 * t + 0.1 / 3) * tf.math.log(a), 1)),
    ),
    "sparse of logits": (
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "linear",
        lambda t, a: -tf.reduce_mean(tf.reduce_sum(t * tf.nn.log_softmax(a), 1)),
    ),
    "softmax said to be logits": (
        keras.losses.CategoricalCrossentropy(from_logits=True),
        "softmax",
        lambda t, a: -tf.reduce_mean(tf.reduce_sum(t * tf.math.log(a), 1)),
    ),
    "binary": (
        "binary_crossentropy",
        "sigmoid",
        lambda t, a: -tf.reduce_mean(t * tf.math.log(a) + (1 - t) * tf.math.log(1 - a)),
    ),
    "binary of logits": (
        keras.losses.BinaryCrossentropy(from_logits=True),
        "linear",
        lambda t, a: tf.reduce_mean(tf.nn.softplus(a) - t * a),
    ),
    "summed": (
        keras.losses.MeanSquaredError(reduction="sum"),
        "relu",
        lambda t, a: tf.reduce_sum(tf.reduce_mean((t - a) ** 2, 1)),
    ),
}
OPTIMIZERS = {
    "plain": lambda: kt.optimizers.PlainSGD(0.3),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.05),
    "clipped": lambda: keras.optimizers.RMSprop(0.02, global_clipnorm=0.01),
    "decayed": lambda: keras.optimizers.AdamW(0.05, weight_decay=0.2),
    "scheduled": lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)),
    "callable": lambda: kt.optimizers.PlainSGD(lambda: 0.07),
    "scaled": lambda: keras.optimizers.SGD(0.1, loss_scale_factor=64.0),
    "dynamic": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "averaged": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=1),
    "accumulated": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


def two_neurons():
    """Return the course's network: x -> sigmoid -> sigmoid."""
    constant = keras.initializers.Constant
    neurons = [
        kt.layers.Dense(1, "sigmoid", kernel_initializer=constant(w), bias_initializer=constant(b))
        for w, b in ((0.15, 0.40), (0.45, 0.65))
    ]
    return keras.Sequential([keras.Input((1,)), *neurons])


def numbers(trace, quantity, depth):
    """Return a quantity of one depth as an array: by example and unit, by source and unit, or by unit."""
    rows = trace.frame[(trace.frame["quantity"] == quantity) & (trace.frame["depth"] == depth)]
    axes = [axis for axis in ("example", "source", "unit") if rows[axis].notna().any()]
    array = np.full([int(rows[axis].max()) + 1 for axis in axes], np.nan)
    for place, value in zip(rows[axes].to_numpy("int64"), rows["value"], strict=True):
        assert np.isnan(array[tuple(place)]), "a number comes once"
        array[tuple(place)] = value
    return array


def total(trace):
    """Return E of the whole batch."""
    errors = trace.frame[trace.frame["quantity"] == "E"]
    return errors[errors["layer"].isna() & errors["example"].isna()]["value"].item()


def new_weights(trace):
    """Return all new weights in a row, in the model's order."""
    return trace.frame[trace.frame["quantity"].isin(["new W", "new b"])]["value"].to_numpy()


def in_a_row(model):
    """Return all weights of a model in a row."""
    return np.concatenate([np.ravel(one) for one in model.get_weights()])


def batch(examples, loss="mse", features=4, outputs=3):
    """Return examples, and targets as the loss takes them: class numbers, ones and zeros, or numbers."""
    random = np.random.default_rng(examples)
    x, classes = random.normal(size=(examples, features)), random.integers(0, outputs, examples)
    y = classes if "sparse" in loss else np.eye(outputs)[classes]
    return x.astype("float32"), y.astype("float32")


def twin(model, functions, formula, x, t):
    """Return z, a and all derivatives by automatic differentiation in float64, by quantity and depth."""
    weights = [tf.Variable(weight, dtype="float64") for weight in model.get_weights()]
    with tf.GradientTape() as tape:
        a, found = tf.constant(x, "float64"), {}
        for depth, name in enumerate(functions, start=1):
            z = a @ weights[2 * depth - 2] + weights[2 * depth - 1]
            tape.watch(z)
            a = FUNCTIONS[name](z)
            tape.watch(a)
            found |= {("z", depth): z, ("a", depth): a}
            found |= {("W", depth): weights[2 * depth - 2], ("b", depth): weights[2 * depth - 1]}
        error = formula(tf.constant(t, "float64"), a)
    keys = list(found)
    zero = tf.UnconnectedGradients.ZERO
    slopes = tape.gradient(error, [found[key] for key in keys], unconnected_gradients=zero)
    return found | {(f"dE/d{key[0]}", key[1]): slope for key, slope in zip(keys, slopes, strict=True)}, error


def check(model, functions, loss, formula, x, y):
    """Prove the trace against the twin, and against what Keras then does in one `train_on_batch`."""
    trace = kt.trace_step(model, x, y)
    t = y if y.ndim == 2 else np.eye(3)[y.astype(int)]
    found, error = twin(model, functions, formula, x, t)
    for key, value in found.items():
        np.testing.assert_allclose(numbers(trace, *key), value, rtol=2e-4, atol=2e-6, err_msg=str(key))
    told = float(model.train_on_batch(x, y))
    assert total(trace) == pytest.approx(float(error), rel=1e-4)
    assert total(trace) == pytest.approx(told, rel=1e-5)
    np.testing.assert_allclose(new_weights(trace), in_a_row(model), rtol=1e-5, atol=1e-6)


def network(functions, loss="mse", optimizer=None):
    """Return a compiled network 4-5-3, or deeper, with biases that are not zero."""
    normal = keras.initializers.RandomNormal(stddev=0.5, seed=3)
    widths = [5] * (len(functions) - 1) + [3]
    model = keras.Sequential(
        [keras.Input((4,))]
        + [
            layers.Dense(
                width, kt.activations.get(name) if name in kt.activations.names() else name, bias_initializer=normal
            )
            for width, name in zip(widths, functions, strict=True)
        ]
    )
    for layer in model.layers:
        layer.kernel.assign(np.random.default_rng(7).normal(size=layer.kernel.shape) * 0.7)
    model.compile(optimizer or kt.optimizers.PlainSGD(0.5), loss, jit_compile=False)
    return model


@pytest.mark.parametrize("key", EXACT, ids=lambda key: f"{key[0]}{key[1]}")
def test_the_courses_step_comes_out(key):
    """Two sigmoid neurons in series, learning rate 0.4: the exact numbers to 1e-6."""
    trace = kt.trace_step(two_neurons(), [[0.1]], [[0.25]], kt.optimizers.PlainSGD(0.4))
    assert numbers(trace, *key).item() == pytest.approx(EXACT[key], abs=1e-6)


def test_the_courses_error_comes_out():
    """E = 1/2 (T - a2)^2 = 0.1082295630; the slide's 0.1083 is a slip."""
    trace = kt.trace_step(two_neurons(), [[0.1]], [[0.25]])
    assert total(trace) == pytest.approx(0.1082295630, abs=1e-6)


def test_all_updates_use_the_old_weights():
    """B1 becomes 0.3959; going back through the new w2 would make it 0.3961."""
    trace = kt.trace_step(two_neurons(), [[0.1]], [[0.25]], kt.optimizers.PlainSGD(0.4))
    a1 = numbers(trace, "a", 1).item()
    trap = 0.40 - 0.4 * (numbers(trace, "dE/dz", 2) * numbers(trace, "new W", 2) * a1 * (1 - a1)).item()
    assert round(trap, 4) == 0.3961
    assert round(numbers(trace, "new b", 1).item(), 4) == 0.3959


def test_kerass_mse_doubles_the_gradient():
    """With one output, mse has no 1/2: w2 becomes 0.4043 instead of 0.4272."""
    model = two_neurons()
    model.compile(kt.optimizers.PlainSGD(0.4), "mse")
    assert round(numbers(kt.trace_step(model, [[0.1]], [[0.25]]), "new W", 2).item(), 4) == 0.4043


def test_without_compile_it_is_the_courses_loss_and_plain_descent():
    """HalfSquaredError and PlainSGD(0.1) where the model is not compiled."""
    trace = kt.trace_step(two_neurons(), [[0.1]], [[0.25]])
    assert numbers(trace, "new W", 2).item() == pytest.approx(0.45 - 0.1 * EXACT["dE/dW", 2], abs=1e-6)


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_agrees_with_autodiff_and_with_keras(name):
    """All numbers of a batch of 5 equal a float64 twin's; the new weights and E are those of `train_on_batch`."""
    loss, last, formula = LOSSES[name]
    x, y = batch(5, "sparse" if "sparse" in name else name)
    with pytest.warns(UserWarning, match="from_logits") if "said to be" in name else nullcontext():
        check(network(("tanh", last), loss), ("tanh", last), loss, formula, x, y)


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_activation_agrees_with_autodiff_and_with_keras(name):
    """In a hidden layer between two others, where its derivative passes the error on."""
    x, y = batch(4)
    functions = ("tanh", name, "linear")
    check(network(functions), functions, "mse", LOSSES["mse"][2], x, y)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [1, 7])
@pytest.mark.parametrize("last", [name for name in LOSSES if "said to be" not in name])
@pytest.mark.parametrize("hidden", FUNCTIONS)
def test_the_matrix_of_losses_activations_and_batches(hidden, last, examples):
    """Each activation under each loss, for batches of several sizes."""
    loss, output, formula = LOSSES[last]
    x, y = batch(examples, "sparse" if "sparse" in last else last)
    check(network((hidden, output), loss), (hidden, output), loss, formula, x, y)


def _state(model):
    optimizer = model.optimizer
    return [*model.get_weights(), *(keras.ops.convert_to_numpy(one) for one in optimizer.variables), optimizer.built]


@pytest.fixture(scope="module", params=[(name, steps) for name in OPTIMIZERS for steps in (0, 2)], ids=str)
def optimized(request):
    """Return a trace with an optimizer, new or with a past, the state before and after it, and Keras's next step."""
    name, steps = request.param
    x, y = batch(6)
    model = network(("tanh", "linear"), optimizer=OPTIMIZERS[name]())
    for _ in range(steps):
        model.train_on_batch(x, y)
    before = _state(model)
    trace = kt.trace_step(model, x[:4], y[:4])
    after = _state(model)
    model.train_on_batch(x[:4], y[:4])
    return trace, before, after, in_a_row(model)


@pytest.mark.sample(2)
def test_every_optimizers_step_is_kerass(optimized):
    """The new weights are those that `train_on_batch` makes next."""
    trace, _, _, following = optimized
    np.testing.assert_allclose(new_weights(trace), following, rtol=1e-5, atol=1e-6)


@pytest.mark.sample(2)
def test_model_and_optimizer_stay_as_they_are(optimized):
    """Weights, the optimizer's variables, its count and whether it is built: to the last bit."""
    _, before, after, _ = optimized
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_metrics_stay_as_they_are():
    """What `evaluate` and `fit` add up is not touched."""
    x, y = batch(6)
    model = network(("tanh", "linear"))
    model.train_on_batch(x, y)
    before = [np.array(one) for metric in model.metrics for one in metric.variables]
    kt.trace_step(model, x[:2], y[:2])
    after = [np.array(one) for metric in model.metrics for one in metric.variables]
    assert before == after
    assert before


def test_a_capture_does_not_hear_a_trace():
    """A trace is no training step."""
    x, y = batch(6)
    model = network(("tanh", "linear"))
    with kt.callbacks.GradientCapture() as capture:
        model.fit(x, y, verbose=0, callbacks=[capture])
        steps = len(capture.frame)
        kt.trace_step(model, x, y)
        model.fit(x, y, verbose=0, callbacks=[capture])
    assert len(capture.frame) == steps


def test_apply_takes_the_step():
    """With `apply=True` the weights are the new ones, and the optimizer has taken one step."""
    x, y = batch(6)
    model = network(("tanh", "linear"), optimizer=keras.optimizers.Adam(0.1))
    before = model.get_weights()
    trace = kt.trace_step(model, x, y, apply=True)
    np.testing.assert_array_equal(numbers(trace, "W", 1), before[0])
    np.testing.assert_array_equal(numbers(trace, "new W", 1), model.get_weights()[0])
    assert (model.get_weights()[0] != before[0]).any()
    assert int(model.optimizer.iterations) == 1


def test_the_optimizer_can_be_another():
    """`optimizer=` is used instead of the compiled one, which stays out of it."""
    x, y = batch(3)
    model = network(("tanh", "linear"), optimizer="adam")
    trace = kt.trace_step(model, x, y, optimizer=kt.optimizers.PlainSGD(2.0))
    expected = numbers(trace, "W", 1) - 2.0 * numbers(trace, "dE/dW", 1)
    np.testing.assert_allclose(numbers(trace, "new W", 1), expected, rtol=1e-5, atol=1e-6)
    assert not model.optimizer.built


def test_what_a_trace_shows_is_what_a_capture_records():
    """Layer, depth and norm of dE/dW and dE/db agree with GradientCapture's table."""
    x, y = batch(5)
    model = network(("tanh", "linear"))
    trace = kt.trace_step(model, x, y)
    capture = kt.callbacks.GradientCapture()
    model.fit(x, y, batch_size=5, verbose=0, callbacks=[capture])
    for row in capture.frame.itertuples():
        letter = {"kernel": "W", "bias": "b"}[row.parameter]
        assert np.linalg.norm(numbers(trace, f"dE/d{letter}", row.depth)) == pytest.approx(row.norm, rel=1e-5)
        assert row.layer in trace.frame[trace.frame["depth"] == row.depth]["layer"].unique()


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_saturated_outputs_learn_as_in_keras(kind):
    """Where a is rounded to 0 or 1, Keras still finds dE/dz = a - T, from z; so does the trace, and the same E."""
    units = 2 if kind == "softmax" else 1
    start = keras.initializers.Constant([[60.0, -60.0][:units]])
    model = keras.Sequential([keras.Input((1,)), layers.Dense(units, kind, kernel_initializer=start)])
    model.compile(kt.optimizers.PlainSGD(1.0), SPARSE if kind == "softmax" else "binary_crossentropy")
    y = np.array([1]) if kind == "softmax" else np.array([[0.0]])
    trace = kt.trace_step(model, np.ones((1, 1)), y)
    error = float(model.train_on_batch(np.ones((1, 1)), y))
    np.testing.assert_allclose(numbers(trace, "new W", 1), model.get_weights()[0], rtol=1e-6)
    assert trace.frame.query("quantity == 'E'")["value"].tolist() == pytest.approx([error, error])


def test_softmax_passes_the_error_through_its_jacobian():
    """DE/da of softmax with cross-entropy is -T / a; times the Jacobian it is a - T."""
    x, y = batch(3, "sparse")
    trace = kt.trace_step(network(("tanh", "softmax"), SPARSE), x, y)
    t, a, error = np.eye(3)[y.astype(int)], numbers(trace, "a", 2), numbers(trace, "dE/da", 2)
    np.testing.assert_allclose(error, -t / a / 3, rtol=1e-5)
    jacobian = a[:, :, None] * (np.eye(3) - a[:, None, :])
    np.testing.assert_allclose(np.einsum("ei,eij->ej", error, jacobian), numbers(trace, "dE/dz", 2), atol=1e-6)


def _compiled(*made, loss="mse", **options):
    model = keras.Sequential([keras.Input((4,)), *made])
    model.compile(kt.optimizers.PlainSGD(0.5), loss, **options)
    return model


PENALTY = {"kernel_regularizer": keras.regularizers.L1L2(0.01, 0.02), "bias_regularizer": "l2"}
MODELS = {
    "activation layers": ([layers.Dense(5), layers.Activation("tanh"), layers.Dense(3), layers.Softmax()], SPARSE),
    "our layers": ([kt.layers.Dense(5), kt.layers.LeakyReLU(0.2), kt.layers.Dense(3), kt.layers.Sigmoid()], "mse"),
    "leaky": ([layers.Dense(5), layers.LeakyReLU(), layers.Dense(5, "leaky_relu"), layers.Dense(3)], "mse"),
    "a bounded ReLU": ([layers.Dense(5), layers.ReLU(max_value=0.5), layers.ELU(), layers.Dense(3)], "mse"),
    "two functions in a row": ([layers.Dense(5, "tanh"), layers.ReLU(), layers.Dense(3)], "mse"),
    "a function first": ([layers.ReLU(), kt.layers.GradientProbe(), layers.Dense(3)], "mse"),
    "a function of softmax": ([layers.Dense(3, "softmax"), layers.Identity()], SPARSE),
    "no bias": ([layers.Dense(5, "tanh", use_bias=False), layers.Dense(3)], "mse"),
    "regularizers": ([layers.Dense(5, "tanh", **PENALTY), layers.Dense(3)], "mse"),
    "a frozen layer": (
        [layers.Dense(5, "tanh"), layers.Dense(4, "tanh", trainable=False, **PENALTY), layers.Dense(3)],
        "mse",
    ),
    "a constraint": ([layers.Dense(5, "tanh", kernel_constraint="unit_norm"), layers.Dense(3)], "mse"),
    "float64": ([layers.Dense(5, "tanh", dtype="float64"), layers.Dense(3, dtype="float64")], "mse"),
    "a layer as function": ([layers.Dense(5, activation=layers.LeakyReLU(0.1)), layers.Dense(3)], "mse"),
    "log softmax": ([layers.Dense(3, "log_softmax")], "mse"),
    "a model inside": ([keras.Sequential([keras.Input((4,)), layers.Dense(5, "tanh")]), layers.Dense(3)], "mse"),
}


def chain(name):
    """Return one of MODELS, compiled anew: layers of their own, biases that are not zero."""
    made, loss = MODELS[name]
    made = [one.__class__.from_config(one.get_config()) for one in made]
    model = _compiled(*made, loss=loss)
    for variable in model.variables:
        if variable.path.endswith("bias"):
            variable.assign(np.linspace(-0.5, 0.5, variable.shape[0]))
    return model


def _functional():
    inputs = keras.Input((4,))
    inner = keras.Model(inputs, layers.Dense(5, "tanh")(inputs))
    x = keras.Input((2, 2))
    model = keras.Model(x, layers.Dense(3)(inner(layers.Flatten()(x))))
    model.compile(kt.optimizers.PlainSGD(0.5), "mse")
    return model


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", [*MODELS, "functional"])
def test_every_kind_of_chain_is_stepped_as_keras_does(name):
    """E and the weights after `train_on_batch` are those of the trace, whatever the layers are."""
    keras.utils.set_random_seed(1)
    model = _functional() if name == "functional" else chain(name)
    x, y = batch(4, model.loss)
    x = x.reshape(4, 2, 2) if name == "functional" else x
    trace = kt.trace_step(model, x, y)
    assert total(trace) == pytest.approx(float(model.train_on_batch(x, y)), rel=1e-5)
    np.testing.assert_allclose(new_weights(trace), in_a_row(model), rtol=1e-5, atol=1e-6)


def test_a_frozen_layer_has_no_gradient_and_lets_the_error_pass():
    """There is no dE/dW row for it; its weights stay; the layer before it learns."""
    model = chain("a frozen layer")
    trace = kt.trace_step(model, *batch(4))
    rows = trace.frame[trace.frame["depth"] == 2]
    assert not set(rows["quantity"]) & {"dE/dW", "dE/db"}
    np.testing.assert_array_equal(numbers(trace, "W", 2), numbers(trace, "new W", 2))
    assert numbers(trace, "dE/dW", 1).any()


def test_what_a_regularizer_adds_has_its_row():
    """E of the layer is its penalty; the batch's E holds it."""
    trace = kt.trace_step(chain("regularizers"), *batch(4))
    errors = trace.frame.query("quantity == 'E'")
    penalty = errors[errors["layer"].notna()]["value"].item()
    each, whole = errors[errors["example"].notna()]["value"], errors["value"].iloc[-1]
    assert penalty > 0
    assert whole == pytest.approx(each.mean() + penalty)


def test_the_table_is_tidy():
    """The columns, their types, and the quantities in the order in which the step computes them."""
    frame = kt.trace_step(two_neurons(), [[0.1], [0.2]], [[0.25], [0.5]]).frame
    assert list(frame) == ["phase", "layer", "depth", "quantity", "example", "unit", "source", "value"]
    text = str(pd.Series(["text"]).dtype)  # "str" with pandas 3, and "object" with pandas 2
    assert frame.dtypes.astype(str).tolist() == [text, text, "Int64", text, "Int64", "Int64", "Int64", "float64"]
    assert frame["phase"].unique().tolist() == ["forward", "error", "backward", "update"]
    quantities = ["x", "z", "a", "E", "dE/da", "dE/dz", "dE/dW", "dE/db", "W", "new W", "b", "new b"]
    assert frame["quantity"].unique().tolist() == quantities
    assert frame.query("phase == 'backward'")["depth"].is_monotonic_decreasing


def test_a_model_that_is_not_built_is_built():
    """A Sequential model without an input gets its weights, and these are the ones in the table."""
    model = keras.Sequential([layers.Dense(2), layers.Dense(1)])
    trace = kt.trace_step(model, np.ones((2, 3)), np.ones((2, 1)))
    np.testing.assert_array_equal(numbers(trace, "W", 1), model.get_weights()[0])


class _OwnStep(keras.Sequential):
    def train_step(self, data):
        raise NotImplementedError


class _Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def _branches():
    x = keras.Input((4,))
    h = layers.Conv1D(1, 1, name="first_odd")(layers.Reshape((4, 1), name="reshaped")(x))
    return keras.Model(x, layers.Add()([layers.Dense(3)(layers.Flatten()(h)), layers.Dense(3)(x)]))


def _shared():
    x, dense = keras.Input((4,)), layers.Dense(4, name="twice")
    return keras.Model(x, dense(dense(x)))


def _operation():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(3)(keras.ops.relu(x)))


def _two_inputs():
    x = [keras.Input((4,)), keras.Input((4,))]
    return keras.Model(x, layers.Dense(3)(layers.Concatenate()(x)))


def _sequences():
    return keras.Sequential([keras.Input((2, 2)), layers.ReLU(), layers.Dense(3, name="wide"), layers.Flatten()])


REFUSED = {
    "more axes": (_sequences, "'wide' .Dense.*Flatten before it"),
    "dropout": (lambda: _compiled(layers.Dense(4), layers.Dropout(0.5, name="drop")), "'drop' .Dropout.*random"),
    "batch norm": (lambda: _compiled(layers.BatchNormalization(name="bn"), layers.Dense(3)), "'bn' .BatchNorm"),
    "branches": (_branches, "'reshaped' .Reshape"),
    "a shared layer": (_shared, "'twice'.*more than once"),
    "an operation": (_operation, r"'relu\w*'.*not a layer"),
    "two inputs": (_two_inputs, "2 inputs"),
    "its own train_step": (lambda: _OwnStep([keras.Input((4,)), layers.Dense(3)]), "its own train_step"),
    "a subclassed model": (_Subclassed, "its own call"),
    "an activity regularizer": (lambda: _compiled(layers.Dense(3, activity_regularizer="l2", name="busy")), "'busy'"),
    "PReLU": (lambda: _compiled(layers.Dense(3), layers.PReLU(name="p")), "'p' .PReLU"),
    "mixed precision": (
        lambda: _compiled(layers.Dense(3, dtype="mixed_float16", name="half")),
        "'half'.*mixed_float16",
    ),
    "no dense layer": (lambda: _compiled(layers.ReLU()), "must have a Dense layer"),
    "loss weights": (lambda: _compiled(layers.Dense(3), loss_weights=0.5), "loss_weights"),
    "softmax under the binary loss": (
        lambda: _compiled(layers.Dense(3, "softmax"), loss="binary_crossentropy"),
        "Keras minimizes",
    ),
    "no loss": (lambda: _compiled(layers.Dense(3), loss=None), "compiled with one loss"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_explained_is_refused(name):
    """The error names the first layer, or the argument, and says why."""
    build, message = REFUSED[name]
    x, y = batch(4)
    x = x.reshape(4, 2, 2) if name == "more axes" else x
    with pytest.raises(ValueError, match=message):
        kt.trace_step(build(), x, y)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones(4), np.ones((4, 3)), "`x` must be a batch"),
        (np.ones((2, 4)), np.ones((3, 3)), "a target for each example"),
        (np.ones((0, 4)), np.ones((0, 3)), "`x` must be a batch"),
        (np.ones((2, 5)), np.ones((2, 3)), "`x` must fit the model's input"),
        (np.full((2, 4), np.nan), np.ones((2, 3)), "`x` must hold finite numbers"),
        (np.ones((1, 4)), 1.0, "a target for each example"),
        (np.ones((2, 4)), np.ones((2, 2)), "`y` must be .examples, outputs"),
        (np.ones((2, 4)), np.ones(2), "`y` must be .examples, outputs"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(x, y, message):
    """The error names the argument and the shapes."""
    with pytest.raises(ValueError, match=message):
        kt.trace_step(network(("tanh", "linear")), x, y)


@pytest.mark.parametrize("y", [[["a"] * 3] * 2, None, [["a", 1.0, None]] * 2, keras.Input((3,))])
def test_targets_that_are_no_numbers_are_refused(y):
    """Text, nothing, and a placeholder for numbers have no error."""
    with pytest.raises(TypeError, match="`y` must be an array of numbers"):
        kt.trace_step(network(("tanh", "linear")), np.ones((2, 4)), y)


def test_a_model_of_two_inputs_or_outputs_is_refused_before_its_data():
    """The error speaks of the model, not of the shapes of lists of arrays."""
    one, other = keras.Input((2,)), keras.Input((2,))
    inputs = keras.Model([one, other], layers.Dense(1)(layers.Add()([one, other])))
    outputs = keras.Model(one, [layers.Dense(1)(one), layers.Dense(3)(one)])
    x, y = np.ones((3, 2)), np.ones((3, 1))
    with pytest.raises(ValueError, match="it has 2 inputs"):
        kt.trace_step(inputs, [x, x], y)
    with pytest.raises(ValueError, match="it has 2 outputs"):
        kt.trace_step(outputs, x, [y, np.ones((3, 3))])


@pytest.mark.parametrize(
    ("y", "loss", "message"),
    [([3, 0], SPARSE, "class numbers from 0 to 2"), (np.ones((2, 3)), "categorical_crossentropy", "a sum of 1")],
)
def test_targets_that_are_no_classes_are_refused(y, loss, message):
    """Class numbers must be classes, and probabilities must sum to 1."""
    with pytest.raises(ValueError, match=message):
        kt.trace_step(network(("tanh", "softmax"), loss), np.ones((2, 4)), y)


def test_what_is_no_model_or_optimizer_is_a_type_error():
    """The error names the argument."""
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        kt.trace_step("model", [[1.0]], [[1.0]])
    with pytest.raises(TypeError, match="`optimizer` must be a Keras optimizer"):
        kt.trace_step(two_neurons(), [[1.0]], [[1.0]], optimizer=0.1)


def test_an_optimizer_of_another_model_is_refused():
    """Its variables are others'; nothing has changed after the error."""
    optimizer = keras.optimizers.Adam()
    optimizer.build(two_neurons().trainable_variables)
    model = two_neurons()
    with pytest.raises(ValueError, match="`optimizer` must be new, or have been built for this model"):
        kt.trace_step(model, [[0.1]], [[0.25]], optimizer)
    assert model.get_weights()[0].item() == pytest.approx(0.15)


def test_one_optimizer_serves_several_models():
    """A trace does not build it."""
    optimizer = keras.optimizers.Adam(0.1)
    ends = [numbers(kt.trace_step(two_neurons(), [[0.1]], [[0.25]], optimizer), "new W", 1) for _ in range(2)]
    assert ends[0] == ends[1]


@pytest.mark.slow
def test_plot_is_the_figure_of_the_table():
    """The step draws itself: the same numbers as the figure of its table, of the example that is asked for."""
    model = kt.models.mlp("tanh", hidden=(2,), inputs=2, outputs=1, output_activation="sigmoid", seed=0)
    trace = kt.trace_step(model, [[0.5, -1.0], [2.0, 3.0]], [[1.0], [0.0]])
    drawn, expected = trace.plot(example=1), kt.plotting.traced_step(trace.frame, 1)
    assert [text.get_text() for text in drawn.texts] == [text.get_text() for text in expected.texts]
    assert [text.get_text() for text in trace.plot().texts] != [text.get_text() for text in expected.texts]
