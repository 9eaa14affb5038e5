# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # What is wrong?
#
# Five networks that do not learn. For each there is a figure first: look at it, and say what is wrong before you read
# on. Then the diagnosis says it in words. The data are scikit-learn's digits, 8 by 8.
#
# Run it: `python 08_what_is_wrong.py`. It writes into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import kerasteach as kt

data = kt.datasets.load("digits")
x, y = data.x_train[:640], data.y_train[:640]


def train(activation="relu", hidden=(32, 32), rate=0.1, images=x, **options):
    """Train a network, and return its captures and its history."""
    network = kt.models.mlp(activation, hidden, inputs=64, outputs=10, seed=0, **options)
    accuracy = keras.metrics.SparseCategoricalAccuracy("accuracy")  # "accuracy" would do, and take longer to start
    network.compile(kt.optimizers.PlainSGD(rate), "sparse_categorical_crossentropy", metrics=[accuracy])
    gradients = kt.callbacks.GradientCapture(statistics=["norm", "update_ratio"])
    outputs = kt.callbacks.ActivationCapture(every="epoch")
    history = network.fit(images, y, epochs=4, shuffle=False, verbose=0, callbacks=[gradients, outputs])
    return gradients, outputs, kt.measure.history_table(history)


def rules(findings):
    """Return the identifiers of what was found."""
    return list(findings.frame["rule"])


# %% [markdown]
# ## A healthy one, to compare with
#
# Its gradient has about the same size in all layers, and its loss falls. The diagnosis says nothing, but what it
# looked at.

# %%
gradients, outputs, history = train()
kt.plotting.show_or_save(gradients.plot(), "figures/08_healthy.png")
findings = kt.diagnose(gradients, outputs, history)
print(findings)
assert not findings

# %% [markdown]
# ## The first patient
#
# Ten hidden layers. What does the line do from right to left, from the output to the input?

# %%
gradients, outputs, history = train("sigmoid", (32,) * 10)
kt.plotting.show_or_save(gradients.plot(), "figures/08_first.png")

# %%
findings = kt.diagnose(gradients, outputs, history)
print(findings)
assert "KT201" in rules(findings)

# %% [markdown]
# ## The second patient
#
# The shares of units that are 0 for every example of an epoch. Which layers still say anything?

# %%
gradients, outputs, history = train(bias_initializer=keras.initializers.Constant(-6.0))
kt.plotting.show_or_save(outputs.plot(), "figures/08_second.png")

# %%
findings = kt.diagnose(gradients, outputs, history)
print(findings)
assert {"KT102", "KT301"} <= set(rules(findings))

# %% [markdown]
# ## The third patient
#
# How large a step is, against the weights. The usual range is shaded.

# %%
gradients, outputs, history = train(rate=1e-5)
kt.plotting.show_or_save(kt.plotting.update_ratios(gradients), "figures/08_third.png")

# %%
findings = kt.diagnose(gradients, outputs, history)
print(findings)
assert rules(findings) == ["KT402"]

# %% [markdown]
# ## The fourth patient
#
# One pixel of one image is missing (NaN). The curve of the loss has a cross where it left the finite numbers.

# %%
poisoned = x.copy()
poisoned[100, 20] = np.nan
gradients, outputs, history = train("tanh", images=poisoned)
kt.plotting.show_or_save(kt.plotting.learning_curves(history), "figures/08_fourth.png")

# %%
findings = kt.diagnose(gradients, outputs, history)
print(findings)
assert "KT101" in rules(findings)

# %% [markdown]
# ## The fifth patient
#
# It has not been trained yet, and nobody should: `preflight` looks at a compiled model and one batch.

# %%
network = kt.models.mlp("relu", (32,), inputs=64, outputs=10, output_activation="sigmoid", initializer="zeros")
network.compile("adam", "sparse_categorical_crossentropy")
findings = kt.preflight(network, x, y)
print(findings)
assert {"KT501", "KT504"} <= set(rules(findings))

# %% [markdown]
# ## The fault clinic
#
# Another network that does not learn, and six possible causes: look at its figures and choose. A wrong answer gets the
# number that speaks against it. Every `seed` is another case.

# %%
clinic = kt.lessons.fault_clinic(seed=1)
print(clinic)
kt.plotting.show_or_save(clinic.plot(), "figures/08_clinic.png")

# %%
print(clinic.check("a"))
print(clinic.check(clinic.answer))  # the answer, with the diagnosis: once you have chosen

# %% [markdown]
# ## What a rule means
#
# Each rule has a page: when it speaks, when it is wrong, what to try. A finding is a reason to look, no proof.
# %%
print(kt.diagnosis.explain("KT201"))
