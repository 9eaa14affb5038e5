import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kerasteach as kt
from kerasteach import extras

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
FOLDERS = {"kerasteach.callbacks": "callbacks"}
# The floors of docs/architecture.md: a room may import from floors below its own, and from its own folder.
FLOORS = [
    {"validation", "extras"},
    {"activation_names"},
    {"activations", "losses", "optimizers", "datasets", "devices", "progress"},
    {"layers", "activation_checks"},
    {"models", "measure"},
    {"callbacks"},
    {"experiment", "lessons"},
    {"plotting"},
    {"cli"},
]
ALLOWED_ACROSS = {
    ("losses", "activations"),  # the name of a tensor's type
    ("optimizers", "activations"),
}
SOURCES = sorted([*(ROOT / "kerasteach").rglob("*.py"), *(ROOT / "callbacks").rglob("*.py")])


def run(code):
    """Run Python in a process of its own and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def room(path):
    """Return the room that a source file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "callbacks" else parts[1]


def imports(path):
    """Return the names of all modules that a file imports, at its top or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "kerasteach":
            yield from (f"kerasteach.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_package_is_in_the_list():
    """The list in pyproject.toml names every folder with an `__init__.py`, and no other."""
    found = {
        "callbacks" if path.parent.name == "callbacks" else ".".join(path.parent.relative_to(ROOT).parts)
        for path in SOURCES
        if path.name == "__init__.py"
    }
    assert {name if name != "callbacks" else "kerasteach.callbacks" for name in found} == set(PACKAGES)


def test_errors_name_the_packages_of_the_extras():
    """What an error says to install is what the extra installs."""
    optional = PROJECT["project"]["optional-dependencies"]
    assert {name: list(packages) for name, packages in extras.PACKAGES.items()} == {
        name: optional[name] for name in extras.PACKAGES
    }
    assert extras.how_to_install("gpu") == 'pip install "tensorflow[and-cuda]>=2.21"'


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_downward(path):
    """A room imports only from floors below its own (`__init__` is the table of contents)."""
    here = room(path)
    if here == "__init__":
        return
    level = next(number for number, floor in enumerate(FLOORS) if here in floor)
    below = set().union(*FLOORS[:level]) | {here}
    for name in imports(path):
        if here == "cli" or not name.startswith("kerasteach."):
            continue
        there = name.split(".")[1]
        assert there in below or (here, there) in ALLOWED_ACROSS, f"{here} imports {there}"


def test_figures_need_no_keras():
    """The plotting room imports neither Keras nor TensorFlow, and what it imports does not either."""
    assert run("import sys, kerasteach.plotting; print({'keras', 'tensorflow'} & set(sys.modules))") == "set()"


def test_names_of_activations_need_no_keras():
    """A command can refuse a name before TensorFlow starts."""
    assert run("import sys, kerasteach.activation_names; print({'keras', 'numpy'} & set(sys.modules))") == "set()"


def test_the_package_alone_imports_neither_keras_nor_pandas():
    """The command's help runs without them."""
    code = (
        "import sys, kerasteach, kerasteach.cli; print({'keras', 'tensorflow', 'pandas', 'seaborn'} & set(sys.modules))"
    )
    assert run(code) == "set()"


def test_the_package_brings_no_drawing_library_to_a_model():
    """After Keras, kerasteach and its callbacks load no seaborn."""
    assert run("import sys, keras, kerasteach as kt; kt.callbacks; print('seaborn' in sys.modules)") == "False"


@pytest.mark.parametrize(
    "order",
    [
        "import kerasteach, keras",
        "import keras, kerasteach",
        *(f"import kerasteach.{name}, keras" for name in ("activations", "layers", "losses", "optimizers")),
    ],
)
def test_our_objects_are_registered_in_any_order(order):
    """Whichever is imported first, Keras knows our classes and functions."""
    names = ["Dense", "Softmax", "PlainSGD", "HalfSquaredError", "tanh"]
    code = f"{order}; print([keras.saving.get_registered_object('kerasteach>' + n) is not None for n in {names}])"
    assert run(code) == str([True] * len(names))


def test_the_face_and_its_stub_agree():
    """What `kerasteach` resolves is what its stub tells type checkers."""
    stub = ast.parse((ROOT / "kerasteach" / "__init__.pyi").read_text(encoding="utf-8"))
    told = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == set(kt.__all__)
    assert all(getattr(kt, name) is not None for name in kt.__all__)


def test_an_unknown_name_is_an_attribute_error():
    """A typing error is met as in any module."""
    with pytest.raises(AttributeError, match="module 'kerasteach' has no attribute 'compair'"):
        _ = kt.compair


def test_the_version_is_told_once():
    """pyproject.toml, the package and the changelog agree."""
    assert kt.__version__ == PROJECT["project"]["version"]


def test_callbacks_exist_once():
    """The classes are those of kerasteach.callbacks, whatever else is on the path."""
    assert kt.callbacks.StopOnError.__module__ == "kerasteach.callbacks.stop_on_error"
    assert "callbacks" not in sys.modules
