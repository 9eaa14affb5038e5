# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Activation functions
#
# A neuron computes a weighted sum z = w x + b and passes it through an *activation function*, a = f(z). In training,
# the error on its way back to w is multiplied by the *derivative* f'(z) at every layer that it crosses. So two curves
# decide what a network can do: f, what it can express, and f', what it can learn.
#
# Run it: `python 04_activation_functions.py`. It writes its figures into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import kerasteach as kt

# %% [markdown]
# ## Function and derivative, side by side
#
# The panels of the course's functions have one scale, so slopes can be compared; dashed is the derivative. The last
# panel shows all derivatives together, on a scale of its own.

# %%
table = kt.activations.table()
figure = kt.plotting.activations_figure(table)
kt.plotting.show_or_save(figure, "figures/04_activation_functions.png")

# %% [markdown]
# The steepest slope of each is what the error signal keeps at best when it crosses one layer.

# %%
steepest = table.groupby("activation", sort=False)["derivative"].max()
print(steepest.round(3).to_string())
assert steepest["sigmoid"] == 0.25, "sigmoid passes on a quarter at most, at z = 0"
assert steepest["tanh"] == 1.0, "tanh passes on everything, but at z = 0 only"
assert steepest["relu"] == 1.0, "ReLU passes on everything wherever it is active"

# %% [markdown]
# Ten sigmoid layers therefore keep 0.25^10 of the signal at the very best, about a millionth, while ten active ReLUs
# keep all of it. That is the vanishing gradient; tutorial 05 measures it.

# %%
print(f"0.25 ** 10 = {0.25**10:.1e}")
assert 0.25**10 < 1e-6

# %% [markdown]
# Tanh is sigmoid, scaled and shifted to be symmetric over the origin: tanh(x) = 2 sigmoid(2x) - 1.

# %%
x = np.linspace(-5, 5, 101)
assert np.allclose(kt.activations.tanh(x), 2 * np.asarray(kt.activations.sigmoid(2 * x)) - 1)

# %% [markdown]
# ## A binary step cannot learn by gradient descent
#
# Its derivative is 0 wherever it exists, so no error signal passes through it. We train the same network twice on the
# XOR problem, from the same initial weights, once with tanh and once with the step in the hidden layer.

# %%
data = kt.datasets.load("xor")


def train(activation: str) -> tuple[float, float]:
    """Return the training accuracy, and how far the hidden weights moved."""
    model = kt.models.mlp(activation, hidden=(16,), inputs=2, outputs=2, seed=1)
    loss = "sparse_categorical_crossentropy"
    model.compile(kt.optimizers.PlainSGD(0.5), loss, metrics=["accuracy"], jit_compile=False)  # small: no need of XLA
    before = model.layers[0].kernel.numpy()
    history = model.fit(data.x_train, data.y_train, epochs=15, batch_size=16, shuffle=False, verbose=0)
    return history.history["accuracy"][-1], float(np.abs(model.layers[0].kernel.numpy() - before).max())


for activation in ("tanh", "binary_step"):
    accuracy, moved = train(activation)
    print(f"{activation:12} accuracy {accuracy:.2f}, largest change of a hidden weight {moved:.3f}")
    if activation == "binary_step":
        assert moved == 0.0, "not one hidden weight of the step network has moved"
    else:
        assert accuracy > 0.9, "tanh learns XOR"
        assert moved > 0.1

# %% [markdown]
# ## Softmax belongs at the output of a classifier
#
# It turns any numbers into probabilities: positive, and with sum 1. Adding the same constant to all of them changes
# nothing; making one larger takes probability from all the others, which is why its derivative is a whole matrix.

# %%
logits = np.array([2.0, 1.0, -1.0])
probabilities = np.asarray(kt.activations.softmax(logits))
print("softmax of", logits, "is", probabilities.round(3))
assert np.isclose(probabilities.sum(), 1)
assert np.allclose(kt.activations.softmax(logits + 100), probabilities)

jacobian = np.asarray(kt.activations.derivative("softmax")(logits))
print(jacobian.round(3))
assert (np.diag(jacobian) > 0).all(), "a class's own logit raises its probability"
assert (jacobian - np.diag(np.diag(jacobian)) <= 0).all(), "and lowers all the others"
assert np.allclose(jacobian.sum(axis=0), 0), "for they share a sum of 1"

# %% [markdown]
# ## Which one where?
#
# | place | function | because |
# |---|---|---|
# | hidden layers | ReLU; leaky ReLU where neurons die | slope 1 wherever it is active, and cheap |
# | hidden layers, shallow or recurrent | tanh | centered at 0, slope 1 there |
# | output, several classes | softmax | one probability for each class |
# | output, yes or no | sigmoid | one probability |
# | output, a value | linear | any number is possible |
#
# Our functions are Keras's, so they can be used in any model, and a saved model loads again as it is.

# %%
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, activation=kt.activations.leaky_relu)])
assert model.layers[-1].activation is kt.activations.leaky_relu

# %% [markdown]
# ## Questions to try
#
# 1. Which negative slope makes leaky ReLU linear, and what can ten such layers express?
# 2. Where is sigmoid's derivative a tenth of its peak? How large is z in the first layer of a network of yours?
# 3. Train the XOR network with `relu` and other seeds. Does it always succeed? Why not?
