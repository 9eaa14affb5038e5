# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # One training step, with every number
#
# A network learns by repeating one step: forward pass, error, backpropagation, update. Here it is done once, for the
# smallest network there is: two sigmoid neurons in series. IBM's course *Introduction to Deep Learning & Neural
# Networks with Keras* does the same sums on a slide; we check each number, and say where the slide differs.
#
# Run it: `python 02_one_training_step.py`. It writes its figures into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import kerasteach as kt

# %% [markdown]
# ## Initialize
#
# x = 0.1 shall give T = 0.25. The weights are as on the slide; the error is E = 1/2 (T - a2)^2.


# %%
def two_neurons() -> keras.Sequential:
    """Return the network x -> z1 = w1 x + b1 -> a1 = sigmoid(z1) -> z2 -> a2."""
    neurons = [kt.layers.Dense(1, "sigmoid", name=f"neuron_{number}") for number in (1, 2)]
    model = keras.Sequential([keras.Input((1,)), *neurons])
    model.set_weights([np.array([[0.15]]), np.array([0.40]), np.array([[0.45]]), np.array([0.65])])
    return model


x, target = np.array([[0.1]]), np.array([[0.25]])
model = two_neurons()
model.compile(kt.optimizers.PlainSGD(0.4), kt.losses.HalfSquaredError())
trace = kt.trace_step(model, x, target)
print(trace.explain())

# %% [markdown]
# In a notebook, `trace` alone shows the same as formulas. The figure shows the whole step: each number of the forward
# pass in blue, and beside it, in red, the derivative of the error by it.

# %%
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(trace.plot(), "figures/02_two_neurons.png")

# %% [markdown]
# The page is for the lecture, and to hand out: it opens in any browser, without a network. The arrow keys go through
# the four steps; a weight under the mouse shows its chain rule; the learning rate and the weights can be changed. *Hide
# the numbers*, ask for one, and show it.

# %%
page = trace.report("02_one_training_step.html", overwrite=True)
print(f"The page is {page.name}.")

# %% [markdown]
# ## Does the slide agree?
#
# The table has one number in each row. Two of the slide's numbers have rounding errors: the printout marks them.

# %%
print(trace.frame.head(3).to_string())
values = trace.frame.set_index(["quantity", "depth"])["value"]
values["E", 2] = trace.frame.query("quantity == 'E'")["value"].iloc[-1]  # the error behind the second neuron
printed = {  # the slide's number, and what it is with ten digits
    ("z", 1): (0.415, 0.415),
    ("a", 1): (0.6023, 0.6022861769),
    ("z", 2): (0.9210, 0.9210287796),
    ("a", 2): (0.7153, 0.7152516803),
    ("E", 2): (0.1083, 0.1082295630),
    ("dE/dW", 2): (0.05706, 0.0570703982),
    ("dE/db", 2): (0.0948, 0.0947562810),
    ("dE/dW", 1): (0.001021, 0.0010213959),
    ("dE/db", 1): (0.01021, 0.0102139588),
    ("new W", 2): (0.427, 0.4271718407),
    ("new b", 2): (0.612, 0.6120974876),
    ("new W", 1): (0.1496, 0.1495914416),
    ("new b", 1): (0.3959, 0.3959144165),
}
slips = []
for (quantity, depth), (slide, exact) in printed.items():
    found = values[quantity, depth]
    assert abs(found - exact) < 1e-6
    if round(found, len(str(slide).split(".")[1])) != slide:
        slips.append(quantity)
    print(f"{quantity:6} of layer {depth}: {found:.7f}{f'   the slide has {slide}' if quantity in slips else ''}")
assert slips == ["E", "dE/dW"], "0.1083 is too large; 0.05706 multiplies numbers that were rounded before"

# %% [markdown]
# ## Two traps
#
# *All gradients come from the old weights.* If w2 is updated first, and the error goes back through the new w2, b1
# comes out different. *The loss has a factor.* Keras's `mse` has no 1/2: every gradient is twice as large.

# %%
slope = values["a", 1] * (1 - values["a", 1])
old = 0.40 - 0.4 * values["dE/dz", 2] * values["W", 2] * slope
wrong = 0.40 - 0.4 * values["dE/dz", 2] * values["new W", 2] * slope
print(f"b1 through the old w2: {old:.4f}; through the new one: {wrong:.4f}")
assert (round(old, 4), round(wrong, 4)) == (0.3959, 0.3961)

doubled = two_neurons()
doubled.compile(kt.optimizers.PlainSGD(0.4), "mse")
w2 = kt.trace_step(doubled, x, target).frame.set_index(["quantity", "depth"])["value"]["new W", 2]
print(f"w2 with Keras's mse: {w2:.4f}")
assert round(w2, 4) == 0.4043

# %% [markdown]
# ## It is what Keras does
#
# `trace_step` has changed nothing. Now Keras takes the step; the weights are those of the table.

# %%
model.train_on_batch(x, target)
new = trace.frame[trace.frame["quantity"].isin(["new W", "new b"])]["value"]
assert np.allclose(np.concatenate([np.ravel(one) for one in model.get_weights()]), new, atol=1e-7)

# %% [markdown]
# ## A classifier
#
# The same for softmax and cross-entropy: dE/da goes through softmax's Jacobian, and dE/dz is simply a - T. The figure
# has two pages, so that its numbers can be read; what stands on the other page is gray.

# %%
classifier = kt.models.mlp("tanh", (4,), inputs=4, outputs=3, seed=0)
classifier.compile(kt.optimizers.PlainSGD(0.4), "sparse_categorical_crossentropy")
iris = kt.datasets.load("iris")
step = kt.trace_step(classifier, iris.x_train[:1], iris.y_train[:1])
output = step.frame.query("depth == 2").set_index("quantity")["value"]
assert np.allclose(output["dE/dz"], output["a"] - np.eye(3)[iris.y_train[0]], atol=1e-6)
kt.plotting.show_or_save(step.plot(page=1), "figures/02_classifier_1.png")
kt.plotting.show_or_save(step.plot(page=2), "figures/02_classifier_2.png")

# %% [markdown]
# ## Questions to try
#
# 1. `kerasteach trace --weights 8 8 --biases 0 0`: both neurons are saturated. What is left of dE/dw1, and why?
# 2. Put ten neurons in series. By which factor does dE/db shrink at each? Tutorial 05 goes on from there.
# 3. Trace two examples at once. How does dE/dw2 come from the two that each would give alone?
