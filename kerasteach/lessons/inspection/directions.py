"""Directions in the space of a model's weights, and the plane that they span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import keras
import numpy as np

from kerasteach.measure.parameters import describe
from kerasteach.measure.selection import layers_of
from kerasteach.validation import received, shown

Weights = list[np.ndarray]  # one array for each variable
Weight = tuple[str, int | tuple[int, ...]]  # a variable's name, "dense/kernel", and the place in it


@dataclass(frozen=True)
class Plane:
    """A model's weights, and one or two directions from there."""

    axes: tuple[str, ...]  # a name for each direction
    center: Weights  # the values of the model's trainable variables
    directions: list[Weights]  # for each axis an array for each trainable variable, of its shape
    origin: np.ndarray  # the coordinate of the center on each axis
    reach: float  # how far a grid is to reach on both sides at least

    def project(self, weights: Weights) -> tuple[np.ndarray, float]:
        """Return the coordinates of the plane's point that is nearest to these weights, and the distance to it.

        With the directions `d_i` as the columns of `D`, the coordinates are the least-squares solution `c` of
        `D c = weights - center`, all trainable variables as one vector, computed in float64; the distance is the
        Euclidean norm of what is left.
        """
        rest = [_float64(values) - _float64(center) for values, center in zip(weights, self.center, strict=True)]
        gram = np.array([[_product(first, second) for second in self.directions] for first in self.directions])
        coordinates = np.linalg.solve(gram, [_product(direction, rest) for direction in self.directions])
        for coordinate, direction in zip(coordinates, self.directions, strict=True):
            rest = [values - coordinate * step for values, step in zip(rest, direction, strict=True)]
        return self.origin + coordinates, float(np.sqrt(_product(rest, rest)))


def chosen_weights(model: keras.Model, weights: Sequence[Weight]) -> Plane:
    """Return the plane in which one or two single weights vary. Its coordinates are their values.

    Raises:
        ValueError: If there is no such trainable variable or no such place in it, or a weight is named twice.
        TypeError: If a weight is no name with a place.
    """
    variables = list(model.trainable_variables)
    parameters = describe(variables, model)
    names = [f"{parameter.layer}/{parameter.parameter}" for parameter in parameters]
    paths = [parameter.path for parameter in parameters]
    places = [_place(weight, names, paths, variables) for weight in weights]
    if len(set(places)) < len(places):
        raise ValueError(f"`along` must name two different weights. Received: along={list(weights)!r}.")
    center = _values(variables)
    directions = []
    for number, place in places:
        direction = [np.zeros_like(values) for values in center]
        direction[number][place] = 1
        directions.append(direction)
    origin = np.array([float(center[number][place]) for number, place in places])
    return Plane(tuple(f"{names[number]}{list(place)}" for number, place in places), center, directions, origin, 1.0)


def random_directions(model: keras.Model, seed: int) -> Plane:
    """Return the plane of two random directions with filter normalization.

    Each direction is drawn from N(0, 1); then each of its filters is rescaled to the norm of the model's filter:
    `d_f <- d_f / |d_f| |w_f|`. Variables of one axis or none (biases, and the gamma and beta of normalization layers)
    do not move, as in the authors' published code.

    Raises:
        ValueError: If there is no trainable kernel that is not all 0.

    Reference:
        Li, Xu, Taylor, Studer, Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018, section 4.
    """
    random = np.random.default_rng(seed)
    variables, axes = list(model.trainable_variables), _filter_axes(model)
    center = _values(variables)
    directions = [
        [_like(values, axes[id(variable)], random) for values, variable in zip(center, variables, strict=True)]
        for _ in range(2)
    ]
    if not all(_product(direction, direction) for direction in directions):
        raise ValueError(
            "Random directions need a trainable kernel that is not all 0; name weights in `along` instead. Received: "
            f"trainable variables of the shapes {[values.shape for values in center]}."
        )
    return Plane(("direction_1", "direction_2"), center, directions, np.zeros(2), 1.0)


