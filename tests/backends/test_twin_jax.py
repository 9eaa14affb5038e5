"""GradientCapture on JAX, held against a twin that differentiates a loss of its own with `jax.grad`."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
from network import BATCHES, IMAGES, X, Y, arrays, check, convolutional, dense, fit

import kerasteach as kt


def twin(model, x=X, batches=BATCHES * 2):
    """Train a model by hand, and return the gradients of each step."""
    optimizer, found = model.optimizer, []
    optimizer.build(model.trainable_variables)
    weights = [one.value for one in model.trainable_variables]
    state = [one.value for one in model.non_trainable_variables]
    slots = [one.value for one in optimizer.variables]

    def loss(weights, state, x, y):
        predicted, state = model.stateless_call(weights, state, x, training=True)
        return -jnp.mean(jnp.log(predicted[jnp.arange(len(y)), y])), state

    for batch in batches:
        gradients, state = jax.grad(loss, has_aux=True)(weights, state, x[batch], Y[batch])
        found.append(gradients)
        weights, slots = optimizer.stateless_apply(slots, gradients, weights)
    return found, weights


def hold(make, optimizer, x=X, **compile_options):
    """Compare a captured fit with the twin, both with the optimizer that a function makes."""
    capture, model = kt.callbacks.GradientCapture(), make(optimizer(), **compile_options)
    fit(model, capture, x=x)
    gradients, weights = twin(make(optimizer()), x)
    check(capture.frame, gradients)
    for one, other in zip(arrays(model.trainable_variables), weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_plain_gradient_descent():
    """Plain gradient descent."""
    hold(dense, lambda: keras.optimizers.SGD(0.5))


def test_without_jit():
    """Without jax.jit."""
    hold(dense, lambda: keras.optimizers.SGD(0.5), run_eagerly=True)


def test_a_convolution_and_a_batch_normalization():
    """A convolution and a batch normalization, whose state goes from step to step."""
    hold(convolutional, lambda: keras.optimizers.SGD(0.1), IMAGES)


def test_the_gradient_is_recorded_before_clipping():
    """Adam with clipping of each gradient's norm."""
    hold(dense, lambda: keras.optimizers.Adam(0.01, clipnorm=0.01))


def test_accumulated_gradients():
    """Gradients that are applied at every second step."""
    hold(dense, lambda: keras.optimizers.Adam(0.01, clipnorm=0.01, gradient_accumulation_steps=2))


def test_three_steps_an_execution():
    """Three steps an execution."""
    hold(dense, lambda: keras.optimizers.SGD(0.5), steps_per_execution=3)


def test_scaled_gradients_are_unscaled():
    """A loss scale that doubles every second step."""
    capture = kt.callbacks.GradientCapture()
    inner = keras.optimizers.SGD(0.5)
    fit(dense(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**10, dynamic_growth_steps=2)), capture)
    check(capture.frame, twin(dense(keras.optimizers.SGD(0.5)))[0])


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
    check(kept.assign(step=kept["step"] // 2), twin(other, batches=[BATCHES[0], BATCHES[2]])[0])
    assert int(model.optimizer.iterations) == 2
