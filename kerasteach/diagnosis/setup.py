"""Rules for a model before its training: output, loss, targets, inputs, first weights, and steps on one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kerasteach.diagnosis.network import Evidence

LARGE = 10.0  # root mean square of inputs
SURE = 5.0  # times log(classes)
KNOWN = 0.5  # of the loss of a guess: a model that begins below has learned before
LEARNED = 0.02  # of the first loss, over the steps on one batch: a recurrent layer at Adam's usual rate has 0.07 in 50
_SCALING = ("Normalization", "Rescaling", "BatchNormalization", "LayerNormalization", "Embedding", "TextVectorization")
_CATEGORICAL = ("categorical_crossentropy", "sparse_categorical_crossentropy")
_CLASSIFYING = (*_CATEGORICAL, "binary_crossentropy")
_RANGES = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf)}
_DISTANCES = ("mean_squared_error", "mean_absolute_error", "half_squared_error", "huber", "log_cosh")


@dataclass(frozen=True)
class Output:
    """One output of a compiled model, with its loss and its targets in one batch.

    Attributes:
        name: Its name, by which a finding calls it where there are several.
        loss: The loss's name, as Keras's function is called: `"binary_crossentropy"`; empty where it is unknown.
        from_logits: Whether the loss takes outputs without a function; `None` where that means nothing.
        activation: The last layer's function; empty where it is unknown.
        units: The last axis of the output.
        targets: The batch's targets.
        first: The loss of the batch before the steps on it; `None` where it is unknown. Defaults to `None`.
    """

    name: str
    loss: str
    from_logits: bool | None
    activation: str
    units: int
    targets: np.ndarray
    first: float | None = None

    @property
    def of_a_guess(self) -> float:
        """The loss of a guess: log(classes), or the targets' variance for a squared error; 0 where it is unknown."""
        if self.loss == "binary_crossentropy":
            return float(np.log(2))
        if self.loss in _CATEGORICAL:
            return float(np.log(max(2, self.units)))
        if self.loss == "mean_squared_error" and np.issubdtype(self.targets.dtype, np.number) and self.targets.size:
            return float(self.targets.astype("float64").var(axis=0).mean())
        return 0.0


@dataclass(frozen=True)
class Setup:
    """A compiled model and one batch, as the rules read them.

    Attributes:
        outputs: The model's outputs.
        inputs: The batch's inputs, by name; those that are no numbers are left out.
        layers: The names of the classes of the model's layers, from the input on.
        kernels: The first kernels, by layer.
        losses: The loss of the batch before each of the steps on it.
        frozen: The names of the layers that are frozen. Defaults to none.
        trains: Whether there is a weight to train. Defaults to `True`.
    """

    outputs: tuple[Output, ...]
    inputs: Mapping[str, np.ndarray]
    layers: tuple[str, ...]
    kernels: Mapping[str, np.ndarray]
    losses: tuple[float, ...]
    frozen: tuple[str, ...] = ()
    trains: bool = True

    def of_outputs(self, judge: Callable[[Output], str]) -> str:
        """Return what is wrong with each output, joined; of several, each one's name stands in front."""
        texts = [(output.name, judge(output)) for output in self.outputs]
        several = len(self.outputs) > 1
        return "; ".join(f"output {name}: {text}" if several else text for name, text in texts if text)


def output_and_loss(setup: Setup) -> Evidence | None:
    """Find a last layer whose function does not give what the loss takes."""
    text = setup.of_outputs(_mismatch)
    return _evidence((), text, 1.0, 0.0) if text else None


def _mismatch(output: Output) -> str:
    function = f"the last layer's function is {output.activation}"
    if output.activation == "softmax" and output.units == 1:
        return f"{function} and it has one unit, whose output is 1 whatever comes in"
    if output.loss in _CATEGORICAL and output.units == 1:
        return f"the loss {output.loss} needs a unit for each class, and the last layer has one"
    if not output.activation or output.loss not in _CLASSIFYING:
        return ""
    if output.loss == "binary_crossentropy" and output.activation == "softmax":
        return f"{function}, whose outputs are one choice, and the loss {output.loss} takes each output for itself"
    fitting = "sigmoid" if output.loss == "binary_crossentropy" else "softmax"
    if output.activation == fitting:  # Keras recognizes it, also with from_logits=True
        return ""
    if output.from_logits:
        return "" if output.activation == "linear" else f"{function}, and the loss takes outputs without one (logits)"
    return f"{function}, and the loss {output.loss} takes probabilities, those of {fitting}"


def targets_and_outputs(setup: Setup) -> Evidence | None:
    """Find targets that the outputs cannot reach, or that the loss does not take."""
    text = setup.of_outputs(_unreachable)
    return _evidence((), text, 1.0, 0.0) if text else None


