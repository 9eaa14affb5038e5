import re
import shlex
import sys
from pathlib import Path

import pytest

import kerasteach as kt
from kerasteach.cli import main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which comes with pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPARE = kt.compare


def blocks(language):
    """Return the blocks of code in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


LINES = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
COMMANDS = [words[1:] for words in LINES if words[0] == "kerasteach"]


@pytest.fixture
def in_a_folder(tmp_path, monkeypatch):
    """Work in an empty folder, and train comparisons of small networks for one epoch from two seeds."""

    def quick(*arguments, **given):
        small = {} if "models" in given else {"hidden": (4, 4)}
        return COMPARE(*arguments, **{**given, **small, "epochs": 1, "seeds": 2, "verbose": 0})

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kt.experiment, "compare", quick)
    return tmp_path


often = pytest.mark.parametrize(
    "times", [pytest.param(1, id="once"), pytest.param(2, id="again", marks=pytest.mark.slow)]
)


@often
def test_the_blocks_of_python_run_in_order_and_again(times, in_a_folder):
    """In one process, as the cells of a notebook: nothing is missing, and nothing of the first time is in the way.

    Once, without those that take longest: more comparisons, more trainings, and what has an example of its own in its
    docstring.
    """
    names = {}
    long = re.compile(r"vary=|models=|LivePlot|Diagnosis|animate\(|loss_surface")
    chosen = [block for block in blocks("python") if times > 1 or not long.search(block)]
    for _ in range(times):
        for block in chosen:
            exec(compile(block, "README.md", "exec"), names)
    assert names["capture"].frame["layer"].unique().tolist() == ["first", "second", "classes"]
    assert re.fullmatch(r".*loss 0\.0[0-4]\d* < 0\.05.*", names["stop"].reason)
    files = {"gradient_flow.png", "run", "lecture.pdf", "exercises"}
    more = {"gradient_flow.gif", "sizes"} if times > 1 else set()
    assert {file.name for file in in_a_folder.iterdir()} == files | more


@pytest.mark.slow
@often
def test_the_commands_run_in_order_and_again(times, in_a_folder, monkeypatch, capsys):
    """In one folder: no command refuses because of what another, or the same, has written."""
    for name in ("activations", "compare.command", "descent", "devices", "trace"):
        monkeypatch.setattr(sys.modules[f"kerasteach.cli.{name}"], "start_tensorflow", lambda: None)
    for words in COMMANDS * times:
        monkeypatch.setattr(sys, "argv", ["kerasteach", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0, (words, capsys.readouterr().err)


def test_there_are_commands():
    """Each of the command's is shown."""
    assert {words[0] for words in COMMANDS} == {
        "compare",
        "plot",
        "slides",
        "diagnose",
        "activations",
        "trace",
        "descent",
        "devices",
        "tutorials",
    }


@pytest.mark.parametrize("words", [words for words in LINES if words[0] != "kerasteach"], ids=" ".join)
def test_a_line_for_the_shell_is_a_command_that_there_is(words):
    """A verb of the Makefile, an extra of pyproject.toml, all that it needs, or how an environment is activated."""
    if words[0] == "make":
        assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    elif words[:4] == ["python", "-m", "pip", "install"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        own = re.fullmatch(r"\.(\[(.*)\])?", words[-1])
        if own:
            assert words[4:-1] in (["-e"], ["--no-deps", "-e"])
            assert set(filter(None, (own[2] or "").split(","))) <= set(project["optional-dependencies"])
        else:
            needed = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
            assert set(words[4:]) == needed - {"tensorflow"}
    else:
        assert words == ["source", ".venv/bin/activate"]
