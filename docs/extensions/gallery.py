"""The gallery: a card for each figure, with its picture and the lines that make it.

A script in `docs/gallery/` is called as the function that it shows. Its last line draws; what stands before it is its
data. Scripts that begin alike share their data, so that each training runs once. A figure without a script is shown by
the example of its docstring.
"""

import ast
import doctest
import inspect
import io
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sources import package_digest

DOCS = Path(__file__).parents[1]
SCRIPTS = DOCS / "gallery"
PICTURES = DOCS / "_build" / "gallery"
CARD = """
:::{{grid-item-card}} {name}
:class-card: figure-card

```{{image}} /{light}
:alt: {alt}
:class: {classes}
```
{dark}
{summary} {{py:func}}`~kerasteach.plotting.{name}`

```python
{code}
```
:::
"""
DARK = """
```{{image}} /{path}
:alt: {alt}
:class: only-dark
```
"""


def figures():
    """Return the names of all figures: the functions of `kerasteach.plotting` that return one."""
    from kerasteach import plotting

    returned = {name: inspect.signature(getattr(plotting, name)).return_annotation for name in plotting.__all__}
    return [name for name, kind in returned.items() if kind in ("Axes", "Figure", "FuncAnimation")]


def scripts():
    """Return the lines that make each figure, by its name."""
    own = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("*.py"))}
    return {name: own[name] if name in own else example(name) for name in figures()}


def example(name):
    """Return a figure's lines out of its docstring: those of its example, up to the call that draws."""
    from kerasteach import plotting

    found = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(plotting, name)))
    lines = []
    for statement in ast.parse("".join(one.source for one in found)).body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"kt.plotting.{name}":
                return "\n".join([*lines, f"drawn = {ast.unparse(node)}"])
        lines.append(ast.unparse(statement))
    raise ValueError(f"The docstring of {name} must have an example that calls kt.plotting.{name}.")


def listed(lines, page):
    """Return the figures that a directive's lines name; `*` is all that no line of the page names."""
    named = set(page.split())
    return [name for line in lines for name in ([line] if line != "*" else [n for n in figures() if n not in named])]


class Data:
    """What scripts draw, computed once for all that begin alike."""

    def __init__(self):
        self.names = {}

    def draw(self, text, settings=()):
        """Run a script, and return its figure once for each of these settings, which are context managers."""
        *setup, last = ast.parse(text).body
        key = ast.unparse(setup)
        if key not in self.names:
            self.names[key] = {}
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                exec(compile(key, "gallery", "exec"), self.names[key])
        line = compile(ast.Expression(last.value), "gallery", "eval")
        for setting in settings:
            with setting:
                yield eval(line, self.names[key])


def _make_pictures(app):
    from matplotlib import pyplot as plt
    from matplotlib.animation import Animation

    from kerasteach.plotting import describe, save, style

    plt.switch_backend("agg")
    data = Data()
    PICTURES.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for name, text in scripts().items():
        stem = f"{name}-{package_digest(text)}"
        wanted.add(stem)
        if (PICTURES / f"{stem}.txt").exists():
            continue
        grounds = (False,) if name.endswith(("animate", "animation")) else (False, True)
        for dark, figure in zip(
            grounds, data.draw(text, [style("notebook", dark=dark) for dark in grounds]), strict=True
        ):
            film = isinstance(figure, Animation)
            words = describe(figure._fig if film else figure)
            save(figure, PICTURES / f"{stem}{'-dark' * dark}.{'gif' if film else 'png'}", overwrite=True, verbose=0)
            plt.close("all")
        (PICTURES / f"{stem}.txt").write_text(words, encoding="utf-8")
    for path in PICTURES.iterdir():
        if path.stem.removesuffix("-dark") not in wanted:
            path.unlink()


def _card(name, text):
    """Return the Markdown of a card."""
    from kerasteach import plotting

    stem = f"{name}-{package_digest(text)}"
    alt = " ".join((PICTURES / f"{stem}.txt").read_text(encoding="utf-8").split())
    (light,) = (path for path in PICTURES.glob(f"{stem}.*") if path.suffix != ".txt")
    dark = PICTURES / f"{stem}-dark.png"
    shown = light.relative_to(DOCS).as_posix()
    return CARD.format(
        name=name,
        light=shown,
        alt=alt,
        classes="only-light" if dark.exists() else "film",
        dark=DARK.format(path=dark.relative_to(DOCS).as_posix(), alt=alt) if dark.exists() else "",
        summary=inspect.getdoc(getattr(plotting, name)).partition("\n")[0],
        code=text.strip(),
    )


class Gallery(Directive):
    """Cards for the figures that its lines name."""

    has_content = True

    def run(self):
        """Return the grid."""
        from docutils import nodes

        texts = scripts()
        page = Path(self.state.document.current_source).read_text(encoding="utf-8")
        names = listed([line.strip() for line in self.content if line.strip()], page)
        cards = "".join(_card(name, texts[name]) for name in names)
        lines = f"::::{{grid}} 1 1 1 2\n:gutter: 3\n{cards}\n::::".splitlines()
        box = nodes.container()
        self.state.nested_parse(StringList(lines, "gallery"), 0, box)
        env = self.state.document.settings.env
        for path in SCRIPTS.glob("*.py"):
            env.note_dependency(os.fspath(path))
        return box.children


def setup(app):
    """Register the directive, and draw the pictures before pages are read."""
    app.add_directive("figures", Gallery)
    app.connect("builder-inited", _make_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
