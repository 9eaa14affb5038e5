"""The built site. It is one test, so that one part of the longer matrix builds it, once."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

DOCS = Path(__file__).parents[2] / "docs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SEEN = ("index", "gallery", "how-to/capture", "reference/callbacks.GradientCapture", "tutorials/01_gradient_descent")
SCREENS = [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


class Page(HTMLParser):
    """The identifiers of a page, where its links lead, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note what a tag names."""
        given = dict(attrs)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("img", "script", "link", "iframe", "source"):
            self.loaded += [given[key] for key in ("src", "href") if given.get(key)]


def check_links(site):
    """Raise AssertionError if a link inside leads nowhere, or a page loads something from elsewhere."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}
    assert len(pages) > 150
    for path, page in pages.items():
        for target in [*page.links, *page.loaded]:
            parts = urlsplit(target)
            if (target in page.links and parts.scheme in ("http", "https", "mailto")) or parts.scheme == "data":
                continue
            assert not parts.scheme, f"{path.name} loads {target[:100]}"
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert there.is_file(), f"{path.name}: {target}"
            if parts.fragment and there in pages:
                assert unquote(parts.fragment) in pages[there].ids, f"{path.name}: {target}"


def check_in_browser(site):
    """Raise AssertionError if a page has an error, is wider than the screen, or bars readers with impairments."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, height, scheme in SCREENS:
            size = {"width": width, "height": height}
            page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
            wrong = []
            page.on("console", lambda line, wrong=wrong: wrong.append(line.text) if line.type == "error" else None)
            page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
            page.on("requestfailed", lambda request, wrong=wrong: wrong.append(request.url))
            for name in SEEN:
                page.goto((site / f"{name}.html").as_uri())
                assert not wrong, (name, wrong)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                found = Axe().run(page, options={"preload": False}).response["violations"]
                assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")], (name, scheme)
            page.goto((site / "search.html").as_uri() + "?q=vanishing")
            page.wait_for_selector("ul.search li")
            assert not wrong, wrong
        browser.close()


@pytest.mark.slow
def test_the_site_is_whole(tmp_path):
    """It builds without a warning; its links lead somewhere; it loads nothing; a browser finds no fault in it."""
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--nitpicky", "--quiet"]
    done = subprocess.run([*command, "-d", tmp_path / "read", DOCS, site], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    check_links(site)
    for page in (site / "tutorials").glob("[0-9]*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.search(r'<a class="reference download internal"[^>]*\.ipynb"', text), f"{page.stem} is no notebook"
        assert re.search(r'<img [^>]*src="\.\./_images/', text), f"{page.stem} shows no figure"
        (notebook,) = site.rglob(f"{page.stem}.ipynb")
        assert '"image/png"' in notebook.read_text(encoding="utf-8"), f"the notebook of {page.stem} has no figure"
    if CHROMIUM is None:
        pytest.skip("all but the browser's part: chromium is missing")
    check_in_browser(site)
