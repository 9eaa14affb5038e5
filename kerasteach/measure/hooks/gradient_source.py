"""Gradient source: per-step statistics of each variable's gradient and of each GradientProbe."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasteach.keras_internals import updated_variables
from kerasteach.layers import GradientProbe
from kerasteach.measure import histograms, statistics
from kerasteach.measure.hooks.graphs import is_here, is_inside
from kerasteach.measure.hooks.optimizer_hook import TrainingStep, loss_scale
from kerasteach.measure.hooks.weight_updates import copies, update
from kerasteach.measure.parameters import describe, without_model
from kerasteach.measure.reductions import not_a_number
from kerasteach.measure.selection import Selector, choose, layers_of
from kerasteach.optimizers import is_plain
from kerasteach.tables.captures import Measured, Parameter

Tensor = Any


class Gradients:
    """Statistics, and where they are asked for histograms, of the gradients of one optimizer's variables.

    Args:
        model: Whose layers they belong to; `None` to record every variable that the optimizer is handed.
        names: The statistics, out of `kerasteach.measure.statistics.ALL` and `own`.
        layers: Which layers' gradients; `None` for all of them.
        edges: The edges of the histograms' bins; `None` for no histograms.
        own: The functions of the caller's own statistics; `None` for none.

    Attributes:
        entries: A description of each variable, and of each probe, in the order of the rows.
        columns: How many reductions the statistics are made of, and how many counts there are.
        variables: What stands behind the entries: variables, then probes.
    """

    def __init__(
        self,
        model: keras.Model | None,
        names: Sequence[str],
        layers: Sequence[Selector] | None = None,
        edges: np.ndarray | None = None,
        own: Mapping[str, statistics.Function] | None = None,
    ) -> None:
        self.names, self.edges, self._own = tuple(names), edges, own
        self.columns = Measured(len(statistics.columns(self.names)), histograms.width(edges))
        self.entries: list[Parameter] | None = None
        self.variables: list[Any] = []
        self._model, self._layers = model, layers
        self._probes = (
            [layer for layer in layers_of(model) if isinstance(layer, GradientProbe)] if model is not None else []
        )
        self._signals: list[tuple[GradientProbe, Tensor]] = []
        self._received: dict[int, tuple[Tensor, Any]] = {}
        self._learning_rate: Tensor | None = None  # of the step, where the plain rule is all that moves the weights
        self._before: dict[int, Tensor] = {}  # copies of the weights, where it is not
        for probe in self._probes:
            probe.listeners.append(self._on_gradient)

    def leave(self) -> None:
        """Leave the probes as they were."""
        for probe in self._probes:
            probe.listeners[:] = [listener for listener in probe.listeners if listener != self._on_gradient]

    def prepare(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
        """Fix the order of the variables: the model's, as far as the optimizer handles them."""
        handled = [*variables, *updated_variables(optimizer)]
        ids = {id(variable) for variable in handled}
        own = self._model.trainable_variables if self._model is not None else []
        known = {id(variable) for variable in own}
        others = [variable for variable in variables if id(variable) not in known]
        ordered = [variable for variable in own if id(variable) in ids] + others
        described = describe(ordered, self._model)
        probes = self._probe_entries(described, ordered)
        everything: list[Any] = [*ordered, *probes]
        described += probes.values()

        def owners(layer: keras.layers.Layer) -> Iterable[int]:
            inside = {id(owner) for owner in [layer, *layer.trainable_variables]}
            return (index for index, entry in enumerate(everything) if id(entry) in inside)

        chosen = choose(self._layers, [entry.layer for entry in described], owners, self._model)
        self.entries = [described[index] for index in chosen]
        self.variables = [everything[index] for index in chosen]

    def observe(self, step: TrainingStep, captured: Tensor | bool) -> bool:
        """Take the step's gradients, and copy the weights where only a comparison shows how the update changes them."""
        self._received = {
            id(variable): (gradient, variable)
            for gradient, variable in zip(step.gradients, step.variables, strict=True)
            if gradient is not None
        }
        scale = loss_scale(step.optimizer, step.variables)
        for probe, signal in self._signals:
            if not is_here(signal):
                if is_inside(signal):
                    warnings.warn(
                        f"The gradient at {probe.name} inside a loop or a function is left out.", stacklevel=2
                    )
                continue
            gradient = signal if scale is None else ops.cast(signal, "float32") / scale
            self._received[id(probe)] = (gradient, None)
        self._signals.clear()
        if "update_ratio" in self.names:
            weights = [one for one in self.variables if self._received.get(id(one), (None, None))[1] is not None]
            skips = isinstance(step.optimizer, keras.optimizers.LossScaleOptimizer)  # what is not finite
            plain = is_plain(step.optimizer) and not skips
            if plain and all(getattr(one, "constraint", None) is None for one in weights):
                self._learning_rate = step.optimizer.learning_rate
            else:
                self._before = dict(zip(map(id, weights), copies(weights, captured), strict=True))
        return bool(self._before)

    def measure(self) -> Measured:
        """Return one step's numbers, `(entries, ...)`, NaN where there was no gradient."""
        present = [number for number, entry in enumerate(self.variables) if id(entry) in self._received]
        received = [self._received[id(self.variables[number])] for number in present]
        gradients, weights = [gradient for gradient, _ in received], [weight for _, weight in received]
        updates = [update(weight, self._before.get(id(weight))) for weight in weights] if self._before else None
        weights = [self._before.get(id(weight), weight) for weight in weights]
        table = statistics.measure(self.names, gradients, weights, self._learning_rate, updates, self._own)
        counts = None
        if self.edges is not None:
            counts = ops.cast(histograms.counts(gradients, self.edges), table.dtype)
        if len(present) == len(self.variables):
            return Measured(table, counts)
        row_of = {number: row for row, number in enumerate(present)}
        rows = np.array([row_of.get(number, len(present)) for number in range(len(self.variables))])
        return Measured(_rows(table, rows), None if counts is None else _rows(counts, rows))

    def finish(self, measured: np.ndarray) -> np.ndarray:
        """Return the statistics."""
        return statistics.finish(self.names, measured)

    def forget(self) -> None:
        """Let the step's gradients and copies go."""
        self._received, self._before, self._learning_rate = {}, {}, None

    def _on_gradient(self, probe: GradientProbe, gradient: Tensor) -> None:
        self._signals = [signal for signal in self._signals if signal[0] is not probe] + [(probe, gradient)]

    def _probe_entries(
        self, described: Sequence[Parameter], variables: Sequence[Any]
    ) -> dict[GradientProbe, Parameter]:
        """Describe the probes: each stands as deep as the last layer before it."""
        depths = {id(variable): entry.depth for variable, entry in zip(variables, described, strict=True)}
        depth, found = 0, {}
        for layer in layers_of(self._model) if self._probes else []:
            if isinstance(layer, GradientProbe):
                path = layer.path or layer.name  # a layer without weights may have no path
                found[layer] = Parameter(without_model(self._model, path), depth, "signal", path, layer.units)
            else:
                depth = max([depth, *(depths.get(id(variable), 0) for variable in layer.trainable_variables)])
        return found


def _rows(table: Tensor, rows: np.ndarray) -> Tensor:
    """Return rows of a table; the one behind its last is NaN."""
    nothing = not_a_number((1, table.shape[1]), table.dtype)
    return ops.take(ops.concatenate([table, nothing]), rows, axis=0)
