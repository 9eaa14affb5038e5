"""Whole gradients of chosen layers at chosen steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from numbers import Integral
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.measure.hooks import buffers
from kerasteach.measure.hooks.optimizer_hook import TrainingStep
from kerasteach.measure.parameters import describe
from kerasteach.measure.selection import Selector, checked, choose
from kerasteach.tables.names import distinct
from kerasteach.validation import LONGEST, received, whole

Tensor = Any

LIMIT_BYTES = 2**30  # what `raw` may take, on the device and again on the host
LIMIT_STEPS = 100_000  # of one selector; each step of the training compares its number with all of them


def checked_raw(raw: Mapping[Selector, int | Iterable[int]] | None) -> dict[Selector, tuple[int, ...]]:
    """Return for each selector of layers the steps that are asked for, in order.

    Raises:
        TypeError: If it is no mapping from layers to numbers of steps.
        ValueError: If a step is negative or too large, or there is none, or there are too many.
    """
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise TypeError(f'`raw` must map layers to steps, as in {{"dense_1": [0, 100]}}. Received: raw={raw!r}.')
    found: dict[Selector, tuple[int, ...]] = {}
    for selector, steps in raw.items():
        checked(selector, "raw")
        several = [steps] if isinstance(steps, Integral) else steps if isinstance(steps, Iterable) else []
        numbers = list(islice(several, LIMIT_STEPS + 1))
        if len(numbers) > LIMIT_STEPS:
            raise ValueError(
                f"`raw` must name at most {LIMIT_STEPS} steps; range(0, 10**6, 1000) is one in a thousand. "
                f"{received('raw', steps)}"
            )
        if not numbers or isinstance(steps, str | bytes | Mapping):
            raise ValueError(f"`raw` must name steps, whole numbers from 0. {received('raw', steps)}")
        found[selector] = tuple(sorted({whole("raw", step, least=0, most=LONGEST) for step in numbers}))
    return found


def _dtype(variable: keras.Variable) -> str:
    """Return the type that holds a variable's gradient: its own, or float32 where that is half as wide."""
    return "float64" if keras.backend.standardize_dtype(variable.dtype) == "float64" else "float32"


class Raw:
    """A listener that keeps whole gradients on the device until they are fetched.

    Args:
        model: Whose layers are meant.
        optimizer: Whose steps are counted.
        asked: For each selector of layers, the steps.
    """

    def __init__(
        self,
        model: keras.Model | None,
        optimizer: keras.optimizers.Optimizer,
        asked: Mapping[Selector, Sequence[int]],
    ) -> None:
        self._model, self._optimizer, self._asked = model, optimizer, asked
        self._steps: dict[int, tuple[int, ...]] = {}  # for each variable's id
        self._paths: dict[int, str] = {}
        self._cells: dict[int, buffers.Cell] = {}
        self._received: set[int] = set()  # the variables that have a gradient at all
        self._count: buffers.Cell | None = None
        self._first = 0
        self._fetched = -1  # the last step whose gradients were handed out

    def __call__(self, step: TrainingStep) -> None:
        """Keep this step's gradients, where they are asked for; called inside the training step."""
        self.prepare(step.variables)
        if self._count is None:
            return
        count = self._count.value
        for gradient, variable in zip(step.gradients, step.variables, strict=True):
            cell = self._cells.get(id(variable))
            if cell is None or gradient is None:
                continue
            self._received.add(id(variable))
            steps = np.asarray(self._steps[id(variable)], "int32")
            slot = ops.sum(ops.cast(ops.less(steps, ops.cast(count, "int32")), "int32"))
            wanted = ops.any(ops.equal(steps, ops.cast(count, "int32")))
            with buffers.after(gradient):
                cell.write(ops.where(wanted, slot, len(steps)), gradient)  # the last entry takes the other steps
        with buffers.after(next(gradient for gradient in step.gradients if gradient is not None)):
            self._count.increase(1)

    def prepare(self, variables: Sequence[keras.Variable]) -> None:
        """Make room on the device, unless that is done."""
        if self._count is not None or not self._asked:
            return
        for variable in self.check(variables):
            shape = (len(self._steps[id(variable)]) + 1, *variable.shape)
            self._cells[id(variable)] = buffers.make(np.zeros(shape, _dtype(variable)), self._optimizer)
        self._count = buffers.make(np.array(self._first, "int64"), self._optimizer)

    def check(self, variables: Sequence[keras.Variable]) -> list[keras.Variable]:
        """Return the variables whose gradients are to be kept.

        Raises:
            ValueError: If a selector means no layer of the model, or the gradients would take too much memory.
        """
        own = list(self._model.trainable_variables) if self._model is not None else []
        known = {id(variable) for variable in own}
        ordered = own + [variable for variable in variables if id(variable) not in known]
        described = describe(ordered, self._model)
        names = distinct(entry.path for entry in described)

        def owners(layer: keras.layers.Layer) -> Iterable[int]:
            inside = {id(variable) for variable in layer.trainable_variables}
            return (index for index, variable in enumerate(ordered) if id(variable) in inside)

        for selector, steps in self._asked.items():
            for index in choose([selector], [entry.layer for entry in described], owners, self._model, "raw"):
                key = id(ordered[index])
                self._steps[key] = tuple(sorted({*self._steps.get(key, ()), *steps}))
                self._paths[key] = names[index]
        chosen = [variable for variable in ordered if id(variable) in self._steps]
        self._steps = {id(variable): self._steps[id(variable)] for variable in chosen}  # in the model's order
        one_step = [np.dtype(_dtype(variable)).itemsize * int(np.prod(variable.shape)) for variable in chosen]
        asked = sum(size * len(self._steps[id(variable)]) for size, variable in zip(one_step, chosen, strict=True))
        if asked > LIMIT_BYTES:
            raise ValueError(
                f"`raw` may keep {LIMIT_BYTES // 2**20} MiB of gradients; name fewer layers or steps: one step of "
                f"these layers takes {sum(one_step) / 2**20:.1f} MiB. Received: {asked / 2**20:.0f} MiB."
            )
        return chosen

    def begin(self, first: int = 0) -> None:
        """Count the steps from this number on."""
        self._first, self._fetched = first, first - 1
        if self._count is not None:
            self._count.assign(first)

    def fetch(self) -> dict[int, dict[str, np.ndarray]]:
        """Return what was kept since the last call: for each step the gradients, by the path of their variable."""
        found: dict[int, dict[str, np.ndarray]] = {}
        if self._count is None:
            return found
        last = int(self._count.read()) - 1
        for key, steps in self._steps.items():
            if key not in self._received:
                continue
            new = [slot for slot, step in enumerate(steps) if self._fetched < step <= last]
            if new:
                kept = self._cells[key].read(slice(new[0], new[-1] + 1))
                for slot, gradient in zip(new, kept, strict=True):
                    found.setdefault(steps[slot], {})[self._paths[key]] = np.array(gradient)
        self._fetched = max(self._fetched, last)
        return dict(sorted(found.items()))

    def release(self) -> None:
        """Give the device's memory back."""
        for cell in [*self._cells.values(), *([self._count] if self._count is not None else [])]:
            cell.release()
        self._cells, self._count = {}, None
