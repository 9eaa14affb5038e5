"""GradientCapture on JAX, on one device or two: prints what it recorded.

The first argument says what two devices share, `nothing`, the `data`, or the `weights`; the second the optimizer, an
`adam` that clips or our own `plain` one, which StopOnError stops after the first epoch.
"""

import json
import sys

import jax
import keras
from network import Y, dense, random

import kerasteach as kt

X = random.normal(size=(48, 4)).astype("float32")  # batches of 16, which two devices share evenly


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


def main(shared, optimizer):
    """Train and print."""
    if shared != "nothing":
        keras.distribution.set_distribution(distribution(shared))
    plain = optimizer == "plain"
    model = dense(kt.optimizers.PlainSGD(0.5) if plain else keras.optimizers.Adam(0.01, clipnorm=0.01))
    stop = kt.callbacks.StopOnError(5.0 if plain else 0.0, verbose=0)
    capture = kt.callbacks.GradientCapture(statistics="all", histogram=True, raw={"output": [2]})
    model.fit(X, Y[:48], batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=[capture, stop])
    frame = capture.frame
    found = {
        "devices": len(model.trainable_variables[4].value.devices()),
        "part": model.trainable_variables[4].value.addressable_shards[0].data.shape,  # of an output kernel (4, 3)
        "stop": stop.reason,
        "step": frame["step"].tolist(),
        "path": frame["path"].tolist(),
        "histogram": capture.histograms["count"].tolist(),
        "raw": capture.raw[2]["mlp/output/kernel"].tolist(),
        "weights": [one for weights in model.get_weights() for one in weights.ravel().tolist()],
    }
    found |= {name: frame[name].tolist() for name in ("norm", "mean", "std", "max_abs", "zero_fraction", "weight_norm")}
    json.dump(found, sys.stdout)


main(*sys.argv[1:])
