"""Figures in a notebook: Jupyter's inline backend, in a kernel of its own."""

import matplotlib.pyplot as plt
import nbclient
import nbformat
import pytest

import kerasteach as kt


def pictures(monkeypatch, *cells):
    """Run cells in a fresh kernel, and return how many pictures each shows."""
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=600, startup_timeout=600, kernel_name="python3").execute()
    return [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in notebook.cells]


@pytest.mark.slow
def test_a_notebook_shows_figures_after_the_lecture_style(monkeypatch):
    """The first figure of a kernel loads its backend inside the style; every later cell shows its figure, too."""
    setup = "import pandas as pd\nfrom kerasteach import plotting\n"
    setup += "history = pd.DataFrame({'epoch': [0, 1], 'metric': 'loss', 'value': [2.0, 1.0]})"
    draw = "ax = plotting.learning_curves(history)"
    assert pictures(monkeypatch, setup, f"with plotting.style('lecture'):\n    {draw}", draw, draw) == [0, 1, 1, 1]


SETUP = """
import pandas as pd
from kerasteach import plotting
history = pd.DataFrame({'epoch': [0, 1], 'metric': 'loss', 'value': [2.0, 1.0]})
gradients = pd.DataFrame(
    {'epoch': 0, 'step': 0, 'layer': ['a', 'b'], 'depth': [1, 2], 'parameter': 'bias', 'norm': [0.1, 1.0]}
)
"""
LAST_LINES = {
    "axes": "plotting.learning_curves(history)",
    "a composed figure": "plotting.lecture_figure(history, gradients)",
    "panels": "plotting.gradient_heat_map_figure(gradients)",
    "a name": "figure = plotting.lecture_figure(history, gradients)",
    "a figure that an earlier cell has shown": "figure",
    "a styled figure": "with plotting.style('lecture'):\n    f = plotting.lecture_figure(history, gradients)\nf",
    "the helper": "plotting.show_or_save(plotting.learning_curves(history), 'curves.png')",
    "the helper with panels": "plotting.show_or_save(plotting.lecture_figure(history, gradients), 'lecture.png')",
}


@pytest.mark.slow
def test_a_figure_appears_once(monkeypatch, tmp_path):
    """Axes, composed figures and names of them: one picture below a cell, and no file."""
    monkeypatch.chdir(tmp_path)
    assert pictures(monkeypatch, SETUP, *LAST_LINES.values()) == [0, *(1 for _ in LAST_LINES)]
    assert not list(tmp_path.iterdir())


def test_a_script_writes_what_a_notebook_shows(tmp_path, capsys):
    """`show_or_save` prints the path, and replaces the file of an earlier run."""
    figure, path = plt.figure(), tmp_path / "figures" / "figure.png"
    for _ in range(2):
        assert kt.plotting.show_or_save(figure, path) is None
    assert capsys.readouterr().out == f"{path}\n{path}\n"
    assert path.stat().st_size > 0


def test_a_style_puts_back_only_what_it_set():
    """What a backend changes inside the block, such as `interactive`, stays; the sizes are those from before."""
    before = plt.rcParams["font.size"], plt.rcParams["figure.figsize"]
    with kt.plotting.style("lecture"):
        plt.rcParams["interactive"] = True
    assert plt.rcParams["interactive"] is True
    plt.rcParams["interactive"] = False
    assert (plt.rcParams["font.size"], plt.rcParams["figure.figsize"]) == before


def test_a_style_is_put_back_after_an_error():
    """A figure that cannot be drawn leaves the settings as they were."""
    before = dict(plt.rcParams)
    try:
        with kt.plotting.style("lecture"):
            kt.plotting.lecture_figure(None, None)
    except TypeError:
        pass
    assert dict(plt.rcParams) == before
