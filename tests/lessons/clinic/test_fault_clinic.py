import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.diagnosis.network import Network
from kerasteach.lessons.clinic import fault_clinic as module
from kerasteach.lessons.clinic.case import Case, does_not_learn
from kerasteach.lessons.clinic.evidence import against
from kerasteach.lessons.clinic.faults import FAULTS
from kerasteach.plotting.clinic_figure import clinic_figure


@pytest.fixture(scope="module")
def clinic():
    """The first case."""
    return kt.lessons.fault_clinic()


def case(accuracy=0.1, loss=2.31, ratio=1e-3, norms=(0.1, 0.1, 0.1), dead=0.0):
    """Return the tables of a network of digits with these numbers in each of three epochs of two steps."""
    rows = [
        (epoch, 2 * epoch + step, f"layer_{depth}", depth, parameter, 10, norm, True, ratio)
        for epoch in range(3)
        for step in range(2)
        for depth, norm in enumerate(norms, 1)
        for parameter in ("kernel", "bias")
    ]
    names = ["epoch", "step", "layer", "depth", "parameter", "size", "norm", "finite", "update_ratio"]
    outputs = [
        (epoch, 2 * epoch + 1, f"layer_{depth}", depth, 1, 10, True, dead) for epoch in range(3) for depth in (1, 2, 3)
    ]
    columns = ["epoch", "step", "layer", "depth", "call", "size", "finite", "dead_fraction"]
    history = kt.measure.history_table(
        {"loss": [loss, 0.999 * loss, 0.998 * loss], "accuracy": [accuracy] * 3, "val_accuracy": [accuracy] * 3}
    )
    return Case(
        history, pd.DataFrame(rows, columns=names), pd.DataFrame(outputs, columns=columns), np.eye(64)[:8], np.arange(8)
    )


def test_the_network_does_not_learn(clinic):
    """Its accuracy on new images is near that of a guess, 0.1."""
    scores = clinic.history.query("metric == 'val_accuracy'")["value"]
    assert scores.iloc[-1] < 0.1 + 0.2 * 0.9


def test_one_of_six_causes_is_right(clinic):
    """The answer is marked right, with the diagnosis; each other one is not, with a reason of its own."""
    marks = {letter: clinic.check(letter) for letter in clinic.causes}
    assert list(marks) == list("abcdef")
    assert [letter for letter, mark in marks.items() if mark] == [clinic.answer]
    assert str(clinic.diagnosis) in marks[clinic.answer].feedback
    assert len({mark.feedback for mark in marks.values()}) == 6


def test_the_text_does_not_give_the_answer_away(clinic):
    """Neither in a shell nor in a notebook is a rule named, and all causes are there."""
    for text in (str(clinic), repr(clinic), clinic._repr_html_()):
        assert "KT" not in text
        assert str(clinic.diagnosis.frame["evidence"].iloc[0]) not in text
    assert all(f"{letter}) {cause}" in str(clinic) for letter, cause in clinic.causes.items())
    assert clinic._repr_html_().count("<li>") == 6


def test_the_figure_says_nothing_of_the_fault(clinic):
    """Its panels are named after what is drawn, and the images stand above their labels."""
    figure = clinic.plot()
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert [title.replace("\n", " ") for title in titles] == [
        "Loss in training",
        "Accuracy on new images",
        "Images and their labels",
        "Gradient, layer by layer",
        "Steps of the kernels, layer by layer",
        "Units that are always 0",
    ]
    assert [text.get_text() for text in figure.axes[2].texts] == [str(label) for label in clinic.labels]
    plt.close(figure)


def test_an_answer_must_be_one_of_the_letters(clinic):
    """The error names them; capitals will do."""
    assert clinic.check(clinic.answer.upper())
    with pytest.raises(ValueError, match='`answer` must be one of "a", "b"'):
        clinic.check("g")
    with pytest.raises(TypeError, match="`answer`"):
        clinic.check(1)


@pytest.mark.slow
def test_a_case_is_the_same_each_time(clinic):
    """The seed fixes network, data and causes, whatever was drawn before."""
    np.random.default_rng().normal()
    again = kt.lessons.fault_clinic(clinic.seed)
    assert again.causes == clinic.causes
    assert again.answer == clinic.answer
    np.testing.assert_array_equal(again.images, clinic.images)
    pd.testing.assert_frame_equal(again.gradients, clinic.gradients, rtol=1e-3)


