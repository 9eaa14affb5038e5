import base64
import gzip
import hashlib
import io
import re
import sys

import pandas as pd
import pytest
from pages import ABOUT, LAYER, NETWORKS, Page, run

import kerasteach as kt
from kerasteach.report import charts
from kerasteach.report.figures import figures_of
from kerasteach.report.page import page as filled
from kerasteach.report.run_page import write_run_page

STUB = charts.Library("(() => {})();", base64.b64encode(gzip.compress(b"(() => {})();")).decode(), "Vega 6")


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Return the page of the run with awkward names, with two of its figures, and a stub for the drawing library."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasteach.report.figures.figures_of", lambda run: figures_of(run)[:2])
        patch.setattr(charts, "library", lambda: STUB)
        path = write_run_page(tmp_path_factory.mktemp("page") / "page.html", run("2 of 9 networks are trained."), ABOUT)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    """Return the page, taken apart."""
    return Page(html)


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures out, and the drawing library, which take seconds."""
    monkeypatch.setattr("kerasteach.report.run_page.pictures", lambda run, report: [])
    monkeypatch.setattr(charts, "library", lambda: STUB)


def test_only_our_scripts_are_elements(page):
    """Three scripts of ours, two blocks of data: names with tags in them made none."""
    kinds = [attributes.get("type", "") for attributes, _ in page.all("script")]
    assert sorted(kinds) == ["", "", "", "application/json", "text/plain"]
    assert not page.all("b")
    assert not page.all("i")
    assert all(attributes["src"].startswith("data:") for attributes, _ in page.all("img"))


@pytest.mark.parametrize("tag", ["h1", "title"])
def test_the_heading_is_the_title_as_text(page, tag):
    """The page has one of each."""
    assert [text for _, text in page.all(tag)] == ["<b>Three</b> networks"]


def test_names_are_there_as_text(page):
    """Each network has a box to switch it on and off, and the gradients' table has the layers."""
    assert {text for _, text in page.all("label")} >= set(NETWORKS)
    assert LAYER.format(1) in {text for _, text in page.all("td")}


def test_nothing_is_loaded(page):
    """Whatever an element would fetch lies in the page."""
    places = [value for _, found in page.elements for name in ("src", "srcset", "href") if (value := found.get(name))]
    assert places
    assert all(place.startswith(("data:", "#")) for place in places)
    assert not page.all("link")
    assert "url(" not in "".join(text for _, text in page.all("style"))


def test_the_policy_names_each_script_and_style_and_nothing_else(page):
    """It has the digests of what is inside, computed here anew, and forbids inline code and eval."""
    (policy,) = (found["content"] for found, _ in page.all("meta") if "http-equiv" in found)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    scripts = [text for found, text in page.all("script") if "type" not in found] + [STUB.code]
    assert set(rules["script-src"].split()) == {digest(text) for text in scripts}
    assert set(rules["style-src"].split()) == {digest(text) for _, text in page.all("style")}


