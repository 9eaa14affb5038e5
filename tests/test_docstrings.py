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


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    """Every example in a docstring gives what it says."""
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
