import doctest
import importlib
import inspect
import pkgutil

import pytest

import kerasteach as kt

MODULES = [
    "kerasteach",
    *(f"kerasteach.callbacks.{module.name}" for module in pkgutil.iter_modules(kt.callbacks.__path__)),
    *(module.name for module in pkgutil.walk_packages(kt.__path__, "kerasteach.")),
]


# Modules whose examples train for seconds, beside `compare` and the captures, which do so in every run.
LONG = {
    "kerasteach.diagnosis.diagnose",
    "kerasteach.experiment.call",
    "kerasteach.experiment.comparison",
    "kerasteach.lessons.clinic.fault_clinic",
    "kerasteach.plotting.decision_boundary",
    "kerasteach.plotting.lecture_figure",
}


def test_long_examples_are_there():
    """A module that is moved away is no longer named."""
    assert set(MODULES) >= LONG


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in MODULES]
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
