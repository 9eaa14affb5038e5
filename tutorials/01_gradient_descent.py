# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Gradient descent
#
# The gradient of a function points uphill. Gradient descent therefore takes a step against it, again and again:
#
# $$w \leftarrow w - \eta \, \frac{dJ}{dw}$$
#
# The *learning rate* $\eta$ decides how far a step goes, and thereby whether the descent arrives.
#
# Run it: `python 01_gradient_descent.py`. It writes its figures into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from keras import ops

import kerasteach as kt

# %% [markdown]
# ## The course's example: fit z = w x
#
# The data lie on z = 2x, so w = 2 is the answer. We start at w = 0 and descend the cost
# $J(w) = \frac{1}{2m} \sum (z - w x)^2$. Any function that is written with `keras.ops` or TensorFlow will do; the
# gradient is found automatically.

# %%
x = np.linspace(-1, 1, 20)
z = 2 * x


def cost(w):
    return ops.sum((z - w * x) ** 2) / (2 * len(x))


path = kt.gradient_descent(cost, start=0.0, learning_rate=[1.5, 0.4], steps=4).frame
print(path[["learning_rate", "step", "w", "value", "gradient_norm"]].round(4).to_string(index=False))

# %% [markdown]
# The course prints w = 0.000, 1.105, 1.600, 1.821, 1.920 and calls the learning rate 0.4. These numbers come out with
# **1.5**. With 0.4, the same data give 0.295, 0.546, 0.760, 0.943: still less than half of the way.

# %%
printed = [0.000, 1.105, 1.600, 1.821, 1.920]
assert np.allclose(path.query("learning_rate == 1.5")["w"], printed, atol=5e-4), "the printed numbers need 1.5"
assert np.allclose(path.query("learning_rate == 0.4")["w"], [0, 0.294737, 0.546039, 0.760307, 0.942998], atol=5e-7)

# %% [markdown]
# Why does each step leave the same share of the way? The slope of J is (w - 2) times the mean of x^2, so a step
# multiplies the distance to 2 by 1 - 1.5 mean(x^2).

# %%
left = np.array([2 - w for w in printed])
print("share of the distance that each step leaves:", (left[1:] / left[:-1]).round(3))
assert np.allclose(left[1:] / left[:-1], 1 - 1.5 * np.mean(x**2), atol=1e-3)

# %% [markdown]
# ## Too small, good, too large
#
# On the parabola f(x) = x^2 a step multiplies x by 1 - 2 eta. This factor decides: close to 1 the descent is slow,
# close to 0 it arrives at once, below 0 it jumps to the other side, and below -1 it diverges.

# %%
rates = [0.01, 0.3, 0.95, 1.0, 1.02]
descent = kt.gradient_descent("parabola", start=-2.5, learning_rate=rates, steps=30)
ends = descent.verdicts.set_index("learning_rate")
print(ends[["x", "value", "verdict"]].to_string())
assert ends["verdict"].tolist() == ["still going", "converged", "oscillating", "oscillating", "diverged"]
assert np.allclose(ends["x"], -2.5 * (1 - 2 * np.array(rates)) ** 30), "30 factors of 1 - 2 eta"

curve = descent.landscape()
few = descent.frame[descent.frame["learning_rate"].isin([0.01, 0.3, 1.02])]
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(kt.plotting.descent_path(few, curve, [0.0]), "figures/01_path.png")
    kt.plotting.show_or_save(kt.plotting.descent_values(few), "figures/01_values.png")
    animation = kt.plotting.descent_animation(few.query("step <= 8"), curve, [0.0])
    kt.plotting.show_or_save(animation, "figures/01_descent.gif")

# %% [markdown]
# ## Two directions, one learning rate
#
# A network has many weights and one learning rate for all. Here, the curvature is 10 along y and 1 along x. Beyond
# 2 / 10 the steep direction diverges, however slowly the flat one goes.

# %%
descent = kt.gradient_descent("elongated_bowl", learning_rate=[0.02, 0.18, 0.202], steps=50)
assert descent.verdicts["verdict"].tolist() == ["still going", "converged", "diverged"]
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(descent.plot(), "figures/01_bowl.png")

# %% [markdown]
# ## Which minimum?
#
# Gradient descent finds *a* minimum, not the lowest. Of this function's two minima the lower one is on the left. From
# the right, small steps end in the nearer minimum; here a large first step jumps over it.

# %%
descent = kt.gradient_descent("two_minima", learning_rate=[0.05, 0.12], steps=60)
reached = descent.verdicts.set_index("learning_rate")["x"]
print(reached.round(4).to_string())
assert np.allclose(reached, [0.930403, -1.057454], atol=1e-5), "the same start, two minima"
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(descent.plot(), "figures/01_two_minima.png")

# %% [markdown]
# ## Questions to try
#
# 1. Use Keras's own mean squared error, which has no 1/2, as the cost. Which learning rate gives the printed numbers?
# 2. `kt.gradient_descent("rosenbrock", learning_rate=0.001, optimizer=["plain_sgd", "adam"], steps=5000)`: who is
#    further along the valley? Is the same learning rate a fair comparison?
# 3. Start on the saddle's ridge, `kt.gradient_descent("saddle", (1.0, 0.0))`, and beside it. What does "converged"
#    mean?
