import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

import kerasteach as kt
from kerasteach.activations import functions
from kerasteach.activations.functions import COURSE
from kerasteach.activations.lookup import ACTIVATIONS

ELEMENTWISE = [name for name in kt.activations.names() if name != "softmax"]
KERAS = {
    "linear": keras.activations.linear,
    "sigmoid": keras.activations.sigmoid,
    "tanh": keras.activations.tanh,
    "relu": keras.activations.relu,
    "leaky_relu": lambda x: keras.activations.leaky_relu(x, negative_slope=0.01),
    "softmax": keras.activations.softmax,
}
POINTS = np.array([-np.inf, -1e4, -30.0, -1.5, -0.0, 0.0, 1e-3, 2.0, 30.0, 1e4, np.inf, np.nan])


def test_functions_have_the_names_of_the_course():
    """`names()` begins with the course's functions, and each is public under its name, with a look of its own."""
    assert set(kt.activations.names()) == set(functions.__all__) <= set(kt.activations.__all__)
    assert all(getattr(kt.activations, name) is known.function for name, known in COURSE.items())
    assert len({known.color for known in COURSE.values()} - {None}) == len(COURSE)
    course = ("binary_step", "linear", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")
    assert kt.activations.names()[: len(course)] == course


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", KERAS)
def test_values_are_kerass_own(name, dtype):
    """Each agrees with Keras's function in dtype and value, also far out, at infinity and at NaN."""
    x = ops.cast(POINTS[None, :], dtype)
    ours, theirs = kt.activations.get(name)(x), KERAS[name](x)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ops.cast(ours, "float64"), ops.cast(theirs, "float64"))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax"])
def test_values_agree_with_float64_numpy(name):
    """Each agrees with its formula in float64 NumPy."""
    x = np.linspace(-8, 8, 41)
    formulas = {"sigmoid": 1 / (1 + np.exp(-x)), "tanh": np.tanh(x), "softmax": np.exp(x) / np.exp(x).sum()}
    np.testing.assert_allclose(kt.activations.get(name)(x), formulas[name], rtol=1e-12)


def test_binary_step_is_one_at_zero():
    """The step is 1 from 0 on, -0.0 included, 0 below, and NaN at NaN."""
    np.testing.assert_array_equal(kt.activations.binary_step(POINTS), [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, np.nan])


@pytest.mark.parametrize("x", [3, [1, -2], np.array([1, -2])])
def test_whole_numbers_become_floats(x):
    """Integers are taken as floats."""
    assert kt.activations.sigmoid(x).dtype == tf.float32


@pytest.mark.parametrize("name", kt.activations.names())
def test_gradients_at_finite_inputs_are_never_nan(name):
    """Automatic differentiation gives a finite gradient at every finite input, and one that exists."""
    x = tf.constant(POINTS[np.isfinite(POINTS)], dtype="float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = kt.activations.get(name)(x)
    assert np.isfinite(tape.gradient(y, x).numpy()).all()


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", ELEMENTWISE)
@given(x=st.lists(st.floats(-20, 20), min_size=1, max_size=8))
def test_derivative_is_that_of_automatic_differentiation(name, x):
    """The derivative of each elementwise function is what TensorFlow differentiates."""
    x = tf.constant(x, dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = kt.activations.get(name)(x)
    # TensorFlow keeps leaky_relu's slope in float32, also for float64 inputs: hence 1e-7.
    np.testing.assert_allclose(kt.activations.derivative(name)(x), tape.gradient(y, x), rtol=1e-7, atol=1e-12)


@given(x=st.lists(st.floats(-20, 20), min_size=2, max_size=6))
def test_softmax_derivative_is_the_jacobian(x):
    """Softmax's derivative is the Jacobian that TensorFlow differentiates, a row an output."""
    x = tf.constant([x], dtype="float64")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = tf.unstack(kt.activations.softmax(x), axis=1)
    jacobian = np.stack([tape.gradient(output, x) for output in outputs], axis=1)
    np.testing.assert_allclose(kt.activations.derivative("softmax")(x), jacobian, rtol=1e-9, atol=1e-12)


def test_derivative_takes_the_function_too():
    """A function of the course names itself."""
    assert kt.activations.derivative(kt.activations.tanh) is kt.activations.derivative("tanh")


def test_largest_slopes_are_the_published_ones():
    """Sigmoid's derivative is 0.25 at most, tanh's 1, both at 0 (Glorot and Bengio 2010)."""
    table = kt.activations.table(["sigmoid", "tanh"])
    peaks = table.loc[table.groupby("activation")["derivative"].idxmax()].set_index("activation")
    assert peaks["derivative"].to_dict() == {"sigmoid": 0.25, "tanh": 1.0}
    assert np.allclose(peaks["x"], 0, atol=1e-12)


def test_leaky_relu_slopes_by_a_hundredth():
    """The slope is 0.01 unless it is said."""
    assert float(kt.activations.leaky_relu(-2.0)) == pytest.approx(-0.02)
    assert float(kt.activations.leaky_relu(-2.0, negative_slope=0.5)) == -1.0


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", kt.activations.names())
def test_a_saved_layer_of_kerass_finds_the_function_again(name, tmp_path):
    """A model with one of the functions in Keras's Dense loads without custom objects."""
    function = kt.activations.get(name)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=function)])
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").layers[0].activation is function


def test_an_unknown_name_lists_the_names():
    """The error names the argument, what was received, the names, and the nearest."""
    with pytest.raises(ValueError, match=r"`activation` must be one of binary_step, .*'sigmiod'.*mean 'sigmoid'"):
        kt.activations.get("sigmiod")