def _unreachable(output: Output) -> str:
    targets = output.targets
    if not np.issubdtype(targets.dtype, np.number) or not targets.size:
        return ""
    low, high = float(targets.min()), float(targets.max())
    span = f"the targets go from {low:.4g} to {high:.4g}"
    if output.loss == "sparse_categorical_crossentropy":
        whole = bool((targets == np.floor(targets)).all())
        fits = whole and low >= 0 and high < output.units
        return "" if fits else f"{span}, and {output.units} outputs take the classes 0 to {output.units - 1}"
    if output.loss == "categorical_crossentropy":
        fits = targets.ndim > 1 and np.allclose(targets.sum(axis=-1), 1, atol=1e-3)
        return "" if fits else f"the targets of an example do not add up to 1, as {output.loss} takes them"
    if output.loss == "binary_crossentropy":
        return "" if low >= 0 and high <= 1 else f"{span}, and {output.loss} takes those from 0 to 1"
    if output.loss not in _DISTANCES or output.activation not in _RANGES:
        return ""
    least, most = _RANGES[output.activation]
    return "" if least <= low and high <= most else f"{span}, and {output.activation} gives {least:g} to {most:g} only"


def inputs_not_scaled(setup: Setup) -> Evidence | None:
    """Find inputs in large units, in a model that does not scale them itself."""
    if any(name in _SCALING for name in setup.layers[:3]):
        return None
    sizes = {
        name: float(np.sqrt(np.mean(np.square(x.astype("float64"))))) for name, x in setup.inputs.items() if x.size
    }
    if not sizes or not max(sizes.values()) > LARGE:
        return None
    worst = max(sizes, key=lambda name: sizes[name])
    x = setup.inputs[worst]
    who = f"the input {worst}" if len(sizes) > 1 else "the inputs"
    text = f"{who} go from {x.min():.4g} to {x.max():.4g} (root mean square {sizes[worst]:.3g})"
    return _evidence((), text, sizes[worst], LARGE)


def weights_alike(setup: Setup) -> Evidence | None:
    """Find kernels whose entries are all the same, so that all units of a layer learn the same."""
    alike = {name: kernel for name, kernel in setup.kernels.items() if kernel.shape[-1] > 1 and np.ptp(kernel) == 0}
    if not alike:
        return None
    values = ", ".join(f"{name} ({kernel.flat[0]:g})" for name, kernel in alike.items())
    return _evidence(tuple(alike), f"all first weights are the same in {values}", len(alike) / len(setup.kernels), 0.0)


def first_loss(setup: Setup) -> Evidence | None:
    """Find a classifier that is sure and wrong before it has learned anything."""
    known = [output for output in setup.outputs if output.first is not None and output.loss in _CLASSIFYING]
    sure = [output for output in known if not _times_a_guess(output) < SURE]  # NaN is not below it either
    if not sure:
        return None
    text = setup.of_outputs(
        lambda output: (
            f"the first loss is {output.first:.3g}, and that of a guess among the classes is {output.of_a_guess:.3g}"
            if output in sure
            else ""
        )
    )
    return _evidence((), text, max(map(_times_a_guess, sure)), SURE)


def _times_a_guess(output: Output) -> float:
    assert output.first is not None
    return output.first / output.of_a_guess if np.isfinite(output.first) else np.inf


def _has_learned_before(output: Output) -> bool:
    return output.first is not None and output.first <= KNOWN * output.of_a_guess


def nothing_to_train(setup: Setup) -> Evidence | None:
    """Find a model without a weight that a step could change."""
    if setup.trains:
        return None
    layers = f", and {len(setup.frozen)} of its layers are frozen" if setup.frozen else ""
    return _evidence(setup.frozen, f"no layer of the model has a weight to train{layers}", 1.0, 0.0)


def one_batch(setup: Setup) -> Evidence | None:
    """Find a network that does not even learn one batch."""
    losses = np.asarray(setup.losses)
    if len(losses) < 2 or all(map(_has_learned_before, setup.outputs)):
        return None
    fell = 1 - float(np.nanmin(losses[1:])) / losses[0] if np.isfinite(losses[1:]).any() else -np.inf
    if fell >= LEARNED and np.isfinite(losses[-1]):
        return None
    what = f"falls by {100 * max(0.0, fell):.2g} %" if np.isfinite(losses).all() else "is not finite"
    return _evidence((), f"in {len(losses) - 1} steps on one and the same batch the loss {what}", fell, LEARNED)


def _evidence(layers: tuple[str, ...], text: str, value: float, threshold: float) -> Evidence:
    return Evidence(layers, (0, 0), text, value, threshold)
