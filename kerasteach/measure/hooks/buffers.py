"""Buffers that a training step writes on its device and Python reads later, for each of Keras's backends.

A cell belongs to the recording and never to the model: it is not in a model or checkpoint that is saved meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from kerasteach.keras_internals import carry, drop, without_variables

Tensor = Any


class Cell(Protocol):
    """An array on the device."""

    def __init__(self, value: np.ndarray, optimizer: keras.optimizers.Optimizer) -> None: ...

    @property
    def value(self) -> Tensor:
        """The array, inside a training step."""

    def assign(self, value: Tensor | int) -> None:
        """Put another array of the same shape in its place."""

    def increase(self, by: Tensor | int) -> None:
        """Add a number to the array."""

    def write(self, index: Tensor, row: Tensor) -> None:
        """Replace one entry along the first axis."""

    def read(self, rows: slice | None = None) -> np.ndarray:
        """Fetch the array, or some of its rows, to the host."""

    def release(self) -> None:
        """Give the memory back."""


def make(value: np.ndarray, optimizer: keras.optimizers.Optimizer) -> Cell:
    """Return a cell of the backend that Keras runs on.

    Args:
        value: What it holds at first. Float64 becomes float32 on JAX, its widest type by default.
        optimizer: The optimizer whose steps write it.

    Raises:
        RuntimeError: If Keras runs on a backend that cannot train.
    """
    kinds: dict[str, type[Cell]] = {"tensorflow": _TensorFlowCell, "jax": _JaxCell, "torch": _TorchCell}
    return kinds[backend()](value, optimizer)


def backend() -> str:
    """Return the name of Keras's backend.

    Raises:
        RuntimeError: If it is one that cannot train.
    """
    name: str = keras.backend.backend()
    if name not in ("tensorflow", "jax", "torch"):
        raise RuntimeError(f"Recording needs Keras on TensorFlow, JAX or PyTorch. Received: the backend {name!r}.")
    return name


def is_multiple(counter: Cell, number: int) -> Tensor | bool:
    """Return whether a counter is a multiple of a number: a bool where the host has the counter, as on PyTorch."""
    if backend() == "torch":
        return int(counter.read()) % number == 0
    return ops.equal(counter.value % number, 0)


def after(tensor: Tensor) -> AbstractContextManager[None]:
    """Return a context whose writes happen only once the tensor is computed.

    TensorFlow runs what depends on no batch even for a step whose batch never came: its data had ended.
    """
    if backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    return tf.control_dependencies([tensor])


class _TensorFlowCell:
    """A variable that no Keras object tracks."""

    def __init__(self, value: np.ndarray, optimizer: keras.optimizers.Optimizer) -> None:
        import tensorflow as tf

        with tf.init_scope():
            device = tf.zeros(()).device

        def variable() -> Tensor:
            with tf.device(device):
                return tf.Variable(value, trainable=False)

        # In another thread, where nothing is traced and no strategy is in force: TensorFlow traces a function again
        # that made a variable, and a distribution strategy would make a copy for each of its devices.
        with ThreadPoolExecutor(1) as executor:
            self._variable = executor.submit(variable).result()

    @property
    def value(self) -> Tensor:
        return self._variable.value()

    def assign(self, value: Tensor | int) -> None:
        self._variable.assign(value)

    def increase(self, by: Tensor | int) -> None:
        self._variable.assign_add(by)

    def write(self, index: Tensor, row: Tensor) -> None:
        import tensorflow as tf

        self._variable.scatter_update(tf.IndexedSlices(ops.cast(row, self._variable.dtype), index))

    def read(self, rows: slice | None = None) -> np.ndarray:
        import tensorflow as tf

        with tf.init_scope():  # a signal handler may read it while a function is traced
            return np.asarray(self.value if rows is None else self.value[rows])

    def release(self) -> None:
        pass


class _TorchCell:
    """A tensor outside any autograd graph: on the device, but for a counter, which the host reads in each step."""

    def __init__(self, value: np.ndarray, optimizer: keras.optimizers.Optimizer) -> None:
        import torch

        self.value = ops.convert_to_tensor(value) if value.ndim else torch.as_tensor(value)

    def assign(self, value: Tensor | int) -> None:
        import torch

        self.value = torch.as_tensor(value, dtype=self.value.dtype, device=self.value.device).detach()

    def increase(self, by: Tensor | int) -> None:
        self.assign(self.value + by)

    def write(self, index: Tensor, row: Tensor) -> None:
        # `value[index] = row` would fetch the index from the device, and wait for it.
        place = ops.reshape(ops.cast(index, "int64"), (1,))
        self.value.index_copy_(0, place, ops.cast(row, self.value.dtype).detach()[None])

    def read(self, rows: slice | None = None) -> np.ndarray:
        return np.array((self.value if rows is None else self.value[rows]).cpu().numpy())

    def release(self) -> None:
        pass


class _JaxCell:
    """A variable that the optimizer carries through the step, since a compiled one may write nothing else.

    The optimizer's own file is written and read without it.
    """

    def __init__(self, value: np.ndarray, optimizer: keras.optimizers.Optimizer) -> None:
        dtype = "float32" if value.dtype == "float64" else "int32" if value.dtype == "int64" else str(value.dtype)
        self._optimizer = optimizer
        self._variable = keras.Variable(value.astype(dtype), dtype=dtype, trainable=False, name="recording")
        _carried(optimizer).append(self._variable)
        carry(optimizer, self._variable)

    @property
    def value(self) -> Tensor:
        return self._variable.value

    def assign(self, value: Tensor | int) -> None:
        self._variable.assign(value)

    def increase(self, by: Tensor | int) -> None:
        self.assign(self.value + by)

    def write(self, index: Tensor, row: Tensor) -> None:
        self._variable.assign(self.value.at[index].set(ops.cast(row, self._variable.dtype)))

    def read(self, rows: slice | None = None) -> np.ndarray:
        return np.asarray(self.value if rows is None else self.value[rows])

    def release(self) -> None:
        carried = _carried(self._optimizer)
        carried[:] = [variable for variable in carried if variable is not self._variable]
        drop(self._optimizer, self._variable)
        if not carried:
            for name in ("save_own_variables", "load_own_variables"):
                delattr(self._optimizer, name)


def _carried(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return the list of cells that this optimizer carries; from the first on, its saving and loading omit them."""
    saving = vars(optimizer).get("save_own_variables")
    if not isinstance(saving, _WithoutCells):
        carried: list[keras.Variable] = []
        for name in ("save_own_variables", "load_own_variables"):
            setattr(optimizer, name, _WithoutCells(optimizer, getattr(optimizer, name), carried))
        saving = vars(optimizer)["save_own_variables"]
    return saving.carried


class _WithoutCells:
    """A method of an optimizer, called as if the optimizer carried no cells."""

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        method: Callable[[Any], None],
        carried: list[keras.Variable],
    ) -> None:
        self.carried = carried
        self._optimizer, self._method = optimizer, method

    def __call__(self, store: Any) -> None:
        with without_variables(self._optimizer, self.carried):
            self._method(store)
