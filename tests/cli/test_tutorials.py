import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import jupytext
import nbformat
import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "tutorials").glob("[0-9]*.py"))


@pytest.fixture
def tutorials(called):
    """Return a function that runs `kerasteach tutorials` in an empty folder: its status, and what it printed."""
    return partial(called, "tutorials")


@pytest.fixture
def only(monkeypatch, tmp_path_factory):
    """Return a function that puts one tutorial of a text in the place of all."""

    def put(text):
        path = tmp_path_factory.mktemp("tutorials") / "05_short.py"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(sys.modules["kerasteach.cli.tutorials"], "scripts", lambda: [path])

    return put


def test_they_are_listed_with_number_and_title(tutorials):
    """A line each, in their order."""
    code, out, _ = tutorials()
    assert code == 0
    assert [line[:2] for line in out.splitlines()] == [path.stem[:2] for path in SCRIPTS]
    assert "05  The vanishing gradient\n" in out


def test_copies_are_the_files(tutorials, tmp_path):
    """Byte for byte; a second copy over one that was changed is refused, and then forced."""
    code, out, _ = tutorials("--copy", "mine")
    assert code == 0
    assert out.splitlines() == [f"mine/{path.name}" for path in SCRIPTS]
    assert all((tmp_path / "mine" / path.name).read_bytes() == path.read_bytes() for path in SCRIPTS)
    changed = tmp_path / "mine" / SCRIPTS[0].name
    changed.write_text("mine", encoding="utf-8")
    code, _, error = tutorials("--copy", "mine")
    assert code == 2
    assert f"{SCRIPTS[0].name} exists already. Choose another --copy, or overwrite it with --force." in error
    assert changed.read_text(encoding="utf-8") == "mine"
    assert tutorials("--copy", "mine", "--force")[0] == 0
    assert changed.read_bytes() == SCRIPTS[0].read_bytes()


def test_notebooks_have_the_cells_and_name_their_kernel(tutorials, tmp_path):
    """Valid notebooks with the cells that jupytext reads, without outputs."""
    code, out, _ = tutorials("--notebooks", "course")
    assert code == 0
    assert out.splitlines() == [f"course/{path.stem}.ipynb" for path in SCRIPTS]
    for path in SCRIPTS:
        notebook = nbformat.read(tmp_path / "course" / f"{path.stem}.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        assert [cell.source for cell in notebook.cells] == [cell.source for cell in jupytext.read(path).cells]
        assert not any(cell.get("outputs") for cell in notebook.cells)


def test_a_notebook_is_the_same_each_time(tutorials, tmp_path):
    """Made again, its bytes are the same, so that version control sees no change."""
    for folder in ("one", "other"):
        assert tutorials("--notebooks", folder)[0] == 0
    name = f"{SCRIPTS[0].stem}.ipynb"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_an_executed_notebook_has_its_outputs(tutorials, only, tmp_path):
    """What a cell prints is in the file, without the log on standard error; what it writes stays out of the folder."""
    only("# %%\nimport sys\nopen('figure', 'w').close()\nprint('log', file=sys.stderr)\nprint(6 * 7)\n")
    assert tutorials("--notebooks", "course", "--execute")[0] == 0
    (cell,) = nbformat.read(tmp_path / "course" / "05_short.ipynb", as_version=4).cells
    assert [output.text for output in cell.outputs] == ["42\n"]
    assert [path.name for path in (tmp_path / "course").iterdir()] == ["05_short.ipynb"]


def test_an_error_in_an_executed_notebook_is_one_line(tutorials, only, tmp_path):
    """It names the tutorial, and no notebook is written."""
    only("# %%\nraise ImportError('No images.')\n")
    code, _, error = tutorials("--notebooks", "course", "--execute")
    assert code == 2
    assert "Tutorial 05 ended with ImportError: No images." in error
    assert not list(tmp_path.rglob("*.ipynb"))


@pytest.mark.parametrize("number", ["05", "5", "05_short", "05_short.py"])
def test_one_is_run_by_its_number_or_name(number, tutorials, only, tmp_path):
    """In the folder where the command was called."""
    only("open('was_here', 'w').close()\n")
    assert tutorials("--run", number)[0] == 0
    assert (tmp_path / "was_here").exists()


def test_a_failure_is_the_commands_own(tutorials, only):
    """The exit status is that of the tutorial."""
    only("raise SystemExit(3)\n")
    assert tutorials("--run", "5")[0] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "77"], "`--run` must be the number of a tutorial: 01, 02"),
        (["--run", "05", "--copy", "here"], "`--copy`, `--notebooks` and `--run` are three things to do"),
        (["--execute"], "`--execute` needs a folder for the notebooks: --notebooks DIR."),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message, tutorials, tmp_path):
    """By an error that names the option; nothing is written."""
    code, _, error = tutorials(*arguments)
    assert code == 2
    assert message in error
    assert not list(tmp_path.iterdir())


def test_without_jupytext_the_error_says_what_to_install(tutorials, monkeypatch):
    """The packages of the extra."""
    monkeypatch.setitem(sys.modules, "jupytext", None)
    code, _, error = tutorials("--notebooks", "course")
    assert code == 2
    assert 'pip install "ipykernel>=6.29" "jupytext>=1.16"' in error


@pytest.mark.slow
def test_the_list_needs_no_tensorflow():
    """Neither Keras nor pandas is imported for it."""
    code = (
        "import sys; sys.argv = ['kerasteach', 'tutorials']\nfrom kerasteach.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print({'keras', 'tensorflow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "set()"
