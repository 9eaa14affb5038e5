import numpy as np
import pandas as pd
import pytest
from pages import NETWORKS, run

from kerasteach.report.chart_data import chart_set
from kerasteach.tables.run import Run


def values(chart, choice=0, network=0, epoch=0):
    """Return the values of a chart, by seed and place."""
    rows = pd.DataFrame(chart.rows, columns=["choice", "network", "seed", "epoch", "place", "value"])
    chosen = rows[(rows["choice"] == choice) & (rows["network"] == network) & (rows["epoch"] == epoch)]
    return chosen.pivot(index="seed", columns="place", values="value")


def test_the_charts_share_networks_and_seeds():
    """Names are those of the tables, also with letters that mean a formula to matplotlib."""
    found = chart_set(run())
    assert found.networks == list(NETWORKS)
    assert found.seeds == ["0", "1", "2"]
    assert [chart.name for chart in found.charts] == ["gradient-flow", "curves"]


def test_the_gradient_of_an_epoch_is_the_mean_over_its_steps():
    """As computed by NumPy, in four digits."""
    steps = pd.DataFrame(
        {
            "epoch": [0, 0, 1, 1],
            "step": [0, 1, 2, 3],
            "layer": "dense",
            "depth": 1,
            "parameter": "bias",
            "norm": [0.1, 0.2, 0.5, 0.7],
        }
    )
    (chart,) = chart_set(Run({"gradients": steps})).charts
    assert chart.epochs == [1, 2]
    assert values(chart).to_numpy() == pytest.approx(np.mean([0.1, 0.2]))
    assert values(chart, epoch=1).to_numpy() == pytest.approx(np.mean([0.5, 0.7]))


def test_the_curves_have_each_metric_in_every_epoch():
    """The values of the table, at epochs from 1."""
    run_ = run()
    chart = chart_set(run_).charts[1]
    assert [choice.label for choice in chart.choices] == [
        "training loss",
        "test loss",
        "training accuracy",
        "test accuracy",
    ]
    history = run_.tables["history"]
    one = history[(history["activation"] == NETWORKS[2]) & (history["metric"] == "val_loss")]
    expected = one.pivot(index="seed", columns="epoch", values="value").to_numpy()
    np.testing.assert_allclose(values(chart, choice=1, network=2).to_numpy(), expected, rtol=1e-3)


def test_what_is_not_finite_is_no_number():
    """JSON has no infinity; the page's script counts it as the highest."""
    history = pd.DataFrame({"epoch": [0, 1], "metric": "loss", "value": [1.0, np.nan]})
    (chart,) = chart_set(Run({"history": history})).charts
    assert [row[-1] for row in chart.rows] == [1.0, None]


def test_the_axis_holds_every_epoch():
    """A slider moves the lines, not the axis."""
    chart = chart_set(run()).charts[0]
    numbers = [row[-1] for row in chart.rows if row[0] == 0]
    assert chart.choices[0].low < min(numbers)
    assert chart.choices[0].high > max(numbers)
    assert chart.choices[0].log


def test_very_many_points_are_thinned_over_the_epochs():
    """The first and the last epoch stay."""
    epochs = np.arange(100_000)
    history = pd.DataFrame({"epoch": epochs, "metric": "loss", "value": 1 / (1 + epochs)})
    (chart,) = chart_set(Run({"history": history})).charts
    places = [row[4] for row in chart.rows]
    assert len(places) < 30_002
    assert places[0] == 1
    assert places[-1] == 100_000


def test_outputs_have_a_chart_of_their_own():
    """Of an ActivationCapture: dead units and more, by layer."""
    table = pd.DataFrame(
        {"epoch": 0, "step": 0, "layer": ["a", "b"], "depth": [1, 2], "call": 1, "dead_fraction": [0.5, 0.0]}
    )
    (chart,) = chart_set(Run({"activations": table})).charts
    assert [choice.label for choice in chart.choices] == ["share of dead units"]
    assert values(chart).to_numpy().tolist() == [[0.5, 0.0]]
