"""Output source: per-step statistics of each layer's output in the forward pass."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.activations.lookup import ACTIVATIONS
from kerasteach.layers import GradientProbe
from kerasteach.measure import histograms, statistics
from kerasteach.measure.hooks import buffers
from kerasteach.measure.hooks.graphs import is_here, is_inside
from kerasteach.measure.hooks.optimizer_hook import TrainingStep
from kerasteach.measure.parameters import without_model
from kerasteach.measure.reductions import not_a_number, wide
from kerasteach.measure.selection import Selector, choose, inside, layers_of
from kerasteach.tables.captures import Measured, Output

Tensor = Any

OUTPUT_STATISTICS = ("mean", "std", "finite", "zero_fraction", "dead_fraction", "saturated_fraction")
SATURATED = 0.01  # so near to a limit of its function an output counts as saturated


class Outputs:
    """Statistics, and where they are asked for histograms, of the outputs of a model's layers.

    It replaces the chosen layers' `call` until `leave`.

    Args:
        model: Whose layers they are.
        names: The statistics, out of `OUTPUT_STATISTICS` and `own`.
        layers: Which layers; `None` for all but inputs and probes.
        edges: The edges of the histograms' bins; `None` for no histograms.
        reset: Whether a unit's death is judged anew after each captured step, not only after `begin_window`.
        own: The functions of the caller's own statistics; `None` for none.

    Attributes:
        entries: A description of each call of each layer, in the order of the calls; `None` before the first step.
        columns: How many statistics there are, and how many counts.
    """

    def __init__(
        self,
        model: keras.Model,
        names: Sequence[str],
        layers: Sequence[Selector] | None = None,
        edges: np.ndarray | None = None,
        reset: bool = True,
        own: Mapping[str, statistics.Function] | None = None,
    ) -> None:
        self.names, self.edges, self._own = tuple(names), edges, own or {}
        self.columns = Measured(len(self.names), histograms.width(edges))
        self.entries: list[Output] | None = None
        self._model, self._reset = model, reset
        self._training = False
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
        self.set_training(False)

    def set_training(self, training: bool) -> None:
        """Record the calls from now on, or, as in an evaluation, do not."""
        self._training = training
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
            size = math.prod(length or 0 for length in output.shape[1:])
            self.entries.append(Output(without_model(self._model, path), depth, call, path, size))
            self._keys.append(key)
            units = output.shape[_unit_axis(layer)] if len(output.shape) > 1 else None
            if "dead_fraction" in self.names and units is not None and key[0] not in self._active:
                self._active[key[0]] = buffers.make(np.zeros(units, "float32"), optimizer)

    def observe(self, step: TrainingStep, captured: Tensor | bool) -> bool:
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
        return False

    def measure(self) -> Measured:
        """Return one step's numbers, `(entries, ...)`, NaN where there was no such call."""
        calls = [key if key in self._now else None for key in self._keys] or [None]
        counts = None if self.edges is None else ops.stack([self._counts(key) for key in calls])
        return Measured(ops.stack([self._statistics(key) for key in calls]), counts)

    def finish(self, measured: np.ndarray) -> np.ndarray:
        """Return the numbers as they are: they are statistics already."""
        return measured

    def _statistics(self, key: tuple[int, int] | None) -> Tensor:
        if key is None:
            return not_a_number((len(self.names),))
        output = self._now[key]
        plain = [name for name in self.names if name in statistics.STATISTICS]
        values = dict(zip(plain, ops.unstack(statistics.compute(plain, output)), strict=True))
        values |= {name: statistics.call(name, own, output) for name, own in self._own.items()}
        unknown = not_a_number(())
        values["dead_fraction"] = ops.cast(self._dead.get(key[0], unknown), unknown.dtype)
        values["saturated_fraction"] = self._saturated(self._layers[key[0]], output, unknown)
        return ops.stack([values[name] for name in self.names])

    def _counts(self, key: tuple[int, int] | None) -> Tensor:
        if key is None or self.edges is None:
            return not_a_number((histograms.width(self.edges),))
        return ops.cast(histograms.counts([self._now[key]], self.edges)[0], wide())

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
        if not self._training or not tensors:
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

    def walk(outer: keras.layers.Layer) -> None:
        for layer in inside(outer):
            container = isinstance(layer, keras.Model)
            if not container and not isinstance(layer, (keras.layers.InputLayer, GradientProbe)):
                found[id(layer)] = layer
            # Keras's own layers call those inside them as they like: a recurrent one in a loop, say.
            if container or not type(layer).__module__.startswith("keras."):
                walk(layer)

    walk(model)
    candidates = list(found.values())

    def owners(layer: keras.layers.Layer) -> Iterable[int]:
        meant = {id(inner) for inner in [layer, *layers_of(layer)]}
        return (index for index, candidate in enumerate(candidates) if id(candidate) in meant)

    names = [without_model(model, layer.path or layer.name) for layer in candidates]
    return [candidates[index] for index in choose(layers, names, owners, model)]


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
