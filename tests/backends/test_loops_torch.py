"""`kerasteach.measure.record` in a training loop of one's own, on PyTorch."""

import keras
import numpy as np
import torch
from network import BATCHES, X, Y, assert_close, check, dense

import kerasteach as kt


def train(model, tape=None):
    """Train for two epochs, and return the gradients of each step."""
    found = []
    for epoch in range(2):
        if tape is not None:
            tape.epoch = epoch
        for batch in BATCHES:
            loss = keras.losses.sparse_categorical_crossentropy(Y[batch], model(X[batch], training=True)).mean()
            model.zero_grad()
            loss.backward()
            gradients = [one.value.grad for one in model.trainable_variables]
            found.append([one.clone() for one in gradients])
            with torch.no_grad():
                model.optimizer.apply(gradients, model.trainable_variables)
    return found


def test_a_loop_of_ones_own_is_recorded():
    """The table holds the gradients that the loop hands over, and the training is the same without the block."""
    model, twin = (dense(keras.optimizers.Adam(0.01, clipnorm=0.01)) for _ in range(2))
    with kt.measure.record(model.optimizer, model, raw={"output": 4}) as tape:
        gradients = train(model, tape)
        assert tape.frame["step"].max() == 5
    check(tape.frame, gradients)
    assert tape.frame.groupby("epoch")["step"].unique().map(list).tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_array_equal(tape.raw[4]["mlp/output/kernel"], gradients[4][4].numpy())
    train(twin)
    assert_close(model.variables, twin.variables)
    assert_close(model.optimizer.variables, twin.optimizer.variables)
    assert "apply" not in vars(model.optimizer)


def test_train_on_batch_is_recorded():
    """`train_on_batch` is such a loop too."""
    model, twin = (dense(keras.optimizers.SGD(0.5)) for _ in range(2))
    model.train_on_batch(X, Y)
    twin.train_on_batch(X, Y)
    with kt.measure.record(model.optimizer, model) as tape:
        for batch in BATCHES * 2:
            model.train_on_batch(X[batch], Y[batch])
    check(tape.frame, train(twin))
