"""Traced step for its page: the network, as `kerasteach.report` takes it."""

from __future__ import annotations

from keras import ops

from kerasteach.lessons.backprop.explain.symbols import Name, Symbols
from kerasteach.lessons.backprop.step import LayerStep, Step
from kerasteach.report.step_explorer import ExplorerLayer, ExplorerNetwork


def explorer_network(step: Step) -> ExplorerNetwork:
    """Return what the page shows beside the step's table."""
    symbols, error = Symbols(step), step.error
    names = zip(symbols.inputs, symbols.pre_activations, symbols.outputs, strict=True)
    return ExplorerNetwork(
        layers=tuple(_layer(layer, own) for layer, own in zip(step.layers, names, strict=True)),
        loss=error.name,
        formula=error.formula,
        targets=None if error.targets is None else ops.convert_to_numpy(error.targets),
        divisor=error.divisor,
        fused=error.fused is not None,
        mean=error.formula is not None and step.mean,
        optimizer=step.optimizer,
        learning_rate=step.learning_rate,
        next_error=step.next_error,
    )


def _layer(layer: LayerStep, names: tuple[Name, Name, Name]) -> ExplorerLayer:
    function = layer.nonlinearity
    known = function.derivative is not None
    return ExplorerLayer(
        layer.name,
        layer.depth,
        function.name,
        known,
        names,
        function.negative_slope,
        slope=None if known else layer.slope,
        penalties={weight.letter: weight.penalty for weight in layer.weights if weight.penalty is not None},
        plain=tuple(weight.letter for weight in layer.weights if weight.plain),
    )
