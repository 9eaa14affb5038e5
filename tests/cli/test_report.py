from functools import partial

import pytest
from gallery_cases import networks

import kerasteach as kt


def comparison(finished):
    """Return a comparison of two networks, made by hand."""
    tables = networks(2, seeds=1, epochs=2, layers=3)
    gradients = tables.gradients.drop(columns="update_ratio").assign(finite=True, size=4)
    arguments = {"error_below": None, "hidden": [3, 3], "vary": [], "seeds": [0], "epochs": 2, "data": "yours"}
    facts = {
        "arguments": arguments,
        "variants": [{"activation": name} for name in gradients["activation"].unique()],
        "data": {"name": "yours", "task": "classification", "feature_names": []},
        "groups": [{"networks": [{}]}],
        "finished": finished,
    }
    return kt.Comparison(tables.history, gradients, facts)


@pytest.fixture
def report(called, monkeypatch):
    """Return a function that runs `kerasteach report`, without drawing: its status, and what it printed."""
    monkeypatch.setattr("kerasteach.report.run_page.pictures", lambda run, report: [])
    monkeypatch.setattr("kerasteach.report.charts.available", lambda: False)
    return partial(called, "report")


def test_the_page_lies_in_the_run_and_its_place_is_printed(report, tmp_path):
    """It has the networks in its heading."""
    comparison(finished=True).save(tmp_path / "run")
    code, out, err = report("run")
    assert (code, err) == (0, "")
    assert out.strip() == str(tmp_path / "run" / "report.html")
    assert "<h1>sigmoid and tanh on yours</h1>" in (tmp_path / "run" / "report.html").read_text()


def test_a_page_that_is_there_stays_without_force(report, tmp_path):
    """The error says what to do."""
    comparison(finished=True).save(tmp_path / "run")
    (tmp_path / "page.html").write_text("mine")
    code, _, err = report("run", "--output", "page.html")
    assert code == 2
    assert "page.html exists already. Choose another --output, or overwrite it with --force." in err
    assert (tmp_path / "page.html").read_text() == "mine"
    assert report("run", "--output", "page.html", "--force")[0] == 0
    assert (tmp_path / "page.html").read_text() != "mine"


def test_a_partial_run_says_so(report, tmp_path):
    """On standard error and on the page."""
    comparison(finished=False).save(tmp_path / "run")
    _, _, err = report("run")
    assert err.startswith("Not finished: 2 variants x 1 seed")
    assert "Not complete.</strong> Not finished: 2 variants x 1 seed" in (tmp_path / "run" / "report.html").read_text()


def test_what_a_capture_wrote_has_a_page(report, tmp_path, classifier, blobs):
    """Its gradients are judged, and its table is there."""
    capture = kt.callbacks.GradientCapture(every="epoch", directory=tmp_path / "run")
    classifier(run_eagerly=True).fit(*blobs, epochs=2, verbose=0, callbacks=[capture])
    assert report("run")[0] == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert 'id="findings"' in page
    assert "gradients.csv" in page


@pytest.mark.parametrize(("words", "error"), [(("nowhere",), "which is no folder"), ((".",), "which has a run.json")])
def test_without_a_run_there_is_a_clear_error(report, words, error):
    """Exit status 2, and what is missing."""
    code, _, err = report(*words)
    assert code == 2
    assert error in err
