"""Curves with the same values: each is seen."""

import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach import plotting


def twice(table, column, name):
    """Return a table in which a second network, or optimizer, has the values of the first."""
    return pd.concat([table, table.assign(**{column: name})], ignore_index=True)


def history(losses=(1.0, 0.5, 0.2)):
    """Return the losses of two networks that are equal, and of a third."""
    table = kt.measure.history_table({"loss": list(losses)}).assign(network="first")
    third = table.assign(network="third", value=table["value"] + 0.1)
    table = pd.concat([twice(table, "network", "second"), third], ignore_index=True)
    return table[["network", "epoch", "metric", "value"]]


def gradients():
    """Return the gradients of two networks that are equal."""
    table = pd.DataFrame({"network": "first", "epoch": 0, "depth": [1, 2], "layer": ["a", "b"], "parameter": "bias"})
    return twice(table.assign(norm=[0.1, 1.0]), "network", "second")


@pytest.fixture(scope="module")
def descent():
    """Return the path of one optimizer as that of two."""
    steps = np.arange(5)
    place = 2.0 * 0.5**steps
    keys = {"optimizer": "plain_sgd", "learning_rate": 0.5, "step": steps, "x": place, "value": place**2}
    return twice(pd.DataFrame({**keys, "gradient_norm": 2 * place, "verdict": "still going"}), "optimizer", "sgd")


def widths(ax, count):
    """Return the widths and the sizes of markers of the first lines with several points."""
    lines = [line for line in ax.lines if len(line.get_xdata()) > 1 and line.get_zorder() >= 2][-count:]
    return [line.get_linewidth() for line in lines], [line.get_markersize() for line in lines]


def test_the_curve_below_is_wider():
    """Its edges, and those of its markers, are seen; the curve above and others have the usual width."""
    (first, second, third), sizes = widths(plotting.learning_curves(history()), 3)
    assert first > 2 * second
    assert second == third
    assert sizes[0] > 1.5 * sizes[1]


def test_so_are_those_of_gradients_and_descents(descent):
    """By the same rule."""
    x = np.linspace(-3, 3, 25)
    landscape = pd.DataFrame({"x": x, "value": x**2})
    outputs = gradients().assign(call=1, zero_fraction=[0.1, 0.2, 0.1, 0.2]).drop(columns=["parameter", "norm"])
    functions = pd.DataFrame({"activation": "silu", "x": x, "value": x / 2, "derivative": 0.5})
    lines = pd.DataFrame({"network": "first", "x_1": x, "output": "y", "value": x**2})
    for ax in (
        plotting.activation_statistics(outputs, "zero_fraction"),
        plotting.activation_curves(twice(functions, "activation", "swish")),
        plotting.fitted_curve(twice(lines, "network", "second")),
        plotting.gradient_flow(gradients(), "bias"),
        plotting.descent_values(descent),
        plotting.descent_path(descent, landscape),
    ):
        (first, second), _ = widths(ax, 2)
        assert first > 2 * second


def test_curves_that_differ_somewhere_have_one_width():
    """Also where all others of their points are the same, or some are missing."""
    table = history()
    table.loc[table["network"] == "second", "value"] = [1.0, 0.5, 0.6]
    assert len(set(widths(plotting.learning_curves(table), 3)[0])) == 1
    table.loc[table["network"] == "second", "value"] = [1.0, 0.5, np.nan]
    assert len(set(widths(plotting.learning_curves(table), 3)[0])) == 1