def test_none_is_linear_and_a_function_is_itself():
    """`get` takes None and functions as Keras does."""
    assert kt.activations.get(None) is kt.activations.linear
    assert kt.activations.get(keras.activations.gelu) is keras.activations.gelu


def test_the_table_is_tidy():
    """A row a function and point."""
    table = kt.activations.table(["relu", "softmax"], x=[-1.0, 0.0])
    assert list(table) == ["activation", "x", "value", "derivative"]
    assert table["value"].tolist() == pytest.approx([0, 0, np.exp(-1) / (np.exp(-1) + 2), 1 / 3])
    assert table["derivative"].tolist()[3] == pytest.approx(1 / 3 * 2 / 3)


def test_the_table_takes_one_name():
    """A single name needs no list."""
    assert kt.activations.table("relu")["activation"].unique().tolist() == ["relu"]


@pytest.mark.parametrize("x", [[], [[1.0]]])
def test_the_table_wants_a_vector(x):
    """Nothing, or a matrix, is an error."""
    with pytest.raises(ValueError, match="`x` must be a vector of numbers"):
        kt.activations.table(["relu"], x=x)


OTHERS = [name for name, known in ACTIVATIONS.items() if name not in COURSE and not known.axis]


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", OTHERS)
def test_other_derivatives_are_the_quotients_of_differences(name):
    """Where there is no formula, the derivative is that of the curve, at points without a kink."""
    x = np.array([-3.7, -1.3, -0.7, 0.2, 0.9, 2.6])
    function = keras.activations.get(name)
    expected = (np.asarray(function(x + 1e-5)) - np.asarray(function(x - 1e-5))) / 2e-5
    np.testing.assert_allclose(kt.activations.derivative(name)(x), expected, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(kt.activations.derivative(function)(x), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["log_softmax", "sparsemax"])
def test_other_jacobians_are_those_of_automatic_differentiation(name):
    """Functions of a whole vector have a Jacobian, `(..., classes, classes)`."""
    x = tf.constant([[0.1, 0.4, -0.2], [1.0, 0.9, 0.8]], dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras.activations.get(name)(x)
    np.testing.assert_allclose(kt.activations.derivative(name)(x), tape.batch_jacobian(y, x), atol=1e-12)


def test_a_function_of_ones_own_is_differentiated():
    """By itself at each entry; Keras's leaky ReLU has the slope that Keras gives it."""
    assert kt.activations.derivative(ops.square)([1.0, -2.0]).numpy().tolist() == [2.0, -4.0]
    assert kt.activations.derivative(keras.activations.leaky_relu)([-1.0]).numpy().tolist() == pytest.approx([0.2])
    assert kt.activations.derivative(keras.activations.tanh) is kt.activations.derivative("tanh")
    with pytest.raises(ValueError, match="that maps each entry of `x` by itself"):
        kt.activations.derivative(lambda x: x / ops.sum(x))


def test_the_table_takes_any_activation():
    """Keras's names, functions, and names of one's own; functions of a vector as one output of (x, 0, 0)."""
    table = kt.activations.table({"mine": ops.square, "gelu": "gelu", "log": "log_softmax"}, x=[0.0, 1.0])
    assert table["activation"].unique().tolist() == ["mine", "gelu", "log"]
    assert table["value"].tolist() == pytest.approx([0, 1, 0, 0.8413447, -np.log(3), 1 - np.log(np.e + 2)])
    assert table["derivative"].tolist() == pytest.approx([0, 2, 0.5, 1.0833155, 2 / 3, 2 / (np.e + 2)])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kt.activations.table(5), TypeError, "`activations` must be a list of names or functions. Received"),
        (lambda: kt.activations.table(["relu", "relu"]), ValueError, "`activations` must be one or more, each of ano"),
        (lambda: kt.activations.table([]), ValueError, "`activations` must be one or more"),
        (lambda: kt.activations.table([np.tanh]), TypeError, "use keras.ops.tanh"),
        (lambda: kt.activations.table("relu", x="ab"), TypeError, "`x` must be an array of numbers. Received: x='ab'"),
        (lambda: kt.activations.table("relu", x=[[1], [1, 2]]), ValueError, "`x` must be an array of rows of one"),
        (lambda: kt.activations.relu("a"), TypeError, "`x` must hold numbers. Received: x='a'"),
        (lambda: kt.activations.tanh(["a", "b"]), TypeError, "`x` must hold numbers"),
        (lambda: kt.activations.sigmoid(None), TypeError, "`x` must hold numbers. Received: x=None"),
        (lambda: kt.activations.linear(1j), TypeError, "`x` must hold real numbers"),
        (lambda: kt.activations.softmax(1.0), ValueError, "`x` must have the dimension `axis`.*shape"),
        (lambda: kt.activations.softmax([1.0], axis=9), ValueError, "`x` must have the dimension `axis`.*axis=9"),
        (lambda: kt.activations.softmax([1.0], axis="a"), TypeError, "`axis` must be a whole number"),
        (lambda: kt.activations.leaky_relu(1.0, "a"), TypeError, "`negative_slope` must be a number"),
        (lambda: kt.activations.get(keras.layers.ReLU), TypeError, r"not a class, which makes one: ReLU\(\)"),
        (lambda: kt.activations.get(3), TypeError, "`activation` must be one of .*Received: activation=3"),
        (lambda: kt.activations.get("threshold"), ValueError, "it needs a threshold and a value"),
    ],
)
def test_what_is_no_activation_or_number_is_refused(call, error, message):
    """The error names the argument and what was received."""
    with pytest.raises(error, match=message):
        call()
