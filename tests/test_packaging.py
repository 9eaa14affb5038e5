import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import kerasteach as kt
from kerasteach import extras

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which comes with pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
FOLDERS = {"kerasteach.callbacks": "callbacks", "kerasteach.tutorials": "tutorials"}
# The floors of docs/architecture.md: a room may import from floors below its own, and from its own folder.
FLOORS = [
    {"validation", "display", "extras", "keras_import"},
    {
        "translation",
        "activations",
        "devices",
        "keras_internals",
        "progress",
        "datasets",
        "storage",
        "tables",
        "variables",
    },
    {"plotting"},
    {"diagnosis"},
    {"losses", "optimizers", "initializers", "layers", "report", "stopping"},
    {"activation_checks"},
    {"models", "measure"},
    {"callbacks"},
    {"experiment", "lessons"},
    {"exercises"},
    {"cli"},
]
# The same inside the two largest rooms, from the ground; modules and folders that are not named stand where they like.
FLOORS_INSIDE = {
    "measure": [
        {"branches", "selection"},
        {"reductions"},
        {"statistics", "histograms", "parameters"},
        {"hooks"},
        {"recording"},
    ],
    "experiment": [
        {"training"},
        {"ensemble"},
        {"groups"},
        {"run_directory"},
        {"executor"},
        {"comparison"},
        {"paired_experiment"},
    ],
}
SOURCES = sorted([*(ROOT / "kerasteach").rglob("*.py"), *(ROOT / "callbacks").rglob("*.py")])


def run(code, *arguments):
    """Run Python in a process of its own and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def place(path):
    """Return where a source file stands, from the package down: `["measure", "hooks", "recorder"]`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return list(parts if parts[0] == "callbacks" else parts[1:])


def imports(path):
    """Return where the modules stand that a file imports, at its top or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1:] for name in names if name.startswith("kerasteach."))


def check_downward(path, floors, here, there):
    """Raise AssertionError if a module is imported from the same floor, or from one above."""
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms}
    if here != there and here in floor and there in floor:
        assert floor[there] < floor[here], f"{path.relative_to(ROOT)} imports {there}"


def test_every_package_is_in_the_list():
    """The list in pyproject.toml names every folder with an `__init__.py`, and the tutorials' folder."""
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES if path.name == "__init__.py"}
    assert {FOLDERS.get(name, name) for name in PACKAGES} == {*found, "tutorials"}
    mapped = PROJECT["tool"]["setuptools"]["package-dir"]
    assert mapped == {"kerasteach": "kerasteach", **FOLDERS}


def test_errors_name_the_packages_of_the_extras():
    """What an error says to install is what the extra installs."""
    optional = PROJECT["project"]["optional-dependencies"]
    assert {name: list(packages) for name, packages in extras.PACKAGES.items()} == {
        name: optional[name] for name in extras.PACKAGES
    }
    assert extras.how_to_install("gpu") == 'pip install "tensorflow[and-cuda]>=2.18"'


def test_every_room_has_a_floor():
    """No room is left out of the list of floors."""
    rooms = {place(path)[0] for path in SOURCES} - {"__init__"}
    assert rooms == set().union(*FLOORS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_downward(path):
    """A room imports only from floors below its own, and so does a folder inside a large room."""
    here = place(path)
    for there in imports(path):
        check_downward(path, FLOORS, here[0], there[0])
        if here[0] == there[0] and here[0] in FLOORS_INSIDE and len(there) > 1:
            check_downward(path, FLOORS_INSIDE[here[0]], here[1], there[1])


WITHOUT_KERAS = """
import json, sys
loaded = {}
def note(what):
    heavy = {'keras', 'tensorflow', 'numpy', 'pandas', 'seaborn'}
    loaded[what] = sorted(heavy & set(sys.modules))
import kerasteach.activations
note('names of activations')
import kerasteach as kt, kerasteach.cli
note('the package and its command')
import kerasteach.plotting
note('figures')
capture, comparison = sys.argv[1:]
table, steps = kt.measure.read(capture), kt.measure.read_raw(capture)
assert table['step'].nunique() == len(steps) == 2
note('a saved capture')
result = kt.Comparison.load(comparison)
result.summary(); repr(result); result.plot()
note('a saved comparison')
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded(comparison, classifier, blobs, tmp_path_factory):
    """Return which heavy packages are loaded after each thing that needs neither Keras nor TensorFlow, in one process.

    What comes first needs least.
    """
    folder = tmp_path_factory.mktemp("saved")
    capture = kt.callbacks.GradientCapture(every=1, raw={"*": [0, 1]})
    classifier().fit(*blobs, epochs=1, verbose=0, callbacks=[capture])
    capture.save(folder / "capture")
    comparison.save(folder / "comparison")
    return json.loads(run(WITHOUT_KERAS, folder / "capture", folder / "comparison"))


def test_figures_need_no_keras(loaded):
    """The plotting room imports neither Keras nor TensorFlow, and what it imports does not either."""
    assert not {"keras", "tensorflow"} & set(loaded["figures"])


def test_a_saved_comparison_needs_no_keras(loaded):
    """It is loaded, summarized, shown and drawn without waiting for TensorFlow."""
    assert not {"keras", "tensorflow"} & set(loaded["a saved comparison"])


def test_a_saved_capture_needs_no_keras(loaded):
    """Its table and whole gradients are read without waiting for TensorFlow."""
    assert not {"keras", "tensorflow"} & set(loaded["a saved capture"])


@pytest.mark.slow
@pytest.mark.parametrize("first", ["paired_experiment", "comparison"])
def test_compare_is_the_function_in_any_order(first):
    """Whichever module of the experiment is imported first, `compare` is no module."""
    code = f"import kerasteach.experiment.{first}, kerasteach as kt; kt.Comparison"
    assert run(f"{code}; print(kt.compare is kt.experiment.compare, kt.compare.__name__)") == "True compare"


def test_names_of_activations_need_no_keras(loaded):
    """A command can refuse a name before TensorFlow starts."""
    assert loaded["names of activations"] == []


def test_the_package_alone_imports_neither_keras_nor_pandas(loaded):
    """The command's help runs without them."""
    assert not {"keras", "tensorflow", "pandas", "seaborn"} & set(loaded["the package and its command"])


def test_the_help_waits_for_no_event_loop_and_no_process_pool():
    """Each takes a good part of the time in which the command answers."""
    assert run("import sys, kerasteach.cli; print({'asyncio', 'multiprocessing'} & set(sys.modules))") == "set()"


def test_reading_and_diagnosing_a_run_needs_no_drawing_library():
    """A run's tables are in another room than its figures."""
    code = "import sys, kerasteach.experiment.saved_run, kerasteach.diagnosis"
    assert run(f"{code}; print({{'matplotlib', 'seaborn', 'keras'}} & set(sys.modules))") == "set()"


@pytest.mark.slow
def test_the_package_brings_no_drawing_library_to_a_model():
    """After Keras, kerasteach and its callbacks load no seaborn."""
    assert run("import sys, keras, kerasteach as kt; kt.callbacks; print('seaborn' in sys.modules)") == "False"


@pytest.mark.slow
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
