"""Eligibility for one graph: which networks can be trained in it as if each were alone, and how many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import keras

from kerasteach.experiment.networks import Plan
from kerasteach.experiment.serialization import optimizer_of
from kerasteach.layers import GradientProbe
from kerasteach.measure.selection import layers_of
from kerasteach.optimizers import PlainSGD

# They change an entry of a variable by its own gradients alone: other copies in the variable do not matter.
_ENTRY_BY_ENTRY = (
    PlainSGD,
    keras.optimizers.SGD,
    keras.optimizers.RMSprop,
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
    keras.optimizers.Adamax,
    keras.optimizers.Nadam,
    keras.optimizers.Adagrad,
    keras.optimizers.Adadelta,
    keras.optimizers.Ftrl,
    keras.optimizers.Lion,
)
# They do more than return outputs and new state, or hold unknown code.
_LEFT_OUT = (GradientProbe, keras.layers.Lambda, keras.layers.SpectralNormalization, keras.layers.TFSMLayer)
_KNOWN = ("keras.", "kerasteach.")

MEMORY = 2**30  # bytes that a group may take, as `group_size` counts them
LARGEST = 60  # copies: beyond about thirty the time grows with their number, and a killed group is lost as a whole


def can_train_together(plan: Plan, networks: Sequence[keras.Model]) -> str | None:
    """Say why these networks cannot be trained in one graph, or return `None` where they can.

    One optimizer updates the weights of all, so it must work entry by entry. The networks must be made of layers of
    Keras and of this package, whose values depend on nothing but their variables and inputs. Where a layer has no
    vectorized form, such as a convolution or dropout, its network runs copy by copy in the same graph.

    Args:
        plan: What the networks share.
        networks: One of each variant.

    Returns:
        A sentence that names what is in the way, or `None`.

    Example:
        >>> import keras, kerasteach as kt
        >>> from kerasteach.experiment.networks import Plan
        >>> from kerasteach.experiment.ensemble.eligibility import can_train_together
        >>> optimizer = keras.optimizers.serialize(keras.optimizers.Adam(clipnorm=1.0))
        >>> can_train_together(Plan(kt.datasets.load("iris"), optimizer, 1, 32, None, None), [])
        'The optimizer Adam with clipnorm does not work entry by entry.'
    """
    reason = _of_optimizer(plan)
    if reason is not None:
        return reason
    if len({tuple(tuple(variable.shape) for variable in network.trainable_variables) for network in networks}) > 1:
        return "The networks differ in the shapes of their weights."
    return next((reason for network in networks if (reason := _of_network(network)) is not None), None)


def group_size(plan: Plan, network: keras.Model) -> int:
    """Return how many copies of a network to train together at most, which depends on the arguments alone.

    As many as `MEMORY` holds, and not more than `LARGEST`. Counted for a copy are eight numbers a weight (its value,
    gradient, what an optimizer remembers, and intermediate values), four an output of a layer and example of a batch,
    its order of the examples, and the statistics of each gradient at each step of an epoch.

    Args:
        plan: What the copies share.
        network: One of them.
    """
    examples = len(plan.dataset.x_train)
    outputs = sum(prod(size or 1 for size in shape[1:]) for shape in _output_shapes(network))
    captured = len(network.trainable_variables) * -(-examples // plan.batch_size) if plan.every else 0
    numbers = 8 * network.count_params() + 4 * plan.batch_size * (outputs + prod(plan.dataset.inputs))
    one_copy = 4 * (numbers + examples) + 8 * len(plan.statistics) * captured
    return min(max(1, MEMORY // one_copy), LARGEST)


def _output_shapes(network: keras.Model) -> list[tuple[int | None, ...]]:
    """Return the shapes of the outputs of all layers that say so."""
    outputs = [output for layer in layers_of(network) for output in keras.tree.flatten(getattr(layer, "output", ()))]
    return [tuple(output.shape) for output in outputs]


def _of_optimizer(plan: Plan) -> str | None:
    name = plan.optimizer["class_name"]
    optimizer = optimizer_of(plan.optimizer)
    if type(optimizer) not in _ENTRY_BY_ENTRY:
        return f"The optimizer {name} does not work entry by entry, as far as is known."
    for option in ("clipnorm", "global_clipnorm"):
        if getattr(optimizer, option):
            return f"The optimizer {name} with {option} does not work entry by entry."
    if optimizer.use_ema:
        return f"The optimizer {name} with use_ema goes on averaging when a network has come to its end."
    return None


def _of_network(network: keras.Model) -> str | None:
    if not network.trainable_variables:
        return "The network has nothing to train."
    for variable in network.variables:
        if variable.constraint is not None:
            return f"The weight {variable.path} has a constraint."
    for layer in (network, *layers_of(network)):
        kind = type(layer)
        if not kind.__module__.startswith(_KNOWN) or isinstance(layer, _LEFT_OUT):
            return f"The layer {layer.name} is a {kind.__name__}, which may do more than one graph for all allows."
        if getattr(layer, "stateful", False):
            return f"The layer {layer.name} is stateful."
        if layer.dtype_policy.compute_dtype != "float32" or layer.dtype_policy.variable_dtype != "float32":
            return f"The layer {layer.name} has the dtype policy {layer.dtype_policy.name}, not float32."
    return None
