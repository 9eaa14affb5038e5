import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasteach as kt

functions = kt.lessons.functions

# Each function's own gradient and matrix of second derivatives, worked out by hand.
DERIVATIVES = {
    "parabola": (lambda x: [2 * x], lambda x: [[2.0]]),
    "elongated_bowl": (lambda x, y: [x, 10 * y], lambda x, y: [[1.0, 0.0], [0.0, 10.0]]),
    "rosenbrock": (
        lambda x, y: [-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)],
        lambda x, y: [[2 - 400 * (y - 3 * x**2), -400 * x], [-400 * x, 200.0]],
    ),
    "himmelblau": (
        lambda x, y: [4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7), 2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7)],
        lambda x, y: [[12 * x**2 + 4 * y - 42, 4 * (x + y)], [4 * (x + y), 12 * y**2 + 4 * x - 26]],
    ),
    "saddle": (lambda x, y: [2 * x, -2 * y], lambda x, y: [[2.0, 0.0], [0.0, -2.0]]),
    "two_minima": (lambda x: [4 * x**3 - 4 * x + 0.5], lambda x: [[12 * x**2 - 4]]),
}


def point(coordinates):
    """Return a point as a vector, whatever the number of its coordinates."""
    return np.atleast_1d(np.asarray(coordinates, "float64"))


@pytest.mark.parametrize("name", functions.names())
def test_the_minima_are_minima(name):
    """There the gradient is 0 and every curvature is positive; they come in the order of their values."""
    function = functions.get(name)
    gradient, curvature = DERIVATIVES[name]
    for minimum in function.minima:
        np.testing.assert_allclose(gradient(*point(minimum)), 0, atol=1e-12)
        assert np.linalg.eigvalsh(curvature(*point(minimum))).min() > 0
    values = [float(function(*point(minimum))) for minimum in function.minima]
    np.testing.assert_allclose(values, sorted(values), atol=1e-20)


def test_the_documented_values_of_the_minima_hold():
    """All are 0, but those of the function with two of different height."""
    for name in ("parabola", "elongated_bowl", "rosenbrock", "himmelblau"):
        function = functions.get(name)
        assert function.minima
        np.testing.assert_allclose([function(*point(one)) for one in function.minima], 0, atol=1e-20)
    low, high = functions.get("two_minima").minima
    np.testing.assert_allclose(sorted(np.roots([4, 0, -4, 0.5])), [low, 0.127051, high], atol=1e-6)
    assert functions.get("saddle").minima == ()


@pytest.mark.parametrize("name", functions.names())
def test_the_formula_is_that_of_its_derivative(name):
    """TensorFlow's gradient of the function is the one worked out by hand, at some points."""
    function = functions.get(name)
    random = np.random.default_rng(0)
    for at in random.normal(size=(5, point(function.start).size)):
        variables = [tf.Variable(one) for one in at]
        with tf.GradientTape() as tape:
            value = function(*variables)
        np.testing.assert_allclose(tape.gradient(value, variables), DERIVATIVES[name][0](*at), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", functions.names())
def test_start_and_minima_can_be_drawn(name):
    """They lie inside the ranges, of which there is one a coordinate."""
    function = functions.get(name)
    low, high = np.atleast_2d(function.ranges).T
    for one in (function.start, *function.minima):
        assert (low < point(one)).all()
        assert (point(one) < high).all()


def test_the_learning_rates_show_the_trade_off():
    """Of each function with one minimum the first is too small, the second good, and the third too large."""
    for name in ("parabola", "elongated_bowl", "rosenbrock"):
        function = functions.get(name)
        path = kt.gradient_descent(name, learning_rate=function.learning_rates, steps=function.steps).frame
        small, good, large = path.groupby("learning_rate")["verdict"].first()
        assert (small, good) == ("still going", "converged")
        assert large in ("oscillating", "diverged")


def test_a_large_first_step_leaps_over_the_higher_minimum():
    """The good learning rate of `two_minima` ends in the higher minimum on the right, the large one in the lower."""
    function = functions.get("two_minima")
    path = kt.gradient_descent("two_minima", learning_rate=function.learning_rates[1:], steps=60).frame
    ends = path.groupby("learning_rate")["x"].last()
    np.testing.assert_allclose(ends, function.minima[::-1], atol=1e-6)


def test_numbers_arrays_and_tensors_will_do():
    """A function is called with any of them, entry by entry."""
    rosenbrock = functions.get("rosenbrock")
    assert rosenbrock(-1.2, 1.0) == pytest.approx(24.2)
    np.testing.assert_allclose(rosenbrock(np.array([1.0, 0.0]), np.array([1.0, 0.0])), [0, 1])
    assert float(rosenbrock(keras.ops.convert_to_tensor(0.0), 0.0)) == 1.0


def test_a_function_tells_of_itself():
    """Its name, formula and documentation are there."""
    for name in functions.names():
        function = functions.get(name)
        assert function.name == name
        assert function.formula
        assert "Return `" in function.__doc__


@pytest.mark.parametrize("name", ["rosenbrok", "Himmelblau", 3, ["parabola"]])
def test_an_unknown_name_is_met_with_those_known(name):
    """The error lists them, and guesses."""
    kind = ValueError if isinstance(name, str) else TypeError
    with pytest.raises(kind, match=r'`function` must be one of "parabola", .*Received: function=') as error:
        functions.get(name)
    if isinstance(name, str):
        assert f"Did you mean '{'rosenbrock' if name == 'rosenbrok' else 'himmelblau'}'?" in str(error.value)
