"""Keras on JAX in two processes that share each batch, as on two machines: losses and gradients are those of one."""

import json
import os
import socket
import subprocess
import sys
import warnings

import keras
import numpy as np
import tensorflow as tf
from network import Y, dense, random

import kerasteach as kt

X = random.normal(size=(48, 4)).astype("float32")  # batches of 16, which two processes share evenly


def train():
    """Return losses, gradient norms and weights."""
    data = tf.data.Dataset.from_tensor_slices((X, Y[:48])).batch(16)
    model, capture = dense(kt.optimizers.PlainSGD(0.5)), kt.callbacks.GradientCapture()
    with warnings.catch_warnings():  # Keras does not know how many batches the shared data set has
        warnings.filterwarnings("ignore", "Your input ran out of data")
        history = model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=[capture])
    weights = np.concatenate([one.ravel() for one in model.get_weights()])
    return {"loss": history.history["loss"], "norm": capture.frame["norm"].tolist(), "weights": weights.tolist()}


def one_of_two(address, number):
    """Train as one of two processes, and print what came out."""
    keras.distribution.initialize(job_addresses=address, num_processes=2, process_id=int(number))
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    sys.stdout.write(f"\n{json.dumps(train())}\n")  # on a line of its own: what connects the processes talks, too


def both():
    """Start two processes, and compare each with one alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": {**os.environ}}
    two = [subprocess.Popen([sys.executable, __file__, address, number], **options) for number in "01"]
    expected = train()
    for process in two:
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        [found] = [line for line in out.splitlines() if line.startswith("{")]
        for name, values in json.loads(found).items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


one_of_two(*sys.argv[1:]) if len(sys.argv) > 1 else both()
