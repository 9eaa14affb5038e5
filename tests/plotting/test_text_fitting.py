"""Lines of titles and legends: of one length, and no number away from its word."""

import pytest

from kerasteach.plotting.style import style
from kerasteach.plotting.text_fitting import broken, shortened
from kerasteach.plotting.wording import grouped

FINDING = "sigmoid: layer 1 gets 1,700 times less than layer 5 (median of 3 seeds)"


@pytest.mark.parametrize("width", range(12, 80))
def test_lines_fit_and_say_the_same(width):
    """No line is longer than the width, and no word is lost."""
    lines = broken(FINDING, width).split("\n")
    assert max(map(len, lines)) <= width
    assert " ".join(lines) == FINDING


def test_no_word_stands_alone():
    """The last line is about as long as the others."""
    lengths = [len(line) for line in broken(FINDING, len(FINDING) - 2).split("\n")]
    assert len(lengths) == 2
    assert min(lengths) > 0.8 * max(lengths)


@pytest.mark.parametrize("width", range(14, 60))
def test_a_number_stays_with_its_word(width):
    """`layer 1`, `of 3`: no line begins with a number."""
    assert not any(line[0].isdigit() for line in broken(FINDING, width).split("\n"))


def test_a_number_is_not_broken():
    """In German its groups of digits have a narrow space between them, which is no place for a new line."""
    with style(language="de"):
        number = grouped(12345)
    assert not number.isdigit()
    assert number in broken(f"Schicht 1 erh\u00e4lt {number}-mal weniger als Schicht 5", 22)


def test_numbers_of_a_list_may_stand_in_several_lines():
    """A long list has to be broken somewhere."""
    assert max(map(len, broken("hidden layers [32, 16, 32, 16, 32, 16, 32]", 16).split("\n"))) <= 16


def test_short_names_still_differ():
    """The end of a long name often is what distinguishes it."""
    names = [f"a rather long class name {number}" for number in range(3)]
    short = [shortened(name, 16) for name in names]
    assert len(set(short)) == 3
    assert {len(name) for name in short} == {16}
