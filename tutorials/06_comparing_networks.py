# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Comparing networks
#
# Which activation function should a deep network have? One run proves little: another seed may say the opposite. We
# train the same network with sigmoid, tanh and ReLU, from the same initial weights and on the same batches, several
# times over, and look at the spread.
#
# Run it: `python 06_comparing_networks.py`. It writes into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import kerasteach as kt

SEEDS, EPOCHS = 10, 10

# %% [markdown]
# ## Sigmoid, tanh, ReLU
#
# Six hidden layers of 32 units, 1,437 handwritten digits to learn from, 360 to be tested on. With one seed all three
# networks start from the same numbers; what differs between them is the activation function, and nothing else.

# %%
result = kt.compare(
    ("sigmoid", "tanh", "relu"),
    data="digits",
    hidden=(32,) * 6,
    seeds=SEEDS,
    epochs=EPOCHS,
    verbose=0,
)
summary = result.summary()
print(summary[["test_accuracy", "test_accuracy_min", "test_accuracy_max", "gradient_ratio"]].round(4).to_string())

with kt.plotting.style("lecture"):
    ax = kt.plotting.learning_curves(result, "val_accuracy")
    kt.plotting.show_or_save(ax, "figures/06_test_accuracy.png")
    ax = kt.plotting.gradient_flow(result, parameter="bias")
    kt.plotting.show_or_save(ax, "figures/06_gradient_flow.png")

# %% [markdown]
# The line is the median of the seeds, the band reaches from the worst to the best. Sigmoid never leaves the level of
# guessing, one digit in ten, from any seed: its error signal does not arrive at the first layers. The two others learn.

# %%
assert summary.loc["sigmoid", "test_accuracy_max"] < 0.2, "from no seed is sigmoid better than guessing"
assert summary.loc[["tanh", "relu"], "test_accuracy_min"].min() > 0.7, "from every seed tanh and ReLU learn"
assert summary.loc["sigmoid", "gradient_ratio_max"] < 0.01, "a hundredth of the signal arrives, at the most"
assert summary.loc[["tanh", "relu"], "gradient_ratio_min"].min() > 0.1

# %% [markdown]
# ## Is the difference real?
#
# Bands that overlap need not mean that two networks are equally good. Their seeds are *paired*: for each seed we take
# ReLU's accuracy minus tanh's, which started from the same weights, and ask whether the mean of these differences could
# be 0. The bootstrap draws from them again and again: 95 % of the means lie in the interval. An interval without 0
# says that the difference is real; one with 0, that these seeds do not show one.

# %%
against_tanh = result.summary(reference="tanh")
columns = ["test_accuracy_difference", "test_accuracy_difference_low", "test_accuracy_difference_high"]
for name in ("sigmoid", "relu"):
    mean, low, high = against_tanh.loc[name, columns]
    answer = "not shown by these seeds" if low <= 0 <= high else "real"
    print(f"{name} minus tanh: {mean:+.3f}, from {low:+.3f} to {high:+.3f}: the difference is {answer}")
assert against_tanh.loc["sigmoid", "test_accuracy_difference_high"] < -0.5, "no seed saves sigmoid"

# %% [markdown]
# Sigmoid's difference is many times the spread of the seeds. That between ReLU and tanh is small: even where it is
# real, it is no reason to choose one of them.

# %% [markdown]
# ## Fair to ReLU?
#
# Both began with Glorot's weights, which were made for sigmoid and tanh; He's, for ReLU, are larger.
# `initializer="matched"` gives each its own from the same random draws, so that the weights differ by a factor alone.

# %%
arguments = {"data": "digits", "hidden": (32,) * 6, "seeds": 5, "epochs": 3, "verbose": 0}
matched = kt.compare("relu", vary={"initializer": ["glorot_uniform", "matched"]}, **arguments)
print(matched.summary()[["final_loss", "final_loss_difference", "final_loss_difference_high"]].round(3).to_string())
assert matched.summary().loc["matched", "final_loss_difference_high"] < 0, "with He's weights ReLU learns faster"

# %% [markdown]
# ## What to take away
#
# - In a deep network sigmoid does not learn slowly: from no seed did it learn at all. Look at the gradients first.
# - Compare networks that differ in one thing, from the same weights, over several seeds, and show the spread.
# - An activation function and its initialization belong together.
#
# ## Questions to try
#
# 1. `hidden=(32,)`: one hidden layer. Does sigmoid learn now? From how many layers on does it not?
# 2. `vary={"learning_rate": [0.01, 0.1, 1.0]}`: is there a learning rate at which sigmoid wins?
# 3. `optimizer="adam", learning_rate=0.001`: Adam divides by the gradient's size. How much of the problem is left?
# 4. Your own network: `kt.compare(models={"mine": build, "yours": another}, data=(x, y))`.
