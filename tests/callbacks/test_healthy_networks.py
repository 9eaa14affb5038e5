"""Ordinary healthy trainings, of which nothing may be said: a false alarm is worse than a miss."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasteach as kt

RNG = np.random.default_rng(0)
DIGITS = kt.datasets.load("digits")
X, Y = DIGITS.x_train[:320], DIGITS.y_train[:320]
VALUES = RNG.normal(size=(320, 8)).astype("float32")
TARGETS = (2 + 3 * VALUES[:, 0] + VALUES[:, 1] ** 2).astype("float32")
SERIES = RNG.normal(size=(256, 10, 1)).astype("float32")


def network(*stack, shape=(64,), optimizer="adam", loss="sparse_categorical_crossentropy", metrics=("accuracy",)):
    """Return a compiled network of these layers."""
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def classes(**options):
    """Return the last layer of a classifier of digits."""
    return layers.Dense(10, activation="softmax", **options)


def convolution():
    """Two convolutions on images."""
    stack = [layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), classes()]
    return network(*stack, shape=(8, 8, 1)), X.reshape(-1, 8, 8, 1), Y, 5


def recurrence():
    """A GRU that sums a series."""
    return (
        network(layers.GRU(8), layers.Dense(1), shape=(10, 1), loss="mse", metrics=()),
        SERIES,
        SERIES.sum((1, 2)),
        5,
    )


def words():
    """An embedding, averaged."""
    x = RNG.integers(1, 100, size=(320, 12))
    y = (np.isin(x, range(50)).sum(axis=1) > 6).astype("float32")
    stack = [layers.Embedding(100, 8), layers.GlobalAveragePooling1D(), layers.Dense(1, activation="sigmoid")]
    return network(*stack, shape=(12,), loss="binary_crossentropy"), x, y, 5


def autoencoder():
    """An autoencoder with a narrow middle."""
    stack = [layers.Dense(16, activation="relu"), layers.Dense(6, activation="relu"), layers.Dense(64)]
    return network(*stack, loss="mse", metrics=()), X, X, 5


def large_targets():
    """A regression whose loss has thousands at its start."""
    return (
        network(
            layers.Dense(32, activation="relu"),
            layers.Dense(1),
            shape=(8,),
            optimizer=keras.optimizers.Adam(0.03),
            loss="mse",
            metrics=("mae",),
        ),
        VALUES,
        50 * TARGETS,
        8,
    )


def two_outputs():
    """Two classifications in one model."""
    x = keras.Input((64,))
    hidden = layers.Dense(32, activation="relu")(x)
    outputs = {"digit": classes(name="digit")(hidden), "odd": layers.Dense(1, "sigmoid", name="odd")(hidden)}
    model = keras.Model(x, outputs)
    losses = {"digit": "sparse_categorical_crossentropy", "odd": "binary_crossentropy"}
    model.compile("adam", losses, metrics={"digit": "accuracy", "odd": "accuracy"})
    return model, X, {"digit": Y, "odd": (Y % 2).astype("float32")}, 5


def normalization_and_dropout():
    """Batch normalization in front of ReLU, and dropout."""
    stack = [layers.Dense(32), layers.BatchNormalization(), layers.Activation("relu"), layers.Dropout(0.5)]
    return network(*stack, classes()), X, Y, 5


def rare_class():
    """One example of twenty is of the other class."""
    stack = [layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")]
    y = (VALUES[:, 0] > 1.6).astype("float32")
    return network(*stack, shape=(8,), loss="binary_crossentropy", metrics=("AUC",)), VALUES, y, 5


def two_epochs():
    """The beginning of a training."""
    return network(layers.Dense(32, activation="relu"), classes(), optimizer="sgd"), X, Y, 2


def tuned_further():
    """A regression that is good already, in short steps."""
    model = network(layers.Dense(16, activation="tanh"), layers.Dense(1), shape=(8,), loss="mse", metrics=())
    model.optimizer.learning_rate = 0.02
    model.fit(VALUES, TARGETS, epochs=30, verbose=0)
    model.optimizer.learning_rate = 1e-5
    return model, VALUES, TARGETS, 5


def below_zero():
    """A loss that is negative."""
    return network(layers.Dense(64), loss="cosine_similarity", metrics=()), X, X, 5


def smoothed_labels():
    """A loss that cannot reach 0."""
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    return (
        network(layers.Dense(32, activation="relu"), classes(), loss=loss),
        X,
        np.eye(10, dtype="float32")[Y],
        6,
    )


def penalized():
    """Weights that are pulled to 0."""
    return network(layers.Dense(32, activation="relu", kernel_regularizer="l2"), classes()), X, Y, 6


HEALTHY = [
    two_epochs,
    *(
        pytest.param(make, marks=pytest.mark.slow)
        for make in (
            below_zero,
            tuned_further,
            *(rare_class, two_outputs, convolution, recurrence, words, autoencoder, large_targets),
            *(normalization_and_dropout, smoothed_labels, penalized),
        )
    ),
]


@pytest.mark.parametrize("make", HEALTHY)
def test_of_a_healthy_training_nothing_is_said(make):
    """Neither by the diagnosis of its gradients, outputs and loss, nor by the look before it."""
    keras.utils.set_random_seed(1)
    model, x, y, epochs = make()
    assert str(kt.preflight(model, x, y)).startswith("No finding.")
    gradients = kt.callbacks.GradientCapture(statistics=["norm", "update_ratio"])
    outputs = kt.callbacks.ActivationCapture(every="epoch")
    history = model.fit(x, y, epochs=epochs, verbose=0, callbacks=[gradients, outputs])
    assert str(gradients.diagnose(outputs, history)).startswith("No finding.")


@pytest.mark.slow
def test_frozen_layers_are_named_and_are_no_finding():
    """Of a model with a part that was trained before, both looks name the layers that no step changes."""
    front = keras.Sequential([keras.Input((64,)), layers.Dense(16, activation="relu", name="front")], name="base")
    front.trainable = False
    model = network(front, classes(), optimizer=keras.optimizers.Adam(0.01), metrics=())
    capture = kt.callbacks.GradientCapture()
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[capture])
    for found in (kt.preflight(model, X, Y), capture.diagnose()):
        assert not found
        assert found.frozen == ("front",)
        assert "Frozen, and not looked at: front." in str(found)


def test_a_model_without_a_weight_to_train_is_an_error():
    """All of it is frozen."""
    model = network(layers.Dense(16, activation="relu"), classes())
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    assert list(kt.preflight(model, X, Y).frame["rule"]) == ["KT507"]


@pytest.mark.slow
def test_layers_that_the_loss_does_not_depend_on_are_named_and_are_no_finding():
    """A second head without a loss gets no gradient; the layers in front of both do."""
    inputs = keras.Input((64,))
    front = layers.Dense(8, activation="relu", name="front")(inputs)
    outputs = [layers.Dense(10, "softmax", name="kind")(front), layers.Dense(1, name="idle")(front)]
    model = keras.Model(inputs, outputs)
    model.compile("adam", ["sparse_categorical_crossentropy", None])
    capture = kt.callbacks.GradientCapture()
    with pytest.warns(UserWarning, match="Gradients do not exist"):  # Keras's own
        model.fit(X, [Y, Y], verbose=0, callbacks=[capture])
    found = capture.diagnose()
    assert not found
    assert capture.disconnected == found.disconnected == ("idle",)
    assert "The loss does not depend on: idle." in str(found)
