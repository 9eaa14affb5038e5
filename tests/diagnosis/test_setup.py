from dataclasses import replace

import numpy as np
import pytest

from kerasteach.diagnosis.rules import SETUP_RULES
from kerasteach.diagnosis.setup import Setup

FITS = Setup(
    loss="sparse_categorical_crossentropy",
    from_logits=False,
    activation="softmax",
    units=3,
    targets=np.array([0, 1, 2]),
    inputs={"1": np.array([[0.5, -1.0], [1.0, 0.2]])},
    layers=("Dense", "Dense"),
    kernels={"dense": np.array([[0.1, -0.2], [0.3, 0.4]])},
    losses=(1.1, 0.9, 0.5),
)
BINARY = replace(FITS, loss="binary_crossentropy", activation="sigmoid", units=1, targets=np.array([0, 1]))
VALUES = replace(
    FITS, loss="mean_squared_error", from_logits=None, activation="linear", units=1, targets=np.array([-3.0, 5.0])
)


def found(setup, **changes):
    """Return the rules that speak of a setup."""
    changed = replace(setup, **changes)
    return [rule.id for rule in SETUP_RULES.values() if rule.check(changed) is not None]


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
    "no probabilities": (replace(FITS, loss="categorical_crossentropy"), np.array([[1, 1, 0]])),
    "-1 and 1 for yes or no": (BINARY, np.array([-1, 1])),
    "values beyond tanh": (replace(VALUES, activation="tanh"), np.array([0.0, 5.0])),
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


@pytest.mark.parametrize("losses", [(1.0, 0.95, 0.95), (1.0, np.nan, np.nan)], ids=["still", "not finite"])
def test_a_batch_that_cannot_be_learned_is_found(losses):
    """The loss on one batch stands still, or is lost."""
    assert found(FITS, losses=losses) == ["KT506"]
