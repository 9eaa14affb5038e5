"""What JAX cannot give is refused, in words that say what works."""

import sys

import keras
import pytest
from network import dense, fit

import kerasteach as kt


def refused(model, capture, message):
    """Have a training refused; model and optimizer stay as they were, and train without the capture."""
    model.optimizer.build(model.trainable_variables)
    attributes, count = set(vars(model.optimizer)), len(model.optimizer.variables)
    with pytest.raises(RuntimeError, match=message):
        fit(model, capture)
    assert set(vars(model.optimizer)) == attributes
    assert len(model.optimizer.variables) == count
    fit(model)


def activations():
    """Outputs."""
    message = "ActivationCapture needs Keras on TensorFlow or PyTorch.*Received: the backend 'jax'"
    refused(dense("sgd"), kt.callbacks.ActivationCapture(), message)


def probe():
    """A probe."""
    layers = [keras.layers.Dense(5), kt.layers.GradientProbe(), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    message = "A GradientProbe records with Keras on TensorFlow or PyTorch.*'jax'; take the probe out"
    refused(model, kt.callbacks.GradientCapture(), message)


for fact in sys.argv[1:]:
    globals()[fact]()
