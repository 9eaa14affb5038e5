"""What kerasteach relies on of Keras without a public name: a new Keras that changes it fails here."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasteach import callbacks, keras_internals


@pytest.fixture
def model():
    """Return a functional model of two layers, compiled and trained for a step."""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, name="second")(keras.layers.Dense(3, name="first")(inputs)))
    model.compile(keras.optimizers.AdamW(0.01), "mse", run_eagerly=True)
    model.fit(np.ones((4, 2)), np.zeros(4), verbose=0)
    return model


def test_a_compiled_model_averages_its_loss_with_the_metric(model):
    """Its value is the loss of the logs, and another one in its place takes the loss instead."""
    logs = model.evaluate(np.ones((4, 2)), np.zeros(4), return_dict=True, verbose=0)
    tracker = keras_internals.loss_metric(model)
    assert float(tracker.result()) == pytest.approx(logs["loss"])
    other = keras.metrics.Mean(name="loss")
    keras_internals.replace_loss_metric(model, other)
    model.test_function = None
    model.evaluate(np.ones((4, 2)), np.zeros(4), verbose=0)
    assert float(other.result()) == pytest.approx(logs["loss"])
    assert keras_internals.loss_metric(model) is other
    assert keras_internals.loss_metric(keras.Sequential([keras.layers.Dense(1)])) is None


def test_an_optimizer_updates_the_models_variables(model):
    """In the model's order; none before it is built."""
    assert [id(one) for one in keras_internals.updated_variables(model.optimizer)] == [
        id(one) for one in model.trainable_variables
    ]
    assert keras_internals.updated_variables(keras.optimizers.SGD()) == []


def test_an_optimizer_carries_a_variable_and_drops_it(model):
    """It is among `variables` meanwhile, and can be left out for a block."""
    optimizer, guest = model.optimizer, keras.Variable(1.0)
    before = [id(one) for one in optimizer.variables]
    keras_internals.carry(optimizer, guest)
    assert [id(one) for one in optimizer.variables] == [*before, id(guest)]
    with keras_internals.without_variables(optimizer, [guest]):
        assert [id(one) for one in optimizer.variables] == before
    assert [id(one) for one in optimizer.variables] == [*before, id(guest)]
    keras_internals.drop(optimizer, guest)
    assert [id(one) for one in optimizer.variables] == before


def test_a_copy_excludes_from_weight_decay_what_the_optimizer_does():
    """A step of zero gradients leaves the excluded variable, and shrinks the other one."""
    excluded, other = keras.Variable(1.0, name="bias"), keras.Variable(1.0, name="kernel")
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    copy = keras.optimizers.AdamW.from_config(optimizer.get_config())
    keras_internals.copy_weight_decay_exclusions(optimizer, copy)
    copy.apply([keras.ops.zeros(()), keras.ops.zeros(())], [excluded, other])
    assert float(excluded.value) == 1.0
    assert float(other.value) < 1.0


def test_a_layer_lists_those_inside_it(model):
    """All of them, or those that it holds itself."""
    inner = keras.Sequential([keras.layers.Dense(1)])
    outer = keras.Sequential([inner])
    outer.build((None, 2))
    assert [type(one) for one in keras_internals.sublayers(outer, recursive=False)].count(keras.layers.Dense) == 0
    assert inner.layers[0] in keras_internals.sublayers(outer)
    assert outer not in keras_internals.sublayers(outer)
    assert [one.name for one in keras_internals.sublayers(model, recursive=False)][1:] == ["first", "second"]


def test_a_symbolic_tensor_names_its_operation(model):
    """And the tensor in front of it, up to the model's input."""
    second, between = keras_internals.made_by(model.outputs[0])
    first, start = keras_internals.made_by(between)
    assert (second.name, first.name) == ("second", "first")
    assert start is model.inputs[0]


def test_random_numbers_without_a_seed_have_a_generator_of_their_own_in_a_block():
    """The sequence goes on behind the block as if nothing had been drawn in it."""
    keras.utils.set_random_seed(0)
    with keras_internals.without_seed_generator():
        keras.random.normal(())
        expected = [float(keras.random.normal(())) for _ in range(2)]
    keras.utils.set_random_seed(0)
    with keras_internals.without_seed_generator():
        keras.random.normal(())
        first = float(keras.random.normal(()))
        with keras_internals.without_seed_generator():
            keras.random.normal(())
        assert [first, float(keras.random.normal(()))] == expected


def test_layers_are_named_as_if_they_were_the_first():
    """The count of the caller goes on after the block."""
    before = keras.layers.Dense(1).name
    with keras_internals.fresh_layer_names():
        assert [keras.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    number = int(before.rpartition("_")[2]) if "_" in before else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


def test_no_other_module_uses_a_private_name_of_keras():
    """Neither an attribute that is listed here, nor a module of `keras.src`."""
    private = re.compile(
        r"_loss_tracker|_track_variable|_untrack_variable|\._(trainable_)?variables\b|\"_variables\"|_flatten_layers|"
        r"object_name_uids|_keras_history|_inbound_nodes|_exclude_from_weight_decay|keras\.src"
    )
    root = Path(keras_internals.__file__).parent
    files = [*root.rglob("*.py"), *Path(callbacks.__path__[0]).glob("*.py")]
    users = {file.name for file in files if private.search(file.read_text(encoding="utf-8"))}
    assert users == {"keras_internals.py"}
