import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import kerasteach as kt

TRUE = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
PREDICTED = np.array([0, 1, 1, 1, 1, 2, 2, 0, 2, 1])
NAMES = ["cat", "dog", "owl"]


def cells(ax):
    """Return the texts of the cells as an array of their lines' first words."""
    size = len(ax.get_yticks())
    return np.array([int(text.get_text().split("\n")[0]) for text in ax.texts]).reshape(size, size)


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        (TRUE, PREDICTED),
        (TRUE[:, None], np.eye(3)[PREDICTED]),
        (np.eye(3)[TRUE], 0.7 * np.eye(3)[PREDICTED] + 0.1),
        (np.array(NAMES)[TRUE], pd.Series(np.array(NAMES)[PREDICTED])),
    ],
)
def test_counts_are_those_of_scikit_learn(true, predicted):
    """Of class numbers, one-hot rows, probabilities and names; the colors are the shares of the row."""
    ax = kt.plotting.confusion_matrix(true, predicted, NAMES)
    expected = metrics.confusion_matrix(TRUE, PREDICTED)
    np.testing.assert_array_equal(cells(ax), expected)
    shares = metrics.confusion_matrix(TRUE, PREDICTED, normalize="true")
    np.testing.assert_allclose(ax.images[0].get_array(), shares)
    assert "67 %" in ax.texts[1].get_text()  # two of the three cats


def test_the_finding_names_the_most_frequent_error():
    """It stands above what is drawn."""
    ax = kt.plotting.confusion_matrix(TRUE, PREDICTED, NAMES)
    first = " ".join(ax.get_title().split()).removesuffix(" 10 examples, share of each true class")
    assert first == "6 of 10 right (60 %); most often cat was taken for dog: 2 of 3"
    assert kt.plotting.confusion_matrix(TRUE, TRUE).get_title().startswith("10 of 10 right (100 %)\n")


def test_a_title_can_be_replaced_or_left_out():
    """By a text, or by none."""
    assert kt.plotting.confusion_matrix(TRUE, PREDICTED, title="pets").get_title() == "pets"
    assert not kt.plotting.confusion_matrix(TRUE, PREDICTED, title=None).get_title()


def test_the_probability_of_the_second_of_two_classes():
    """0.5 decides; what is not finite is left out, and the title says so."""
    ax = kt.plotting.confusion_matrix([0, 0, 1, 1, 1], [[0.2], [0.7], [0.9], [0.8], [np.nan]])
    np.testing.assert_array_equal(cells(ax), [[1, 1], [0, 2]])
    assert "1 without a finite prediction left out" in " ".join(ax.get_title().split())


@pytest.mark.parametrize(("classes", "lines"), [(3, 2), (10, 1)])
def test_numbers_in_cells_can_be_read_on_a_slide(classes, lines):
    """Where two of them would be small, the count stands alone; none is less than three quarters of the usual text."""
    with kt.plotting.style("lecture"):
        ax = kt.plotting.confusion_matrix(np.arange(classes), np.arange(classes))
        usual = plt.rcParams["font.size"]
    diagonal = [text for text in ax.texts if text.get_text() != "0"]
    assert {1 + text.get_text().count("\n") for text in diagonal} == {lines}
    assert min(text.get_fontsize() for text in diagonal) >= 0.75 * usual


@pytest.mark.parametrize("classes", [1, 40, 120])
def test_many_classes_and_one(classes):
    """Names do not overlap: of many classes some have one, evenly."""
    ax = kt.plotting.confusion_matrix(np.arange(classes), np.arange(classes))
    ticks = ax.get_xticks()
    assert len(ticks) <= 40
    assert len(set(np.diff(ticks))) <= 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], [0]), ValueError, "`y_true` and `y_pred` must have a class for each"),
        (([], []), ValueError, "one at least"),
        (([0, 1], [-3.5, 2.5]), ValueError, "of logits take the softmax"),
        (([0, 1], ["a", "b"]), ValueError, "`labels` must name the classes in the order"),
        (([0, 5], [0, 1], ["a", "b"]), ValueError, "`y_true` must hold classes out of a, b"),
        (([0, 1], [0, 1], ["a", "a"]), ValueError, "`labels` must name each class once"),
        (([0, 1], np.zeros((2, 2, 2))), ValueError, "`y_pred` must be"),
        (([None, 1], [0, 1]), TypeError, "`y_true` must be"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, message):
    """The error names the argument."""
    with pytest.raises((error, ValueError), match=message):
        kt.plotting.confusion_matrix(*arguments)


def test_each_network_has_a_panel():
    """Counts are added up over the seeds, and a pair without a row counts 0."""
    rows = [
        ("relu", 0, "cat", "cat", 3),
        ("relu", 1, "cat", "dog", 2),
        ("relu", 0, "dog", "dog", 4),
        ("tanh", 0, "dog", "cat", 5),
    ]
    table = pd.DataFrame(rows, columns=["activation", "seed", "true", "predicted", "count"])
    table.attrs["classes"] = ["dog", "cat", "owl"]
    figure = kt.plotting.confusion_matrix_figure(table)
    np.testing.assert_array_equal(cells(figure.axes[0]), [[4, 0, 0], [2, 3, 0], [0, 0, 0]])
    assert figure.axes[0].get_title().replace("\n", " ") == "relu: 7 of 9 right (78 %) 2 seeds together"
    assert figure.axes[1].get_title().replace("\n", " ") == "tanh: 0 of 5 right (0 %)"


def test_classes_stand_in_the_order_of_their_numbers():
    """The class 10 comes after the class 9, not after the class 1."""
    names = [f"class {number}" for number in range(11)]
    ax = kt.plotting.confusion_matrix(names[::-1], names[::-1])
    assert [label.get_text() for label in ax.get_yticklabels()] == names


def test_long_names_of_classes_still_differ():
    """Their ends are kept."""
    names = [f"a rather long class name {number}" for number in range(3)]
    ax = kt.plotting.confusion_matrix(names, names)
    assert len({label.get_text() for label in ax.get_yticklabels()}) == 3
