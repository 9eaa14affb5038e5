"""Experiments: networks that differ in one thing only, trained over several seeds.

Reading a saved comparison needs no Keras; what does need it is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerasteach.extras import check_tensorflow

if TYPE_CHECKING:
    from kerasteach.experiment.again import asked_again
    from kerasteach.experiment.comparison import Comparison
    from kerasteach.experiment.paired_experiment import compare
    from kerasteach.experiment.summary import summarize

__all__ = ["Comparison", "asked_again", "compare", "summarize"]

# No module is called as one of these names: importing it would put it in the name's place.
_MODULES = {
    "Comparison": "comparison",
    "asked_again": "again",
    "compare": "paired_experiment",
    "summarize": "summary",
}


def __getattr__(name: str) -> Any:
    if name == "compare":
        check_tensorflow("`compare`")
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
