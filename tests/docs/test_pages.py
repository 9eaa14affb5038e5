"""The pages of docs/: what stands in them runs, and what is public is in them."""

import ast
import importlib.util
import inspect
import re
import shlex
import sys
from pathlib import Path

import click
import pytest
import typer
from matplotlib.animation import Animation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kerasteach as kt
from kerasteach.cli import app

DOCS = Path(__file__).parents[2] / "docs"
MAKEFILE = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
# Pages whose code is there to be run; that of the others is a part of something larger.
RUNNING = sorted([DOCS / "five-minutes.md", *(DOCS / "how-to").glob("*.md")])
CHEAP = ("five-minutes",)
SCRIPTS = sorted((DOCS / "gallery").glob("*.py"))
NO_FIGURES = {"describe", "pages", "save", "show_or_save", "style"}
FIGURES = sorted(set(kt.plotting.__all__) - NO_FIGURES)
COMMAND = typer.main.get_command(app)


def extension(name):
    """Return a module of docs/extensions, which are on no path of this process but for its import."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / "extensions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS / "extensions")
        spec.loader.exec_module(module)
    return module


def blocks(page, language):
    """Return the blocks of code in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def cases(paths, chosen):
    """Return all paths, of which those that are chosen by their stems are not slow."""
    return [pytest.param(path, marks=() if path.stem in chosen else pytest.mark.slow, id=path.stem) for path in paths]


def public_names(module, prefix):
    """Yield the public names of a module and of the modules that it names."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.ismodule(value) and hasattr(value, "__all__"):
            yield from public_names(value, f"{prefix}{name}.")
        elif not inspect.ismodule(value):
            yield f"{prefix}{name}"


@pytest.mark.parametrize("page", cases([page for page in RUNNING if blocks(page, "python")], CHEAP))
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    """From top to bottom, in one process and in an empty folder; the cluster is one of two processes here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules[__name__])  # workers import this file as their main one
    names = {"__name__": "__main__"}
    for block in blocks(page, "python"):
        local = block.replace('"tcp://10.0.0.1:8786"', "n_workers=2, threads_per_worker=1, dashboard_address=None")
        exec(compile(local, page.name, "exec"), names)


LINES = [
    pytest.param(words, id=f"{page.stem}: {' '.join(words)}")
    for page in [*RUNNING, DOCS / "index.md", DOCS / "lecturers.md"]
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if (words := shlex.split(line, comments=True)) and words[0] in ("kerasteach", "make")
]


@pytest.mark.parametrize("words", LINES)
def test_a_line_for_the_shell_is_a_command_that_there_is(words):
    """With options that it has; it is not run."""
    if words[0] == "make":
        assert f"\n{words[1]}:" in MAKEFILE
    elif not words[1].startswith("-"):
        command = COMMAND.commands[words[1]]
        try:
            command.make_context(words[1], list(words[2:]))
        except click.UsageError as error:
            pytest.fail(error.format_message())


def test_every_public_name_has_a_page_in_the_reference():
    """The page describes the name under its path."""
    pages = extension("reference").pages()
    here = {name for name in kt.__all__ if not inspect.ismodule(getattr(kt, name))}
    names = set(public_names(kt, "")) - here
    assert len(names) > 100
    for name in names:
        assert re.search(rf"^\.\. auto\w+:: kerasteach\.{re.escape(name)}$", pages[name], re.MULTILINE), name
    for name in here:
        assert f"`kt.{name} <" in pages["index"]


def test_every_figure_is_in_the_gallery_once():
    """By its name in a section, or else in the last one."""
    page = DOCS / "gallery.md"
    lines = [name for block in blocks(page, "{figures}") for name in block.split()]
    assert sorted(extension("gallery").listed(lines, page.read_text(encoding="utf-8"))) == FIGURES


def test_a_figure_without_a_script_is_shown_by_its_docstring():
    """The lines of the example up to the call that draws, without what the example does with it."""
    lines = extension("gallery").example("confusion_matrix").splitlines()
    call = "kt.plotting.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], labels=('cat', 'dog'))"
    assert lines == ["import kerasteach as kt", f"drawn = {call}"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_of_the_gallery_is_short_and_draws_last(path):
    """At most eight lines of code; the last one calls the figure that the file is named after."""
    text = path.read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line]) <= 8
    *_, last = ast.parse(text).body
    assert ast.unparse(last).split(" = ")[0] in ("ax", "figure", "film")
    assert f" = kt.plotting.{path.stem}(" in ast.unparse(last)


@pytest.mark.parametrize("path", cases(SCRIPTS, ("activation_curves", "descent_path")))
def test_a_script_of_the_gallery_runs(path, monkeypatch):
    """As it stands, and what it draws is a figure."""
    names = {}
    exec(compile(path.read_text(encoding="utf-8"), path.name, "exec"), names)
    (drawn,) = (names[name] for name in ("ax", "figure", "film") if name in names)
    assert isinstance(drawn, (Animation, Axes, Figure))
    if isinstance(drawn, Animation):
        drawn._draw_was_started = True  # or it warns that it was never drawn


def test_every_rule_of_the_diagnosis_has_a_section():
    """With its identifier as heading, and what `explain` says of it."""
    sections = extension("rules").sections()
    found = re.findall(r"^## (KT\d+):", sections, re.MULTILINE)
    assert {"KT101", "KT201", "KT501"} <= set(found)
    assert len(found) == len(set(found))
    for rule in found:
        assert kt.diagnosis.explain(rule).splitlines()[0] in sections
