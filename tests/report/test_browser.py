"""The page of a run in a real browser: no test of this file runs without Chromium and Playwright."""

import pandas as pd
import pytest
from pages import ABOUT, NETWORKS, run

from kerasteach.report.figures import figures_of
from kerasteach.report.run_page import write_run_page

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
pytest.importorskip("altair", reason="needs the extra `report`")
pytest.importorskip("vl_convert", reason="needs the extra `report`")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return the page of the run with awkward names, with one of its figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasteach.report.figures.figures_of", lambda run: figures_of(run)[:1])
        return write_run_page(tmp_path_factory.mktemp("page") / "page.html", run(), ABOUT)


@pytest.fixture
def opened(browser, path):
    """Return a function that opens the page from disk, and refuses and notes whatever it asks for."""
    contexts = []

    def open_page(width=1200, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.said = [], []

        def refuse(route):
            if route.request.url == path.as_uri():
                route.continue_()
            else:
                page.asked.append(route.request.url)
                route.abort()

        page.route("**/*", refuse)
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-charts=drawn]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()


def drawn(page, chart):
    """Return the outlines of what a chart draws."""
    return page.eval_on_selector_all(f"#{chart} .drawing svg path", "found => found.map(one => one.getAttribute('d'))")


def test_nothing_is_asked_for_and_a_name_with_tags_stays_text(opened):
    """No request leaves the file, no name runs as a script, and the policy has nothing to complain of."""
    page = opened()
    assert page.asked == []
    assert page.said == []
    assert page.locator("#networks label").first.inner_text() == NETWORKS[0]


@pytest.mark.slow
def test_the_slider_moves_the_lines_by_keyboard(opened):
    """An arrow key goes to the next epoch, which is said, read and drawn."""
    page = opened()
    before, read = drawn(page, "gradient-flow"), page.locator("#gradient-flow .reading").inner_text()
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#gradient-flow output").inner_text() == "2"
    assert page.get_by_role("slider", name="Epoch").get_attribute("aria-valuetext") == "epoch 2"
    assert drawn(page, "gradient-flow") != before
    assert page.locator("#gradient-flow .reading").inner_text() != read


@pytest.mark.slow
def test_a_seed_is_switched_off(opened):
    """The medians are those of the other seeds, as pandas has them, and both charts change."""
    page = opened()
    before = [drawn(page, chart) for chart in ("gradient-flow", "curves")]
    page.locator("#seeds").get_by_label("1", exact=True).press("Space")
    after = [drawn(page, chart) for chart in ("gradient-flow", "curves")]
    assert all(one != other for one, other in zip(before, after, strict=True))
    page.locator("#curves summary").click()
    cells = page.locator("#curves table.drawn tr").last.locator("td").all_inner_texts()
    history = run().tables["history"]
    last = history[(history["metric"] == "loss") & (history["epoch"] == 3) & (history["seed"] != 1)]
    medians = last.groupby("activation")["value"].median()
    assert [float(cell) for cell in cells] == pytest.approx([medians[name] for name in NETWORKS], rel=5e-3)


@pytest.mark.slow
def test_a_network_is_switched_off(opened):
    """It is neither drawn nor read any more."""
    page = opened()
    page.locator("#networks input").nth(2).uncheck()
    assert "relu" not in page.locator("#curves .reading").inner_text()


@pytest.mark.slow
def test_another_metric_is_chosen(opened):
    """The chart is drawn anew, with another axis."""
    page = opened()
    page.locator("#curves select").select_option("test accuracy")
    page.locator("#curves .drawing svg", has_text="test accuracy").wait_for()


@pytest.mark.slow
def test_the_numbers_under_the_pointer_are_read(opened):
    """Over the left end of the curves, those of the first epoch."""
    page = opened()
    page.locator("#curves .drawing").scroll_into_view_if_needed()
    box = page.locator("#curves .drawing svg").bounding_box()
    assert page.locator("#curves .reading").inner_text().startswith("Epoch 4")
    page.mouse.move(box["x"] + 120, box["y"] + 100)
    page.locator("#curves .reading", has_text="Epoch 1").wait_for()


@pytest.mark.slow
def test_a_table_is_saved_as_csv(opened, tmp_path):
    """The file is the table itself, unpacked."""
    page = opened()
    page.locator("#tables summary", has_text="history").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save history as CSV").click()
    assert download.value.suggested_filename == "history.csv"
    download.value.save_as(tmp_path / "history.csv")
    expected = run().tables["history"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "history.csv"), expected, check_dtype=False)


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_scrolls_down_only(opened, width):
    """The page is as wide as the screen."""
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened, scheme):
    """With a part of each kind open: a rule, a chart's numbers, a table, the licenses."""
    page = opened(scheme=scheme)
    for place in (".finding", "#curves", "#tables", "footer"):
        page.locator(f"{place} details").first.locator("summary").click()
    found = axe.Axe().run(page).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.slow
def test_the_figures_follow_the_ground(opened):
    """One of the two drawings of each figure is there for the reader; on paper it is the light one."""
    page = opened(scheme="dark")
    shown = "found => [...new Set(found.filter(one => one.offsetParent).map(one => one.className))]"
    for scheme, ground in (("dark", "on-dark"), ("light", "on-light")):
        for media, seen in (("screen", ground), ("print", "on-light")):
            page.emulate_media(media=media, color_scheme=scheme)
            assert page.eval_on_selector_all("figure img", shown) == [seen]
