"""GradientCapture on PyTorch, held against a twin that differentiates a loss of its own with `torch.autograd.grad`."""

import keras
import numpy as np
import torch
from network import BATCHES, IMAGES, X, Y, arrays, check, convolutional, dense, fit

import kerasteach as kt


def twin(model, x=X, batches=BATCHES * 2):
    """Train a model by hand, and return the gradients of each step."""
    found = []
    for batch in batches:
        predicted, y = model(torch.tensor(x[batch]), training=True), torch.tensor(Y[batch])
        loss = -torch.log(predicted[torch.arange(len(y)), y]).mean()
        gradients = torch.autograd.grad(loss, [one.value for one in model.trainable_variables])
        found.append(gradients)
        with torch.no_grad():
            model.optimizer.apply(gradients, model.trainable_variables)
    return found


def hold(make, optimizer, x=X):
    """Compare a captured fit with the twin, both with the optimizer that a function makes."""
    capture, model, other = kt.callbacks.GradientCapture(), make(optimizer()), make(optimizer())
    fit(model, capture, x=x)
    check(capture.frame, twin(other, x))
    for one, theirs in zip(arrays(model.variables), arrays(other.variables), strict=True):
        np.testing.assert_allclose(one, theirs, rtol=1e-4, atol=1e-6)


def test_plain_gradient_descent():
    """Plain gradient descent."""
    hold(dense, lambda: keras.optimizers.SGD(0.5))


def test_a_convolution_and_a_batch_normalization():
    """A convolution and a batch normalization, whose state goes from step to step."""
    hold(convolutional, lambda: keras.optimizers.SGD(0.1), IMAGES)


def test_the_gradient_is_recorded_before_clipping():
    """Adam with clipping of each gradient's norm."""
    hold(dense, lambda: keras.optimizers.Adam(0.01, clipnorm=0.01))


def test_accumulated_gradients():
    """Gradients that are applied at every second step."""
    hold(dense, lambda: keras.optimizers.Adam(0.01, clipnorm=0.01, gradient_accumulation_steps=2))


def test_scaled_gradients_are_unscaled():
    """A loss scale that doubles every second step."""
    capture = kt.callbacks.GradientCapture()
    inner = keras.optimizers.SGD(0.5)
    fit(dense(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**10, dynamic_growth_steps=2)), capture)
    check(capture.frame, twin(dense(keras.optimizers.SGD(0.5))))


def test_a_skipped_step_is_not_finite():
    """A step that the loss scale skips, since its gradient is not finite, is a row that says so."""
    x = X.copy()
    x[25] = np.nan  # in the second batch
    model, capture = (
        dense(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5))),
        kt.callbacks.GradientCapture(),
    )
    fit(model, capture, x=x, epochs=1)
    frame, other = capture.frame, dense(keras.optimizers.SGD(0.5))
    assert frame.groupby("step")["finite"].unique().map(list).tolist() == [[True], [False], [True]]
    kept = frame[frame["finite"]].reset_index(drop=True)
    check(kept.assign(step=kept["step"] // 2), twin(other, batches=[BATCHES[0], BATCHES[2]]))
    assert int(model.optimizer.iterations) == 2
