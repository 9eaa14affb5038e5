"""`kerasteach.measure.record` in a stateless training loop of one's own, on JAX."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from network import BATCHES, X, Y, assert_close, check, dense

import kerasteach as kt


def train(model, tape=None):
    """Train for two epochs with one compiled step, and return the gradients of each step."""

    def loss(weights, state, x, y):
        predicted, state = model.stateless_call(weights, state, x, training=True)
        return -jnp.mean(jnp.log(predicted[jnp.arange(len(y)), y])), state

    @jax.jit
    def step(weights, state, slots, x, y):
        gradients, state = jax.grad(loss, has_aux=True)(weights, state, x, y)
        return gradients, *model.optimizer.stateless_apply(slots, gradients, weights), state

    weights = [one.value for one in model.trainable_variables]
    state = [one.value for one in model.non_trainable_variables]
    slots = [one.value for one in model.optimizer.variables]
    found = []
    for epoch in range(2):
        if tape is not None and epoch:  # between epochs, when the state is assigned, it may be read
            tape.epoch = epoch
            slots = [one.value for one in model.optimizer.variables]
        for batch in BATCHES:
            gradients, weights, slots, state = step(weights, state, slots, X[batch], Y[batch])
            found.append(gradients)
        for variable, value in zip(model.optimizer.variables, slots, strict=True):
            variable.assign(value)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return found


def built(optimizer):
    """Return a network with its optimizer built."""
    model = dense(optimizer)
    optimizer.build(model.trainable_variables)
    return model


def test_a_loop_of_ones_own_is_recorded():
    """The table holds the gradients that the loop hands over, and the training is the same without the block."""
    model, twin = (built(keras.optimizers.Adam(0.01, clipnorm=0.01)) for _ in range(2))
    attributes = set(vars(model.optimizer))
    with kt.measure.record(model.optimizer, model, raw={"output": 4}) as tape:
        gradients = train(model, tape)
    check(tape.frame, gradients)
    assert tape.frame.groupby("epoch")["step"].unique().map(list).tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_allclose(tape.raw[4]["mlp/output/kernel"], gradients[4][4], rtol=1e-6)
    train(twin)
    assert_close(model.variables, twin.variables)
    assert_close(model.optimizer.variables, twin.optimizer.variables)
    assert set(vars(model.optimizer)) == attributes


def test_train_on_batch_is_recorded():
    """`train_on_batch` is such a loop too."""
    model, twin = (built(keras.optimizers.SGD(0.5)) for _ in range(2))
    model.train_on_batch(X, Y)
    twin.train_on_batch(X, Y)
    with kt.measure.record(model.optimizer, model) as tape:
        for batch in BATCHES * 2:
            model.train_on_batch(X[batch], Y[batch])
    check(tape.frame, train(twin))


def test_an_optimizer_that_is_not_built_is_refused():
    """An optimizer that is not built is refused."""
    model = dense(keras.optimizers.SGD(0.5))
    with pytest.raises(ValueError, match="Build the optimizer first"), kt.measure.record(model.optimizer, model):
        pass


def test_a_loop_that_does_not_assign_its_state_is_refused():
    """A loop that does not assign its state gets an error that says so."""
    model = built(keras.optimizers.SGD(0.5))

    def loop():
        with kt.measure.record(model.optimizer, model):
            slots = [one.value for one in model.optimizer.variables]
            weights = [one.value for one in model.trainable_variables]
            model.optimizer.stateless_apply(slots, weights, weights)

    with pytest.raises(RuntimeError, match="assign the state that your loop carried"):
        loop()
    assert "save_own_variables" not in vars(model.optimizer)
