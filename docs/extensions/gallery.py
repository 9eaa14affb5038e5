"""The gallery: a card for each figure, with its picture and the lines that make it.

A script in `docs/gallery/` is called as the function that it shows. Its last line draws; what stands before it is its
data. Scripts that begin alike share their data, so that each training runs once.
"""

import ast
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


def scripts():
    """Return the text of each script, by the name of its figure."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("*.py"))}


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
        grounds = (False,) if "\nfilm = " in text else (False, True)
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
        names = [line.strip() for line in self.content if line.strip()]
        cards = "".join(_card(name, texts[name]) for name in names)
        lines = f"::::{{grid}} 1 1 1 2\n:gutter: 3\n{cards}\n::::".splitlines()
        box = nodes.container()
        self.state.nested_parse(StringList(lines, "gallery"), 0, box)
        env = self.state.document.settings.env
        for name in names:
            env.note_dependency(os.fspath(SCRIPTS / f"{name}.py"))
        return box.children


def setup(app):
    """Register the directive, and draw the pictures before pages are read."""
    app.add_directive("figures", Gallery)
    app.connect("builder-inited", _make_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
