"""Call of `compare` that a comparison came from, as Python code, out of its facts. Needs no Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

# What `compare` does without an argument: such arguments are left out of the call.
DEFAULTS: dict[str, Any] = {
    "activations": None,
    "models": None,
    "vary": {},
    "data": "digits",
    "target": None,
    "features": None,
    "task": None,
    "missing": "error",
    "hidden": [32] * 6,
    "seeds": [0, 1, 2, 3, 4],
    "epochs": 20,
    "batch_size": 32,
    "learning_rate": None,
    "initializer": "glorot_uniform",
    "error_below": None,
    "every": "epoch",
    "statistics": None,
    "keep_weights": False,
    "split_seed": 0,
    "parts": 1,
}
_PLAIN = {"PlainSGD": 0.1}  # the optimizer that `compare` takes without one, and its learning rate


def call_of(facts: Mapping[str, Any]) -> str:
    """Return the call that makes a comparison with these facts again.

    Args:
        facts: `Comparison.facts`.

    Example:
        >>> import kerasteach as kt
        >>> from kerasteach.experiment.call import call_of
        >>> result = kt.compare(("tanh", "relu"), data="iris", hidden=(8, 8), seeds=2, epochs=1, verbose=0)
        >>> print(call_of(result.facts))
        import kerasteach as kt
        <BLANKLINE>
        result = kt.compare(
            activations=["tanh", "relu"],
            data="iris",
            hidden=[8] * 2,
            seeds=2,
            epochs=1,
        )
    """
    arguments = dict(facts["arguments"])
    optimizer = arguments.pop("optimizer")
    order = [*(name for name in DEFAULTS if name in arguments), *(name for name in arguments if name not in DEFAULTS)]
    given = {name: arguments[name] for name in order if arguments[name] != DEFAULTS.get(name)}
    if optimizer["class_name"] not in _PLAIN:
        given.pop("learning_rate", None)  # the optimizer has it
        given["optimizer"] = optimizer
    lines = [f"    {name}={_argument(name, value)}," for name, value in given.items() if name != "hidden" or value]
    imports = "import keras\n" if any("keras." in line for line in lines) else ""
    return "\n".join([f"{imports}import kerasteach as kt\n", "result = kt.compare(", *lines, ")"])


def note_of(facts: Mapping[str, Any]) -> str:
    """Say what the call needs that no file of the run holds; nothing where it needs nothing."""
    arguments = facts["arguments"]
    needs = []
    if arguments.get("models") is not None:
        needs.append("`models` stands here by its names: hand over your own functions.")
    elif any(facts.get("probes", {}).values()):
        needs.append("Functions of your own stand here by their names: hand over the functions.")
    if arguments.get("data") == "yours":
        needs.append('`data="yours"` stands for your own arrays or table.')
    return " ".join(needs)


def _argument(name: str, value: Any) -> str:
    """Return an argument as code: a row of equal widths and the first seeds in short."""
    if name == "hidden" and len(value) > 1 and len(set(value)) == 1:
        return f"[{value[0]}] * {len(value)}"
    if name == "seeds" and value == list(range(len(value))):
        return str(len(value))
    return _code(value)


def _code(value: Any) -> str:
    if isinstance(value, Mapping) and {"module", "class_name"} <= set(value):
        return _object(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_code(key)}: {_code(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_code, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and float(np.float32(value)) == value:  # a setting of Keras's, which has float32
        return str(np.float32(value))
    return repr(value)


def _object(value: Mapping[str, Any]) -> str:
    """Return the call that makes an object of Keras's or of kerasteach's, out of its configuration."""
    module = str(value["module"])
    if not module.startswith(("keras.", "kerasteach.")):
        return f"keras.saving.deserialize_keras_object({dict(value)!r})"
    room = module.replace("kerasteach.", "kt.", 1)
    options = ", ".join(f"{name}={_code(item)}" for name, item in value["config"].items() if item is not None)
    return f"{room}.{value['class_name']}({options})"
