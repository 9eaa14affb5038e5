from pathlib import Path

import gallery_cases
import matplotlib.pyplot as plt
import pytest
from babel.messages.pofile import read_po
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import kerasteach as kt
from kerasteach.plotting import learning_curves, style
from kerasteach.plotting.wording import gettext, grouped, times
from kerasteach.translation import LOCALE

CURVES = kt.measure.history_table({"loss": [0.9, 0.4]})
USUAL = {name: draw for name, draw in gallery_cases.cases().items() if name.endswith("usual")}


def english():
    """Return the messages of the figures that read otherwise in German."""
    with Path(LOCALE / "de" / "LC_MESSAGES" / "figures.po").open("rb") as file:
        catalog = read_po(file, locale="de")
    found = {message.id for message in catalog if isinstance(message.id, str) and message.id != message.string}
    return found - {"output"}  # a layer of the tables is called so


def words(drawn):
    """Return the lines of all texts of a figure."""
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    figure.draw_without_rendering()
    return {line for text in figure.findobj(Text) for line in text.get_text().split("\n") if line}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.mark.sample(1)
@pytest.mark.parametrize("case", USUAL)
def test_a_german_figure_has_no_english_label(case):
    """No line of a figure in German is a message in English."""
    with style(language="de"):
        assert not words(USUAL[case]()) & english()


def test_the_language_ends_with_the_style():
    """Behind the block, figures are in English again, also where an error ended it."""
    with pytest.raises(RuntimeError), style(language="de"):
        raise RuntimeError
    assert learning_curves(CURVES).get_xlabel() == "epochs trained"


def test_axes_are_in_german():
    """The labels of a figure inside the block are German."""
    with style(language="de"):
        ax = learning_curves(CURVES)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("trainierte Epochen", "Trainings-Loss")


def test_a_german_figure_is_described_in_german():
    """The description is in the language in which the figure was drawn, also behind the block."""
    with style(language="de"):
        ax = learning_curves(CURVES)
    assert kt.plotting.describe(ax).startswith("Waagrechte Achse: trainierte Epochen, von ")


def test_an_unknown_language_is_refused():
    """The error names the languages that there are."""
    with pytest.raises(ValueError, match='`language` must be one of "en", "de"'), style(language="xx"):
        pass


def test_what_is_no_message_stays():
    """A name out of a table, and an empty text, are not translated."""
    with style(language="de"):
        assert (gettext("my own metric"), gettext("")) == ("my own metric", "")


def test_axes_that_are_no_figure_s_have_a_description():
    """Axes that no function of kerasteach drew are described in the language of the moment."""
    ax = plt.subplots()[1]
    assert isinstance(ax, Axes)
    assert kt.plotting.describe(ax).startswith("Horizontal axis: from 0 to 1")


def test_a_german_number_has_no_comma_in_it():
    """A comma would be a decimal point: 1,500 is one and a half in German."""
    with style(language="de"):
        assert (times(1523.0), grouped(1797)) == ("1\N{NARROW NO-BREAK SPACE}500", "1\N{NARROW NO-BREAK SPACE}797")
    assert (times(1523.0), grouped(1797)) == ("1,500", "1,797")
