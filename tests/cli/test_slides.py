from functools import partial

import pytest


@pytest.fixture
def slides(comparison, called, tmp_path):
    """Return a function that runs `kerasteach slides` beside a saved comparison: its status, and what it printed."""
    comparison.save(tmp_path / "saved")
    return partial(called, "slides")


def test_slides_of_a_saved_run_are_written_where_output_says(slides, tmp_path):
    """The file is printed, has the asked title and the call; a second time it must be forced."""
    file = tmp_path / "slides.qmd"
    call = (tmp_path / "saved", "learning_curves", "--output", file, "--title", "Our run")
    assert slides(*call) == (0, f"{file}\n", "")
    text = file.read_text(encoding="utf-8")
    assert 'title: "Our run"' in text
    assert "result = kt.compare(" in text
    code, _, error = slides(*call)
    assert (code, "exists" in error) == (2, True)


def test_another_ending_is_refused(slides, tmp_path):
    """The error names the option."""
    code, _, error = slides(tmp_path / "saved", "--output", tmp_path / "slides.odp")
    assert code == 2
    assert "`--output` must end in .pptx, .qmd, .md" in error