def trajectory_directions(model: keras.Model, trajectory: Sequence[Weights]) -> Plane:
    """Return the plane through the model's weights that comes nearest to a training's trajectory.

    Its directions are the first two principal components of the snapshots' differences from the model's weights, of
    length 1 and at right angles, so that the coordinates are distances. The first snapshot has no positive coordinate.

    Args:
        model: Its weights are the plane's center.
        trajectory: The trainable variables' values at each snapshot.

    Raises:
        ValueError: If the snapshots lie on a line.

    Reference:
        Li et al. 2018, section 7, who also subtract the mean of the differences.
    """
    center = _values(model.trainable_variables)
    differences = [
        np.array([_float64(snapshot[number]) - _float64(values) for snapshot in trajectory])
        for number, values in enumerate(center)
    ]  # for each variable, (snapshots, ...)
    rows = [difference.reshape(len(trajectory), -1) for difference in differences]
    gram = sum((flat @ flat.T for flat in rows), np.zeros((1, 1)))
    squares, mixtures = np.linalg.eigh(gram)  # (snapshots, snapshots): small, however many weights there are
    if len(trajectory) < 2 or not squares[-2] > 1e-12 * squares[-1]:
        raise ValueError(
            "`trajectory` must leave a line: three snapshots of different weights at least. "
            f'Received: {len(trajectory)} snapshots; along="random" draws them on other directions.'
        )
    directions = []
    for number in (-1, -2):
        mixture = mixtures[:, number] / np.sqrt(squares[number])
        coordinate = mixtures[0, number]  # the sign of the first snapshot's coordinate
        mixture = -mixture if coordinate > 0 else mixture
        directions.append([np.tensordot(mixture, difference, axes=1) for difference in differences])
    return Plane(("component_1", "component_2"), center, directions, np.zeros(2), 0.0)


def _place(
    weight: Any, names: list[str], paths: list[str], variables: Sequence[keras.Variable]
) -> tuple[int, tuple[int, ...]]:
    """Return the number of a weight's variable, and its index there, counted from 0."""
    try:
        name, place = weight
        place = tuple(index(number) for number in (place if isinstance(place, Iterable) else (place,)))
    except Exception:  # anything that the user's object raises while it is unpacked
        raise TypeError(
            '`along` must be "random", "trajectory", a weight such as ("dense/kernel", (0, 1)), or two of them. '
            f"{received('along', weight)}"
        ) from None
    if not isinstance(name, str) or name not in [*names, *paths]:
        raise ValueError(
            f"`along` must name a trainable variable of the model: {', '.join(names) or 'it has none'}. "
            f"{received('along', weight)}"
        )
    number = (names if name in names else paths).index(name)
    shape = tuple(variables[number].shape)
    if len(place) != len(shape) or not all(-size <= at < size for at, size in zip(place, shape, strict=True)):
        raise ValueError(f"`along` must name a place in {name!r}, whose shape is {shape}. Received: {shown(place)}.")
    return number, tuple(at % size for at, size in zip(place, shape, strict=True))


def _like(weights: np.ndarray, axes: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return a random direction with the norms of these weights' filters, or 0 where they are no kernel."""
    if weights.ndim < 2:
        return np.zeros_like(weights, "float64")
    direction = random.standard_normal(weights.shape)
    return direction / _filter_norms(direction, axes) * _filter_norms(weights, axes)


def _filter_axes(model: keras.Model) -> dict[int, tuple[int, ...]]:
    """Return for each trainable variable, by its id, the axes that number its filters.

    A filter is all weights that lead to one output unit or channel: the last axis of most kernels numbers them. A
    depthwise kernel has one for each input channel and multiplier, the last two axes; a transposed convolution has its
    output channels in the axis before the last; an embedding has a vector for each token, its first axis.
    """
    axes: dict[int, tuple[int, ...]] = {id(variable): (variable.ndim - 1,) for variable in model.trainable_variables}
    for layer in layers_of(model):  # an inner layer comes after the one around it, and decides
        for variable in layer.trainable_variables:
            axes[id(variable)] = _axes_in(layer, variable)
    return axes


def _axes_in(layer: keras.layers.Layer, variable: keras.Variable) -> tuple[int, ...]:
    last = variable.ndim - 1
    depthwise = isinstance(layer, (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D))
    if depthwise or variable.name == "depthwise_kernel":
        return last - 1, last
    if isinstance(layer, keras.layers.Embedding):
        return (0,)
    transposed = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
    return (last - 1,) if isinstance(layer, transposed) else (last,)


def _filter_norms(weights: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return the Euclidean norm of each filter in float64, in a shape that broadcasts against the weights."""
    others = tuple(axis for axis in range(weights.ndim) if axis not in axes)
    return np.sqrt(np.sum(np.square(weights, dtype="float64"), axis=others, keepdims=True))


def _values(variables: Sequence[keras.Variable]) -> Weights:
    return [np.array(variable.numpy()) for variable in variables]


def _product(first: Weights, second: Weights) -> float:
    return float(sum(np.sum(_float64(a) * _float64(b)) for a, b in zip(first, second, strict=True)))


def _float64(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, "float64")
