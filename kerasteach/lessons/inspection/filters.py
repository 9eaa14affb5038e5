"""The filters of a model's kernels: which weights lead to one output unit, and how large they are together."""

from __future__ import annotations

import keras
import numpy as np

from kerasteach.measure.selection import layers_of


def kept_axes(model: keras.Model) -> dict[int, tuple[int, ...]]:
    """Return for each trainable variable, by its id, the axes that number its filters.

    All weights that lead to one output unit, or one channel, are a filter: the last axis of most kernels numbers them.
    A depthwise kernel has one for each input channel and multiplier, the last two axes; a transposed convolution keeps
    its output channels in the axis before the last; an embedding has a vector for each token, its first axis.
    """
    axes: dict[int, tuple[int, ...]] = {id(variable): (variable.ndim - 1,) for variable in model.trainable_variables}
    for layer in layers_of(model):  # a layer stands before those inside it, which know better
        for variable in layer.trainable_variables:
            axes[id(variable)] = _axes_in(layer, variable)
    return axes


def filter_norms(weights: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return the Euclidean norm of each filter in float64, in a shape that broadcasts against the weights."""
    others = tuple(axis for axis in range(weights.ndim) if axis not in axes)
    return np.sqrt(np.sum(np.square(weights, dtype="float64"), axis=others, keepdims=True))


def _axes_in(layer: keras.layers.Layer, variable: keras.Variable) -> tuple[int, ...]:
    last = variable.ndim - 1
    depthwise = isinstance(layer, (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D))
    if depthwise or variable.name == "depthwise_kernel":
        return last - 1, last
    if isinstance(layer, keras.layers.Embedding):
        return (0,)
    transposed = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
    return (last - 1,) if isinstance(layer, transposed) else (last,)
