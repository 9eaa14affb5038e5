import sys

import pytest

from kerasteach.cli import main


@pytest.fixture
def slides(comparison, tmp_path, monkeypatch, capsys):
    """Return a function that runs `kerasteach slides` on a saved comparison, and what it left and printed."""
    comparison.save(tmp_path / "saved")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["kerasteach", "slides", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        written = capsys.readouterr()
        return left.value.code, written.out, written.err

    return run


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
