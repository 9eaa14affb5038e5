# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The training loop, and when to stop it
#
# A neural network trains in four steps: start from random weights and biases; compute the output by forward
# propagation, and the error; propagate the error back and update the weights; repeat until the epochs are over or the
# error is below a threshold. Here they are as plain code, as Keras's `fit`, and with the question that ends them: what
# exactly is below the threshold?
#
# Run it: `python 03_training_loop.py`. It writes its figures into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import inspect

import keras
import numpy as np
import pandas as pd

import kerasteach as kt

data = kt.datasets.load("moons")
x, y = data.x_train, data.y_train
model = kt.models.mlp("tanh", (8,), inputs=2, outputs=2, seed=0)
model.compile(kt.optimizers.PlainSGD(1.0), "sparse_categorical_crossentropy")
first_weights = model.get_weights()


def network() -> keras.Sequential:
    """Return the network of eight tanh neurons, with its first weights put back (step 1)."""
    model.set_weights(first_weights)
    return model


# %% [markdown]
# ## The four steps as plain code
#
# `kt.training_loop` is written to be read: about ten lines hold all four steps.

# %%
source = inspect.getsource(kt.training_loop)
print(source[source.index("    optimizer = ") :])
table = kt.training_loop(network(), x, y, learning_rate=1.0, epochs=200, error_below=0.2, batch_size=32)
by_hand = model.get_weights()
print(table.tail(3).to_string(index=False))
assert table["value"].iloc[-1] < 0.2 <= table["value"].iloc[:-1].min(), "it ends with the first epoch below 0.2"

# %% [markdown]
# ## Keras does the same
#
# `fit` runs the same loop, compiled; `StopOnError` is its fourth step. The same weights and the same batches give the
# same training.

# %%
stop = kt.callbacks.StopOnError(0.2)
history = network().fit(x, y, batch_size=32, epochs=200, shuffle=False, verbose=0, callbacks=[stop])
assert np.allclose(history.history["loss"], table["value"], rtol=1e-3)
assert stop.epoch == table["epoch"].max()
for ours, theirs in zip(by_hand, model.get_weights(), strict=True):
    assert np.allclose(ours, theirs, atol=1e-3)

# %% [markdown]
# ## The learning rate decides how long it takes
#
# With too small a rate, the epochs are over before the error is small. (How large is too large? Question 4.) The rate
# is a variable of the optimizer, so that a compiled model can be trained with another.

# %%
rates = {}
for rate in (0.1, 1.0, 3.0):
    model.optimizer.learning_rate = rate
    stop_here = kt.callbacks.StopOnError(0.2, verbose=0)
    history = network().fit(x, y, batch_size=64, epochs=15, shuffle=False, verbose=0, callbacks=[stop_here])
    rates[rate] = kt.measure.history_table(history)
model.optimizer.learning_rate = 1.0
curves = pd.concat([curve.assign(network=f"learning rate {rate:g}") for rate, curve in rates.items()])
with kt.plotting.style("lecture"):
    ax = kt.plotting.learning_curves(curves, target=0.2)
    kt.plotting.show_or_save(ax, "figures/03_learning_rates.png")
lengths = {rate: curve["epoch"].nunique() for rate, curve in rates.items()}
print("epochs trained:", lengths)
assert lengths[3.0] < lengths[1.0] < lengths[0.1] == 15, "the smallest rate does not get there in 15 epochs"

# %% [markdown]
# ## Which error?
#
# While an epoch runs, Keras shows the *mean* of its batches so far. A single batch may lie far below or above it.
# `per="batch"` judges each batch by its own loss: it stops sooner, but on the evidence of 32 examples. Several
# batches in a row, or a score on examples that the network has not seen, are better evidence.

# %%
one_batch = kt.callbacks.StopOnError(0.2, per="batch")
network().fit(x, y, batch_size=32, epochs=200, shuffle=False, verbose=0, callbacks=[one_batch])
in_a_row = kt.callbacks.StopOnError(0.2, per="batch", consecutive=5)
network().fit(x, y, batch_size=32, epochs=200, shuffle=False, verbose=0, callbacks=[in_a_row])
unseen = kt.callbacks.StopOnError({"loss": 0.2, "val_loss": 0.2}, require="all")
network().fit(
    x, y, batch_size=32, epochs=200, validation_data=(data.x_test, data.y_test), verbose=0, callbacks=[unseen]
)
assert one_batch.epoch < stop.epoch, "one lucky batch comes before the mean of them all"
assert (one_batch.epoch, one_batch.step) < (in_a_row.epoch, in_a_row.step), "luck seldom comes five times in a row"
assert max(unseen.value.values()) < 0.2

# %% [markdown]
# ## A loop of your own
#
# In a training loop that you wrote yourself, `update` returns True when it is time to stop.

# %%
network()
stop = kt.callbacks.StopOnError(0.25)
for _ in range(200):
    loss = model.fit(x, y, batch_size=32, verbose=0).history["loss"][0]
    if stop.update(loss=loss):
        break
print(stop.reason)
assert stop.value == loss < 0.25

# %% [markdown]
# ## Questions to try
#
# 1. Leave out `error_below`. Does the loss go on falling? Does the accuracy on `data.x_test`?
# 2. `batch_size=None` takes all examples at once. How many epochs does it take now, and how many updates is that?
# 3. Start every weight at zero (`initializer="zeros"`). Why does step 1 ask for *random* values?
# 4. Which rate is the fastest that still gets there? Try 3, 10 and 30.