def digest(text):
    """Return the digest of a text as a policy writes it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_each_figure_is_described_on_both_grounds(page):
    """The text names what is drawn and its axes; the drawings differ."""
    light, dark = page.all("img", **{"class": "on-light"}), page.all("img", **{"class": "on-dark"})
    assert len(light) == len(dark) == 2
    assert [found["alt"] for found, _ in light] == [found["alt"] for found, _ in dark]
    assert all("axis" in found["alt"].lower() for found, _ in light)
    assert not {found["src"] for found, _ in light} & {found["src"] for found, _ in dark}


@pytest.mark.parametrize("name", ["history", "gradients"])
def test_the_csv_file_is_the_table(page, name):
    """All rows, also those that the page does not show."""
    ((found, _),) = page.all("a", download=f"{name}.csv.gz")
    data = gzip.decompress(base64.b64decode(found["href"].partition(",")[2]))
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(data)), run().tables[name], check_dtype=False)


def test_a_table_that_is_too_large_is_left_out(undrawn, monkeypatch, tmp_path):
    """The page says what writes it; its first rows are there."""
    monkeypatch.setattr("kerasteach.report.table_parts._LARGEST", 100)
    monkeypatch.setattr(charts, "available", lambda: False)
    page = Page(kt.report.write_report(tmp_path / "page.html", history={"loss": [0.9] * 60}).read_text())
    assert not page.all("a", **{"class": "csv"})
    assert "kerasteach plot RUN --tables csv" in {text for _, text in page.all("code")}
    assert len(page.all("tr")) == 51


def test_a_finding_is_named(page):
    """The network whose gradient vanishes, as text."""
    heads = [text for _, text in page.all("h3")]
    assert any(head.startswith(f"{NETWORKS[0]}: vanishing gradient (KT201, warning)") for head in heads)


def test_a_partial_run_says_so(page):
    """At the head of the page."""
    ((_, text),) = page.all("p", role="note")
    assert text == "Not complete. 2 of 9 networks are trained."


def test_the_parts_of_the_page_are_landmarks_and_sections(page):
    """A link skips to the content, and each link of the navigation has its place."""
    assert [len(page.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    names = {found.get("id") for _, found in page.elements}
    assert {found["href"][1:] for found, _ in page.all("a") if found["href"].startswith("#")} <= names
    assert page.elements[[tag for tag, _ in page.elements].index("body") + 1] == (
        "a",
        {"class": "skip", "href": "#main"},
    )


def test_identifiers_are_given_once(page):
    """No two elements share one."""
    names = [found["id"] for _, found in page.elements if "id" in found]
    assert len(names) == len(set(names))


def test_the_call_and_the_versions_are_there(html, page):
    """What runs it again, with code in backticks as code."""
    codes = [text for _, text in page.all("code")]
    assert ABOUT.call in codes
    assert "<your>" in codes
    assert "keras 3.15.1" in html


def test_licenses_are_there_where_the_library_is(page):
    """The notice of Vega's license, and which version is inside."""
    text = page.all("footer")[0][1]
    assert "University of Washington Interactive Data Lab" in text
    assert "Vega 6" in text


def test_without_the_extra_the_page_has_the_figures_and_says_what_is_missing(monkeypatch, tmp_path):
    """No chart, no library, and the command that installs them."""
    monkeypatch.setitem(sys.modules, "altair", None)
    page = Page(kt.report.write_report(tmp_path / "page.html", history={"loss": [0.9, 0.4]}).read_text())
    assert len(page.all("img")) == 2
    assert not page.all("script", id="library")
    assert any('pip install "altair' in text for _, text in page.all("code"))


@pytest.mark.slow
def test_a_page_is_the_same_each_time(undrawn, tmp_path):
    """Its content depends on the run alone."""
    first, second = (write_run_page(tmp_path / name, run(), ABOUT).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_a_page_that_exists_stays(undrawn, tmp_path):
    """Unless it may be overwritten; nothing half-written is left."""
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="`overwrite=True` replaces it"):
        kt.report.write_report(path, history={"loss": [0.9]})
    assert path.read_text() == "mine"
    kt.report.write_report(path, history={"loss": [0.9]}, overwrite=True)
    assert "<h1>Training</h1>" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "page.pdf", "history": {"loss": [0.5]}}, r"`path` must end in .html. Received: path='"),
        ({}, "`gradients`, `activations` or `history` must be given"),
        ({"history": pd.DataFrame({"epoch": [0]})}, "`history` lacks the columns metric, value"),
        ({"gradients": 3}, "`gradients` must be a table such as GradientCapture.frame gives"),
        ({"history": {"loss": [0.5]}, "settings": "digits"}, "`settings` must be a dictionary"),
    ],
)
def test_what_will_not_do_is_named(arguments, message, tmp_path, monkeypatch):
    """Before anything is drawn or written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError), match=message):
        kt.report.write_report(**{"path": "page.html", **arguments})
    assert not list(tmp_path.iterdir())


def test_a_template_needs_each_of_its_values():
    """A forgotten one is an error, not an empty place on the page."""
    with pytest.raises(Exception, match="'title' is undefined"):
        filled("page.html.j2", language="en")


def test_settings_are_shown(undrawn, tmp_path):
    """What the caller says of the training."""
    path = kt.report.write_report(tmp_path / "p.html", history={"loss": [0.9]}, settings={"rate": 0.1}, title="Ours")
    page = Page(path.read_text())
    assert [text for _, text in page.all("dt")] == ["rate"]
    assert [text for _, text in page.all("dd")] == ["0.1"]
    assert re.search("Ours", page.all("h1")[0][1])
