"""Batches of a user's data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import tree

from kerasteach.validation import received, shown, whole

Batch = tuple[Any, Any, Any]  # x, y and sample_weight; a model's inputs may be a list or a dictionary


class Batches:
    """Data as `fit` takes them, in batches `(x, y, sample_weight)` that can be iterated repeatedly.

    Args:
        x: Arrays, or a list or dictionary of them for a model with several inputs, `(examples, ...)`; or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of batches `(x, y)` or `(x, y, sample_weight)`.
        y: The targets, `(examples, ...)`; `None` where `x` has them.
        sample_weight: A weight for each example; `None` where `x` has them, or each counts alike.
        batch_size: The examples of a batch, where `x` is arrays.

    Raises:
        ValueError: If the arrays have no example or differ in length, or a data set comes with separate targets.
        TypeError: If `x` can be iterated only once, such as a generator, or an array holds neither numbers nor text.
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None, batch_size: int = 32) -> None:
        self._batch_size = whole("batch_size", batch_size)
        self._batched = hasattr(x, "element_spec") or isinstance(x, keras.utils.PyDataset)
        if self._batched:
            if y is not None or sample_weight is not None:
                raise ValueError(
                    "A data set has targets and sample weights in itself; leave `y` and `sample_weight` out. "
                    f"Received: x={type(x).__name__}, with {'`y`' if y is not None else '`sample_weight`'}."
                )
            self._data = x
        else:
            self._data = _checked_arrays(x, y, sample_weight)

    @property
    def count(self) -> int | None:
        """The number of batches, or `None` where it is unknown."""
        if not self._batched:
            return -(-self._examples // self._batch_size)
        if hasattr(self._data, "cardinality"):
            known = int(self._data.cardinality())
            return known if known >= 0 else None
        return self._data.num_batches

    @property
    def endless(self) -> bool:
        """Whether the data never end, as in a `tf.data.Dataset` that repeats itself."""
        return hasattr(self._data, "cardinality") and int(self._data.cardinality()) == -1

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the data once, in their order."""
        if not self._batched:
            return self._rows(np.arange(self._examples))
        if isinstance(self._data, keras.utils.PyDataset):
            return (_unpacked(self._data[index]) for index in range(len(self._data)))
        return (_unpacked(batch) for batch in self._data)

    def endlessly(self, seed: int) -> Iterator[Batch]:
        """Iterate over the data without end; over arrays in a new order each time, which the seed alone fixes.

        Raises:
            ValueError: If there is no batch.
        """
        random = np.random.default_rng(seed)
        while True:
            empty = True
            for batch in self if self._batched else self._rows(random.permutation(self._examples)):
                empty = False
                yield batch
            if empty:
                raise ValueError("`x` must have at least one batch. Received: a data set without any.")

    def check_finite(self) -> None:
        """Raise ValueError if arrays hold NaN or infinity; a data set is checked batch by batch."""
        if not self._batched:
            check_finite(self._data)

    @property
    def _examples(self) -> int:
        return len(tree.flatten(self._data)[0])

    def _rows(self, order: np.ndarray) -> Iterator[Batch]:
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            yield tree.map_structure(lambda array: None if array is None else array[chosen], self._data)  # noqa: B023


def examples_in(batch: Batch) -> int:
    """Return the number of examples in a batch."""
    return int(tree.flatten(batch[0])[0].shape[0])


def _unpacked(batch: Any) -> Batch:
    if keras.backend.backend() != "tensorflow":  # which cannot take TensorFlow's tensors
        batch = tree.map_structure(np.asarray, batch)
    return keras.utils.unpack_x_y_sample_weight(batch)


def check_finite(batch: Batch) -> None:
    """Raise ValueError if a number of a batch is NaN or infinite."""
    for argument, value in zip(("x", "y", "sample_weight"), batch, strict=True):
        for leaf in tree.flatten(value):
            array = np.zeros(0) if leaf is None else np.asarray(leaf)
            bad = int((~np.isfinite(array)).sum()) if array.dtype.kind in "fc" else 0
            if bad:
                raise ValueError(
                    f"`{argument}` must hold finite numbers: drop or fill what is missing. "
                    f"Received: {bad} NaN or infinite of {array.size}."
                )


def _checked_arrays(x: Any, y: Any, sample_weight: Any) -> Batch:
    if isinstance(x, Iterator) or (hasattr(x, "__iter__") and not hasattr(x, "__len__")):
        raise TypeError(
            "`x` must be arrays, a tf.data.Dataset or a keras.utils.PyDataset, which can be iterated repeatedly. "
            f"Received: x={type(x).__name__}."
        )
    data: Batch = (
        _arrays("x", x),
        None if y is None else _arrays("y", y),
        None if sample_weight is None else _arrays("sample_weight", sample_weight),
    )
    lengths = [leaf.shape[0] if leaf.ndim else None for leaf in tree.flatten(data) if leaf is not None]
    if None in lengths or len(set(lengths)) > 1 or not lengths[0]:
        raise ValueError(
            "`x`, `y` and `sample_weight` must have equally many examples, one at least. "
            f"Received: arrays of {', '.join('no' if length is None else str(length) for length in lengths)} examples."
        )
    return data


def _arrays(argument: str, value: Any) -> Any:
    """Return a structure of arrays of numbers or text."""
    leaves = tree.flatten(value)
    if not leaves or any(leaf is None for leaf in leaves):
        raise TypeError(f"`{argument}` must be an array, or hold arrays. {received(argument, value)}")
    return tree.map_structure(lambda leaf: array_of(argument, leaf), value)


def array_of(argument: str, leaf: Any) -> np.ndarray:
    """Return numbers or text as an array, floats in Keras's float type.

    Raises:
        TypeError: If it is neither; a frame's column may hold both.
    """
    try:
        array = leaf.to_numpy() if hasattr(leaf, "to_numpy") else np.asarray(leaf)  # pandas's frames and series have it
        text = array.dtype == object and all(isinstance(entry, str | bytes) for entry in array.flat)
        # As in Keras's own fit: floats in its float type, all others as they are.
        if np.issubdtype(array.dtype, np.floating) or (array.dtype == object and not text):
            array = array.astype(keras.config.floatx())
    except Exception as error:  # anything that the user's object raises while it is converted
        message = f"`{argument}` must hold numbers, or text. Received: {shown(leaf)} in {argument}."
        raise TypeError(message) from error
    return array
