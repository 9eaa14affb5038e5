import inspect
import re

import pytest

import kerasteach as kt
from kerasteach.display import Displayed

BRITISH = re.compile(r"colour|grey|centre|(standard|normal|initial|regular|summar|vector)is", re.IGNORECASE)
REPLACED = {"progress": "verbose", "colour_bar": "colorbar"}
# Results that have no single table, and those of which no figure would show anything.
WITHOUT_FRAME = {"Comparison", "WeightSnapshots"}
WITHOUT_PLOT = {"Diagnosis", "Exercises", "Findings"}  # words


def rooms():
    """Yield the modules and packages that `kerasteach` names."""
    yield from (room for room in map(kt.__getattr__, kt.__all__) if inspect.ismodule(room))


def results():
    """Return every public class that shows itself, by its name."""
    public = {name: getattr(room, name) for room in rooms() for name in getattr(room, "__all__", [])}
    return {name: value for name, value in public.items() if inspect.isclass(value) and issubclass(value, Displayed)}


def public(kind):
    """Yield the names of a class's own public attributes."""
    for base in kind.__mro__:
        if base.__module__.startswith("kerasteach"):
            yield from (name for name in [*vars(base), *inspect.get_annotations(base)] if not name.startswith("_"))


PUBLIC = sorted(
    {f"{room.__name__}.{name}" for room in rooms() for name in getattr(room, "__all__", [])}
    | {f"kerasteach.{name}" for name in kt.__all__}
)


@pytest.mark.parametrize("path", PUBLIC)
def test_names_are_spelled_as_in_keras(path):
    """Neither a public name nor an argument of it has a British spelling, or a word that Keras has another for."""
    value = kt
    for part in path.split(".")[1:]:
        value = getattr(value, part)
    names = [path]
    if inspect.isroutine(value) or inspect.isclass(value):
        names += inspect.signature(value).parameters
    if inspect.isclass(value):
        names += public(value)
    assert not [name for name in names if BRITISH.search(name) or name in REPLACED]


def test_the_results_are_known():
    """What follows looks at every kind of result."""
    assert {
        "Comparison",
        "DecisionRegions",
        "Descent",
        "GradientCapture",
        "LossSurface",
        "StopOnError",
        "TracedStep",
        "record",
    } <= set(results())


@pytest.mark.parametrize("name", sorted(results()))
def test_a_result_has_a_table_and_a_figure(name):
    """The table of a result is `frame`, and `plot` draws it; a comparison has tables by their names."""
    names = set(public(results()[name]))
    assert "frame" in names or name in WITHOUT_FRAME
    assert "plot" in names or name in WITHOUT_PLOT
    assert not names & {"table", "df", "dataframe"}


def test_verbose_is_0_or_1_everywhere():
    """Whatever shows progress takes `verbose`, with the default 1."""
    functions = [kt.compare, kt.find_learning_rate, kt.loss_surface, kt.callbacks.StopOnError]
    functions += [kt.plotting.animate, kt.plotting.save]
    assert {inspect.signature(function).parameters["verbose"].default for function in functions} == {1}
