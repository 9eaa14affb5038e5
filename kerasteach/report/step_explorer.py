"""Step explorer: one training step as a page on which each number can be followed, hidden and changed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from markupsafe import Markup

from kerasteach.report.page import page
from kerasteach.translation import SOURCE, translations

MOST_UNITS = 12
MOST_EXAMPLES = 32
COMPUTED = ("binary_step", "linear", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")  # by the page's script

_SCRIPTS = ("compute", "formulas", "lines", "chain", "network")
Name: TypeAlias = tuple[str, int | None]  # a letter, and the depth of the layer: `("z", 1)`
Gettext: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class ExplorerLayer:
    """One layer of a traced network: what its table does not have."""

    name: str  # as in the table
    depth: int  # the number of dense layers up to this one
    activation: str  # the name of its function
    known: bool  # whether it is the course's function of this name
    symbols: tuple[Name, Name, Name]  # of its x, z and a; that of a is that of z where they are the same numbers
    negative_slope: float = 0.0  # of leaky ReLU
    slope: Any = None  # da/dz, `(batch, units)`; `None` where an output depends on more than its own z
    # by the letters W and b: the share of the gradient that a regularizer adds
    penalties: dict[str, Any] | None = None
    plain: tuple[str, ...] = ()  # the letters whose new value is the old one less the learning rate times the gradient


@dataclass(frozen=True)
class ExplorerNetwork:
    """A traced network: what the table of its step does not have."""

    layers: tuple[ExplorerLayer, ...]  # from the input to the output
    loss: str  # its name
    formula: str | None  # the name of the loss's formula; `None` for a loss that is differentiated automatically
    targets: Any  # `(batch, units)`; `None` without a formula
    divisor: int  # what dE/da is divided by
    fused: bool  # whether dE/dz of the last layer is `(a - T) / divisor`
    mean: bool  # whether E is the mean over the examples, not their sum
    optimizer: str  # its class
    learning_rate: float
    next_error: float  # E with the new weights


def explorer(frame: pd.DataFrame, network: ExplorerNetwork, language: str = SOURCE) -> str:
    """Return the step explorer of a traced step, as HTML.

    Args:
        frame: The step's table, of `kerasteach.tables.training_step.step_table`.
        network: What the table does not have.
        language: The language's code. Defaults to `"en"`.

    Raises:
        TypeError: If the language is no text.
        ValueError: If there is no such language, or the network or the batch is too large for a page.
    """
    _ = translations("step_explorer", language).gettext
    _check_size(frame, network)
    remark = _why_not_computed(frame, network, _)
    power = math.floor(math.log10(network.learning_rate)) if network.learning_rate > 0 else 0
    shown = _page_texts(_, network)
    return page(
        "step_explorer.html.j2",
        styles=("page.css", "step_explorer.css"),
        scripts=(*(f"step_explorer_{name}.js" for name in _SCRIPTS), "step_explorer.js"),
        title=_("One training step"),
        language=language,
        text=shown,
        remark=remark,
        computes=not remark,
        slider=(min(-3, power), max(1, power + 1)),
        examples=_examples(frame),
        data=_json(step_data(frame, network) | {"computes": not remark, "text": _script_texts(_, network)}),
    )


def _check_size(frame: pd.DataFrame, network: ExplorerNetwork) -> None:
    dense = frame[frame["layer"].isin(frame.loc[frame["quantity"] == "W", "layer"])]
    units = len(_values(frame, network.layers[0].name, "x")[0])
    units += sum(len(_values(dense, name, "z")[0]) for name in dense["layer"].unique())
    examples = _examples(frame)
    if units > MOST_UNITS or examples > MOST_EXAMPLES:
        raise ValueError(
            f"A page can show up to {MOST_UNITS} units, with inputs, and {MOST_EXAMPLES} examples. "
            "`explain()` has the same limit of units, and `plot(example)` draws one example of any batch. "
            "The table, `frame`, has the numbers of any. "
            f"Received: {units} units, {examples} examples."
        )


def _examples(frame: pd.DataFrame) -> int:
    return int(frame["example"].max()) + 1


def _why_not_computed(frame: pd.DataFrame, network: ExplorerNetwork, _: Gettext) -> str:
    """Return why the page cannot compute the step anew, or nothing where it can."""
    unknown = [layer.activation for layer in network.layers if not layer.known or layer.activation not in COMPUTED]
    if unknown:
        return _(
            "These are the traced numbers. They cannot be changed here: "
            "the page does not know the activation function {name}."
        ).format(name=unknown[0])
    if network.formula is None:
        return _(
            "These are the traced numbers. They cannot be changed here: the page does not know the loss {name}."
        ).format(name=network.loss)
    if any(layer.penalties for layer in network.layers) or ((frame["quantity"] == "E") & frame["layer"].notna()).any():
        return _(
            "These are the traced numbers. They cannot be changed here: "
            "the page does not know what the regularizers add to the error."
        )
    received = frame[frame["quantity"].isin(["dE/dW", "dE/db"])]
    trained = set(zip(received["layer"], received["quantity"].str[-1], strict=True))
    if trained - {(layer.name, letter) for layer in network.layers for letter in layer.plain}:
        return _(
            "These are the traced numbers. They cannot be changed here: the page computes plain gradient descent "
            "alone, and {optimizer} has another rule."
        ).format(optimizer=network.optimizer)
    return ""


def step_data(frame: pd.DataFrame, network: ExplorerNetwork) -> dict[str, Any]:
    """Return the numbers of a traced step, with its network, as the page's script reads them.

    Arrays are nested lists: those of units `(example, unit)`, W `(source, unit)` and b `(unit,)`.
    """
    whole = frame[(frame["quantity"] == "E") & frame["layer"].isna()]
    each, total = whole[whole["example"].notna()], whole[whole["example"].isna()]
    return {
        "layers": [_layer_data(frame, layer) for layer in network.layers],
        "loss": {
            "name": network.loss,
            "formula": network.formula,
            "targets": _lists(network.targets),
            "divisor": network.divisor,
            "fused": network.fused,
            "mean": network.mean,
        },
        "each": each["value"].tolist() if len(each) else None,
        "total": total["value"].iloc[0],
        "next": network.next_error,
        "optimizer": network.optimizer,
        "rate": network.learning_rate,
    }


def _layer_data(frame: pd.DataFrame, layer: ExplorerLayer) -> dict[str, Any]:
    own = frame[frame["layer"] == layer.name]
    signals = {"x": "x", "z": "z", "a": "a", "error": "dE/da", "delta": "dE/dz"}
    penalty = own[own["quantity"] == "E"]["value"].tolist()
    weights = {
        letter: {
            "before": _values(own, layer.name, letter),
            "gradient": _values(own, layer.name, f"dE/d{letter}"),
            "after": _values(own, layer.name, f"new {letter}"),
            "penalty": _lists((layer.penalties or {}).get(letter)),
            "plain": letter in layer.plain,
        }
        for letter in ("W", "b")
        if (own["quantity"] == letter).any()
    }
    return {
        "name": layer.name,
        "depth": layer.depth,
        "activation": layer.activation,
        "known": layer.known and layer.activation in COMPUTED,
        "negative_slope": layer.negative_slope,
        "symbols": dict(zip("xza", layer.symbols, strict=True)),
        "slope": _lists(layer.slope),
        "penalty": penalty[0] if penalty else None,
        "weights": weights,
        **{name: _values(own, layer.name, quantity) for name, quantity in signals.items()},
    }


def _values(frame: pd.DataFrame, layer: str, quantity: str) -> Any:
    """Return the values of a layer's quantity as nested lists, along those of its axes that the table has."""
    rows = frame[(frame["layer"] == layer) & (frame["quantity"] == quantity)]
    if not len(rows):
        return None
    axes = [axis for axis in ("example", "source", "unit") if rows[axis].notna().all()]
    shape = [int(rows[axis].max()) + 1 for axis in axes]
    return rows.sort_values(axes)["value"].to_numpy("float64").reshape(shape).tolist()


