"""Keras on JAX with two devices that share the batch or the weights: all is as on one device."""

import jax
import keras
import numpy as np
import pytest
from network import Y, dense

import kerasteach as kt

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")  # batches of 16, which two devices share evenly


@pytest.fixture(autouse=True)
def _undistributed():
    """Give the next test one device again."""
    yield
    keras.distribution.set_distribution(None)


def distribution(shared):
    """Return how Keras is to use the devices."""
    devices = jax.devices()
    assert len(devices) == 2
    if shared == "data":
        return keras.distribution.DataParallel(devices=devices)
    layout = keras.distribution.LayoutMap(keras.distribution.DeviceMesh((1, 2), ["batch", "model"], devices))
    layout["mlp/hidden_2/kernel"] = (None, "model")
    layout["mlp/output/kernel"] = ("model", None)
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")


def trained(optimizer):
    """Return what a training recorded with a clipping `adam`, or `plain`, which StopOnError stops after an epoch."""
    plain = optimizer == "plain"
    model = dense(kt.optimizers.PlainSGD(0.5) if plain else keras.optimizers.Adam(0.01, clipnorm=0.01))
    stop = kt.callbacks.StopOnError(5.0 if plain else 0.0, verbose=0)
    capture = kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"output": [2]})
    model.fit(X, Y[:48], batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=[capture, stop])
    kernel = model.trainable_variables[4].value  # of the output layer, (4, 3)
    exact = {
        "stop": stop.reason,
        "step": capture.frame["step"].tolist(),
        "path": capture.frame["path"].tolist(),
        "histogram": capture.histograms["count"].tolist(),
    }
    rounded = {
        "raw": capture.raw[2]["mlp/output/kernel"],
        "weights": np.concatenate([weights.ravel() for weights in model.get_weights()]),
    }
    for name in ("norm", "mean", "std", "max_abs", "zero_fraction", "weight_norm"):
        rounded[name] = capture.frame[name]
    return len(kernel.devices()), kernel.addressable_shards[0].data.shape, exact, rounded


@pytest.mark.parametrize(("shared", "optimizer"), [("data", "adam"), ("weights", "adam"), ("data", "plain")])
def test_two_devices_record_and_train_what_one_does(shared, optimizer):
    """Whether two devices share the batch or the weights, gradients, weights and the stop are those of one."""
    devices, part, exact, rounded = trained(optimizer)
    assert (devices, part) == (1, (4, 3))
    keras.distribution.set_distribution(distribution(shared))
    devices, part, shared_exact, shared_rounded = trained(optimizer)
    assert (devices, part) == (2, (2, 3) if shared == "weights" else (4, 3))
    assert shared_exact == exact
    for name, values in rounded.items():
        np.testing.assert_allclose(shared_rounded[name], values, rtol=1e-5, atol=1e-7, err_msg=name)
