"""The device to test, and training on it or on the CPU, always from the same weights."""

from contextlib import contextmanager

import keras
import numpy as np
import pytest
from network import BATCHES, IMAGES, X, Y, convolutional, dense, fit

from kerasteach.keras_internals import fresh_layer_names

BACKEND = keras.backend.backend()
NOT_ON_JAX = pytest.mark.skipif(BACKEND == "jax", reason="ActivationCapture does not work on JAX")


def gpu_is_there():
    """Return whether the backend sees a GPU."""
    if BACKEND == "jax":
        import jax

        return any(device.platform == "gpu" for device in jax.devices())
    import torch

    return torch.cuda.is_available()


def compute_in_float32():
    """Have a GPU compute with all digits of float32: by default, products of matrices have those of TF32, three."""
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")
    else:
        import torch

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


@contextmanager
def on(kind):
    """Have Keras compute on the first device of a kind, `"cpu"` or `"gpu"`, while the block runs."""
    if BACKEND == "jax":
        import jax

        with jax.default_device(jax.devices(kind)[0]):
            yield
    else:
        with keras.device(kind):  # without a number: PyTorch takes "cpu:0" for another device than "cpu"
            yield


def kind_of(variable):
    """Return the kind of device that a variable lies on."""
    if BACKEND == "jax":
        (device,) = variable.value.devices()
        return device.platform
    return {"cuda": "gpu"}.get(variable.value.device.type, variable.value.device.type)


def network(optimizer, images=False):
    """Return a compiled network whose weights do not depend on the device: PyTorch draws others on each."""
    with fresh_layer_names():
        model = convolutional(optimizer) if images else dense(optimizer)
    random = np.random.default_rng(0)
    for weights in model.trainable_variables:
        weights.assign(0.5 * random.normal(size=weights.shape))
    return model


def trained(kind, callback, images=False, **options):
    """Fit a network on a device, and return it."""
    with on(kind):
        model = network(keras.optimizers.Adam(0.01), images)
        fit(model, callback, x=IMAGES if images else X, **options)
    return model


def trained_by_batch(kind, recording):
    """Train a network with `train_on_batch` on a device, and return what `recording(optimizer, model)` recorded."""
    with on(kind):
        model = network(keras.optimizers.Adam(0.01))
        model.optimizer.build(model.trainable_variables)
        with recording(model.optimizer, model) as tape:
            for batch in BATCHES * 2:
                model.train_on_batch(X[batch], Y[batch])
        return tape
