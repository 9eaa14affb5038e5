from functools import partial

import pytest

from kerasteach.cli.exercises import Sheets
from kerasteach.exercises.formats import FORMATS
from kerasteach.exercises.kinds import KINDS


@pytest.fixture
def run(called, tmp_path, monkeypatch):
    """Return a function that runs `kerasteach exercises`: its status, and what it printed."""
    monkeypatch.delenv("KERASTEACH_SECRET", raising=False)
    (tmp_path / "students.csv").write_text("Name;Nummer\nMüller;17\nGroß;18\n", encoding="latin-1")
    return partial(called, "exercises")


WORDS = ("--kind", "descent", "--students", "students.csv")


def test_a_class_has_its_files(run, tmp_path):
    """The file for Moodle, and the marking key; the secret that was made is printed, and gives the same files again."""
    code, out, err = run(*WORDS)
    assert code == 0
    folder = tmp_path / "kerasteach-exercises"
    assert {path.name for path in folder.iterdir()} == {"descent.xml", "descent-key.csv"}
    assert "descent: 2 students" in out
    secret = err.split("--secret=")[1].strip()
    first = (folder / "descent.xml").read_bytes()
    assert run(*WORDS, f"--secret={secret}", "--output", "again")[0] == 0
    assert (tmp_path / "again" / "descent.xml").read_bytes() == first


def test_the_secret_may_stand_in_the_environment(run, tmp_path, monkeypatch):
    """Where other users of the machine do not see it; then it is not printed."""
    monkeypatch.setenv("KERASTEACH_SECRET", "of the environment")
    code, _, err = run(*WORDS, "--format", "markdown", "--column", "Nummer", "--language", "de")
    assert (code, err) == (0, "")
    assert "Gradientenabstieg" in (tmp_path / "kerasteach-exercises" / "descent-17.md").read_text(encoding="utf-8")


def test_files_are_overwritten_by_force_only(run):
    """Other numbers do not replace those that a class has."""
    assert run(*WORDS, "--secret", "the first one")[0] == 0
    code, _, err = run(*WORDS, "--secret", "the second one")
    assert code == 2
    assert "--force" in err
    assert run(*WORDS, "--secret", "the second one", "--force")[0] == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--kind", "backdrop", "--students", "students.csv"), "Did you mean 'backprop'?"),
        (("--kind", "descent", "--students", "nobody.csv"), "`--students` must be a file that is there"),
        ((*WORDS, "--column", "Numer"), "`--column` must be one of students.csv: Name, Nummer"),
        ((*WORDS, "--secret", "short"), "`--secret` must have at least 8 characters"),
        ((*WORDS, "--language", "fr"), "`--language` must be one of"),
    ],
)
def test_errors_name_the_option(run, words, error):
    """Exit status 2, and what would work; nothing is written."""
    code, _, err = run(*words)
    assert code == 2
    assert error in err


def test_the_help_names_every_kind_and_format(run):
    """What can be made, in the order of the registries."""
    out = " ".join(run("--help")[1].replace("│", " ").split())
    assert all(kind in out for kind in KINDS)
    assert [each.value for each in Sheets] == list(FORMATS)
