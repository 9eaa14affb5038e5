# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Captures on a model of your own
#
# You have a Keras model that trains, and want to see what its layers receive. Add one callback to `fit`. We do it to a
# convolutional network, a recurrent one, one with two inputs, and a training loop written by hand. The data are
# scikit-learn's digits, 8 by 8.
#
# Run it: `python 07_your_own_model.py`. It writes into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import kerasteach as kt

keras.utils.set_random_seed(0)
data = kt.datasets.load("digits")
images, labels = data.x_train.reshape(-1, 8, 8, 1), data.y_train
LOSS = "sparse_categorical_crossentropy"

# %% [markdown]
# ## A convolutional network: the one line
#
# `capture.frame` is a pandas table, a row a step and trainable variable; `layer` and `at` give parts of it. A
# normalization subtracts the bias in front of it, whose gradient is 0: for `conv_1` the figure draws `beta`, at `norm`.

# %%
cnn = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, activation="relu", name="conv_1"),
        layers.BatchNormalization(name="norm"),
        layers.Conv2D(16, 3, activation="relu", name="conv_2"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax", name="classes"),
    ]
)
cnn.compile("adam", LOSS)

capture = kt.callbacks.GradientCapture()
cnn.fit(images, labels, epochs=2, verbose=0, callbacks=[capture])  # the one line: callbacks=[capture]

print(capture.at(0)[["layer", "depth", "parameter", "size", "norm", "mean", "finite"]].round(5).to_string(index=False))
assert capture.frame["finite"].all(), "no step diverged"
print(capture.layer("conv_*").groupby(["layer", "parameter"])["norm"].median().round(4).to_string())
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(kt.plotting.gradient_flow(capture), "figures/07_convolutional.png")

# %% [markdown]
# ## Dead units
#
# Of a ReLU layer the outputs say more. `ActivationCapture` watches them; with `every="epoch"` a unit counts as dead if
# it was 0 for *every* example of the epoch. A learning rate that is too large kills units: far on the negative
# side, they get no gradient and stay at 0.

# %%
for learning_rate in (0.1, 2.0):
    mlp = kt.models.mlp("relu", (64, 64), inputs=64, outputs=10, initializer="he_normal", seed=0)
    mlp.compile(kt.optimizers.PlainSGD(learning_rate), LOSS)
    outputs = kt.callbacks.ActivationCapture(layers="hidden_*", every="epoch")
    mlp.fit(data.x_train, labels, epochs=3, verbose=0, callbacks=[outputs])
    dead = outputs.frame.query("epoch == 2").set_index("layer")["dead_fraction"]
    print(f"learning rate {learning_rate}: {dead['hidden_1']:.0%} and {dead['hidden_2']:.0%} of the units are dead")
    assert (dead["hidden_2"] > 0.3) == (learning_rate == 2.0)

# %% [markdown]
# ## A recurrent network, and the signal itself
#
# The rows of an image are the steps of a sequence. A weight's gradient is the back-propagated signal times the layer's
# input; a `GradientProbe` shows the signal alone, wherever it stands. It is an identity layer: no number changes.

# %%
rnn = keras.Sequential(
    [
        keras.Input((8, 8)),
        kt.layers.GradientProbe(name="at_the_input"),
        layers.LSTM(16, return_sequences=True, name="lstm_1"),
        kt.layers.GradientProbe(name="between"),
        layers.LSTM(16, name="lstm_2"),
        layers.Dense(10, activation="softmax", name="classes"),
    ]
)
rnn.compile("adam", LOSS)
capture = kt.callbacks.GradientCapture(every=10)
rnn.fit(images[..., 0], labels, verbose=0, callbacks=[capture])
signals = capture.frame.query("parameter == 'signal'").groupby("layer")["norm"].median()
print(signals.to_string())
assert signals["at_the_input"] < signals["between"], "some of the signal is lost in each recurrent layer"

# %% [markdown]
# ## Two inputs, some layers, whole gradients
#
# The halves of each image go through one shared layer. `layers=` chooses, `histogram=` counts the entries by magnitude,
# `raw=` keeps whole gradients; `directory="runs"` would write all of it to disk, for `kt.measure.read("runs")`.

# %%
halves = [keras.Input((8, 4, 1), name=name) for name in ("left", "right")]
shared = keras.Sequential([layers.Flatten(), layers.Dense(16, activation="tanh", name="shared")], name="half")
joined = layers.Concatenate()([shared(half) for half in halves])
two = keras.Model(halves, layers.Dense(10, activation="softmax", name="classes")(joined))
two.compile(kt.optimizers.PlainSGD(0.1), LOSS)
capture = kt.callbacks.GradientCapture(layers="half", histogram=True, raw={"half": [0]})
two.fit([images[:, :, :4], images[:, :, 4:]], labels, verbose=0, callbacks=[capture])
gradient = capture.raw[0]["half/shared/kernel"]
row = capture.at(0).query("parameter == 'kernel'").iloc[0]
print(f"the shared kernel's first gradient: {gradient.shape}, norm {row['norm']:.4f}")
assert np.isclose(np.linalg.norm(gradient), row["norm"], rtol=1e-5)
bins = capture.histograms.query("step == 0 and parameter == 'kernel'")
fullest = bins.loc[bins["count"].idxmax()]
print(f"{fullest['count']} of its {gradient.size} entries lie between {fullest['low']:.3f} and {fullest['high']:.3f}")
assert bins["count"].sum() == gradient.size

# %% [markdown]
# ## A training loop of your own
#
# Without `fit`, `kt.measure.record` gives the same table. A compiled function must be made inside the block.

# %%
model = kt.models.mlp("tanh", (16, 16), inputs=64, outputs=10, seed=0)
optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
with kt.measure.record(optimizer, model) as tape:

    @tf.function
    def step(x, y):
        with tf.GradientTape() as forward:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
        optimizer.apply(forward.gradient(loss, model.trainable_variables), model.trainable_variables)

    for batch in np.arange(1024).reshape(-1, 32):
        step(data.x_train[batch], labels[batch])
print(f"{tape.frame['step'].nunique()} steps; the last one's largest norm: {tape.at(-1)['norm'].max():.3f}")

# %% [markdown]
# ## TensorBoard
#
# `GradientCapture(tensorboard="logs", every=10)` writes for `tensorboard --logdir logs` (`pip install tensorboard`).
