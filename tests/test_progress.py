import io

import nbformat
import pytest
from nbclient import NotebookClient
from rich.console import Console

from kerasteach import progress

WORK = """
from kerasteach.progress import progress_bar
with progress_bar({show}, 4, "training", "0 of 4") as report:
    for number in range(1, 5):
        report(number, done=f"{{number}} of 4")
"""


def outputs(show):
    """Run the work in a notebook's kernel, and return what its cell shows."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(WORK.format(show=show))])
    NotebookClient(notebook, timeout=600, startup_timeout=600).execute()
    return notebook.cells[0].outputs


def test_a_notebook_shows_one_line():
    """Its last state stays, and nothing asks for another package."""
    (shown,) = outputs(show=True)
    assert shown.output_type == "display_data"
    assert shown.data == {"text/plain": "training  100 %  4 of 4"}


def test_a_notebook_shows_nothing_if_asked_not_to():
    """`verbose=0` is quiet there, too."""
    assert outputs(show=False) == []


@pytest.fixture
def terminal(monkeypatch):
    """Return what is written to a terminal."""
    written = io.StringIO()
    made = Console(file=written, force_terminal=True, width=100)
    monkeypatch.setattr("rich.console.Console", lambda **options: made)
    return written


def test_words_with_brackets_are_shown_as_they_are(terminal):
    """Names of networks are the user's: rich's markup means nothing in them."""
    with progress.progress_bar(True, 1, "net [big]", "a[/b]") as report:
        report(1)
    assert "net [big]" in terminal.getvalue()
    assert "a[/b]" in terminal.getvalue()


def test_the_words_change(terminal):
    """Those before and after the bar, each where it is given."""
    with progress.progress_bar(True, 2, "compiling", "0 of 2") as report:
        report(1, "training")
        report(2, done="2 of 2")
    last = next(line for line in reversed(terminal.getvalue().splitlines()) if "2 of 2" in line)
    assert "training" in last