def test_seven_seeds_have_each_fault_once(monkeypatch):
    """From 0 on, and from 7 on in another order."""
    made = []
    monkeypatch.setattr(module, "train", lambda fault, draw: made.append(fault.cause) or case())
    monkeypatch.setattr(module, "does_not_learn", lambda case, fault: True)
    for seed in range(14):
        clinic = kt.lessons.fault_clinic(seed)
        assert clinic.causes[clinic.answer] == made[-1]
        assert len(set(clinic.causes.values())) == 6
    assert set(made[:7]) == set(made[7:]) == {fault.cause for fault in FAULTS.values()}
    assert made[:7] != made[7:]


def test_a_case_that_learns_is_drawn_again(monkeypatch):
    """Three of them fail here, then one is taken; without any an error says so."""
    tried = []
    monkeypatch.setattr(module, "train", lambda fault, draw: tried.append(fault) or case())
    monkeypatch.setattr(module, "does_not_learn", lambda case, fault: len(tried) > 3)
    kt.lessons.fault_clinic(2)
    assert len(tried) == 4
    monkeypatch.setattr(module, "does_not_learn", lambda case, fault: False)
    with pytest.raises(RuntimeError, match="seed 2"):
        kt.lessons.fault_clinic(2)


SICK = {
    "vanishing": case(norms=(1e-6, 1e-4, 1e-1)),
    "dead units": case(norms=(0.0, 0.0, 0.1), dead=1.0),
    "no slope": case(norms=(0.0, 0.0, 0.1)),
    "rate too high": case(ratio=0.5),
    "rate too low": case(ratio=1e-6),
    "labels": case(),
}


@pytest.mark.parametrize("name", SICK)
def test_a_network_counts_for_its_own_cause_alone(name):
    """Its diagnosis is that of one fault, so that one answer is right."""
    assert [cause for cause, fault in FAULTS.items() if does_not_learn(SICK[name], fault)] == [name]


def test_a_network_that_learns_is_no_case():
    """Its accuracy on new images is a fifth of the way from a guess to 1."""
    assert not does_not_learn(case(accuracy=0.28, ratio=1e-6), FAULTS["rate too low"])
    assert not does_not_learn(case(loss=2.0), FAULTS["labels"])


@pytest.mark.parametrize(
    ("cause", "sick", "words"),
    [
        ("vanishing", "labels", "gets 1 times more than the last"),
        ("vanishing", "no slope", "exactly 0, so that it is cut off"),
        ("dead units", "vanishing", "Here it is 0 % of a layer's units"),
        ("no slope", "dead units", "the units are what stops it"),
        ("no slope", "labels", "Here it is 0.1 or more"),
        ("rate too high", "labels", "Here it changes those of layer_1 by 0.1 %"),
        ("rate too low", "rate too high", "Here it changes those of layer_1 by 50 %"),
        ("rate too high", "rate too low", "by less than 0.001 %"),
        ("rate too low", "dead units", "with which no rate moves them"),
        ("missing value", "labels", "Here both are finite"),
        ("labels", "vanishing", "Here each image has the digit"),
    ],
)
def test_a_wrong_answer_gets_the_numbers_that_speak_against_it(cause, sick, words):
    """What the cause would look like, and what is there."""
    tables = SICK[sick]
    assert words in against(cause, Network(tables.gradients, tables.activations, tables.history))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 14))
def test_every_seed_gives_a_case(seed):
    """Of two rounds of all faults none fails, and the network does not learn."""
    clinic = kt.lessons.fault_clinic(seed)
    assert clinic.check(clinic.answer)
    assert clinic.history.query("metric == 'val_accuracy'")["value"].iloc[-1] < 0.28


def test_the_figure_says_that_kernels_are_drawn():
    """Of the steps those of the kernels are drawn alone, in each language."""
    history = pd.DataFrame({"epoch": [0, 1], "metric": "loss", "value": [2.3, 2.2]})
    history = pd.concat([history, history.assign(metric="val_accuracy", value=0.1)])
    rows = pd.DataFrame({"epoch": 0, "step": 0, "layer": ["a", "b"], "depth": [1, 2], "parameter": "kernel"})
    gradients = rows.assign(norm=1.0, update_ratio=1e-3)
    outputs = rows.drop(columns="parameter").assign(dead_fraction=0.0)
    data = (history, gradients, outputs, np.ones((8, 64)), np.arange(8))
    titles = [ax.get_title().replace("\n", " ") for ax in clinic_figure(*data, chance=0.1).axes]
    assert "Steps of the kernels, layer by layer" in titles
    with kt.plotting.style(language="de"):
        titles = [ax.get_title().replace("\n", " ") for ax in clinic_figure(*data, chance=0.1).axes]
    assert "Schritte der Kernel, Schicht für Schicht" in titles
    assert "Bilder und ihre Labels" in titles
