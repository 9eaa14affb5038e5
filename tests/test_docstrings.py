import doctest
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import kerasteach as kt

MODULES = [
    "kerasteach",
    *(f"kerasteach.callbacks.{module.name}" for module in pkgutil.iter_modules(kt.callbacks.__path__)),
    *(module.name for module in pkgutil.walk_packages(kt.__path__, "kerasteach.")),
]

TRAINING = re.compile(r"^ *(?:>>>|\.\.\.) .*\b(?:fit|compare|fault_clinic)\(", re.MULTILINE)


def trains(name):
    """Return whether an example of a module trains, which takes most of the time of all examples."""
    return TRAINING.search(Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if trains(name) else ()) for name in MODULES]
)
def test_examples_run(name, monkeypatch):
    """Every example in a docstring gives what it says."""
    monkeypatch.setattr("kerasteach.report.run_page.pictures", lambda run, report: [])  # both of which take seconds
    monkeypatch.setattr("kerasteach.report.charts.available", lambda: False)
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_documented(name):
    """Every public function, class and method that a module defines has a docstring."""
    module = importlib.import_module(name)
    public = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    own = [value for value in public.values() if getattr(value, "__module__", None) == name and callable(value)]
    for value in own:
        assert inspect.getdoc(value), value
