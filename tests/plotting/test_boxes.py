"""Text of every figure, with usual and awkward tables: never cut off, never on other text, and no legend on a line."""

import matplotlib.pyplot as plt
import pytest
from boxes import problems
from gallery_cases import STYLES, cases

from kerasteach.plotting import style

CASES = cases()
PAIRS = [(case, name) for name in STYLES for case in CASES]


@pytest.mark.sample(4)
@pytest.mark.parametrize(("case", "name"), PAIRS)
def test_text_is_whole_and_legends_cover_nothing(case, name):
    """Of a drawn figure, no text lies outside of the page or on other text, and no legend covers a line."""
    with style(name):
        assert problems(CASES[case]()) == []
    plt.close("all")


@pytest.mark.parametrize(
    "case",
    [
        "gradient_heat_map_figure, missing values",
        "update_ratios_figure, long names",
        "update_ratios_figure, all zero",
        "stills_figure, usual",
    ],
)
def test_german_text_is_whole(case):
    """Its words are longer: labels break where panels are low, and titles where names of layers narrow the panels."""
    with style("notebook" if "update" in case else "paper", language="de"):
        assert problems(CASES[case]()) == []
    plt.close("all")


def test_problems_are_found():
    """Text beyond the edge, text on text, also where it is turned, and a legend on a line are named."""
    figure, ax = plt.subplots(figsize=(3, 3))
    ax.plot([0, 1], [0.9, 0.9], label="covered")
    ax.set_ylim(0, 1)
    ax.legend(loc="upper center")
    figure.text(0.9, 0.5, "beyond the edge")
    figure.text(0.4, 0.4, "one text")
    figure.text(0.45, 0.4, "another text", rotation=30)
    found = " ".join(problems(figure))
    assert "'beyond the edge' is cut off" in found
    assert "'one text' overlaps 'another text'" in found
    assert "of the line 'covered'" in found


def test_turned_text_may_stand_close_to_each_other():
    """Labels at 45 degrees do not overlap where only the upright boxes around them do."""
    figure = plt.figure(figsize=(3, 3))
    for place in (0.3, 0.4):
        figure.text(place, 0.5, "a label", rotation=45)
    assert problems(figure) == []
