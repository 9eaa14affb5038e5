"""Layers' outputs and probes on PyTorch, held against what the model itself gives."""

import keras
import numpy as np
import torch
from network import BATCHES, X, Y, fit, numbers

import kerasteach as kt


def relu(optimizer, *after_hidden):
    """Return a compiled network with one hidden layer, and perhaps something after it."""
    layers = [keras.layers.Dense(6, activation="relu", name="hidden"), *after_hidden]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(3, activation="softmax", name="output")])
    for number, weights in enumerate(model.trainable_variables):
        weights.assign(np.random.default_rng(number).normal(size=weights.shape))
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def test_outputs_are_those_of_the_model():
    """Statistics of every layer's output are those of the outputs that the model computes."""
    model, twin = relu(keras.optimizers.SGD(0.5)), relu(keras.optimizers.SGD(0.5))
    capture = kt.callbacks.ActivationCapture(histogram=[0.1, 1.0])
    fit(model, capture)
    assert capture.frame["step"].tolist() == [step for step in range(6) for _ in range(2)]
    for step, batch in enumerate(BATCHES * 2):
        hidden = twin.get_layer("hidden")(X[batch]).detach().numpy()
        output = twin(X[batch]).detach().numpy()
        for row, values in zip(capture.at(step).to_dict("records"), (hidden, output), strict=True):
            np.testing.assert_allclose([row["mean"], row["std"]], numbers(values)[1:], rtol=1e-5)
            assert row["zero_fraction"] == np.mean(values == 0)
            assert row["dead_fraction"] == np.mean(~np.any(values != 0, axis=0))
        saturated = np.mean((output < 0.01) | (output > 0.99))
        np.testing.assert_allclose(row["saturated_fraction"], saturated, rtol=1e-6)
        twin.train_on_batch(X[batch], Y[batch])
    counted = capture.histograms
    assert counted[(counted["step"] == 0) & (counted["layer"] == "hidden")]["count"].sum() == 20 * 6
    assert "call" not in vars(model.layers[0])


def test_a_unit_is_dead_where_it_was_0_all_epoch():
    """With every="epoch", a unit is dead where it was 0 for each example of the epoch."""
    model = relu(keras.optimizers.SGD(0.0))
    capture = kt.callbacks.ActivationCapture(every="epoch")
    fit(model, capture)
    hidden = model.layers[0](X).detach().numpy()
    expected = np.mean(~np.any(hidden != 0, axis=0))
    assert capture.layer("hidden")["dead_fraction"].tolist() == [expected] * 2


def test_training_is_not_changed():
    """The weights are the same, but for rounding, with outputs and probe recorded."""
    plain = relu(keras.optimizers.Adam(0.01), keras.layers.Dropout(0.5, seed=1))
    watched = relu(keras.optimizers.Adam(0.01), kt.layers.GradientProbe(), keras.layers.Dropout(0.5, seed=1))
    fit(plain)
    fit(watched, kt.callbacks.ActivationCapture(), kt.callbacks.GradientCapture())
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_probe_records_the_gradient():
    """A probe records the gradient of the loss by the output of the layer before it."""
    for wrap in (lambda inner: inner, lambda inner: keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**10)):
        model = relu(wrap(keras.optimizers.SGD(0.5)), kt.layers.GradientProbe(name="probe"))
        twin = relu(keras.optimizers.SGD(0.5))
        capture = kt.callbacks.GradientCapture(statistics="all")
        fit(model, capture)
        for step, batch in enumerate(BATCHES * 2):
            hidden = twin.layers[0](torch.tensor(X[batch]))
            predicted, y = twin.layers[1](hidden), torch.tensor(Y[batch])
            loss = -torch.log(predicted[torch.arange(len(y)), y]).mean()
            (gradient,) = torch.autograd.grad(loss, hidden)
            row = capture.at(step).set_index("parameter").loc["signal"]
            np.testing.assert_allclose([row["norm"], row["std"]], np.array(numbers(gradient))[[0, 2]], rtol=1e-5)
            assert (row["layer"], row["depth"], row["size"]) == ("probe", 1, 6)
            twin.train_on_batch(X[batch], Y[batch])
