"""Derivatives without a formula, by the automatic differentiation of the backend that Keras runs on."""

import os

import keras
import numpy as np

import kerasteach as kt

x = np.array([-1.3, -0.7, 0.2, 2.6], "float32")
for name in ("gelu", "mish", "softplus", "hard_tanh"):
    function = keras.activations.get(name)
    step = np.float32(1e-2)
    ends = [keras.ops.convert_to_numpy(function(x + sign * step)) for sign in (1, -1)]
    found = keras.ops.convert_to_numpy(kt.activations.derivative(name)(x))
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * step), rtol=2e-3, atol=1e-4)
jacobian = keras.ops.convert_to_numpy(kt.activations.derivative("log_softmax")(x))
softmax = np.exp(x) / np.exp(x).sum()
np.testing.assert_allclose(jacobian, np.eye(4) - softmax, atol=1e-5)
constant = kt.activations.derivative(lambda x: keras.ops.zeros_like(x))
np.testing.assert_array_equal(keras.ops.convert_to_numpy(constant(x)), 0)
kt.activations.table(["gelu", "relu", "sparsemax"], x=x)
assert keras.backend.backend() == os.environ["KERAS_BACKEND"]
