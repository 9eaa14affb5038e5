"""Output source: per-step statistics of each layer's output in the forward pass."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.activations.lookup import ACTIVATIONS
from kerasteach.layers import GradientProbe
from kerasteach.measure import histograms, statistics
from kerasteach.measure.hooks import buffers
from kerasteach.measure.hooks.graphs import is_here, is_inside
from kerasteach.measure.parameters import without_model
from kerasteach.measure.reductions import wide
from kerasteach.measure.selection import Selector, choose, inside, layers_of
from kerasteach.tables.captures import Output

Tensor = Any

SATURATED = 0.01  # so near to a limit of its function an output counts as saturated


class Outputs:
    """Statistics, and where they are asked for histograms, of what the layers of a model put out.

    It stands in for the chosen layers' `call` until `leave`.

    Args:
        model: Whose layers they are.
        names: The statistics, out of `kerasteach.tables.captures.OUTPUT_STATISTICS`.
        layers: Which layers; `None` for all but inputs and probes.
        edges: The edges of the histograms' bins; `None` for no histograms.
        reset: Whether a unit's death is judged anew after each captured step, not only after `begin_window`.

    Attributes:
        entries: A description of each call of each layer, in the order of the calls; `None` before the first step.
        columns: The statistics, then the histogram's counts.
    """

    def __init__(
        self,
        model: keras.Model,
        names: Sequence[str],
        layers: Sequence[Selector] | None = None,
        edges: np.ndarray | None = None,
        reset: bool = True,
    ) -> None:
        self.names, self.edges = tuple(names), edges
        self.columns = len(self.names) + histograms.width(edges)
        self.entries: list[Output] | None = None
        self._model, self._reset = model, reset
        self._listening = False
        self._taken: list[tuple[keras.layers.Layer, Tensor]] = []
        self._now: dict[tuple[int, int], Tensor] = {}  # this step's outputs, by layer and call
        self._keys: list[tuple[int, int]] = []
        self._layers: dict[int, keras.layers.Layer] = {}
        self._active: dict[int, buffers.Cell] = {}  # for each layer, which units were not zero in this window
        self._dead: dict[int, Tensor] = {}
        for layer in _chosen(model, layers):
            self._watch(layer)

    def leave(self) -> None:
        """Give the layers their `call` back."""
        for layer in self._layers.values():
            watch = vars(layer).get("call")
            if isinstance(watch, _Watch):
                watch.takers = [take for take in watch.takers if take != self._take]
                if not watch.takers:
                    del layer.call
        self.listen(False)

    def listen(self, training: bool) -> None:
        """Take the outputs of what is called from now on, or, as in an evaluation, do not."""
        self._listening = training
        self._taken.clear()

    def forget(self) -> None:
        """Let the step's outputs go."""
        self._now, self._dead = {}, {}

    def begin_window(self) -> None:
        """Judge anew from here on which units are dead."""
        for cell in self._active.values():
            cell.assign(ops.zeros_like(cell.value))

    def prepare(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
        """Fix the entries: the calls that were seen, in their order."""
        self._sort()
        depths: dict[int, int] = {}
        self.entries = []
        for key, output in self._now.items():
            layer, call = self._layers[key[0]], key[1]
            depth = depths.setdefault(key[0], len(depths) + 1)
            path = layer.path or layer.name  # a layer without weights may have no path
            size = math.prod(one or 0 for one in output.shape[1:])
            self.entries.append(Output(without_model(self._model, path), depth, call, path, size))
            self._keys.append(key)
            units = output.shape[_unit_axis(layer)] if len(output.shape) > 1 else None
            if "dead_fraction" in self.names and units is not None and key[0] not in self._active:
                self._active[key[0]] = buffers.make(np.zeros(units, "float32"), optimizer)

    def observe(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Tensor | None],
        variables: Sequence[keras.Variable],
        captured: Tensor,
    ) -> None:
        """Take the step's outputs, and note which units were alive."""
        if self._taken:
            self._sort()
        self._taken.clear()
        for key, cell in self._active.items():
            active = cell.value
            for (layer, _), output in self._now.items():
                if layer == key:
                    unit = _unit_axis(self._layers[layer]) % len(output.shape)
                    others = [axis for axis in range(len(output.shape)) if axis != unit]
                    alive = ops.any(ops.not_equal(output, 0), axis=others)
                    active = ops.maximum(active, ops.cast(alive, active.dtype))
            units = active.shape[0]
            self._dead[key] = (units - ops.sum(active)) / units
            cell.assign(ops.where(captured, ops.zeros_like(active), active) if self._reset else active)

    def measure(self) -> Tensor:
        """Return one step's numbers, `(entries, columns)`, NaN where there was no such call."""
        nothing = ops.full((self.columns,), np.nan, dtype=wide())
        return ops.stack([self._row(key) if key in self._now else nothing for key in self._keys] or [nothing])

    def finish(self, measured: np.ndarray) -> np.ndarray:
        """Return the numbers as they are: they are statistics already."""
        return measured

    def _row(self, key: tuple[int, int]) -> Tensor:
        output = self._now[key]
        plain = [name for name in self.names if name not in ("dead_fraction", "saturated_fraction")]
        values = dict(zip(plain, ops.unstack(statistics.compute(plain, output)), strict=True))
        unknown = ops.full((), np.nan, dtype=wide())
        values["dead_fraction"] = ops.cast(self._dead.get(key[0], unknown), unknown.dtype)
        values["saturated_fraction"] = self._saturated(self._layers[key[0]], output, unknown)
        row = ops.stack([values[name] for name in self.names])
        if self.edges is None:
            return row
        return ops.concatenate([row, ops.cast(histograms.counts([output], self.edges)[0], row.dtype)])

    def _saturated(self, layer: keras.layers.Layer, output: Tensor, unknown: Tensor) -> Tensor:
        limits = _limits(layer)
        if limits is None:
            return unknown
        near = ops.logical_or(output < limits[0] + SATURATED, output > limits[1] - SATURATED)
        return ops.mean(ops.cast(near, unknown.dtype))

    def _sort(self) -> None:
        """Number the calls of each layer, and leave out what no longer exists where the step ends."""
        calls: dict[int, int] = {}
        self._now = {}
        for layer, output in self._taken:
            if not is_here(output):
                if is_inside(output):
                    warnings.warn(
                        f"ActivationCapture leaves out a call of {layer.name} inside a loop or a branch.", stacklevel=2
                    )
                continue
            calls[id(layer)] = calls.get(id(layer), 0) + 1
            self._now[id(layer), calls[id(layer)]] = output

    def _watch(self, layer: keras.layers.Layer) -> None:
        self._layers[id(layer)] = layer
        watch = vars(layer).get("call")
        if not isinstance(watch, _Watch):
            watch = layer.call = _Watch(layer, layer.call)
        watch.takers.append(self._take)

    def _take(self, layer: keras.layers.Layer, outputs: Any) -> None:
        tensors = keras.tree.flatten(outputs)
        if not self._listening or not tensors:
            return
        if isinstance(tensors[0], keras.KerasTensor) or not ops.is_tensor(tensors[0]):
            return
        if "float" in keras.backend.standardize_dtype(tensors[0].dtype):
            self._taken.append((layer, _detached(tensors[0])))


