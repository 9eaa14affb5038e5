"""Properties of Keras's activation functions that are not the course's, and the names that no layer can have."""

from kerasteach.activations.properties import Properties

# Keras's other functions. The scales are He's condition for any function f: a layer whose input has the mean square 1
# passes it on where the variance of its kernel is 1 / (n_in E[f(z)^2]), z from N(0, 1); 2 / n_in for ReLU.
KERAS = {
    "celu": Properties(initialization=("fan_in", 1.5505)),
    "elu": Properties(initialization=("fan_in", 1.5505)),
    "exponential": Properties(),
    "gelu": Properties(initialization=("fan_in", 2.3517)),
    "hard_shrink": Properties(jumps=(-0.5, 0.5), kinks=(-0.5, 0.5)),
    "hard_sigmoid": Properties(kinks=(-3.0, 3.0)),
    "hard_silu": Properties(kinks=(-3.0, 3.0)),
    "hard_swish": Properties(kinks=(-3.0, 3.0)),
    "hard_tanh": Properties(kinks=(-1.0, 1.0)),
    "log_sigmoid": Properties(),
    "log_softmax": Properties(axis=True),
    "mish": Properties(initialization=("fan_in", 2.2107)),
    "relu6": Properties(kinks=(0.0, 6.0)),
    "selu": Properties(kinks=(0.0,), initialization=("fan_in", 1.0)),
    "silu": Properties(initialization=("fan_in", 2.8108)),
    "soft_shrink": Properties(kinks=(-0.5, 0.5)),
    "softplus": Properties(),
    "softsign": Properties(),
    "sparse_plus": Properties(),
    "sparse_sigmoid": Properties(kinks=(-1.0, 1.0)),
    "sparsemax": Properties(axis=True),
    "squareplus": Properties(),
    "swish": Properties(initialization=("fan_in", 2.8108)),
    "tanh_shrink": Properties(),
}

# Names of Keras's that stand for no activation function of a layer.
UNFIT = {
    "glu": "it returns half as many values as it receives, so a layer cannot have it as its activation",
    "threshold": "it needs a threshold and a value: name a function such as "
    "lambda x: keras.activations.threshold(x, 0.5, 0.0)",
}
