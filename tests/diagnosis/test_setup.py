from dataclasses import fields, replace

import numpy as np
import pytest

from kerasteach.diagnosis.rules import SETUP_RULES
from kerasteach.diagnosis.setup import Output, Setup

CLASSES = Output(
    name="kind",
    loss="sparse_categorical_crossentropy",
    from_logits=False,
    activation="softmax",
    units=3,
    targets=np.array([0, 1, 2]),
    first=1.1,
)
FITS = Setup(
    outputs=(CLASSES,),
    inputs={"1": np.array([[0.5, -1.0], [1.0, 0.2]])},
    layers=("Dense", "Dense"),
    kernels={"dense": np.array([[0.1, -0.2], [0.3, 0.4]])},
    losses=(1.1, 0.9, 0.5),
)


def changed(setup, **changes):
    """Return a setup of one output with other values, of itself or of the output."""
    of_output = {field.name for field in fields(Output)}
    output = replace(setup.outputs[0], **{name: value for name, value in changes.items() if name in of_output})
    rest = {name: value for name, value in changes.items() if name not in of_output}
    if rest.get("losses"):
        output = replace(output, first=rest["losses"][0])
    return replace(setup, outputs=(output,), **rest)


def found(setup, **changes):
    """Return the rules that speak of a setup, with other values of itself or of its output."""
    setup = changed(setup, **changes) if changes else setup
    return [rule.id for rule in SETUP_RULES.values() if rule.check(setup) is not None]


BINARY = changed(FITS, loss="binary_crossentropy", activation="sigmoid", units=1, targets=np.array([0, 1]))
VALUES = changed(
    FITS, loss="mean_squared_error", from_logits=None, activation="linear", units=1, targets=np.array([-3.0, 5.0])
)


@pytest.mark.parametrize("setup", [FITS, BINARY, VALUES], ids=["classes", "yes or no", "values"])
def test_what_fits_is_no_finding(setup):
    """Output, loss, targets, inputs and weights as they should be."""
    assert found(setup) == []


MISMATCHES = {
    "sigmoid for classes": (FITS, {"activation": "sigmoid"}),
    "no function for classes": (FITS, {"activation": "linear"}),
    "softmax for logits": (FITS, {"activation": "relu", "from_logits": True}),
    "softmax for yes or no": (BINARY, {"activation": "softmax", "units": 2}),
    "softmax of one unit": (VALUES, {"activation": "softmax", "targets": np.array([0.0, 1.0])}),
    "no function for yes or no": (BINARY, {"activation": "linear"}),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_an_output_that_does_not_fit_the_loss_is_found(name):
    """The last layer's function is not the one whose values the loss takes."""
    setup, changes = MISMATCHES[name]
    assert found(setup, **changes) == ["KT501"]


@pytest.mark.parametrize("setup", [FITS, BINARY], ids=["classes", "yes or no"])
def test_logits_fit_a_loss_that_takes_them(setup):
    """No function, and `from_logits=True`."""
    assert found(setup, activation="linear", from_logits=True) == []


TARGETS = {
    "a class without output": (FITS, np.array([1, 2, 3])),
    "classes from -1": (FITS, np.array([-1, 1])),
    "halves of classes": (FITS, np.array([0.5, 1.0])),
    "no probabilities": (changed(FITS, loss="categorical_crossentropy"), np.array([[1, 1, 0]])),
    "-1 and 1 for yes or no": (BINARY, np.array([-1, 1])),
    "values beyond tanh": (changed(VALUES, activation="tanh"), np.array([0.0, 5.0])),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_outside_of_the_outputs_are_found(name):
    """The batch has targets that no output can reach, or that the loss does not take."""
    setup, targets = TARGETS[name]
    assert found(setup, targets=targets) == ["KT502"]


def test_pixels_are_not_scaled_unless_the_model_does_it():
    """Values up to 255, with and without a layer that scales them."""
    pixels = {"1": np.arange(256).reshape(4, 64)}
    assert found(FITS, inputs=pixels) == ["KT503"]
    assert found(FITS, inputs=pixels, layers=("Rescaling", "Dense")) == []


def test_weights_that_are_all_alike_are_found():
    """A constant kernel of several units; a single unit cannot be unlike another."""
    assert found(FITS, kernels={"dense": np.zeros((2, 2))}) == ["KT504"]
    assert found(FITS, kernels={"dense": np.zeros((2, 1))}) == []


def test_a_loss_far_above_a_guess_is_found():
    """Three classes: a guess has log 3."""
    assert found(FITS, losses=(5.1 * np.log(3), 1.0)) == ["KT505"]
    assert found(FITS, losses=(4.9 * np.log(3), 1.0)) == []


def test_a_model_that_begins_well_need_not_learn_the_batch():
    """It begins below half of the loss of a guess: log 3, or the targets' variance, here 16."""
    assert found(FITS, losses=(0.5, 0.49)) == []
    assert found(VALUES, losses=(7.9, 7.8)) == []
    assert found(VALUES, losses=(8.1, 8.0)) == ["KT506"]


def test_a_model_without_a_weight_to_train_is_found():
    """All of its layers are frozen."""
    assert found(FITS, trains=False, frozen=("dense", "dense_1"), losses=()) == ["KT507"]


@pytest.mark.parametrize("losses", [(1.0, 0.99, 0.99), (1.0, np.nan, np.nan)], ids=["still", "not finite"])
def test_a_batch_that_cannot_be_learned_is_found(losses):
    """The loss on one batch stands still, or is lost."""
    assert found(FITS, losses=losses) == ["KT506"]


def two_outputs(**changes):
    """Return a setup of two outputs, classes and a value, the second with other values."""
    value = replace(VALUES.outputs[0], name="size", first=9.0)
    return replace(FITS, outputs=(CLASSES, replace(value, **changes)))


def test_each_of_several_outputs_is_judged_and_named():
    """The first fits, the second's function cannot give its targets."""
    assert found(two_outputs()) == []
    evidence = SETUP_RULES["KT502"].check(two_outputs(activation="tanh"))
    assert evidence.text == "output size: the targets go from -3 to 5, and tanh gives -1 to 1 only"


def test_of_several_outputs_one_that_is_sure_before_it_learned_is_found():
    """Two classes, and a first loss of more than five times log 2."""
    sure = {"loss": "binary_crossentropy", "activation": "sigmoid", "targets": np.array([0, 1])}
    assert found(two_outputs(**sure, first=5.1 * np.log(2))) == ["KT505"]
    assert found(two_outputs(**sure, first=4.9 * np.log(2))) == []
