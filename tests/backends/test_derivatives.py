"""Derivatives without a formula, by the automatic differentiation of the backend that Keras runs on."""

import keras
import numpy as np
import pytest

import kerasteach as kt

X = np.array([-1.3, -0.7, 0.2, 2.6], "float32")


@pytest.mark.parametrize("name", ["gelu", "mish", "softplus", "hard_tanh"])
def test_a_derivative_is_the_slope(name):
    """It is the central difference of Keras's function."""
    function, step = keras.activations.get(name), np.float32(1e-2)
    ends = [keras.ops.convert_to_numpy(function(X + sign * step)) for sign in (1, -1)]
    derivative = keras.ops.convert_to_numpy(kt.activations.derivative(name)(X))
    np.testing.assert_allclose(derivative, (ends[0] - ends[1]) / (2 * step), rtol=2e-3, atol=1e-4)


def test_a_function_of_the_whole_vector_has_a_jacobian():
    """That of `log_softmax` is the unit matrix less the softmax."""
    jacobian = keras.ops.convert_to_numpy(kt.activations.derivative("log_softmax")(X))
    softmax = np.exp(X) / np.exp(X).sum()
    np.testing.assert_allclose(jacobian, np.eye(4) - softmax, atol=1e-5)


def test_a_constant_has_the_derivative_0():
    """The backend finds no path from the output to the input."""
    constant = kt.activations.derivative(lambda x: keras.ops.zeros_like(x))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(constant(X)), 0)


def test_the_table_has_functions_of_keras():
    """`table` works with and without a formula."""
    kt.activations.table(["gelu", "relu", "sparsemax"], x=X)


def test_keras_runs_on_the_backend(request):
    """`--backend` decides before Keras is imported."""
    assert keras.backend.backend() == request.config.getoption("--backend")
