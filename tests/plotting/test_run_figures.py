import inspect

import pandas as pd
import pytest

from kerasteach import plotting
from kerasteach.plotting import run_figures
from kerasteach.plotting.run_figures import FIGURES, RunFigure, fitting, named
from kerasteach.tables.run import Run

HISTORY = pd.DataFrame({"epoch": [0, 1], "metric": "loss", "value": [0.9, 0.4]})


def test_each_figure_is_called_as_its_function():
    """Without `_figure`; test scores are a second use of the learning curves."""
    expected = {name: name for name in FIGURES} | {"test_scores": "learning_curves"}
    assert {name: figure.function.__name__.removesuffix("_figure") for name, figure in FIGURES.items()} == expected


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_each_figure_is_public_and_takes_its_tables_first(figure):
    """It is in `kerasteach.plotting`, and as many of its arguments as there are tables may be given by place."""
    assert getattr(plotting, figure.function.__name__) is figure.function
    first = list(inspect.signature(figure.function).parameters.values())[: len(figure.tables)]
    assert [parameter.kind.name for parameter in first] == ["POSITIONAL_OR_KEYWORD"] * len(figure.tables)
    assert figure.shows == figure.shows.strip(" .")


def test_a_figure_fits_where_its_tables_have_rows():
    """Of a history alone, the learning curves; a table without a row is none."""
    run = Run({"history": HISTORY, "gradients": pd.DataFrame(columns=["epoch"])})
    assert [figure.name for figure in fitting(run)] == ["learning_curves"]
    several = HISTORY.assign(metric="val_loss", seed=[0, 1])
    assert [figure.name for figure in fitting(Run({"history": several}))] == [
        *("learning_curves", "test_scores", "score_distribution")
    ]


def test_a_regression_has_no_decision_boundary():
    """Its predictions are values, not classes: they are drawn as a surface."""
    predictions = pd.DataFrame({"x_1": [0.0], "x_2": [0.0], "output": ["value_1"], "value": [1.0]})
    found = [
        [figure.name for figure in fitting(Run({"predictions": predictions}, task=task))]
        for task in ("regression", "classification")
    ]
    assert found == [["fitted_surface"], ["decision_boundary"]]


def test_a_further_figure_is_one_entry(monkeypatch):
    """A function with its table is listed, fits, and is drawn."""

    def of_our_own_figure(history, *, page=1, title="auto"):
        figure = plotting.learning_curves(history, title=title).get_figure()
        figure.set_label(f"page {page}")
        return figure

    entry = RunFigure(of_our_own_figure, ("history",), "something new", usual=False)
    monkeypatch.setitem(run_figures.FIGURES, entry.name, entry)
    run = Run({"history": HISTORY})
    assert named(run, ["of-our-own"]) == [entry]
    assert entry in fitting(run)
    assert entry not in fitting(run, usual=True)
    [page] = entry.draw(run, "ours")
    assert (page.get_label(), page.axes[0].get_title()) == ("page 1", "ours")


def test_seven_networks_are_two_pages():
    """A figure that takes `page` has as many as its networks need."""
    rows = [HISTORY.assign(seed=0, metric="loss").assign(activation=f"network {number}") for number in range(7)]
    history = pd.concat(rows)[["activation", "seed", "epoch", "metric", "value"]]
    run = Run({"history": history})
    assert FIGURES["lecture"].pages(run) == 2
    assert FIGURES["learning_curves"].pages(run) == 1


def test_many_layers_of_a_capture_are_several_pages():
    """The pages of a figure go by its own table: eight layers of histograms on each."""
    bins = {"low": [0.1], "high": [1.0], "count": [5]}
    rows = [
        pd.DataFrame({"epoch": 0, "step": 0, "layer": f"dense_{depth}", "depth": depth, "parameter": name, **bins})
        for depth in range(1, 11)
        for name in ("kernel", "bias")
    ]
    run = Run({"gradient_histograms": pd.concat(rows, ignore_index=True)})
    assert FIGURES["gradient_histograms"].pages(run) == 2


def test_a_confusion_of_seven_networks_has_two_pages():
    """Its counts are no histogram's."""
    rows = [
        pd.DataFrame({"activation": [f"f{number}"], "seed": 0, "true": "a", "predicted": "a", "count": 3})
        for number in range(7)
    ]
    assert FIGURES["confusion_matrix"].pages(Run({"confusion": pd.concat(rows, ignore_index=True)})) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lecturs", "`figures` must be one of .* Did you mean 'lecture'"),
        (
            "gradient_flow",
            "gradient_flow needs the table gradients; the run has history. Those that fit: learning_curves",
        ),
        ("test_scores", "test_scores shows test accuracy.* Those that fit: learning_curves"),
    ],
)
def test_a_figure_that_does_not_fit_is_refused(name, message):
    """The error says what is missing, and what fits."""
    with pytest.raises(ValueError, match=message):
        named(Run({"history": HISTORY}), [name])
