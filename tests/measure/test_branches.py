"""A choice in a training step computes one of two functions, and stays one operation of TensorFlow's graph."""

import pytest
import tensorflow as tf

from kerasteach.measure.branches import choose


def chosen(x, **options):
    """Return what is chosen for a number, by a compiled function, and the function."""
    function = tf.function(lambda x: choose(x > 0, lambda: [x, 2 * x], lambda: [-x, x]), **options)
    return [float(value) for value in function(tf.constant(x))], function


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(("x", "expected"), [(3.0, [3.0, 6.0]), (-3.0, [3.0, -3.0])])
def test_each_branch_returns_its_tensors(x, expected, jit_compile):
    """Compiled by XLA or not; and without a function around it."""
    assert chosen(x, jit_compile=jit_compile)[0] == expected
    eager = choose(tf.constant(x) > 0, lambda: [x, 2 * x], lambda: [-x, x])
    assert [float(value) for value in eager] == expected


@pytest.mark.parametrize(("devices", "apart"), [(["CPU:0"], False), (["CPU:0", "GPU:0"], True)])
def test_a_choice_is_taken_apart_only_where_there_are_several_devices(devices, apart, monkeypatch):
    """TensorFlow's mark that says so, by which it makes an operation for each tensor that a branch reads."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: devices)
    _, function = chosen(1.0)
    operations = function.get_concrete_function(tf.constant(1.0)).graph.get_operations()
    (whole,) = (one for one in operations if one.type in ("If", "StatelessIf"))
    assert whole.get_attr("_lower_using_switch_merge") is apart


def test_nothing_to_choose_is_nothing():
    """As of the weights of a layer that gets no gradient."""
    assert tf.function(lambda x: list(choose(x > 0, list, list)))(tf.constant(1.0)) == []
