"""The reference: a page for each room of the package, and one for each public name, from the rooms' `__all__`."""

import inspect
from pathlib import Path

PAGES = Path(__file__).parents[1] / "reference"
TOP = """API reference
=============

Everything public, a page for each name; {count} names in all. `import kerasteach as kt` makes the first ones
available as `kt.compare` and so on, and the rooms as `kt.callbacks`, `kt.plotting`, ...

.. rubric:: At the top level

{names}

.. rubric:: Rooms

{rooms}

.. toctree::
   :hidden:
   :maxdepth: 1

{tree}
"""


def public(module):
    """Return the public names of a module: its `__all__`, or the functions and classes that it defines itself."""
    own = [name for name, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__]
    return list(getattr(module, "__all__", [name for name in own if not name.startswith("_")]))


def rooms():
    """Return the modules that `kerasteach` names, and those that these name, by their public names."""
    import kerasteach as kt

    found = {}
    waiting = [("kerasteach", kt)]
    while waiting:
        path, module = waiting.pop()
        inner = [(f"{path}.{name}", getattr(module, name)) for name in public(module)]
        waiting += [(name, one) for name, one in inner if inspect.ismodule(one)]
        found[path] = module
    del found["kerasteach"]
    return dict(sorted(found.items()))


def pages():
    """Return the text of each page, by the name of its file without an ending."""
    found = {room.removeprefix("kerasteach."): _room(room, module) for room, module in rooms().items()}
    for room, module in rooms().items():
        for name in public(module):
            if not inspect.ismodule(getattr(module, name)):
                found[f"{room.removeprefix('kerasteach.')}.{name}"] = _entry(room, module, name)
    return found | {"index": _top(len(found) - len(rooms()))}


def _title(text):
    return f"{text}\n{'=' * len(text)}\n"


def _top(count):
    import kerasteach as kt

    names = {name: f"{kt._NAMES[name]}.{name}" for name in kt._NAMES}
    lines = [f"- :py:obj:`kt.{name} <{path}>`: {_first_sentence(getattr(kt, name))}" for name, path in names.items()]
    short = [room.removeprefix("kerasteach.") for room in rooms()]
    described = [f"- :doc:`kt.{name} <{name}>`: {_first_sentence(rooms()[f'kerasteach.{name}'])}" for name in short]
    tree = "\n".join(f"   kt.{name} <{name}>" for name in short)
    return TOP.format(count=count, names="\n".join(lines), rooms="\n".join(described), tree=tree)


def _room(room, module):
    short, lines, tree = room.removeprefix("kerasteach."), [], []
    for name in public(module):
        value, path = getattr(module, name), f"{short}.{name}"
        link = f":doc:`{name} <{path}>`" if inspect.ismodule(value) else f":py:obj:`{name} <{room}.{name}>`"
        lines.append(f"- {link}: {_first_sentence(value)}")
        tree += [] if inspect.ismodule(value) else [f"   {name} <{path}>"]
    parts = [_title(f"kt.{short}"), f".. automodule:: {module.__name__}\n", *lines]
    return "\n".join([*parts, *(["\n.. toctree::\n   :hidden:\n", *tree, ""] if tree else [])])


def _entry(room, module, name):
    value, path = getattr(module, name), f"{room}.{name}"
    head = _title(f"kt.{path.removeprefix('kerasteach.')}")
    if inspect.isclass(value):
        foreign = [base for base in value.__mro__ if not base.__module__.startswith("kerasteach")]
        called_by_keras = ", ".join(name for name in dir(foreign[0]) if not name.startswith("_"))
        options = {"members": "", "inherited-members": ", ".join(base.__name__ for base in foreign)}
        options |= {"exclude-members": called_by_keras} if called_by_keras else {}
        return f"{head}\n.. autoclass:: {path}\n" + "".join(f"   :{key}: {given}\n" for key, given in options.items())
    kind = "autofunction" if inspect.isroutine(value) else "autodata"
    return f"{head}\n.. {kind}:: {path}\n" + ("   :no-value:\n" if kind == "autodata" else "")


def _first_sentence(value):
    """Return the first paragraph of a docstring up to its first full stop, as reStructuredText."""
    text = " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())
    head, stop, _ = text.partition(". ")
    return head + stop.strip()


def write(app=None):
    """Write the pages that changed, and remove those whose name is gone."""
    PAGES.mkdir(exist_ok=True)
    texts = {f"{name}.rst": text for name, text in pages().items()}
    for path in PAGES.glob("*.rst"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        path = PAGES / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app):
    """Write the pages before Sphinx looks for them."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
