# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Bigger: devices, processes, and runs on disk
#
# Three things grow: one network, the number of networks, and the time that it all takes. A larger network goes to a GPU
# or to several devices; many networks go to several processes; a long training writes to disk while it runs, so that an
# interruption costs little. Each of them is one argument or one line. We do it with networks that are small enough to
# wait for.
#
# Run it: `python 09_bigger.py`. It writes into `figures/`.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from joblib.externals.loky import ProcessPoolExecutor

import kerasteach as kt

data = kt.datasets.load("digits")
x, y = data.x_train[:704], data.y_train[:704]  # 11 batches of 64, each of which two devices can share evenly
runs = Path(tempfile.mkdtemp())

# %% [markdown]
# ## A GPU, when there is one
#
# `devices.available()` lists what TensorFlow sees. `device="auto"`, the default everywhere, takes the first GPU, and
# the CPU where there is none. Small networks like these are often faster on a CPU: a GPU needs large batches or layers.
#
# Without a second GPU, we divide the CPU into two logical devices. That is no faster, but it is the same code. It must
# stand before TensorFlow starts its devices.

# %%
gpus = tf.config.list_physical_devices("GPU")
if len(gpus) < 2:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
for device in kt.devices.available():
    print(f"{device.name:6} {device.description}")
assert kt.devices.resolve("auto") == ("gpu:0" if gpus else "cpu:0")

# %% [markdown]
# ## One network on two devices
#
# `MirroredStrategy` copies the network to each device and gives each a half of every batch. Their gradients are added,
# and that sum is what `GradientCapture` records: the same numbers as on one device, but for rounding.


# %%
def first_steps(strategy: tf.distribute.Strategy) -> kt.callbacks.GradientCapture:
    """Train a network for one epoch, and return its gradients."""
    with strategy.scope():
        model = kt.models.mlp("tanh", (32, 32), inputs=64, outputs=10, seed=0)
        model.compile(kt.optimizers.PlainSGD(0.1), "sparse_categorical_crossentropy")
    capture = kt.callbacks.GradientCapture()
    model.fit(x, y, batch_size=64, shuffle=False, verbose=0, callbacks=[capture])
    return capture


two = ["GPU:0", "GPU:1"] if len(gpus) >= 2 else ["CPU:0", "CPU:1"]
one_device = first_steps(tf.distribute.OneDeviceStrategy(two[0]))
two_devices = first_steps(tf.distribute.MirroredStrategy(two))
ratio = two_devices.frame["norm"] / one_device.frame["norm"]
print(f"{len(ratio)} gradient norms; largest relative difference {abs(ratio - 1).max():.0e}")
assert np.allclose(ratio, 1, rtol=1e-3), "the batch is shared, the gradient is the same"
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(two_devices.plot(), "figures/09_two_devices.png")

# %% [markdown]
# ## Many networks in several processes
#
# Networks of one shape train together in one graph already; other depths are other groups. `executor=` gives each group
# to a process. Any executor of `concurrent.futures` will do, also that of a cluster (Dask). joblib's comes along with
# scikit-learn, and needs no `if __name__ == "__main__"`. The tables are the same with and without it.
#
# `directory=` writes each group as soon as it is trained.

# %%
plan = {"vary": {"depth": [1, 4]}, "data": "digits", "seeds": 2, "epochs": 2, "device": "cpu"}
with ProcessPoolExecutor(2) as pool:
    result = kt.compare("sigmoid", **plan, directory=runs / "depths", executor=pool, verbose=0)
print(result.summary()[["seeds", "final_loss", "test_accuracy"]].to_string())

# %% [markdown]
# ## The same call goes on
#
# After an interruption (a power cut, a closed laptop) the same call with the same `directory` trains what is missing.
# Here nothing is missing, and it returns at once. Another call in that folder is refused, so that no run is overwritten
# by mistake.

# %%
again = kt.compare("sigmoid", **plan, directory=runs / "depths", verbose=0)
assert again.history.equals(result.history), "read, not trained"
try:
    kt.compare("tanh", **plan, directory=runs / "depths", verbose=0)
except ValueError as error:
    print(f"Refused: {str(error)[:150]} ...")
else:
    raise AssertionError("other networks have no place in this folder")

# %% [markdown]
# ## A long training that breaks off
#
# A capture with `directory=` writes while the model trains, about once a second, and the rest when Python ends. In a
# notebook, which does not end, `detach()` writes the rest. This training is interrupted in its third epoch, as if by
# Ctrl-C:


# %%
class PowerCut(keras.callbacks.Callback):
    """End the training in its third epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations > 2 * 11 + 5:
            raise KeyboardInterrupt


model = kt.models.mlp("relu", (32, 32), inputs=64, outputs=10, seed=0)
model.compile(kt.optimizers.PlainSGD(0.1), "sparse_categorical_crossentropy")
capture = kt.callbacks.GradientCapture(directory=runs / "long", every=2)
try:
    model.fit(x, y, batch_size=64, epochs=100, verbose=0, callbacks=[capture, PowerCut()])
except KeyboardInterrupt:
    capture.detach()
saved = kt.measure.read(runs / "long")
print(f"on disk: {saved['step'].nunique()} steps of {saved['epoch'].nunique()} epochs")
assert saved["epoch"].max() == 2, "also what the third epoch had"
with kt.plotting.style("lecture"):
    kt.plotting.show_or_save(kt.plotting.gradient_heat_map(saved), "figures/09_interrupted.png")

# %% [markdown]
# ## Questions to try
#
# 1. In a terminal: `kerasteach compare --depth 1 4 --processes 2 --output depths`. Stop it with Ctrl-C, then
#    `kerasteach compare --resume depths`.
# 2. Choose a batch size of 63: is the gradient of two devices still that of one? Keras weighs both parts alike.
