"""Directions in the space of a model's weights, and the plane that they span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import keras
import numpy as np

from kerasteach.lessons.inspection.filters import filter_norms, kept_axes
from kerasteach.measure.parameters import describe
from kerasteach.validation import received, shown

Weights = list[np.ndarray]  # one array for each variable
Weight = tuple[str, int | tuple[int, ...]]  # a variable's name, "dense/kernel", and the place in it


@dataclass(frozen=True)
class Plane:
    """The weights of a model, and one or two directions in which to leave them.

    Attributes:
        axes: A name for each direction.
        center: The values of the model's trainable variables.
        directions: For each axis an array for each trainable variable, of its shape.
        origin: The coordinate of the center on each axis.
        reach: How far a grid is to reach on both sides at least.
    """

    axes: tuple[str, ...]
    center: Weights
    directions: list[Weights]
    origin: np.ndarray
    reach: float

    def project(self, weights: Weights) -> tuple[np.ndarray, float]:
        """Return the coordinates of the plane's point that is nearest to these weights, and the distance to it.

        With the directions `d_i` as the columns of `D`, the coordinates are the least-squares solution `c` of
        `D c = weights - center`, all trainable variables as one vector, computed in float64; the distance is the
        Euclidean norm of what is left.
        """
        away = [_float64(one) - _float64(center) for one, center in zip(weights, self.center, strict=True)]
        gram = np.array([[_product(one, other) for other in self.directions] for one in self.directions])
        coordinates = np.linalg.solve(gram, [_product(one, away) for one in self.directions])
        for coordinate, direction in zip(coordinates, self.directions, strict=True):
            away = [left - coordinate * step for left, step in zip(away, direction, strict=True)]
        return self.origin + coordinates, float(np.sqrt(_product(away, away)))


def chosen_weights(model: keras.Model, weights: Sequence[Weight]) -> Plane:
    """Return the plane in which one or two single weights vary. Its coordinates are their values.

    Raises:
        ValueError: If there is no such trainable variable or no such place in it, or a weight is named twice.
        TypeError: If a weight is no name with a place.
    """
    variables = list(model.trainable_variables)
    described = describe(variables, model)
    names = [f"{one.layer}/{one.parameter}" for one in described]
    places = [_found(weight, names, [one.path for one in described], variables) for weight in weights]
    if len(set(places)) < len(places):
        raise ValueError(f"`along` must name two different weights. Received: along={list(weights)!r}.")
    center = _values(variables)
    directions = []
    for number, place in places:
        direction = [np.zeros_like(one) for one in center]
        direction[number][place] = 1
        directions.append(direction)
    origin = np.array([float(center[number][place]) for number, place in places])
    return Plane(tuple(f"{names[number]}{list(place)}" for number, place in places), center, directions, origin, 1.0)


def random_directions(model: keras.Model, seed: int) -> Plane:
    """Return the plane of two random directions with filter normalization.

    Each direction is drawn from N(0, 1); then each of its filters is rescaled to the norm of the model's filter:
    `d_f <- d_f / |d_f| |w_f|`. Variables of one axis or none (biases, and the gamma and beta of normalization layers)
    do not move, as in the code that the authors published.

    Raises:
        ValueError: If there is no trainable kernel that is not all 0.

    Reference:
        Li, Xu, Taylor, Studer, Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018, section 4.
    """
    random = np.random.default_rng(seed)
    variables, axes = list(model.trainable_variables), kept_axes(model)
    center = _values(variables)
    directions = [
        [_like(one, axes[id(variable)], random) for one, variable in zip(center, variables, strict=True)]
        for _ in range(2)
    ]
    if not all(_product(direction, direction) for direction in directions):
        raise ValueError(
            "Random directions need a trainable kernel that is not all 0; name weights in `along` instead. Received: "
            f"trainable variables of the shapes {[tuple(one.shape) for one in variables]}."
        )
    return Plane(("direction_1", "direction_2"), center, directions, np.zeros(2), 1.0)


def trajectory_directions(model: keras.Model, trajectory: Sequence[Weights]) -> Plane:
    """Return the plane through the model's weights that comes nearest to a training's trajectory.

    Its directions are the first two principal ones of the snapshots' differences from the model's weights, of length 1
    and at right angles, so that the coordinates are distances in the space of the weights. The first snapshot has no
    positive coordinate.

    Args:
        model: Whose weights are the plane's center.
        trajectory: The trainable variables' values at each snapshot.

    Raises:
        ValueError: If the snapshots lie on a line.

    Reference:
        Li et al. 2018, section 7, who besides take the mean of the differences away from each.
    """
    center = _values(model.trainable_variables)
    away = [
        np.array([_float64(snapshot[number]) - _float64(one) for snapshot in trajectory])
        for number, one in enumerate(center)
    ]  # for each variable, (snapshots, ...)
    gram = sum((flat @ flat.T for flat in (one.reshape(len(trajectory), -1) for one in away)), np.zeros((1, 1)))
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
        directions.append([np.tensordot(-mixture if coordinate > 0 else mixture, one, axes=1) for one in away])
    return Plane(("component_1", "component_2"), center, directions, np.zeros(2), 0.0)


def _found(
    weight: Any, names: list[str], paths: list[str], variables: Sequence[keras.Variable]
) -> tuple[int, tuple[int, ...]]:
    """Return which variable is meant, and the place in it, counted from 0."""
    try:
        name, place = weight
        place = tuple(index(one) for one in (place if isinstance(place, Iterable) else (place,)))
    except Exception:  # whatever the caller's own object raises while it is taken apart
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
    if len(place) != len(shape) or not all(-size <= one < size for one, size in zip(place, shape, strict=True)):
        raise ValueError(f"`along` must name a place in {name!r}, whose shape is {shape}. Received: {shown(place)}.")
    return number, tuple(one % size for one, size in zip(place, shape, strict=True))


def _like(weights: np.ndarray, axes: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return a random direction with the norms of these weights' filters, or 0 where they are no kernel."""
    if weights.ndim < 2:
        return np.zeros_like(weights, "float64")
    direction = random.standard_normal(weights.shape)
    return direction / filter_norms(direction, axes) * filter_norms(weights, axes)


def _values(variables: Sequence[keras.Variable]) -> Weights:
    return [np.array(one.numpy()) for one in variables]


def _product(one: Weights, other: Weights) -> float:
    return float(sum(np.sum(_float64(a) * _float64(b)) for a, b in zip(one, other, strict=True)))


def _float64(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, "float64")
