import inspect

import keras
import pytest

import kerasteach as kt
from kerasteach.experiment.call import DEFAULTS, call_of, note_of
from kerasteach.experiment.serialization import choices_to_json, serialized


def arguments_in(facts):
    """Run the call of a comparison as Python, and return the arguments that it hands over."""
    asked = {}
    exec(call_of(facts).replace("kt.compare(", "asked.update("), {"asked": asked})
    return asked


def configuration(optimizer):
    """Return the configuration of an optimizer without its name, which Keras counts."""
    return {name: value for name, value in optimizer.get_config().items() if name != "name"}


def test_the_defaults_are_those_of_compare():
    """What the call leaves out is what `compare` does without it."""
    signature = inspect.signature(kt.compare).parameters
    lists = {"hidden": list, "seeds": lambda count: list(range(count)), "vary": lambda value: value or {}}
    assert {name: lists.get(name, lambda value: value)(signature[name].default) for name in DEFAULTS} == DEFAULTS


def test_the_call_has_the_arguments_of_the_comparison(comparison):
    """Those of the fixture, which trained it."""
    assert arguments_in(comparison.facts) == {
        "activations": ["sigmoid", "tanh", "relu"],
        "data": "iris",
        "hidden": [6, 6, 6],
        "seeds": 3,
        "epochs": 4,
        "learning_rate": 0.5,
    }


@pytest.mark.slow
def test_the_call_trains_the_same(comparison):
    """Bit for bit."""
    again = kt.compare(**arguments_in(comparison.facts), verbose=0)
    assert again.history.equals(comparison.history)
    assert again.gradients.equals(comparison.gradients)


def test_names_and_objects_are_made_anew(comparison):
    """Optimizers with their configuration, and names with quotation marks in them."""
    slow = keras.optimizers.Adam(1e-4, clipnorm=1.0)
    given = {
        "activations": ['with "quotes"', "it's"],
        "optimizer": serialized("adam", 0.003),
        "vary": {"optimizer": choices_to_json({"slow": slow}), "width": [2, 3]},
        "seeds": [3, 5],
    }
    asked = arguments_in({"arguments": {**comparison.facts["arguments"], **given}})
    assert asked["activations"] == given["activations"]
    assert asked["seeds"] == [3, 5]
    assert asked["vary"]["width"] == [2, 3]
    assert configuration(asked["vary"]["optimizer"]["slow"]) == configuration(slow)
    assert configuration(asked["optimizer"]) == configuration(keras.optimizers.Adam(0.003))
    assert "learning_rate" not in asked


def test_parts_of_your_own_are_named(comparison):
    """They are in no file of the run."""
    facts = comparison.facts
    assert note_of(facts) == ""
    own = {**facts, "arguments": {**facts["arguments"], "data": "yours", "models": ["small"]}}
    assert note_of(own) == (
        "`models` stands here by its names: hand over your own functions. "
        '`data="yours"` stands for your own arrays or table.'
    )
