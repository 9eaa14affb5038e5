"""Train the network of the tests, as one of several processes where this is the program that runs."""

import json
import sys
import warnings

import keras
import numpy as np
import tensorflow as tf
from network import Y, dense

import kerasteach as kt

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")  # batches of 16, which two processes share evenly


def train():
    """Return losses, gradient norms and weights."""
    data = tf.data.Dataset.from_tensor_slices((X, Y[:48])).batch(16)
    model, capture = dense(kt.optimizers.PlainSGD(0.5)), kt.callbacks.GradientCapture()
    with warnings.catch_warnings():  # Keras does not know how many batches the shared data set has
        warnings.filterwarnings("ignore", "Your input ran out of data")
        history = model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=[capture])
    weights = np.concatenate([array.ravel() for array in model.get_weights()])
    return {"loss": history.history["loss"], "norm": capture.frame["norm"].tolist(), "weights": weights.tolist()}


if __name__ == "__main__":
    address, number = sys.argv[1:]
    keras.distribution.initialize(job_addresses=address, num_processes=2, process_id=int(number))
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    sys.stdout.write(f"\n{json.dumps(train())}\n")  # on a line of its own: what connects the processes prints, too
