import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import kerasteach as kt
from kerasteach.experiment import executor
from kerasteach.experiment.builders import built, own_builder
from kerasteach.experiment.fingerprint.difference import difference
from kerasteach.experiment.fingerprint.probe import activation_probe, network_probe, optimizer_probe

SMALL = {"data": "iris", "hidden": (3,), "seeds": 1, "epochs": 1, "verbose": 0}


def scaling(factor, cut=100.0, slope=1.0):
    """Return a layer's class, whose name is always the same and whose `call` is not."""

    class Own(keras.layers.Layer):
        def call(self, x):
            scaled = ops.clip(factor * x, -cut, cut)
            return slope * scaled + (1 - slope) * ops.stop_gradient(scaled)

    return Own()


def network(*layers, loaded=None):
    """Return a builder of a network for the iris data, in whose first layer weights may be loaded."""

    def build():
        dense = keras.layers.Dense
        last = dense(3, activation="softmax", name="last")
        model = keras.Sequential([keras.Input((4,)), dense(5, name="first"), *(layer() for layer in layers), last])
        if loaded is not None:
            model.layers[0].set_weights([np.full((4, 5), loaded), np.zeros(5)])
        return model

    return build


class Halved(keras.initializers.GlorotUniform):
    """An initializer of one's own, which draws a part of Glorot's."""

    part = 0.5

    def __call__(self, *arguments, **options):
        """Draw."""
        return self.part * super().__call__(*arguments, **options)


@keras.saving.register_keras_serializable(package="tests")
class Slower(keras.optimizers.SGD):
    """An optimizer of one's own, which takes a part of the gradient."""

    part = 0.5

    def update_step(self, gradient, variable, learning_rate):
        """Take a part of the step."""
        super().update_step(self.part * gradient, variable, learning_rate)


NETWORKS = {
    "a layer's call": (network(lambda: scaling(1.0)), network(lambda: scaling(1.01))),
    "a call far from 0": (network(lambda: scaling(1.0)), network(lambda: scaling(1.0, cut=6.0))),
    "a gradient alone": (network(lambda: scaling(1.0)), network(lambda: scaling(1.0, slope=0.5))),
    "loaded weights": (network(loaded=0.5), network(loaded=0.501)),
    "in training alone": (network(lambda: keras.layers.Dropout(0.4)), network(lambda: keras.layers.Dropout(0.5))),
    "a penalty": (
        network(lambda: keras.layers.Dense(5, kernel_regularizer=keras.regularizers.L2(0.1))),
        network(lambda: keras.layers.Dense(5, kernel_regularizer=keras.regularizers.L2(0.2))),
    ),
    "a constraint": (
        network(lambda: keras.layers.Dense(5)),
        network(lambda: keras.layers.Dense(5, kernel_constraint="unit_norm")),
    ),
    "moving statistics": (
        network(lambda: keras.layers.BatchNormalization(momentum=0.9)),
        network(lambda: keras.layers.BatchNormalization(momentum=0.8)),
    ),
}


def probed(build):
    """Return the probe of a builder's network, as `compare` builds it."""
    data = kt.datasets.load("iris")
    return network_probe(built(own_builder("mine", build, {}, data), seed=0), data)


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_probe_tells_networks_apart_by_what_they_compute(kind):
    """Whatever the edit, and though nothing is called otherwise; the same network is known again."""
    one, again, other = (probed(build) for build in (*NETWORKS[kind][:1] * 2, NETWORKS[kind][1]))
    assert difference(one, again) is None
    assert difference(one, other) is not None


def test_a_probe_knows_what_goes_by_another_name():
    """A class that is renamed computes the same."""

    class Renamed(type(scaling(1.0))):
        pass

    assert difference(probed(network(lambda: scaling(1.0))), probed(network(Renamed))) is None


