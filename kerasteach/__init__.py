"""Make the training of Keras 3 networks visible: gradients, targets, fair comparisons, lecture figures.

Each name is imported on its first use, so that `import kerasteach` alone needs neither Keras nor a drawing library.
Once Keras is there, kerasteach's layers, functions, loss and optimizer are registered with it: a saved model that uses
them loads without `custom_objects`.
"""

from importlib import import_module
from typing import Any

from kerasteach.keras_import import once_keras_is_there

__version__ = "0.1.0"

_ROOMS = (
    "activations",
    "callbacks",
    "datasets",
    "devices",
    "diagnosis",
    "exercises",
    "experiment",
    "initializers",
    "layers",
    "lessons",
    "losses",
    "measure",
    "models",
    "optimizers",
    "plotting",
    "report",
    "stopping",
    "storage",
    "tables",
)
_NAMES = {
    "compare": "kerasteach.experiment",
    "Comparison": "kerasteach.experiment",
    "decision_regions": "kerasteach.lessons",
    "diagnose": "kerasteach.diagnosis",
    "find_learning_rate": "kerasteach.lessons",
    "gradient_descent": "kerasteach.lessons",
    "loss_surface": "kerasteach.lessons",
    "preflight": "kerasteach.lessons",
    "trace_step": "kerasteach.lessons",
    "training_loop": "kerasteach.lessons",
}

__all__ = [*_ROOMS, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _register() -> None:
    for module in ("activations.registration", "layers", "losses", "optimizers"):
        import_module(f"{__name__}.{module}")


once_keras_is_there(_register)
