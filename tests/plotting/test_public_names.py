"""One rule for all public figure functions: what they take, what they return, how they are called."""

import inspect
import re
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kerasteach as kt

plotting = kt.plotting
NO_FIGURES = {"describe", "pages", "save", "show_or_save", "style"}
FIGURES = sorted(set(plotting.__all__) - NO_FIGURES - {"animate", "descent_animation"})
OTHER_TITLES = {"decision_boundary", "decision_boundary_figure"}  # each network's name is that of its panel
NETWORKS = {"activations", "gradients", "histograms", "history", "predictions"}  # tables that may hold several networks
BRITISH = r"colour|grey|centre|ise(d|r|s)?\b|normalis|labell|behaviour"


@pytest.mark.parametrize("name", FIGURES)
def test_the_name_says_what_is_returned(name):
    """`..._figure` returns a figure; every other function takes `ax` and returns axes."""
    signature = inspect.signature(getattr(plotting, name), eval_str=True)
    composed = name.endswith("_figure")
    assert signature.return_annotation is (Figure if composed else Axes)
    assert ("ax" in signature.parameters) is not composed
    if composed:
        assert signature.parameters["page"].default == 1
    if NETWORKS & set(signature.parameters):
        assert signature.parameters["hue"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("name", sorted({*FIGURES, "descent_animation"} - OTHER_TITLES))
def test_every_figure_takes_a_title(name):
    """`"auto"` by default, and only by its name, except where it always stood third."""
    title = inspect.signature(getattr(plotting, name)).parameters["title"]
    assert title.default == "auto"
    assert name == "lecture_figure" or title.kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("name", plotting.__all__)
def test_names_are_spelled_as_in_matplotlib(name):
    """American spelling, in names and in arguments."""
    words = [name, *inspect.signature(getattr(plotting, name)).parameters]
    assert not [word for word in words if re.search(BRITISH, word)]


def table(**columns):
    """Return a table of these columns."""
    return pd.DataFrame(columns)


def results():
    """Return each figure function with a result, and the tables that it holds."""
    history = table(epoch=[0, 1], metric="loss", value=[2.0, 1.0])
    gradients = table(epoch=0, step=0, layer=["a", "b"], depth=[1, 2], parameter="bias", norm=[0.1, 1.0])
    plane = table(x_1=[0.0, 0.0, 1.0, 1.0], x_2=[0.0, 1.0, 0.0, 1.0], value=[0.1, 0.9, 0.9, 0.1])
    predictions = pd.concat([plane.assign(output="a"), plane.assign(output="b", value=1 - plane["value"])])
    confusion = table(true=["a", "b"], predicted=["a", "a"], count=[1, 2])
    line = table(x_1=[0.0, 1.0], output="value_1", value=[0.0, 1.0])
    comparison = SimpleNamespace(history=history, gradients=gradients, predictions=predictions)
    rates = table(learning_rate=[0.1, 1.0], loss=[2.0, 1.0], smoothed=[2.0, 1.5])
    curve = table(w=[-1.0, 0.0, 1.0], loss=[1.0, 0.0, 1.0])
    points = table(snapshot=[0, 1], w=[-1.0, 0.0], loss=[1.0, 0.0], distance=0.0)
    surface = SimpleNamespace(frame=curve, trajectory=points)
    return [
        ("learning_curves", comparison, [history]),
        ("gradient_flow", comparison, [gradients]),
        ("gradient_flow", SimpleNamespace(frame=gradients), [gradients]),
        ("gradient_heat_map", comparison, [gradients]),
        ("gradient_heat_map_figure", comparison, [gradients]),
        ("decision_boundary", comparison, [predictions]),
        ("decision_boundary_figure", comparison, [predictions]),
        ("lecture_figure", comparison, [history, gradients]),
        ("learning_rate_test", SimpleNamespace(frame=rates, suggestion=0.1), [rates, 0.1]),
        ("loss_surface", surface, [curve, points]),
        ("score_distribution", comparison, [history]),
        ("network_gradients", comparison, [gradients]),
        ("network_gradients_figure", comparison, [gradients]),
        ("confusion_matrix_figure", SimpleNamespace(confusion=confusion), [confusion]),
        ("fitted_surface", comparison, [predictions]),
        ("fitted_surface_figure", comparison, [predictions]),
        ("fitted_curve", SimpleNamespace(frame=line), [line]),
    ]


def drawn(figure):
    """Return the points of every line, and every text."""
    axes = figure.axes if isinstance(figure, Figure) else [figure]
    lines = [line.get_xydata().tolist() for ax in axes for line in ax.lines]
    return str([lines, [ax.get_title() + ax.get_xlabel() + ax.get_ylabel() for ax in axes]])


@pytest.mark.parametrize(("name", "result", "tables"), results())
def test_a_result_gives_the_figure_of_its_tables(name, result, tables):
    """The figure finds the table, and what belongs to it, by their names."""
    draw = getattr(plotting, name)
    assert drawn(draw(result)) == drawn(draw(*tables))


def test_results_of_this_package_are_drawn():
    """A descent, a traced step and a capture, without their tables being named."""
    descent = kt.gradient_descent("parabola", learning_rate=0.3, steps=3)
    landscape = kt.lessons.landscape("parabola", points=9)
    assert plotting.descent_path(descent, landscape).get_xlabel() == "x"
    assert plotting.descent_values(SimpleNamespace(frame=getattr(descent, "frame", descent))).get_xlabel() == "step"
    step = kt.trace_step(
        kt.models.mlp("tanh", (2,), inputs=1, outputs=1, output_activation="sigmoid"), [[1.0]], [[0.5]]
    )
    assert drawn(plotting.traced_step(step)) == drawn(plotting.traced_step(step.frame))
    assert plotting.pages(step) == 1


@pytest.mark.parametrize("name", ["gradient_heat_map", "decision_boundary", "fitted_surface", "network_gradients"])
def test_one_panel_refuses_several_networks(name):
    """The error names the function that draws all of them."""
    (result,) = [result for other, result, _ in results() if other == name]
    argument = "gradients" if "gradient" in name else "predictions"
    one = getattr(result, argument)
    both = pd.concat([one.assign(network=network) for network in ("first", "second")])
    with pytest.raises(ValueError, match=f"{name}_figure"):
        getattr(plotting, name)(both, hue="network")
