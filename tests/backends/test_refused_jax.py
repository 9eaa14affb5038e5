"""What JAX cannot give is refused, in words that say what works."""

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


def test_activations_are_refused():
    """An ActivationCapture is a RuntimeError that says what works."""
    message = "ActivationCapture needs Keras on TensorFlow or PyTorch.*Received: the backend 'jax'"
    refused(dense("sgd"), kt.callbacks.ActivationCapture(), message)


def test_a_probe_is_refused():
    """A model with a GradientProbe is one, too."""
    layers = [keras.layers.Dense(5), kt.layers.GradientProbe(), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    message = "A GradientProbe records with Keras on TensorFlow or PyTorch.*'jax'; take the probe out"
    refused(model, kt.callbacks.GradientCapture(), message)
