"""Files of figures: text that can be edited, a title and a description in them, and the size of the page."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from PIL import Image

from kerasteach import plotting
from kerasteach.plotting.captions import caption

SVG = "{http://www.w3.org/2000/svg}"


def drawn():
    """Return a small figure of a finding and a formula's letters."""
    history = pd.DataFrame({"epoch": [0, 1], "metric": "loss", "value": [0.9, 0.4]})
    ax = plotting.learning_curves(history)
    caption(ax, "auto", "training loss by epoch", "the loss falls <0.5 & stays")
    return ax


def test_the_text_of_an_svg_file_can_be_edited(tmp_path):
    """Labels are text, not outlines, and the title and the description come first."""
    ax = drawn()
    root = ElementTree.fromstring(plotting.save(ax, tmp_path / "a.svg").read_bytes())
    assert ax.get_ylabel() in ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root[0].text == "The loss falls <0.5 & stays training loss by epoch"
    assert root[1].text == plotting.describe(ax.figure)
    assert root.get("role") == "img"


def test_the_text_of_a_pdf_file_can_be_edited(tmp_path):
    """Its fonts are TrueType, and it has a title and a subject."""
    content = plotting.save(drawn(), tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in content
    assert b"/Type3" not in content
    assert re.search(rb"/Title \(The loss falls.*/Subject \(Training loss by epoch", content, re.DOTALL)


def test_a_png_file_has_a_title_and_a_description(tmp_path):
    """They are its text chunks of these names."""
    ax = drawn()
    with Image.open(plotting.save(ax, tmp_path / "a.png")) as picture:
        assert picture.text["Title"] == "The loss falls <0.5 & stays training loss by epoch"
        assert picture.text["Description"] == plotting.describe(ax.figure)


def pixels(path):
    """Return the size of a picture."""
    with Image.open(path) as picture:
        return picture.size


def test_a_label_longer_than_the_figure_is_on_the_page(tmp_path):
    """It makes the page higher, and not wider."""
    figure, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    width, height = pixels(plotting.save(figure, tmp_path / "short.png"))
    ax.set_ylabel("a label that is long " * 3)
    page = pixels(plotting.save(figure, tmp_path / "long.png"))
    assert page[0] == width
    assert page[1] > 1.5 * height


@pytest.mark.parametrize("name", ["lecture", "paper", "notebook"])
def test_a_page_is_as_large_as_the_figure(name, tmp_path):
    """A page of one column is 3.5 inches wide, and a slide is no wider than it is asked to be."""
    with plotting.style(name):
        ax = drawn()
    inches = ax.figure.get_size_inches()
    assert pixels(plotting.save(ax, tmp_path / "a.png")) == tuple(round(150 * inch) for inch in inches)


def test_a_page_has_room_for_what_the_caller_puts_beside_the_figure(tmp_path):
    """It grows on that side alone, so that nothing is cut off."""
    figure, ax = plt.subplots(figsize=(4, 4))
    ax.text(1.5, 0.5, "beside", transform=ax.transAxes)
    width, height = pixels(plotting.save(figure, tmp_path / "a.png"))
    assert 600 < width < 1200
    assert height == 600


def test_a_script_may_write_any_number_of_figures(tmp_path):
    """Where no window can show it, a figure that is written is closed, and can be written again."""
    ax = drawn()
    assert plt.fignum_exists(ax.figure.number)
    plotting.save(ax, tmp_path / "a.png")
    assert not plt.fignum_exists(ax.figure.number)
    assert plotting.save(ax, tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()


def test_a_figure_that_can_still_be_shown_stays_open(tmp_path, monkeypatch):
    """In a notebook, it appears below the cell also when it was written."""
    ax = drawn()
    monkeypatch.setattr(plt, "get_backend", lambda: "inline")
    plotting.save(ax, tmp_path / "a.png")
    assert plt.fignum_exists(ax.figure.number)
    plt.close(ax.figure)