def test_a_probe_does_not_mind_another_rounding():
    """Numbers that differ in the last digits of float32 are those of another processor; a tenth of a percent is not."""
    one = probed(network(lambda: keras.layers.BatchNormalization()))
    off = {}
    for factor in (1 + 3e-7, 1 + 1e-3):
        off[factor] = {
            part: " ".join(f"{factor * float(number):.7g}" for number in text.split())
            if part not in ("variables", "settings")
            else text
            for part, text in one.items()
        }
    assert one != off[1 + 3e-7]
    assert difference(one, off[1 + 3e-7]) is None
    assert difference(one, off[1 + 1e-3]) == "it starts from other weights"


def test_a_probe_knows_a_small_change_of_a_setting():
    """A rate of dropout that drops the same units of a few examples is another one."""
    one, other = (probed(network(lambda rate=rate: keras.layers.Dropout(rate))) for rate in (0.2, 0.2001))
    assert difference(one, other) == "its layers have other settings"


def test_a_probe_knows_numbers_that_are_not_finite():
    """A network that overflows is known again."""
    one, again = (probed(network(lambda: scaling(np.inf, cut=np.inf))) for _ in range(2))
    assert "nan" in one["outputs"]
    assert difference(one, again) is None
    assert difference(one, probed(network(lambda: scaling(1.0)))) is not None


@pytest.mark.parametrize(
    "other",
    [
        ops.relu6,
        ops.tanh,
        lambda x: ops.where(x > -1.0, ops.relu(x), x),
        lambda x: ops.relu(x) + 1e-2,
        lambda x: ops.where(x > 50.0, 2 * x, ops.relu(x)),
    ],
)
def test_functions_are_told_apart_on_a_grid(other):
    """Also where they differ far from 0, or by a constant."""
    assert difference(activation_probe(ops.relu), activation_probe(lambda x: ops.relu(x))) is None
    assert difference(activation_probe(ops.relu), activation_probe(other)) == "its activation computes something else"


def test_optimizers_are_told_apart_by_their_steps(monkeypatch):
    """A rule that was edited, and a schedule that differs after a thousand steps alone."""
    rates = [keras.optimizers.schedules.PiecewiseConstantDecay([900], [0.1, rate]) for rate in (0.1, 0.01)]
    early, late = (optimizer_probe(keras.optimizers.SGD(rate)) for rate in rates)
    assert difference(early, late) == "its optimizer takes other steps"
    before = optimizer_probe(Slower(0.1))
    assert difference(before, optimizer_probe(Slower(0.1))) is None
    monkeypatch.setattr(Slower, "part", 0.6)
    assert difference(before, optimizer_probe(Slower(0.1))) == "its optimizer takes other steps"


def compared(directory, **arguments):
    """Compare in a directory."""
    return kt.compare(**{**SMALL, **arguments}, directory=directory)


