"""Batches of arrays as a data set, made once: of arrays, `fit` makes a new one each time, which it traces anew."""

import tensorflow as tf

_MADE = {}


def batches(x, y, size):
    """Return the data set of these arrays in their order, one and the same for the same arrays."""
    key = id(x), id(y), size
    if key not in _MADE:
        _MADE[key] = tf.data.Dataset.from_tensor_slices((x, y)).batch(size), x, y  # which keeps the arrays' numbers
    return _MADE[key][0]