def _lists(values: Any) -> Any:
    return None if values is None else np.asarray(values, "float64").tolist()


def _json(data: dict[str, Any]) -> Markup:
    """Return data as JSON that can stand in a `<script>`: no name of the caller's ends it."""
    text = json.dumps(_finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _finite(value: Any) -> Any:
    """Return data with the numbers that JSON lacks as texts that JavaScript reads as numbers."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _page_texts(_: Gettext, network: ExplorerNetwork) -> dict[str, Any]:
    """Return the texts that stand on the page from the start."""
    return {
        "skip": _("Skip to the network"),
        "about": _("Loss: {loss}. Optimizer: {optimizer}.").format(loss=network.loss, optimizer=network.optimizer),
        "noscript": _("This page draws and computes with a script of its own: please switch on JavaScript."),
        "steps_label": _("Steps"),
        "titles": [
            _("1. Initialize"),
            _("2. Forward pass and error"),
            _("3. Backpropagation"),
            _("4. Update"),
        ],
        "back": _("Step back"),
        "next": _("Next step"),
        "rate": _("Learning rate"),
        "rate_number": _("Learning rate, as a number"),
        "example": _("Example"),
        "hide": _("Hide the numbers"),
        "network": _("The network with its numbers"),
        "forward": _("Forward pass: each number"),
        "backward": _("Backward pass: ∂E/∂ of each number"),
        "chain": _("Chain rule of a weight"),
        "chain_hint": _("Point at a weight of the network, or go to it with the Tab key."),
        "change": _("Change the weights"),
        "change_hint": _("All numbers of the page follow. Enter on a weight of the network leads to its field here."),
        "repeat": _("Take the step, and begin the next one"),
        "reset": _("Back to the traced numbers"),
        "footer": _(
            "The arrow keys ← and → go from step to step. Numbers are shown with four significant digits; "
            "the page computes with all of them. Made with kerasteach."
        ),
    }


def _script_texts(_: Gettext, network: ExplorerNetwork) -> dict[str, Any]:
    """Return the texts that the page's script shows; what it fills in stands in braces."""
    plain = all(layer.plain for layer in network.layers if layer.symbols[0] != layer.symbols[1])
    update = _(
        "Each weight moves one step against its gradient. With the new weights the error of this batch is {new}; "
        "it was {old}."
    )
    ruled = _(
        "The optimizer changes each weight by its rule. With the new weights the error of this batch is {new}; "
        "it was {old}."
    )
    return {
        "steps": [
            _("Given are an example, its target, and the weights before the step."),
            _(
                "From the input to the error: each unit adds up its inputs, times their weights, to z, and applies its "
                "activation function. E compares the output with the target T."
            ),
            _(
                "From the error back to the input, with the old weights everywhere: "
                "∂E/∂ of a number is how much E changes with it."
            ),
            update if plain else ruled,
        ],
        "input": _("input"),
        "error": _("error"),
        "errorHeading": _("Error:"),
        "value": _("value"),
        "new": _("new"),
        "network": _("The network with its numbers"),
        "layer": _("Layer {depth}, {name}:"),
        "examples": _("examples"),
        "summed": _("Summed over the examples:"),
        "ofBatch": _("{loss} of the batch"),
        "penalty": _("R is what regularizers add"),
        "automatic": _("{name}, by automatic differentiation"),
        "frozen": _("{name} is frozen: its {letter} stays as it is."),
        "ownRule": _("by {optimizer}'s rule").format(optimizer=network.optimizer),
        "chainOf": _("Chain rule of {weight}"),
        "show": _("Show {number}"),
    }