DIRECTORIES = {
    "another name of Keras's": ({"activations": {"mine": "tanh"}}, {"activations": {"mine": "relu"}}),
    "a function": ({"activations": {"mine": ops.tanh}}, {"activations": {"mine": ops.relu}}),
    "a network": ({"models": {"mine": network()}}, {"models": {"mine": network(lambda: scaling(2.0))}}),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", DIRECTORIES)
def test_a_directory_never_gives_another_functions_results(kind, tmp_path):
    """Under the same name, a finished comparison of another function is refused; its own is loaded."""
    first, second = ({"hidden": (32,) * 6, **one} if "models" in one else one for one in DIRECTORIES[kind])
    found = compared(tmp_path, **first)
    assert compared(tmp_path, **first).history.equals(found.history)
    with pytest.raises(ValueError, match=r"other arguments.*the network 'mine' is another there"):
        compared(tmp_path, **second)


@pytest.mark.slow
def test_the_callers_initializer_and_optimizer_are_part_of_the_comparison(tmp_path, monkeypatch):
    """Edited between two calls, they are others, though their configuration is the same."""
    compared(tmp_path / "initializer", activations="relu", initializer=Halved())
    compared(tmp_path / "optimizer", activations="relu", optimizer=Slower(0.1))
    monkeypatch.setattr(Halved, "part", 0.6)
    monkeypatch.setattr(Slower, "part", 0.6)
    with pytest.raises(ValueError, match="starts from other weights"):
        compared(tmp_path / "initializer", activations="relu", initializer=Halved())
    with pytest.raises(ValueError, match="its optimizer takes other steps"):
        compared(tmp_path / "optimizer", activations="relu", optimizer=Slower(0.1))


def test_classes_that_are_called_otherwise_are_other_data(tmp_path):
    """Their names are in the tables."""
    data = kt.datasets.load("iris")
    arrays = data.x_train, data.y_train, data.x_test, data.y_test
    one, other = (kt.datasets.Dataset("flowers", *arrays, classes) for classes in (("a", "b", "c"), ("x", "y", "z")))
    compared(tmp_path, activations="relu", data=one)
    with pytest.raises(ValueError, match=r"other arguments.*data: "):
        compared(tmp_path, activations="relu", data=other)


@pytest.mark.slow
def test_an_interrupted_comparison_is_never_a_mixture(tmp_path, monkeypatch):
    """Begun with one function, it does not go on with another of the same name."""
    work = executor.work
    left = iter([None])

    def once(*arguments):
        if next(left, 0) is not None:
            raise KeyboardInterrupt
        return work(*arguments)

    monkeypatch.setattr(executor, "work", once)
    arguments = {"optimizer": "adafactor", "vary": {"depth": [1, 2]}}
    with pytest.raises(KeyboardInterrupt):
        compared(tmp_path, activations={"mine": ops.tanh}, **arguments)
    monkeypatch.setattr(executor, "work", work)
    with pytest.raises(ValueError, match="is another there"):
        compared(tmp_path, activations={"mine": ops.relu}, **arguments)
    result = compared(tmp_path, activations={"mine": ops.tanh}, **arguments)
    whole = kt.compare({"mine": ops.tanh}, **SMALL, **arguments)
    np.testing.assert_allclose(result.history["value"], whole.history["value"], rtol=1e-4, atol=1e-6)


class Noise(keras.layers.Layer):
    """Adds numbers that no seed fixes."""

    def call(self, x):
        """Add noise."""
        return x + keras.random.normal(ops.shape(x))


@pytest.mark.slow
def test_what_computes_something_else_each_time_is_not_gone_on_with(tmp_path):
    """A warning says so at the start, and the second call is refused, with the reason."""
    arguments = {"models": {"mine": network(Noise)}, "hidden": (32,) * 6}
    with pytest.warns(UserWarning, match="cannot be gone on with: mine: tried again .*computes other outputs"):
        compared(tmp_path, **arguments)
    with (
        pytest.warns(UserWarning, match="cannot be gone on with"),
        pytest.raises(ValueError, match=r"it cannot be checked whether its networks are these.*tried again"),
    ):
        compared(tmp_path, **arguments)
    assert len(kt.Comparison.load(tmp_path).history) == 4


@pytest.mark.slow
def test_a_comparison_is_known_again_in_another_process(tmp_path):
    """Names in a script's own module, in which the functions are defined anew, do not matter."""
    code = """
import sys, keras, kerasteach as kt
class Own(keras.layers.Layer):
    def call(self, x):
        return keras.ops.tanh(x)
def build():
    dense = keras.layers.Dense
    return keras.Sequential([dense(5), Own(), keras.layers.Dropout(0.5), dense(3, activation="softmax")])
result = kt.compare(models={"mine": build}, data="iris", seeds=1, epochs=1, verbose=0, directory=sys.argv[1])
print(result.facts["seconds"])
"""
    seconds = [
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert seconds[0] == seconds[1]  # what was trained was loaded


def test_kerass_own_parts_need_no_probe(comparison):
    """Arguments and versions say what they compute."""
    assert comparison.facts["probes"] == {"sigmoid": {}, "tanh": {}, "relu": {}}
