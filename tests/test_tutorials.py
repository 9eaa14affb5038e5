import os
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

TUTORIALS = sorted((Path(__file__).parents[1] / "tutorials").glob("[0-9]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_its_claims_hold(path, tmp_path):
    """Each script ends well in a process of its own, and writes the figures that it names."""
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:kerasteach", path],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    named = [line for line in done.stdout.splitlines() if "figures/" in line]
    assert named
    assert all((tmp_path / name).stat().st_size > 5000 for name in named)


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_jupytext_reads_the_cells(path):
    """`jupytext --to notebook` makes a cell of each `# %%`, and of nothing else: the header names the format."""
    notebook = jupytext.read(path)
    text = path.read_text(encoding="utf-8")
    assert len(notebook.cells) == text.count("\n# %%")
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds.count("markdown") == text.count("\n# %% [markdown]")
    assert not any("# %%" in cell.source for cell in notebook.cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_notebook_shows_every_figure(path, tmp_path):
    """Below the cell that draws it, also after a block in lecture style; no warning stands among the outputs."""
    notebook = jupytext.read(path)
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    client = NotebookClient(
        notebook, timeout=600, startup_timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=environment)
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        data = [output.get("data", {}) for output in outputs]
        pictures = sum("image/png" in kinds for kinds in data)
        players = sum("animation" in str(kinds.get("text/html", "")) for kinds in data)
        assert pictures + players == cell.source.count("show_or_save("), cell.source
        warned = "".join(output.text for output in outputs if output.get("name") == "stderr")
        assert "Warning" not in warned
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_short(path):
    """One idea: at most 150 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


def test_tutorials_are_there():
    """The folder is found, wherever the tests run from."""
    assert TUTORIALS