class _Watch:
    """A layer's `call` that shows what it returns."""

    def __init__(self, layer: keras.layers.Layer, method: Callable[..., Any]) -> None:
        functools.update_wrapper(self, method)
        self._layer, self._method = layer, method
        self.takers: list[Callable[[keras.layers.Layer, Any], None]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self._method(*args, **kwargs)
        for take in self.takers:
            take(self._layer, outputs)
        return outputs


def _chosen(model: keras.Model, layers: Sequence[Selector] | None) -> list[keras.layers.Layer]:
    """Return the layers that are meant, out of those whose calls happen in the step itself."""
    found: dict[int, keras.layers.Layer] = {}

    def walk(layer: keras.layers.Layer) -> None:
        for one in inside(layer):
            container = isinstance(one, keras.Model)
            if not container and not isinstance(one, (keras.layers.InputLayer, GradientProbe)):
                found[id(one)] = one
            # Keras's own layers call those inside them as they like: a recurrent one in a loop, say.
            if container or not type(one).__module__.startswith("keras."):
                walk(one)

    walk(model)
    there = list(found.values())

    def owners(layer: keras.layers.Layer) -> Iterable[int]:
        meant = {id(one) for one in [layer, *layers_of(layer)]}
        return (index for index, one in enumerate(there) if id(one) in meant)

    names = [without_model(model, one.path or one.name) for one in there]
    return [there[index] for index in choose(layers, names, owners, model)]


def _limits(layer: keras.layers.Layer) -> tuple[float, float] | None:
    """Return the limits that the layer's outputs cannot pass, where its activation function has any."""
    if isinstance(layer, keras.layers.RNN):
        return None  # what it puts out is not its activation function's value
    function = getattr(layer, "activation", None)
    known = ACTIVATIONS.get(getattr(function, "__name__", type(layer).__name__.lower()))
    return None if known is None else known.limits


def _unit_axis(layer: keras.layers.Layer) -> int:
    """Return the axis along which the layer's units lie: of a convolution, its channels."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else -1


def _detached(output: Tensor) -> Tensor:
    return output.detach() if keras.backend.backend() == "torch" else output
